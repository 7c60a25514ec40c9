/* SPDX-License-Identifier: MIT */
#include "sim_run.h"

#include <errno.h>

#include "daemon/settled.h"
#include "sim_client.h"
#include "sim_kernel.h"
#include "sim_lookup.h"
#include "sim_memory.h"
#include "sim_origin.h"
#include "sim_retry.h"
#include "sim_tls.h"
#include "sim_world.h"
#include "util/buffer.h"
#include "util/clock.h"

/*
 * The daemon is made, served, drained and freed. Every graph must come to its end within some
 * virtual minutes, and at the very end nothing may be left: no descriptor, no operation, no byte.
 */

/* What the longest timeouts of a deep graph may add up to. */
#define SIM_WORLD_NS_MAX  (60 * 60 * NS_PER_S)
#define SIM_TURNS_MAX     1000000
#define SIM_DRAIN_NS_MAX  (10 * 60 * NS_PER_S)
#define SIM_LOOK_NS       (500 * NS_PER_MS)
#define SIM_SESSIONS_MAX  64
#define SIM_LINE_SIZE_MAX ((size_t)16 * 1024 * 1024)

static uint32_t sim_bound_draw(void)
{
	return sim_chance(500) ? UINT32_MAX : (uint32_t)sim_between(1, 6);
}

static struct settled_options sim_options_draw(void)
{
	struct settled_options options = settled_options_default;

	options.requests_max = sim_bound_draw();
	options.requests_per_origin_max = sim_bound_draw();
	options.sessions_max = SIM_SESSIONS_MAX;
	options.line_max = SIM_LINE_SIZE_MAX;
	options.idle_max = sim_chance(500) ? 1000 : (uint32_t)sim_between(0, 4);
	options.idle_timeout_ns = sim_between(1, 60000) * NS_PER_MS;
	options.dns_timeout_ns = sim_between(100, 5000) * NS_PER_MS;
	options.dns_positive_ns = sim_delay(30 * NS_PER_S);
	options.dns_negative_ns = sim_delay(5 * NS_PER_S);
	options.drain_timeout_ns = sim_delay(5 * NS_PER_S);
	sim_model.requests_max = options.requests_max;
	sim_model.requests_per_origin_max = options.requests_per_origin_max;
	return options;
}

static void sim_turn(struct ring *ring, unsigned *n_turns)
{
	int r;

	if (++*n_turns > SIM_TURNS_MAX)
		sim_fail("more than %d turns", SIM_TURNS_MAX);
	r = ring_turn(ring, sim_now() + SIM_LOOK_NS);
	if (r < 0)
		sim_fail("a turn failed");
}

/* Ask it for all it can say of itself. */
static void sim_look(struct settled *settled)
{
	struct buffer out;

	buffer_init(&out, (size_t)1 << 20);
	settled_describe(settled, &out);
	settled_dump(settled, &out);
	settled_status(settled, &out);
	buffer_deinit(&out);
}

static void sim_serve(struct ring *ring, struct settled *settled, unsigned *n_turns)
{
	uint64_t end_ns = sim_now() + SIM_WORLD_NS_MAX;
	uint64_t drain_ns = sim_chance(150) ? sim_now() + sim_delay(3 * NS_PER_S) : UINT64_MAX;
	bool looks = sim_chance(200);

	while (!sim_clients_are_over()) {
		sim_turn(ring, n_turns);
		if (sim_now() > end_ns)
			sim_fail("a graph has not come to its end");
		if (looks && sim_chance(20))
			sim_look(settled);
		if (sim_now() < drain_ns)
			continue;
		sim_trace("drain");
		sim_model.drain_ns = sim_now();
		settled_drain(settled);
		sim_clients_drain();
		drain_ns = sim_chance(300) ? sim_now() + sim_delay(5 * NS_PER_S) : UINT64_MAX;
	}
}

static void sim_end(struct ring *ring, struct settled *settled, unsigned *n_turns)
{
	uint64_t end_ns = sim_now() + SIM_DRAIN_NS_MAX;

	/* The daemon finds by itself that everybody has gone. */
	while (!settled_has_no_session(settled)) {
		sim_turn(ring, n_turns);
		if (sim_now() > end_ns)
			sim_fail("sessions are left, but no clients");
	}
	sim_trace("drain at the end");
	if (!sim_model.drain_ns)
		sim_model.drain_ns = sim_now();
	settled_drain(settled);
	while (!settled_is_idle(settled)) {
		sim_turn(ring, n_turns);
		if (sim_now() > end_ns)
			sim_fail("the daemon does not become idle");
	}
}

static void sim_check(struct ring *ring)
{
	sim_clients_check();
	sim_retry_check_pauses();
	if (sim_model.n_on_wire > 0)
		sim_fail("%u requests are on the wire at the end", sim_model.n_on_wire);
	/* Closes that nobody waits for. */
	sim_advance(sim_now() + NS_PER_S);
	sim_kernel_unlisten(sim_model.listener);
	if (sim_kernel_flights() > 0)
		sim_fail("%u operations are in flight at the end", sim_kernel_flights());
	if (sim_kernel_descriptors() > 0)
		sim_fail("%u descriptors are open at the end", sim_kernel_descriptors());
	if (ring_timers(ring)->n_armed > 0)
		sim_fail("timers are armed at the end");
	sim_memory_check();
}

static void sim_live(const struct sim_settings *settings)
{
	struct settled_options options;
	struct settled *settled;
	struct ring *ring;
	const char *why;
	unsigned n_turns = 0;
	uint64_t fail_at = sim_chance(30) ? sim_between(1, 600) : 0;

	sim_memory_begin(settings->fail_at ? settings->fail_at : fail_at, sim_below(4) + 1);
	sim_kernel_begin();
	sim_lookup_begin();
	sim_tls_begin();
	sim_origins_draw();
	options = sim_options_draw();
	ring_new(&(struct ring_options){0}, &ring, &why);
	sim_model.listener = sim_kernel_listen(&sim_client_watch);
	if (settled_new(ring, &options, &settled) < 0) {
		if (!sim_world.memory_failed)
			sim_fail("the daemon cannot be made");
		sim_memory_check();
		return;
	}
	settled_listen(settled, sim_model.listener);
	sim_clients_draw(settled);
	sim_serve(ring, settled, &n_turns);
	sim_end(ring, settled, &n_turns);
	settled_free(settled);
	sim_check(ring);
	ring_free(ring);
}

bool sim_run(uint64_t seed, const struct sim_settings *settings)
{
	sim_world_begin(seed, settings->verbose);
	sim_world.features = settings->features;
	if (setjmp(sim_world.failed) != 0)
		return false;
	sim_live(settings);
	return true;
}
