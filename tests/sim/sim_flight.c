/* SPDX-License-Identifier: MIT */
#include "sim_fd.h"

#include <errno.h>
#include <string.h>

#include "sim_file.h"
#include "sim_graph.h"
#include "sim_origin.h"
#include "sim_world.h"
#include "util/container.h"

/*
 * What becomes of an operation in the kernel: it is tried whenever it might complete, and a
 * cancel ends it, in each of the ways that a kernel has for either.
 */

/* Sizes of the ring's own receive buffers. */
#define SIM_BUFFER_SIZE       (8 * 1024)
#define SIM_LARGE_BUFFER_SIZE (128 * 1024)

static struct sim_ready *sim_flight_complete(struct sim_flight *flight, int result, bool more)
{
	struct sim_flight **place = sim_fd_place(&sim_fds[flight->fd], flight->kind);

	flight->is_over = !more;
	/* Another of its kind may start only once the daemon knows. */
	if (place && *place != flight)
		sim_fail("the simulator lost a %s", sim_kind_names[flight->kind]);
	return sim_kernel_push(flight, result, more);
}

static size_t sim_receive_bound(const struct sim_flight *flight)
{
	switch (flight->kind) {
	case SIM_RECEIVE: return SIM_BUFFER_SIZE;
	case SIM_RECEIVE_MESSAGE:
	case SIM_RECEIVE_LARGE: return SIM_LARGE_BUFFER_SIZE;
	default: return flight->size;
	}
}

/* Descriptors become the daemon's. */
static void sim_receive_pass(struct sim_pass *pass, struct sim_ready *entry)
{
	struct sim_graph *graph = pass->graph;

	pass->is_over = true;
	entry->n_fds = graph->n_files;
	entry->fds = sim_alloc(graph->n_files * sizeof(*entry->fds));
	for (unsigned i = 0; i < graph->n_files; i++) {
		entry->fds[i] = sim_fd_open(SIM_FD_FILE, NULL, NULL);
		sim_fds[entry->fds[i]].file = graph->files[i];
		sim_file_open(graph->files[i], &sim_fds[entry->fds[i]]);
	}
}

/* How much of `n` bytes may be received at once: no more than up to the end of what came with
 * descriptors (unix(7)), which is *ret_pass if this is its begin. */
static size_t sim_receive_upto(struct sim_end *end, size_t n, struct sim_pass **ret_pass)
{
	struct sim_pass *pass = end->passes;

	*ret_pass = NULL;
	if (!pass || pass->from >= end->taken + n)
		return n;
	if (!pass->is_over)
		*ret_pass = pass;
	if (n >= pass->to - end->taken) {
		n = (size_t)(pass->to - end->taken);
		end->passes = pass->next;
	}
	return n;
}

/* Bytes are there: hand over some. */
static void sim_receive_data(struct sim_flight *flight, bool last)
{
	struct sim_bytes *in = &flight->end->in;
	size_t bound = sim_receive_bound(flight), n = in->size < bound ? in->size : bound;
	bool multishot = flight->kind == SIM_RECEIVE && !last;
	struct sim_pass *pass;
	struct sim_ready *entry;

	if (n > 1 && sim_chance(sim_world.profile.short_receive))
		n = (size_t)sim_between(1, sim_chance(200) && n > 8 ? 8 : n);
	n = sim_receive_upto(flight->end, n, &pass);
	entry = sim_flight_complete(
		flight, (int)n, multishot && !sim_chance(sim_world.profile.multishot_ends));
	if (pass)
		sim_receive_pass(pass, entry);
	if (flight->kind != SIM_RECEIVE_DROP) {
		entry->buffer = sim_alloc(n);
		entry->buffer_size = n;
		memcpy(entry->buffer, in->data + in->start, n);
	}
	entry->nonempty = in->size > n && sim_chance(700);
	sim_end_take(flight->end, n);
	if (!flight->is_over && (in->size > 0 || flight->end->end))
		sim_flight_poke(flight, sim_chance(800) ? 0 : sim_delay(100000));
}

static bool sim_receive_can(const struct sim_flight *flight)
{
	return flight->end->in.size > 0 || flight->end->end;
}

static void sim_receive_try(struct sim_flight *flight)
{
	const struct sim_profile *profile = &sim_world.profile;

	if (!sim_receive_can(flight))
		return;
	if (sim_chance(profile->interrupted)) {
		sim_flight_complete(flight, sim_chance(500) ? -EINTR : -EAGAIN, false);
		return;
	}
	if (flight->kind != SIM_RECEIVE_DROP && flight->end->in.size > 0 &&
		sim_chance(profile->no_buffers)) {
		sim_flight_complete(flight, -ENOBUFS, false);
		return;
	}
	if (flight->end->in.size > 0) {
		sim_receive_data(flight, false);
	} else if (flight->end->reset && !sim_fds[flight->fd].error_told) {
		sim_fds[flight->fd].error_told = true;
		sim_flight_complete(flight, -ECONNRESET, false);
	} else {
		sim_flight_complete(flight, 0, false);
	}
}

static void sim_send_try(struct sim_flight *flight)
{
	struct sim_end *end = flight->end;
	size_t n = flight->size, room = sim_end_room(end);

	if (sim_sum(flight->data, flight->size) != flight->sum)
		sim_fail("bytes were changed while they were being sent");
	if (end->reset) {
		sim_flight_complete(
			flight, sim_fds[flight->fd].error_told ? -EPIPE : -ECONNRESET, false);
		sim_fds[flight->fd].error_told = true;
		return;
	}
	if (end->hangup && flight->watch->on_sent) {
		/* A Unix socket knows at once that nobody reads. */
		sim_flight_complete(flight, -EPIPE, false);
		return;
	}
	if (room == 0 && flight->size > 0)
		return;
	if (n > room)
		n = room;
	if (n > 1 && sim_chance(sim_world.profile.short_send))
		n = (size_t)sim_between(1, n);
	sim_end_write(end, flight->data, n);
	if (flight->watch->on_sent)
		flight->watch->on_sent(end, flight->data, n);
	sim_flight_complete(flight, (int)n, false);
}

static void sim_connect_finish(struct sim_flight *flight)
{
	if (memcmp(flight->address_given, &flight->address, flight->size) != 0)
		sim_fail("an address was changed while it was being connected to");
	if (flight->result == 0) {
		struct sim_fd *fd = &sim_fds[flight->fd];

		fd->end = sim_origin_accept((const struct sockaddr *)&flight->address, &fd->watch);
		fd->end->owner = fd;
		fd->end->on_change = sim_fd_on_change;
		fd->kind = SIM_FD_STREAM;
	}
	sim_flight_complete(flight, flight->result, false);
}

static void sim_accept_try(struct sim_flight *flight)
{
	static const int errors[] = {-EMFILE, -ECONNABORTED, -EINTR, -EAGAIN, -ENFILE};
	struct sim_end *end;
	int fd;

	if (sim_kernel_waiting() == 0)
		return;
	if (sim_chance(sim_world.profile.interrupted) ||
		sim_chance(sim_world.profile.no_descriptor)) {
		sim_flight_complete(flight, errors[sim_below(countof(errors))], false);
		return;
	}
	end = sim_kernel_answer();
	end->on_change = sim_fd_on_change;
	fd = sim_fd_open(SIM_FD_STREAM, end, flight->watch);
	sim_flight_complete(flight, fd, !sim_chance(sim_world.profile.multishot_ends));
	if (!flight->is_over)
		sim_flight_poke(flight, 0);
}

static void sim_close_finish(struct sim_flight *flight)
{
	static const int results[] = {-EIO, -EINTR, -ENOSPC};

	sim_fd_close(flight->fd);
	sim_flight_complete(flight,
		sim_chance(sim_world.profile.interrupted) ? results[sim_below(3)] : 0, false);
}

static void sim_flight_try_file(struct sim_flight *flight)
{
	int result;

	if (sim_file_try(flight, &result))
		sim_flight_complete(flight, result, false);
}

static void sim_flight_try(void *context)
{
	struct sim_flight *flight = context;

	flight->n_events--;
	flight->trying = false;
	if (flight->is_over) {
		sim_flight_let_go(flight);
		return;
	}
	switch (flight->kind) {
	case SIM_ACCEPT: sim_accept_try(flight); break;
	case SIM_CONNECT: sim_connect_finish(flight); break;
	case SIM_SEND: sim_send_try(flight); break;
	case SIM_CLOSE: sim_close_finish(flight); break;
	case SIM_READ:
	case SIM_WRITE:
	case SIM_TRUNCATE: sim_flight_try_file(flight); break;
	default: sim_receive_try(flight); break;
	}
}

void sim_flight_poke(struct sim_flight *flight, uint64_t delay_ns)
{
	if (flight->trying || flight->is_over || !flight->in_kernel)
		return;
	flight->trying = true;
	flight->n_events++;
	sim_after(delay_ns, sim_flight_try, flight);
}

/* The kernel comes to a cancel: it ends what waits, one way or another. */
void sim_flight_cancel(void *context)
{
	struct sim_flight *flight = context;

	flight->n_events--;
	if (flight->is_over) {
		sim_flight_let_go(flight);
		return;
	}
	switch (flight->kind) {
	case SIM_RECEIVE:
	case SIM_RECEIVE_LARGE:
	case SIM_RECEIVE_MESSAGE:
	case SIM_RECEIVE_DROP:
		if (flight->end->in.size > 0 && sim_chance(500))
			sim_receive_data(flight, true);
		else
			sim_flight_complete(flight,
				flight->kind == SIM_RECEIVE && sim_chance(30) ? -ENOBUFS
									      : -ECANCELED,
				false);
		break;
	case SIM_SEND:
		if (sim_end_room(flight->end) > 0 && sim_chance(300))
			sim_send_try(flight);
		else
			sim_flight_complete(flight, -ECANCELED, false);
		break;
	case SIM_CONNECT:
		if (flight->result != -ETIMEDOUT && sim_chance(300))
			sim_connect_finish(flight);
		else
			sim_flight_complete(flight, -ECANCELED, false);
		break;
	case SIM_READ:
	case SIM_WRITE:
	case SIM_TRUNCATE:
		/* What is under way for a disk goes on. */
		if (sim_chance(500))
			sim_flight_try_file(flight);
		if (!flight->is_over)
			sim_flight_complete(flight, -ECANCELED, false);
		break;
	default: sim_flight_complete(flight, -ECANCELED, false); break;
	}
}
