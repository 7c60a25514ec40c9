/* SPDX-License-Identifier: MIT */
#include "sim_kernel.h"

#include <errno.h>
#include <string.h>

#include "sim_fd.h"
#include "sim_file.h"
#include "sim_origin.h"
#include "sim_world.h"

/*
 * An operation is queued by the daemon, given to the kernel at the next turn, and tried there: at
 * once or a little later, and again whenever its stream changes, until it can complete. Its
 * completion then waits in the ready list until the daemon is told; meanwhile the daemon may ask
 * for a cancel, which then comes too late.
 *
 * Descriptors are numbers that are used again as soon as they can be, the lowest first, as a
 * kernel does: who holds on to an old one meets a stranger.
 */

#define SIM_QUEUE   16384
#define SIM_BACKLOG 64
/* More completions than this come in the order in which they were made. */
#define SIM_SHUFFLE_MAX 128

struct sim_fd sim_fds[SIM_FDS_MAX];
static unsigned n_fds_used;
static struct list flights;
static unsigned n_flights;
static struct sim_flight *queue[SIM_QUEUE], *cancels[SIM_QUEUE];
static unsigned n_queue, n_cancels;
static struct sim_ready ready[SIM_READY];
static unsigned n_ready;
static struct sim_end *backlog[SIM_BACKLOG];
static unsigned n_backlog;

const char *const sim_kind_names[SIM_KINDS] = {
	"accept",
	"connect",
	"send",
	"receive",
	"receive_large",
	"receive_drop",
	"receive_message",
	"read",
	"write",
	"truncate",
	"watch_hangup",
	"close",
};

void sim_kernel_begin(void)
{
	memset(sim_fds, 0, sizeof(sim_fds));
	list_init(&flights);
	n_fds_used = 0;
	n_flights = 0;
	n_queue = 0;
	n_cancels = 0;
	n_ready = 0;
	n_backlog = 0;
}

unsigned sim_kernel_descriptors(void)
{
	return n_fds_used;
}

unsigned sim_kernel_flights(void)
{
	return n_flights;
}

/* -- Descriptors -------------------------------------------------------------------------- */

int sim_fd_open(enum sim_fd_kind kind, struct sim_end *end, const struct sim_watch *watch)
{
	for (int fd = SIM_FD_FIRST; fd < SIM_FDS_MAX; fd++) {
		if (sim_fds[fd].kind != SIM_FD_FREE)
			continue;
		sim_fds[fd] = (struct sim_fd){.kind = kind, .end = end, .watch = watch};
		if (end)
			end->owner = &sim_fds[fd];
		n_fds_used++;
		return fd;
	}
	sim_fail("more than %d descriptors are open", SIM_FDS_MAX);
}

static struct sim_fd *sim_fd_get(int fd, const char *what)
{
	if (fd < SIM_FD_FIRST || fd >= SIM_FDS_MAX || sim_fds[fd].kind == SIM_FD_FREE)
		sim_fail("%s on descriptor %d, which is not open", what, fd);
	if (sim_fds[fd].closing)
		sim_fail("%s on descriptor %d, which is being closed", what, fd);
	return &sim_fds[fd];
}

/* Something happened on the daemon's end of a stream. */
void sim_fd_on_change(struct sim_end *end)
{
	struct sim_fd *fd = end->owner;

	if (fd->receive)
		sim_flight_poke(fd->receive, sim_delay(sim_world.profile.operation_ns_max));
	if (fd->send)
		sim_flight_poke(fd->send, sim_delay(sim_world.profile.operation_ns_max));
}

void sim_fd_close(int fd)
{
	if (sim_fds[fd].end)
		sim_end_close(sim_fds[fd].end);
	if (sim_fds[fd].file)
		sim_fds[fd].file->fd = NULL;
	sim_fds[fd].kind = SIM_FD_FREE;
	sim_fds[fd].end = NULL;
	n_fds_used--;
}

int sim_kernel_listen(const struct sim_watch *watch)
{
	return sim_fd_open(SIM_FD_LISTENER, NULL, watch);
}

void sim_kernel_unlisten(int fd)
{
	if (sim_fds[fd].n_flights > 0)
		sim_fail("the listener has operations in flight at the end");
	sim_fd_close(fd);
}

bool sim_kernel_knock(int fd, struct sim_end *daemon_end)
{
	if (n_backlog == SIM_BACKLOG)
		return false;
	backlog[n_backlog++] = daemon_end;
	if (sim_fds[fd].other)
		sim_flight_poke(sim_fds[fd].other, sim_delay(sim_world.profile.operation_ns_max));
	return true;
}

int sim_kernel_adopt(struct sim_end *daemon_end, const struct sim_watch *watch)
{
	daemon_end->on_change = sim_fd_on_change;
	return sim_fd_open(SIM_FD_STREAM, daemon_end, watch);
}

int sim_kernel_socket(int family)
{
	if (family != AF_INET && family != AF_INET6)
		sim_fail("a socket of family %d", family);
	if (sim_chance(sim_world.profile.no_descriptor)) {
		sim_origin_told_local();
		return -EMFILE;
	}
	return sim_fd_open(SIM_FD_NEW, NULL, NULL);
}

struct sim_end *sim_kernel_end(int fd)
{
	return sim_fd_get(fd, "a question")->end;
}

struct sim_file *sim_kernel_file(int fd)
{
	struct sim_fd *state = sim_fd_get(fd, "a look");

	if (!state->file)
		sim_fail("descriptor %d is looked at, and nobody passed it", fd);
	return state->file;
}

bool sim_kernel_peer_is_gone(int fd)
{
	const struct sim_fd *state = sim_fd_get(fd, "a question");

	if (state->end->hangup && state->watch->on_told)
		state->watch->on_told(state->end, SIM_HANGUP, 0);
	return state->end->hangup;
}

/* -- Flights ------------------------------------------------------------------------------ */

uint64_t sim_sum(const char *data, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* Where the descriptor notes its operation of this kind; NULL: nowhere (a close). */
struct sim_flight **sim_fd_place(struct sim_fd *fd, enum sim_kind kind)
{
	switch (kind) {
	case SIM_ACCEPT:
	case SIM_READ:
	case SIM_WRITE:
	case SIM_TRUNCATE:
	case SIM_CONNECT: return &fd->other;
	case SIM_SEND: return &fd->send;
	case SIM_RECEIVE:
	case SIM_RECEIVE_LARGE:
	case SIM_RECEIVE_MESSAGE:
	case SIM_RECEIVE_DROP: return &fd->receive;
	case SIM_HANGUP:
	case SIM_CLOSE:
	case SIM_KINDS: break;
	}
	return NULL;
}

static void sim_flight_check_start(const struct sim_fd *fd, enum sim_kind kind, int number)
{
	enum sim_fd_kind wanted = SIM_FD_STREAM;

	if (kind == SIM_CONNECT)
		wanted = SIM_FD_NEW;
	else if (kind == SIM_ACCEPT)
		wanted = SIM_FD_LISTENER;
	else if (kind == SIM_READ || kind == SIM_WRITE || kind == SIM_TRUNCATE)
		wanted = SIM_FD_FILE;
	if (kind == SIM_CLOSE && fd->n_flights > 0)
		sim_fail("descriptor %d is closed with %u operations in flight", number,
			fd->n_flights);
	if (kind != SIM_CLOSE && fd->kind != wanted)
		sim_fail("%s on descriptor %d, which is not made for it", sim_kind_names[kind],
			number);
}

struct sim_flight *sim_kernel_start(
	enum sim_kind kind, struct op *op, int number, op_callback on_complete)
{
	struct sim_fd *fd = sim_fd_get(number, sim_kind_names[kind]);
	struct sim_flight *flight, **place = sim_fd_place(fd, kind);

	sim_flight_check_start(fd, kind, number);
	if (op->in_flight)
		sim_fail("%s: its operation is in flight already", sim_kind_names[kind]);
	if (place && *place)
		sim_fail("%s: descriptor %d has a %s in flight already", sim_kind_names[kind],
			number, sim_kind_names[(*place)->kind]);
	if (n_queue == SIM_QUEUE)
		sim_fail("more than %d operations were started in one turn", SIM_QUEUE);

	flight = sim_alloc(sizeof(*flight));
	op_begin(op, number, on_complete);
	flight->op = op;
	flight->kind = kind;
	flight->fd = number;
	flight->generation = op->generation;
	flight->end = fd->end;
	flight->watch = fd->watch;
	list_push_back(&flights, &flight->link);
	n_flights++;
	if (place) {
		*place = flight;
		fd->n_flights++;
	} else {
		fd->closing = true;
	}
	queue[n_queue++] = flight;
	return flight;
}

static void sim_kernel_closed_at_last(void *context)
{
	int fd = (int)(intptr_t)context;

	sim_fd_close(fd);
}

void sim_kernel_forget(int number)
{
	struct sim_fd *fd = sim_fd_get(number, "close_forget");

	if (fd->n_flights > 0)
		sim_fail("descriptor %d is closed with %u operations in flight", number,
			fd->n_flights);
	fd->closing = true;
	if (fd->end && fd->watch->on_closed)
		fd->watch->on_closed(fd->end);
	sim_after(sim_delay(sim_world.profile.operation_ns_max), sim_kernel_closed_at_last,
		(void *)(intptr_t)number);
}

void sim_kernel_cancel(struct op *op)
{
	if (!op->in_flight || op->cancelled)
		return;
	op->cancelled = true;
	list_each(link, &flights) {
		struct sim_flight *flight = list_entry(link, struct sim_flight, link);

		if (flight->op != op || flight->is_over)
			continue;
		if (flight->kind == SIM_CLOSE)
			sim_fail("a close is cancelled");
		if (n_cancels == SIM_QUEUE)
			sim_fail("more than %d cancels in one turn", SIM_QUEUE);
		flight->n_events++;
		cancels[n_cancels++] = flight;
		return;
	}
}

/* The last who knows it lets it go. */
void sim_flight_let_go(struct sim_flight *flight)
{
	if (flight->n_events == 0 && !list_is_linked(&flight->link))
		sim_release(flight, sizeof(*flight));
}

/* -- Turns --------------------------------------------------------------------------------- */

void sim_kernel_submit(void)
{
	const struct sim_profile *profile = &sim_world.profile;

	for (unsigned i = 0; i < n_queue; i++) {
		struct sim_flight *flight = queue[i];
		uint64_t delay_ns = sim_chance(500) ? 0 : sim_delay(profile->operation_ns_max);

		flight->in_kernel = true;
		if (flight->kind == SIM_CONNECT)
			flight->result = sim_origin_dial(
				(const struct sockaddr *)&flight->address, &delay_ns);
		sim_flight_poke(flight, delay_ns);
	}
	n_queue = 0;
	for (unsigned i = 0; i < n_cancels; i++)
		sim_after(sim_chance(profile->late_cancel) ? sim_delay(5000000) : 0,
			sim_flight_cancel, cancels[i]);
	n_cancels = 0;
}

struct sim_ready *sim_kernel_push(struct sim_flight *flight, int result, bool more)
{
	struct sim_ready *entry = &ready[n_ready];

	if (n_ready == SIM_READY)
		sim_fail("more than %d completions in one turn", SIM_READY);
	n_ready++;
	*entry = (struct sim_ready){.flight = flight, .result = result, .more = more};
	return entry;
}

struct sim_end *sim_kernel_answer(void)
{
	struct sim_end *end;

	if (n_backlog == 0)
		return NULL;
	end = backlog[0];
	n_backlog--;
	memmove(&backlog[0], &backlog[1], n_backlog * sizeof(backlog[0]));
	return end;
}

unsigned sim_kernel_waiting(void)
{
	return n_backlog;
}

bool sim_kernel_has_ready(void)
{
	return n_ready > 0;
}

bool sim_kernel_take(struct sim_ready *ret_ready)
{
	unsigned at = 0;

	if (n_ready == 0)
		return false;
	if (n_ready <= SIM_SHUFFLE_MAX) {
		unsigned chosen = (unsigned)sim_below(n_ready);

		/* Completions of one operation keep their order. */
		while (ready[at].flight != ready[chosen].flight)
			at++;
	}
	*ret_ready = ready[at];
	n_ready--;
	memmove(&ready[at], &ready[at + 1], (n_ready - at) * sizeof(ready[0]));
	return true;
}

static void sim_kernel_watch(struct sim_flight *flight, const struct sim_ready *entry)
{
	const struct sim_watch *watch = flight->watch;

	switch (flight->kind) {
	case SIM_RECEIVE:
	case SIM_RECEIVE_LARGE:
	case SIM_RECEIVE_MESSAGE:
	case SIM_RECEIVE_DROP:
	case SIM_SEND:
		if (watch->on_told)
			watch->on_told(flight->end, flight->kind, entry->result);
		break;
	case SIM_CONNECT:
		/* Only now is there a stream to look at. */
		if (entry->result == 0)
			sim_fds[flight->fd].watch->on_told(
				sim_fds[flight->fd].end, flight->kind, entry->result);
		break;
	case SIM_CLOSE:
		if (flight->end && watch->on_closed)
			watch->on_closed(flight->end);
		break;
	default: break;
	}
}

void sim_kernel_dispatch(struct sim_ready *entry)
{
	struct sim_flight *flight = entry->flight;
	struct op *op = flight->op;
	struct completion completion = {
		.result = entry->result,
		.data = entry->buffer,
		.more = entry->more,
		.nonempty = entry->nonempty,
		.fds = entry->fds,
		.n_fds = entry->n_fds,
	};

	sim_trace("  %s fd %d: %d%s", sim_kind_names[flight->kind], flight->fd, entry->result,
		entry->more ? " and more" : "");
	sim_digest(sim_now() ^ ((uint64_t)flight->kind << 48));
	sim_digest(((uint64_t)flight->fd << 32) ^ (uint32_t)entry->result);
	if (op->in_flight != true || op->generation != flight->generation)
		sim_fail("the owner of a %s has not waited for its completion",
			sim_kind_names[flight->kind]);
	sim_kernel_watch(flight, entry);
	if (!entry->more) {
		struct sim_flight **place = sim_fd_place(&sim_fds[flight->fd], flight->kind);

		if (place) {
			*place = NULL;
			sim_fds[flight->fd].n_flights--;
		}
		list_remove(&flight->link);
		n_flights--;
		op->in_flight = false;
		sim_flight_let_go(flight);
	}
	op->on_complete(op, &completion);
	if (entry->buffer)
		sim_release(entry->buffer, entry->buffer_size);
}
