/* SPDX-License-Identifier: MIT */
#include "settled_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "front/session.h"
#include "limit.h"
#include "net/pool.h"
#include "proto/line.h"
#include "proto/plan.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * The composition root: what lives below is made first and goes last. Nothing here decides
 * anything about a request; it hands each layer its neighbours and its limits.
 */

const struct settled_options settled_options_default = {
	.requests_max = BOUND_NONE,
	.requests_per_origin_max = BOUND_NONE,
	.sessions_max = 1024,
	.jobs_max = PLAN_JOBS_MAX,
	.line_max = LINE_SIZE_MAX,
	.idle_max = 1024,
	.idle_timeout_ns = 60 * NS_PER_S,
	.dns_timeout_ns = 5 * NS_PER_S,
	.dns_positive_ns = 30 * NS_PER_S,
	.dns_negative_ns = 5 * NS_PER_S,
	.dns_threads_max = 8,
	.drain_timeout_ns = 30 * NS_PER_S,
	.insecure_allowed = true,
	.prewarm = true,
	.retry_after_max_ns = 300 * NS_PER_S,
};

/* What there may be that takes a descriptor. */
struct settled_shares {
	uint32_t conns_max, passed_max;
};

/* Clients may pass a quarter of the descriptors that there are; connections have what is left
 * beside those and what else needs one, half of them at least. */
static struct settled_shares settled_share_descriptors(const struct settled_options *options)
{
	struct rlimit limit = {.rlim_cur = 1024};
	uint64_t n, passed, others;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = 1024;
	n = limit.rlim_cur < UINT32_MAX ? limit.rlim_cur : UINT32_MAX;
	passed = n / 4;
	others = (uint64_t)options->sessions_max + LIMIT_DESCRIPTORS_RESERVED + passed;
	if (others > n / 2)
		others = n / 2;
	return (struct settled_shares){
		.conns_max = (uint32_t)(n - others), .passed_max = (uint32_t)passed};
}

static void settled_write_status(void *context, struct buffer *out)
{
	settled_status(context, out);
}

static void settled_on_drain_timeout(struct timer *timer)
{
	struct settled *settled = container_of(timer, struct settled, drain_timer);

	settled->is_shut_down = true;
	front_shut_down(&settled->front);
}

static bool settled_make_net(struct settled *settled, struct settled_shares shares)
{
	const struct settled_options *options = &settled->options;
	struct resolver_options resolver = {
		.positive_ns = options->dns_positive_ns,
		.negative_ns = options->dns_negative_ns,
		.names_max = LIMIT_DNS_NAMES,
	};
	struct pool_options pool = {
		.conns_max = shares.conns_max,
		.idle_max = options->idle_max,
		.idle_timeout_ns = options->idle_timeout_ns,
		.requests_per_origin_max = options->requests_per_origin_max,
	};

	settled->resolver = resolver_new(settled->ring, settled->lookups, &resolver);
	settled->tls_store = tls_store_new();
	if (!settled->resolver || !settled->tls_store)
		return false;
	settled->pool = pool_new(settled->ring, settled->resolver, settled->tls_store, &pool);
	return settled->pool;
}

static void settled_make_front(struct settled *settled, struct settled_shares shares)
{
	const struct settled_options *options = &settled->options;
	uint32_t conns_max = shares.conns_max;
	struct scheduler_options scheduler = {
		.requests_max =
			options->requests_max < conns_max ? options->requests_max : conns_max,
		.attempts_max = conns_max,
		.body_bytes_max = LIMIT_BODY_BYTES,
		.dns_timeout_ns = options->dns_timeout_ns,
		.insecure_allowed = options->insecure_allowed,
		.prewarm = options->prewarm,
		.retry_after_max_ns = options->retry_after_max_ns,
		.seed = options->seed,
		.secrets = options->secrets,
	};
	struct front_options front = {
		.sessions_max = options->sessions_max,
		.jobs_max = options->jobs_max,
		.graphs_max = LIMIT_SESSION_GRAPHS,
		.passed_max = shares.passed_max,
		.line_max = options->line_max,
		.out_high = LIMIT_SESSION_OUT_HIGH,
		.out_low = LIMIT_SESSION_OUT_LOW,
		.write_status = settled_write_status,
		.context = settled,
	};

	scheduler_init(&settled->scheduler, settled->ring, settled->pool, &scheduler);
	front_init(&settled->front, settled->ring, &settled->scheduler, &front);
	listener_init(&settled->listener, &settled->front);
}

static void settled_free_net(struct settled *settled)
{
	pool_free(settled->pool);
	tls_store_free(settled->tls_store);
	lookup_pool_free(settled->lookups);
	resolver_free(settled->resolver);
	free(settled);
}

int settled_new(
	struct ring *ring, const struct settled_options *options, struct settled **ret_settled)
{
	struct settled *settled = calloc(1, sizeof(*settled));
	struct settled_shares shares = settled_share_descriptors(options);
	int r;

	if (!settled)
		return -ENOMEM;
	settled->ring = ring;
	settled->options = *options;
	settled->started_ns = ring_now(ring);
	timer_init(&settled->drain_timer, settled_on_drain_timeout);
	r = lookup_pool_new(ring, options->dns_threads_max, LIMIT_DNS_QUEUED, &settled->lookups);
	if (r == 0 && !settled_make_net(settled, shares))
		r = -ENOMEM;
	if (r < 0) {
		settled_free_net(settled);
		return r;
	}
	settled_make_front(settled, shares);
	*ret_settled = settled;
	return 0;
}

struct settled *settled_free(struct settled *settled)
{
	if (!settled)
		return NULL;
	expect(settled_is_idle(settled));
	timer_stop(ring_timers(settled->ring), &settled->drain_timer);
	front_deinit(&settled->front);
	scheduler_deinit(&settled->scheduler);
	settled_free_net(settled);
	return NULL;
}

void settled_listen(struct settled *settled, int fd)
{
	listener_start(&settled->listener, fd);
}

int settled_adopt(struct settled *settled, int fd, uid_t uid)
{
	return session_new(&settled->front, fd, uid);
}

void settled_drain(struct settled *settled)
{
	uint64_t wait_ns = settled->is_draining ? 0 : settled->options.drain_timeout_ns;

	if (!settled->is_draining) {
		settled->is_draining = true;
		if (settled->listener.fd >= 0)
			listener_stop(&settled->listener);
		front_drain(&settled->front);
		pool_drain(settled->pool);
	}
	if (!settled->is_shut_down)
		timer_set(ring_timers(settled->ring), &settled->drain_timer,
			ring_now(settled->ring) + wait_ns);
}

void settled_reload(struct settled *settled)
{
	tls_store_forget(settled->tls_store);
}

bool settled_has_no_session(const struct settled *settled)
{
	return settled->front.n_sessions == 0;
}

bool settled_is_idle(const struct settled *settled)
{
	return settled_has_no_session(settled) && pool_is_empty(settled->pool) &&
	       listener_is_idle(&settled->listener);
}
