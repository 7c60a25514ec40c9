/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon without its process: everything below main() put together, in one order, over a
 * ring somebody else made. main.c runs it over io_uring; the simulator over its own.
 *
 *   settled_new -> settled_listen / settled_adopt -> ring_turn ... -> settled_drain ->
 *   ring_turn until settled_is_idle -> settled_free
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/scheduler.h"
#include "ring/ring.h"
#include "util/buffer.h"

struct settled;

struct settled_options {
	/* Requests on the wire: of the daemon, and of one origin. UINT32_MAX: no bound (for the
	 * daemon: what descriptors allow). */
	uint32_t requests_max, requests_per_origin_max;
	/* Sessions at once; beyond it new ones are closed at once. */
	uint32_t sessions_max;
	/* Of one graph. */
	uint32_t jobs_max;
	/* A message's line. */
	size_t line_max;
	/* Idle connections kept for reuse in all, and for how long. */
	uint32_t idle_max;
	uint64_t idle_timeout_ns;
	/* How long the resolver may take, an answer and a "not found" are remembered. */
	uint64_t dns_timeout_ns, dns_positive_ns, dns_negative_ns;
	unsigned dns_threads_max;
	/* How long a drain waits for graphs to finish by themselves. */
	uint64_t drain_timeout_ns;
	/* Whether "insecure": true is allowed (POLICY_TLS). */
	bool insecure_allowed;
	/* Connections are made while their jobs still wait for others. */
	bool prewarm;
	/* The longest that a Retry-After is obeyed. */
	uint64_t retry_after_max_ns;
	/* Of the jitter of backoffs. */
	uint64_t seed;
	/* Where {{secret.NAME}} comes from; find == NULL: there are none. */
	struct secret_source secrets;
};

/* The defaults of the private daemon: no bound for an origin. */
extern const struct settled_options settled_options_default;

/* 0 or -errno. The ring stays the caller's. */
int settled_new(
	struct ring *ring, const struct settled_options *options, struct settled **ret_settled);

/* All must be idle. Takes NULL, returns NULL. */
struct settled *settled_free(struct settled *settled);

/* Accept sessions from a listening socket, which stays the caller's, until settled_drain(). */
void settled_listen(struct settled *settled, int fd);

/* Serve one session on a connected socket, which becomes the daemon's. 0 or -errno (and closed). */
int settled_adopt(struct settled *settled, int fd, uid_t uid);

/* Take on no more; what runs may finish within the drain timeout, then the rest is settled as
 * SHUTDOWN, and the sessions are closed when all was sent. Twice: at once. */
void settled_drain(struct settled *settled);

/* The secrets may be others now: nothing that was made of them serves a new connection. */
void settled_reload(struct settled *settled);

/* True where no session, graph or connection is left, and nothing is in flight but what
 * settled_free() may leave to the ring. */
bool settled_is_idle(const struct settled *settled);

/* True where no session is open (the private daemon's end). */
bool settled_has_no_session(const struct settled *settled);

/* For STATUS= of sd_notify(3): "2 sessions, 12 graphs, 340 requests in flight". */
void settled_describe(const struct settled *settled, struct buffer *out);

/* All live state, for people, a line each (SIGUSR1). No secrets: no URLs, headers or bodies. */
void settled_dump(const struct settled *settled, struct buffer *out);

/* The status message's object as JSON. */
void settled_status(const struct settled *settled, struct buffer *out);
