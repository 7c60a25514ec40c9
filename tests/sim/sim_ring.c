/* SPDX-License-Identifier: MIT */
#include "sim_ring.h"

#include <errno.h>
#include <string.h>

#include "ring/ring.h"
#include "sim_file.h"
#include "sim_kernel.h"
#include "sim_world.h"
#include "util/panic.h"

/*
 * ring/ring.h over the fake kernel. A turn gives the kernel what was started, lets time pass to
 * the next completion or deadline (or beyond, where the daemon is made slow), and tells the
 * daemon all of it, completions first, then deadlines, then what was put off.
 */

/* Turns in a row that may go by without time passing. */
#define SIM_STILL_MAX 20000

struct ring {
	struct timer_wheel timers;
	struct task_queue tasks;
	struct ring_features features;
	struct ring_counters counters;
	uint64_t now_ns;
	unsigned n_still;
	ring_wake_callback on_wake;
	void *wake_context;
	struct sim_call *calls, **calls_end;
};

static struct ring sim_ring;

int ring_new(const struct ring_options *options, struct ring **ret_ring, const char **ret_why)
{
	struct ring *ring = &sim_ring;

	memset(ring, 0, sizeof(*ring));
	ring->calls_end = &ring->calls;
	ring->now_ns = sim_now();
	timer_wheel_init(&ring->timers, ring->now_ns);
	task_queue_init(&ring->tasks);
	ring->features = (struct ring_features){
		.defer = true,
		.multishot = sim_chance(900),
		.buffers = sim_chance(900),
		.sendwait = sim_chance(900),
	};
	if (!ring->features.multishot)
		sim_world.profile.multishot_ends = 1000;
	*ret_why = NULL;
	*ret_ring = ring;
	return 0;
}

struct ring *ring_free(struct ring *ring)
{
	return NULL;
}

const struct ring_features *ring_features(const struct ring *ring)
{
	return &ring->features;
}

const struct ring_counters *ring_counters(const struct ring *ring)
{
	return &ring->counters;
}

struct timer_wheel *ring_timers(struct ring *ring)
{
	return &ring->timers;
}

struct task_queue *ring_tasks(struct ring *ring)
{
	return &ring->tasks;
}

uint64_t ring_now(const struct ring *ring)
{
	return ring->now_ns;
}

/* -- A turn ------------------------------------------------------------------------------- */

static bool ring_has_work(const struct ring *ring)
{
	return sim_kernel_has_ready() || ring->calls || task_queue_has_work(&ring->tasks);
}

/* Let time pass until there is something to say, and no further than the next deadline. */
static void ring_wait(struct ring *ring, uint64_t until_ns)
{
	uint64_t limit_ns = timer_next_ns(&ring->timers);

	if (until_ns < limit_ns)
		limit_ns = until_ns;
	if (limit_ns < sim_now())
		limit_ns = sim_now();
	/* What completes at once is seen at once. */
	sim_advance(sim_now());
	while (!ring_has_work(ring)) {
		uint64_t next_ns = sim_next_ns();

		if (next_ns > limit_ns || next_ns == UINT64_MAX) {
			if (limit_ns == UINT64_MAX)
				sim_fail("nothing will ever happen again");
			sim_advance(limit_ns);
			break;
		}
		sim_advance(next_ns);
	}
	if (sim_chance(sim_world.profile.slow_turn))
		sim_advance(sim_now() + sim_delay(SIM_SLOW_TURN_NS));
}

static void ring_run_calls(struct ring *ring)
{
	struct sim_call *call = ring->calls;

	ring->calls = NULL;
	ring->calls_end = &ring->calls;
	while (call) {
		struct sim_call *next = call->next;

		call->run(call->context);
		sim_release(call, sizeof(*call));
		call = next;
	}
}

int ring_turn(struct ring *ring, uint64_t until_ns)
{
	struct sim_ready entry;
	uint64_t before_ns = ring->now_ns;

	sim_kernel_submit();
	ring_wait(ring, until_ns);
	ring->now_ns = sim_now();
	ring->counters.enters++;
	if (ring->now_ns != before_ns)
		ring->n_still = 0;
	else if (++ring->n_still > SIM_STILL_MAX)
		sim_fail("the daemon turns and turns, and no time passes");
	if (sim_world.verbose && ring->now_ns != before_ns)
		sim_show("turn");

	/* What is started meanwhile is not given to the kernel before the next turn, so this
	 * ends. */
	while (sim_kernel_take(&entry)) {
		ring->counters.completions++;
		sim_kernel_dispatch(&entry);
	}
	ring_run_calls(ring);
	timer_advance(&ring->timers, ring->now_ns);
	task_queue_run(&ring->tasks);
	return 0;
}

void sim_ring_call(sim_action run, void *context)
{
	struct sim_call *call = sim_alloc(sizeof(*call));

	call->run = run;
	call->context = context;
	*sim_ring.calls_end = call;
	sim_ring.calls_end = &call->next;
}

/* -- Descriptors -------------------------------------------------------------------------- */

int ring_socket(struct ring *ring, int family)
{
	return sim_kernel_socket(family);
}

int ring_peer_uid(struct ring *ring, int fd, uid_t *ret_uid)
{
	const struct sim_end *end = sim_kernel_end(fd);

	expect(end);
	*ret_uid = sim_ring_uid_of(end);
	return 0;
}

bool ring_peer_is_gone(struct ring *ring, int fd)
{
	return sim_kernel_peer_is_gone(fd);
}

/* -- Operations --------------------------------------------------------------------------- */

void ring_accept(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.accepts++;
	sim_kernel_start(SIM_ACCEPT, op, fd, on_complete);
}

void ring_connect(struct ring *ring, struct op *op, int fd, const struct sockaddr *address,
	socklen_t address_size, op_callback on_complete)
{
	struct sim_flight *flight = sim_kernel_start(SIM_CONNECT, op, fd, on_complete);

	ring->counters.connects++;
	expect(address_size <= sizeof(flight->address));
	flight->address_given = address;
	flight->size = address_size;
	memcpy(&flight->address, address, address_size);
}

void ring_send(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	op_callback on_complete)
{
	struct sim_flight *flight = sim_kernel_start(SIM_SEND, op, fd, on_complete);

	ring->counters.sends++;
	if (size == 0)
		sim_fail("nothing is sent");
	flight->data = data;
	flight->size = size;
	flight->sum = sim_sum(data, size);
	if (flight->watch->on_send)
		flight->watch->on_send(flight->end, data, size);
}

void ring_receive(struct ring *ring, struct op *op, int fd, bool soon, op_callback on_complete)
{
	ring->counters.receives++;
	sim_kernel_start(SIM_RECEIVE, op, fd, on_complete);
}

void ring_receive_large(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.receives++;
	sim_kernel_start(SIM_RECEIVE_LARGE, op, fd, on_complete);
}

void ring_receive_message(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.receives++;
	sim_kernel_start(SIM_RECEIVE_MESSAGE, op, fd, on_complete);
}

int ring_look(struct ring *ring, int fd, struct ring_file *ret_file)
{
	sim_file_look(sim_kernel_file(fd), ret_file);
	return 0;
}

void ring_read(struct ring *ring, struct op *op, int fd, void *data, size_t size, uint64_t offset,
	op_callback on_complete)
{
	struct sim_flight *flight = sim_kernel_start(SIM_READ, op, fd, on_complete);

	if (size == 0)
		sim_fail("nothing is read");
	flight->memory = data;
	flight->size = size;
	flight->offset = offset;
}

void ring_write(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	uint64_t offset, op_callback on_complete)
{
	struct sim_flight *flight = sim_kernel_start(SIM_WRITE, op, fd, on_complete);

	if (size == 0)
		sim_fail("nothing is written");
	flight->data = data;
	flight->size = size;
	flight->sum = sim_sum(data, size);
	flight->offset = offset;
}

void ring_truncate(struct ring *ring, struct op *op, int fd, uint64_t size, op_callback on_complete)
{
	sim_kernel_start(SIM_TRUNCATE, op, fd, on_complete)->offset = size;
}

void ring_receive_drop(
	struct ring *ring, struct op *op, int fd, size_t size, op_callback on_complete)
{
	struct sim_flight *flight = sim_kernel_start(SIM_RECEIVE_DROP, op, fd, on_complete);

	ring->counters.receives++;
	if (size == 0)
		sim_fail("nothing is dropped");
	flight->size = size;
}

void ring_close(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.closes++;
	sim_kernel_start(SIM_CLOSE, op, fd, on_complete);
}

void ring_close_forget(struct ring *ring, int fd)
{
	ring->counters.closes++;
	sim_kernel_forget(fd);
}

void ring_close_passed(struct ring *ring, int fd)
{
	ring_close_forget(ring, fd);
}

void ring_cancel(struct ring *ring, struct op *op)
{
	ring->counters.cancels++;
	sim_kernel_cancel(op);
}

/* -- Wake --------------------------------------------------------------------------------- */

void ring_on_wake(struct ring *ring, ring_wake_callback on_wake, void *context)
{
	ring->on_wake = on_wake;
	ring->wake_context = context;
}

void ring_wake(struct ring *ring)
{
	if (ring->on_wake)
		sim_ring_call(ring->on_wake, ring->wake_context);
}
