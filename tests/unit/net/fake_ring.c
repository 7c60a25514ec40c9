/* SPDX-License-Identifier: MIT */
#include "tests/unit/net/fake_ring_private.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/unit.h"
#include "util/container.h"

#define FAKE_FDS_MAX 20000

/* More turns without time passing than any test takes. */
#define FAKE_TURNS_MAX 100000

struct ring {
	struct timer_wheel timers;
	struct task_queue tasks;
	struct ring_features features;
	struct ring_counters counters;
	uint64_t now_ns;
	/* In the order of starting. */
	struct list flights;
	unsigned n_fds;
	struct fake_fd fds[FAKE_FDS_MAX];
};

static struct ring fake;

struct fake_holds fake_holds;
int fake_socket_error;

/* Descriptors. */

struct fake_fd *fake_fd(int fd)
{
	ck_assert_msg(fd >= FAKE_FD_FIRST && fd < FAKE_FD_FIRST + (int)fake.n_fds,
		"%d is no descriptor of this ring", fd);
	return &fake.fds[fd - FAKE_FD_FIRST];
}

int fake_descriptor(uid_t uid)
{
	struct fake_fd *fd = &fake.fds[fake.n_fds];

	ck_assert_uint_lt(fake.n_fds, FAKE_FDS_MAX);
	*fd = (struct fake_fd){.is_open = true, .uid = uid};
	buffer_init(&fd->sent, SIZE_MAX);
	buffer_init(&fd->content, SIZE_MAX);
	return FAKE_FD_FIRST + (int)fake.n_fds++;
}

unsigned fake_n_open(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fake.n_fds; i++)
		n += fake.fds[i].is_open;
	return n;
}

bool fake_is_open(int fd)
{
	return fake_fd(fd)->is_open;
}

int fake_end_fd(void)
{
	return FAKE_FD_FIRST + (int)fake.n_fds;
}

void fake_set_gone(int fd)
{
	fake_fd(fd)->is_gone = true;
}

struct text fake_sent(int fd)
{
	return buffer_text(&fake_fd(fd)->sent);
}

void fake_forget(int fd)
{
	buffer_clear(&fake_fd(fd)->sent);
}

/* Life. */

static void fake_fd_deinit(struct fake_fd *fd)
{
	buffer_deinit(&fd->sent);
	buffer_deinit(&fd->content);
}

/* Where a test has failed, what it left must not fail the next one in the same process. */
static void fake_ring_reset(void)
{
	struct list *link;

	while (fake.n_fds > 0 && (link = list_pop_front(&fake.flights)))
		free(list_entry(link, struct fake_flight, link));
	while (fake.n_fds > 0)
		fake_fd_deinit(&fake.fds[--fake.n_fds]);
}

struct ring *fake_ring_begin(void)
{
	fake_ring_reset();
	fake.now_ns = 1000 * NS_PER_S;
	fake.features = (struct ring_features){.defer = true, .multishot = true};
	fake.counters = (struct ring_counters){0};
	list_init(&fake.flights);
	task_queue_init(&fake.tasks);
	timer_wheel_init(&fake.timers, fake.now_ns);
	fake_holds = (struct fake_holds){0};
	fake_socket_error = 0;
	return &fake;
}

void fake_ring_end(void)
{
	list_each(link, &fake.flights) {
		const struct fake_flight *flight = list_entry(link, struct fake_flight, link);

		ck_abort_msg("an operation of kind %d is in flight on %d at the end", flight->kind,
			flight->fd);
	}
	ck_assert_msg(fake.timers.n_armed == 0, "timers are armed at the end");
	ck_assert_msg(list_is_empty(&fake.tasks.waiting), "tasks wait at the end");
	for (unsigned i = 0; i < fake.n_fds; i++) {
		ck_assert_msg(!fake.fds[i].is_open, "descriptor %u is open at the end",
			FAKE_FD_FIRST + i);
		fake_fd_deinit(&fake.fds[i]);
	}
	fake.n_fds = 0;
}

/* Flights. */

struct fake_flight *fake_start(enum fake_kind kind, struct op *op, int fd, op_callback on_complete)
{
	struct fake_fd *entry = fake_fd(fd);
	struct fake_flight *flight = calloc(1, sizeof(*flight));

	ck_assert_msg(entry->is_open && !entry->is_closing, "operation %d on closed %d", kind, fd);
	ck_assert_msg(kind >= FAKE_READ || !entry->n_flights[kind], "a second operation %d on %d",
		kind, fd);
	for (int other = 0; kind == FAKE_CLOSE && other < FAKE_KINDS; other++)
		ck_assert_msg(!entry->n_flights[other], "%d closed with %d in flight", fd, other);
	op_begin(op, fd, on_complete);
	flight->op = op;
	flight->kind = kind;
	flight->fd = fd;
	entry->n_flights[kind]++;
	entry->is_closing = kind == FAKE_CLOSE;
	list_push_back(&fake.flights, &flight->link);
	return flight;
}

struct fake_flight *fake_find(enum fake_kind kind, int fd)
{
	if (fd >= 0 && fake_fd(fd)->n_flights[kind] == 0)
		return NULL;
	list_each(link, &fake.flights) {
		struct fake_flight *flight = list_entry(link, struct fake_flight, link);

		if (flight->kind == kind && (fd < 0 || flight->fd == fd))
			return flight;
	}
	return NULL;
}

unsigned fake_n_flights(enum fake_kind kind)
{
	unsigned n = 0;

	list_each(link, &fake.flights)
		n += list_entry(link, struct fake_flight, link)->kind == kind;
	return n;
}

static void fake_tell(struct fake_flight *flight, const struct completion *completion)
{
	struct fake_fd *fd = fake_fd(flight->fd);
	struct op *op = flight->op;

	ck_assert_msg(op->in_flight, "the owner has not waited for its completion");
	if (flight->kind == FAKE_SEND && completion->result > 0)
		buffer_append(&fd->sent, flight->data, (size_t)completion->result);
	if (flight->kind >= FAKE_READ)
		fake_file_do(fd, flight, completion->result);
	if (flight->kind == FAKE_CLOSE)
		fd->is_open = false;
	fake.counters.completions++;
	if (!completion->more) {
		list_remove(&flight->link);
		fd->n_flights[flight->kind]--;
		op->in_flight = false;
		free(flight);
	}
	op->on_complete(op, completion);
}

static struct fake_flight *fake_get(enum fake_kind kind, int fd)
{
	struct fake_flight *flight = fake_find(kind, fd);

	ck_assert_msg(flight, "no operation %d is in flight on %d", kind, fd);
	return flight;
}

void fake_complete(enum fake_kind kind, int fd, int result)
{
	fake_tell(fake_get(kind, fd), &(struct completion){.result = result});
}

void fake_complete_more(enum fake_kind kind, int fd, int result)
{
	fake_tell(fake_get(kind, fd), &(struct completion){.result = result, .more = true});
}

/* The data lies in memory of just its size, and is gone after the callback. */
static void fake_receive_piece(struct fake_flight *flight, const char *data, size_t size)
{
	struct completion completion = {.result = (int)size};
	char *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	completion.more = flight->how == FAKE_RECEIVE_MULTISHOT;
	if (flight->how <= FAKE_RECEIVE_MESSAGE)
		completion.data = copy;
	fake_tell(flight, &completion);
	free(copy);
}

void fake_receive_bytes(int fd, const char *data, size_t size)
{
	while (size > 0) {
		struct fake_flight *flight = fake_get(FAKE_RECEIVE, fd);
		size_t n = flight->how == FAKE_RECEIVE_MULTISHOT ? 8 * 1024 : 128 * 1024;

		if (flight->size > 0)
			n = flight->size;
		if (n > size)
			n = size;
		fake_receive_piece(flight, data, n);
		data += n;
		size -= n;
	}
}

void fake_receive(int fd, const char *text)
{
	fake_receive_bytes(fd, text, strlen(text));
}

void fake_receive_passed(int fd, const char *text, const int *fds, unsigned n_fds, bool lost)
{
	struct fake_flight *flight = fake_get(FAKE_RECEIVE, fd);
	int copy[RING_FDS_MAX];

	ck_assert_int_eq(flight->how, FAKE_RECEIVE_MESSAGE);
	for (unsigned i = 0; i < n_fds; i++)
		copy[i] = fds[i];
	fake_tell(flight, &(struct completion){.result = (int)strlen(text),
				  .data = text,
				  .fds = copy,
				  .n_fds = n_fds,
				  .lost_fds = lost});
}

/* Turns. */

/* The result of what completes by itself; false: it waits. */
static bool fake_is_due(const struct fake_flight *flight, int *ret_result)
{
	*ret_result = 0;
	if (flight->op->cancelled && !fake_holds.cancels) {
		*ret_result = -ECANCELED;
		return true;
	}
	switch (flight->kind) {
	case FAKE_CONNECT: return !fake_holds.connects;
	case FAKE_CLOSE: return !fake_holds.closes;
	case FAKE_SEND: *ret_result = (int)flight->size; return !fake_holds.sends;
	case FAKE_READ:
	case FAKE_WRITE:
	case FAKE_TRUNCATE:
		*ret_result = fake_file_result(fake_fd(flight->fd), flight);
		return !fake_holds.files && *ret_result != -EAGAIN;
	default: return false;
	}
}

static bool fake_complete_due(void)
{
	struct list due, *link;
	int result;

	list_init(&due);
	list_each_safe(at, &fake.flights) {
		if (fake_is_due(list_entry(at, struct fake_flight, link), &result)) {
			list_remove(at);
			list_push_back(&due, at);
		}
	}
	if (list_is_empty(&due))
		return false;
	while ((link = list_pop_front(&due))) {
		struct fake_flight *flight = list_entry(link, struct fake_flight, link);

		fake_is_due(flight, &result);
		fake_tell(flight, &(struct completion){.result = result});
	}
	return true;
}

static bool fake_run_tasks(void)
{
	bool waiting = !list_is_empty(&fake.tasks.waiting);

	task_queue_run(&fake.tasks);
	return waiting;
}

bool fake_turn(void)
{
	uint64_t n_armed = fake.timers.n_armed;
	bool moved = fake_complete_due();

	fake.counters.enters++;
	timer_advance(&fake.timers, fake.now_ns);
	moved = fake.timers.n_armed != n_armed || moved;
	return fake_run_tasks() || moved;
}

void fake_run(void)
{
	unsigned n = 0;

	while (fake_turn())
		ck_assert_msg(++n < FAKE_TURNS_MAX, "turns without end");
}

void fake_pass(uint64_t ns)
{
	uint64_t until_ns = fake.now_ns + ns;

	fake_run();
	for (;;) {
		uint64_t next_ns = timer_next_ns(&fake.timers);

		if (next_ns > until_ns)
			break;
		if (next_ns > fake.now_ns)
			fake.now_ns = next_ns;
		fake_run();
	}
	fake.now_ns = until_ns;
	fake_run();
}

/* ring/ring.h */

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

int ring_socket(struct ring *ring, int family)
{
	ck_assert(family == AF_INET || family == AF_INET6);
	return fake_socket_error ? fake_socket_error : fake_descriptor(0);
}

int ring_peer_uid(struct ring *ring, int fd, uid_t *ret_uid)
{
	*ret_uid = fake_fd(fd)->uid;
	return 0;
}

bool ring_peer_is_gone(struct ring *ring, int fd)
{
	return fake_fd(fd)->is_gone;
}

void ring_accept(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.accepts++;
	fake_start(FAKE_ACCEPT, op, fd, on_complete);
}

void ring_connect(struct ring *ring, struct op *op, int fd, const struct sockaddr *address,
	socklen_t address_size, op_callback on_complete)
{
	struct fake_flight *flight = fake_start(FAKE_CONNECT, op, fd, on_complete);

	ring->counters.connects++;
	memcpy(&flight->address, address, address_size);
}

void ring_send(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	op_callback on_complete)
{
	struct fake_flight *flight = fake_start(FAKE_SEND, op, fd, on_complete);

	ck_assert_uint_gt(size, 0);
	ring->counters.sends++;
	flight->data = data;
	flight->size = size;
}

static struct fake_flight *fake_start_receive(
	enum fake_receive how, struct op *op, int fd, op_callback on_complete)
{
	struct fake_flight *flight = fake_start(FAKE_RECEIVE, op, fd, on_complete);

	fake.counters.receives++;
	flight->how = how;
	return flight;
}

void ring_receive(struct ring *ring, struct op *op, int fd, bool soon, op_callback on_complete)
{
	fake_start_receive(FAKE_RECEIVE_MULTISHOT, op, fd, on_complete)->soon = soon;
}

void ring_receive_large(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	fake_start_receive(FAKE_RECEIVE_LARGE, op, fd, on_complete);
}

void ring_receive_message(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	fake_start_receive(FAKE_RECEIVE_MESSAGE, op, fd, on_complete);
}

void ring_receive_drop(
	struct ring *ring, struct op *op, int fd, size_t size, op_callback on_complete)
{
	fake_start_receive(FAKE_RECEIVE_DROP, op, fd, on_complete)->size = size;
}

void ring_close(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	ring->counters.closes++;
	fake_start(FAKE_CLOSE, op, fd, on_complete);
}

void ring_close_forget(struct ring *ring, int fd)
{
	ck_assert_msg(fake_fd(fd)->file.kind == RING_FILE_OTHER, "%d is not ours alone", fd);
	ring_close_passed(ring, fd);
}

void ring_close_passed(struct ring *ring, int fd)
{
	struct fake_fd *entry = fake_fd(fd);

	ring->counters.closes++;
	ck_assert_msg(entry->is_open && !entry->is_closing, "%d is closed twice", fd);
	for (int kind = 0; kind < FAKE_KINDS; kind++)
		ck_assert_msg(!entry->n_flights[kind], "%d closed with %d in flight", fd, kind);
	entry->is_open = false;
}

void ring_cancel(struct ring *ring, struct op *op)
{
	if (!op->in_flight || op->cancelled)
		return;
	ring->counters.cancels++;
	op->cancelled = true;
}
