/* SPDX-License-Identifier: MIT */
#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/ring/passing.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

/* The real kernel, once with all it has and once for each feature left out. */
static const char *const disables[] = {
	NULL,
	"defer",
	"multishot",
	"buffers",
	"registered",
	"restrictions",
	"slots",
	"noiowait",
	"sendwait",
	"truncate",
	"defer,multishot,buffers,registered,restrictions,slots,noiowait,sendwait,truncate",
};

static struct ring *ring_make(const char *disable, unsigned n_buffers, unsigned entries)
{
	struct ring_options options = {
		.entries = entries,
		.completions = 256,
		.n_buffers = n_buffers,
		.buffer_size = 64,
		.n_large_buffers = 2,
		.large_buffer_size = 4096,
		.disable = disable,
	};
	struct ring *ring;
	const char *why;
	int r = ring_new(&options, &ring, &why);

	ck_assert_msg(r == 0, "%s: %s", strerrordesc_np(-r), why);
	return ring;
}

struct wait {
	struct op op;
	unsigned n;
	int result;
	bool more, saw_data;
	size_t size;
	char bytes[8192];
	unsigned n_fds;
	int fds[RING_FDS_MAX];
};

static void wait_on_complete(struct op *op, const struct completion *completion)
{
	struct wait *wait = container_of(op, struct wait, op);

	wait->n++;
	wait->result = completion->result;
	wait->more = completion->more;
	for (unsigned i = 0; i < completion->n_fds; i++)
		wait->fds[wait->n_fds++] = completion->fds[i];
	if (!completion->data || completion->result <= 0)
		return;
	wait->saw_data = true;
	ck_assert_uint_le(wait->size + (size_t)completion->result, sizeof(wait->bytes));
	memcpy(wait->bytes + wait->size, completion->data, (size_t)completion->result);
	wait->size += (size_t)completion->result;
}

static void run_until_n(struct ring *ring, const struct wait *wait, unsigned n)
{
	for (int i = 0; wait->n < n; i++) {
		ck_assert_int_lt(i, 1000);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns() + NS_PER_S), 0);
	}
}

START_TEST(sends_and_receives_with_every_feature_left_out)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait in = {0}, out = {0}, close_a = {0}, close_b = {0};
		int pair[2];

		pair_make(pair);
		ring_receive(ring, &in.op, pair[0], false, wait_on_complete);
		ring_send(ring, &out.op, pair[1], "hello", 5, wait_on_complete);
		run_until_n(ring, &out, 1);
		run_until_n(ring, &in, 1);
		ck_assert_int_eq(out.result, 5);
		ck_assert_int_eq(in.result, 5);
		ck_assert_mem_eq(in.bytes, "hello", 5);
		ck_assert_int_eq(in.more, ring_features(ring)->multishot);
		ring_close(ring, &close_b.op, pair[1], wait_on_complete);
		if (op_is_idle(&in.op))
			ring_receive(ring, &in.op, pair[0], true, wait_on_complete);
		run_until_n(ring, &in, 2);
		ck_assert_int_eq(in.result, 0);
		ck_assert(op_is_idle(&in.op));
		ring_close(ring, &close_a.op, pair[0], wait_on_complete);
		run_until_n(ring, &close_a, 1);
		ck_assert_int_eq(fcntl(pair[0], F_GETFD), -1);
		ring_free(ring);
	}
}
END_TEST

START_TEST(leaves_off_what_it_is_told_to)
{
	struct ring *ring = ring_make(disables[countof(disables) - 1], 4, 8);
	const struct ring_features *features = ring_features(ring);

	ck_assert(!features->defer);
	ck_assert(!features->multishot);
	ck_assert(!features->buffers);
	ck_assert(!features->registered);
	ck_assert(!features->restrictions);
	ck_assert(!features->slots);
	ck_assert(!features->noiowait);
	ck_assert(!features->sendwait);
	ck_assert(!features->truncate);
	ring_free(ring);
}
END_TEST

START_TEST(a_cancelled_receive_completes_once_and_for_all)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait in = {0};
		int pair[2];

		pair_make(pair);
		ring_receive(ring, &in.op, pair[0], false, wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		ck_assert(!op_is_idle(&in.op));
		ring_cancel(ring, &in.op);
		ring_cancel(ring, &in.op);
		run_until_n(ring, &in, 1);
		ck_assert_int_eq(in.result, -ECANCELED);
		ck_assert(op_is_idle(&in.op));
		/* Cancelling what is idle does nothing. */
		ring_cancel(ring, &in.op);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		ck_assert_uint_eq(in.n, 1);
		close(pair[0]);
		close(pair[1]);
		ring_free(ring);
	}
}
END_TEST

START_TEST(running_out_of_buffers_loses_nothing)
{
	struct ring *ring = ring_make(NULL, 2, 8);
	struct wait in = {0};
	char data[2000];
	int pair[2];

	pair_make(pair);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	ck_assert_int_eq(write(pair[1], data, sizeof(data)), sizeof(data));
	for (int i = 0; in.size < sizeof(data); i++) {
		ck_assert_int_lt(i, 1000);
		if (op_is_idle(&in.op))
			ring_receive(ring, &in.op, pair[0], true, wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns() + NS_PER_S), 0);
	}
	ck_assert_mem_eq(in.bytes, data, sizeof(data));
	ck_assert_uint_gt(ring_counters(ring)->buffers_empty, 0);
	ring_cancel(ring, &in.op);
	while (!op_is_idle(&in.op))
		ring_turn(ring, clock_now_ns() + NS_PER_S);
	close(pair[0]);
	close(pair[1]);
	ring_free(ring);
}
END_TEST

START_TEST(more_operations_than_entries_are_all_done)
{
	enum { N = 100 };
	struct ring *ring = ring_make(NULL, 4, 4);
	static struct wait waits[N];
	int pairs[N][2];

	for (int i = 0; i < N; i++) {
		pair_make(pairs[i]);
		ring_send(ring, &waits[i].op, pairs[i][1], "x", 1, wait_on_complete);
	}
	for (int i = 0; i < N; i++) {
		run_until_n(ring, &waits[i], 1);
		ck_assert_int_eq(waits[i].result, 1);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	ck_assert_uint_eq(ring_counters(ring)->stale, 0);
	ring_free(ring);
}
END_TEST

START_TEST(more_completions_than_places_are_not_lost)
{
	enum { N = 1200 };
	struct ring *ring = ring_make(NULL, 4, 128);
	static struct wait waits[N];
	int pair[2];

	pair_make(pair);
	for (int i = 0; i < N; i++)
		ring_receive_drop(ring, &waits[i].op, pair[0], 1, wait_on_complete);
	ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
	close(pair[1]);
	for (int i = 0; i < N; i++)
		run_until_n(ring, &waits[i], 1);
	close(pair[0]);
	ring_free(ring);
}
END_TEST

START_TEST(receives_large_pieces)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait large = {0};
		char data[3000] = {1};
		int pair[2];

		pair_make(pair);
		ck_assert_int_eq(write(pair[1], data, sizeof(data)), sizeof(data));
		ring_receive_large(ring, &large.op, pair[0], wait_on_complete);
		run_until_n(ring, &large, 1);
		ck_assert_int_eq(large.result, sizeof(data));
		ck_assert(large.saw_data);
		ck_assert(op_is_idle(&large.op));
		close(pair[0]);
		close(pair[1]);
		ring_free(ring);
	}
}
END_TEST

static void receive_message(struct ring *ring, struct wait *in, int fd, const char *text)
{
	unsigned n = in->n;

	in->size = 0;
	in->n_fds = 0;
	ring_receive_message(ring, &in->op, fd, wait_on_complete);
	run_until_n(ring, in, n + 1);
	ck_assert(op_is_idle(&in->op));
	ck_assert(!in->more);
	ck_assert_int_eq(in->result, (int)strlen(text));
	ck_assert_mem_eq(in->bytes, text, strlen(text));
}

START_TEST(receives_messages_with_descriptors)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait in = {0};
		int pair[2];

		pair_make(pair);
		pass(pair[1], "first", 0);
		pass(pair[1], "second", 2);
		pass(pair[1], "third", 0);
		receive_message(ring, &in, pair[0], "firstsecond");
		ck_assert_uint_eq(in.n_fds, 2);
		ck_assert_int_eq(fcntl(in.fds[0], F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(close(in.fds[0]), 0);
		ck_assert_int_eq(close(in.fds[1]), 0);
		receive_message(ring, &in, pair[0], "third");
		ck_assert_uint_eq(in.n_fds, 0);
		/* And what is waited for. */
		ring_receive_message(ring, &in.op, pair[0], wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		ck_assert_uint_eq(in.n, 2);
		pass(pair[1], "fourth", 1);
		run_until_n(ring, &in, 3);
		ck_assert_int_eq(in.result, 6);
		ck_assert_uint_eq(in.n_fds, 1);
		ck_assert_int_eq(close(in.fds[0]), 0);
		close(pair[1]);
		receive_message(ring, &in, pair[0], "");
		close(pair[0]);
		ring_free(ring);
	}
}
END_TEST

START_TEST(a_cancelled_message_is_left_where_it_is)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait in = {0};
		int pair[2];

		pair_make(pair);
		ring_receive_message(ring, &in.op, pair[0], wait_on_complete);
		ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
		ring_cancel(ring, &in.op);
		run_until_n(ring, &in, 1);
		ck_assert_int_eq(in.result, -ECANCELED);
		ck_assert(op_is_idle(&in.op));
		close(pair[0]);
		close(pair[1]);
		ring_free(ring);
	}
}
END_TEST

START_TEST(descriptors_that_nobody_asked_for_are_closed)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct wait small = {0}, large = {0};
		int pair[2], next;

		pair_make(pair);
		next = next_fd();
		pass(pair[1], "small", 3);
		ring_receive(ring, &small.op, pair[0], true, wait_on_complete);
		run_until_n(ring, &small, 1);
		ring_cancel(ring, &small.op);
		while (!op_is_idle(&small.op))
			ck_assert_int_eq(ring_turn(ring, clock_now_ns() + NS_PER_S), 0);
		pass(pair[1], "large", 3);
		ring_receive_large(ring, &large.op, pair[0], wait_on_complete);
		run_until_n(ring, &large, 1);
		ck_assert_int_eq(large.result, 5);
		ck_assert_int_eq(next_fd(), next);
		close(pair[0]);
		close(pair[1]);
		ring_free(ring);
	}
}
END_TEST

START_TEST(tells_a_half_closed_peer_from_one_that_is_gone)
{
	struct ring *ring = ring_make(NULL, 4, 8);
	int pair[2];

	pair_make(pair);
	ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
	ck_assert(!ring_peer_is_gone(ring, pair[0]));
	close(pair[1]);
	ck_assert(ring_peer_is_gone(ring, pair[0]));
	close(pair[0]);
	ring_free(ring);
}
END_TEST

/* The other end sees that it was closed. */
static void expect_end(int fd)
{
	char bytes[4096];
	ssize_t n;

	do {
		n = read(fd, bytes, sizeof(bytes));
	} while (n > 0);
	ck_assert(n == 0 || errno == ECONNRESET);
	close(fd);
}

static void connect_and_drop(struct ring *ring, int listener, bool forget)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	struct wait accept = {0}, connect = {0}, drop = {0}, closed = {0};
	char data[5000] = {0};
	int fd = ring_socket(ring, AF_INET), peer;

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_ge(fd, 0);
	ring_accept(ring, &accept.op, listener, wait_on_complete);
	ring_connect(ring, &connect.op, fd, (struct sockaddr *)&address, size, wait_on_complete);
	run_until_n(ring, &connect, 1);
	run_until_n(ring, &accept, 1);
	ck_assert_int_eq(connect.result, 0);
	peer = accept.result;
	ck_assert_int_ge(peer, 0);
	ck_assert_int_eq(write(peer, data, sizeof(data)), sizeof(data));
	ring_receive_drop(ring, &drop.op, fd, sizeof(data), wait_on_complete);
	run_until_n(ring, &drop, 1);
	ck_assert_int_gt(drop.result, 0);
	ck_assert(!drop.saw_data);
	ring_cancel(ring, &accept.op);
	while (!op_is_idle(&accept.op))
		ring_turn(ring, clock_now_ns() + NS_PER_S);
	if (forget)
		ring_close_forget(ring, fd);
	else
		ring_close(ring, &closed.op, fd, wait_on_complete);
	ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
	expect_end(peer);
}

START_TEST(connects_accepts_drops_and_closes_over_tcp)
{
	for (size_t i = 0; i < countof(disables); i++) {
		struct ring *ring = ring_make(disables[i], 4, 8);
		struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		ck_assert_int_eq(listen(listener, 5), 0);
		/* More often than there may be descriptors in use: none is lost. */
		for (int k = 0; k < 20; k++)
			connect_and_drop(ring, listener, k % 2);
		close(listener);
		ring_free(ring);
	}
}
END_TEST

static void count_wake(void *context)
{
	++*(unsigned *)context;
}

static void *knock(void *context)
{
	ring_wake(context);
	return NULL;
}

START_TEST(another_thread_ends_the_turn)
{
	struct ring *ring = ring_make(NULL, 4, 8);
	unsigned n_woken = 0;
	pthread_t thread;

	ring_on_wake(ring, count_wake, &n_woken);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, knock, ring), 0);
		for (int turns = 0; turns < 100; turns++) {
			if (n_woken == i)
				break;
			ck_assert_int_eq(ring_turn(ring, clock_now_ns() + 5 * NS_PER_S), 0);
		}
		ck_assert_uint_eq(n_woken, i);
		pthread_join(thread, NULL);
	}
	ring_free(ring);
}
END_TEST

static struct task tasks[3];
static unsigned n_run;

static struct task_queue *queue;

static void run_and_defer(struct task *task)
{
	n_run++;
	if (task == &tasks[0])
		task_defer(queue, &tasks[2]);
}

START_TEST(what_is_put_off_runs_once_at_the_end_of_the_turn)
{
	struct ring *ring = ring_make(NULL, 4, 8);

	queue = ring_tasks(ring);
	for (size_t i = 0; i < countof(tasks); i++)
		task_init(&tasks[i], run_and_defer);
	task_defer(queue, &tasks[0]);
	task_defer(queue, &tasks[0]);
	task_defer(queue, &tasks[1]);
	task_cancel(&tasks[1]);
	ck_assert_uint_eq(n_run, 0);
	ck_assert_int_eq(ring_turn(ring, clock_now_ns()), 0);
	ck_assert_uint_eq(n_run, 2);
	ring_free(ring);
}
END_TEST

START_TEST(an_idle_turn_sleeps_until_the_deadline_given)
{
	struct ring *ring = ring_make(NULL, 4, 8);
	uint64_t until = clock_now_ns() + 20 * NS_PER_MS;
	uint64_t enters = ring_counters(ring)->enters;

	while (ring_now(ring) < until)
		ck_assert_int_eq(ring_turn(ring, until), 0);
	ck_assert_uint_le(ring_counters(ring)->enters - enters, 3);
	ring_free(ring);
}
END_TEST

UNIT_MAIN("ring/ring", &sends_and_receives_with_every_feature_left_out,
	&leaves_off_what_it_is_told_to, &a_cancelled_receive_completes_once_and_for_all,
	&running_out_of_buffers_loses_nothing, &more_operations_than_entries_are_all_done,
	&more_completions_than_places_are_not_lost, &receives_large_pieces,
	&receives_messages_with_descriptors, &a_cancelled_message_is_left_where_it_is,
	&descriptors_that_nobody_asked_for_are_closed,
	&tells_a_half_closed_peer_from_one_that_is_gone,
	&connects_accepts_drops_and_closes_over_tcp, &another_thread_ends_the_turn,
	&what_is_put_off_runs_once_at_the_end_of_the_turn,
	&an_idle_turn_sleeps_until_the_deadline_given)
