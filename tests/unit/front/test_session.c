/* SPDX-License-Identifier: MIT */
#include "front/session.h"

#include <errno.h>

#include "tests/unit/front/front_world.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

/* Receiving. */

START_TEST(a_line_may_come_byte_by_byte)
{
	static const char line[] = "{\"id\":5,\"submit\":{\"jobs\":{}}}\n";
	int fd;

	front_world_begin();
	fd = front_world_connect();
	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		client_assert_heard(fd, "");
		fake_receive_bytes(fd, &line[i], 1);
		fake_run();
	}
	client_assert_heard(fd, "5:accepted 5:done");
	front_world_leave();
}
END_TEST

/* What comes in one receive: what is answered. */
static const struct receive_case {
	const char *text, *heard;
	bool ends;
} receive_cases[] = {
	{"\n\n\n", "", false},
	{"{\"status\":{}}\n{\"hello\":{}}\n", "status hello", false},
	{"\n{\"status\":{}}\n\n\n{\"hello\":{}}\n\n", "status hello", false},
	{"{\"hello\":{}}\n{\"status\":{}", "hello", false},
	{"{\"hello\":{}}\r\n", "hello", false},
	{"{\"id\":1,\"submit\":{\"jobs\":{}}}\n{\"id\":2,\"submit\":{\"jobs\":{}}}\n"
	 "{\"id\":9,\"cancel\":{}}\n",
		"1:accepted 2:accepted 1:done 2:done", false},
	/* Nothing behind a mistake counts. */
	{"{\"hello\":{}}\nwhat\n{\"status\":{}}\n", "hello error", true},
	{"what\nwhat\n", "error", true},
};

START_TEST(several_messages_may_come_at_once)
{
	for (size_t i = 0; i < sizeof(receive_cases) / sizeof(receive_cases[0]); i++) {
		int fd;

		front_world_begin();
		fd = front_world_connect();
		fake_receive(fd, receive_cases[i].text);
		fake_run();
		client_assert_heard(fd, receive_cases[i].heard);
		ck_assert_msg(fake_is_open(fd) != receive_cases[i].ends, "%s: open or closed",
			receive_cases[i].text);
		front_world_leave();
	}
}
END_TEST

/* A status line of that length in all, with white space, with or without its LF. */
static const struct length_case {
	size_t size;
	bool has_end;
	const char *heard;
} length_cases[] = {
	{1000, true, "status"},
	{1000, false, ""},
	{1001, true, "error"},
	{1001, false, "error"},
	{100000, false, "error"},
	{1000000, false, "error"},
};

START_TEST(a_line_that_is_too_long_ends_the_session_and_no_other)
{
	struct front_options options = front_world_options();

	options.line_max = 1000;
	for (size_t i = 0; i < sizeof(length_cases) / sizeof(length_cases[0]); i++) {
		const struct length_case *at = &length_cases[i];
		size_t size = at->size + at->has_end;
		char *line = malloc(size);
		int fd, other;

		memset(line, ' ', size);
		memcpy(line, "{\"status\":{}}", 13);
		if (at->has_end)
			line[size - 1] = '\n';
		front_world_begin_with(&options);
		other = front_world_connect();
		fd = front_world_connect();
		fake_receive_bytes(fd, line, size);
		fake_run();
		client_assert_heard(fd, at->heard);
		if (strcmp(at->heard, "error") == 0) {
			client_assert(fd, 0, "/error/message", "the line is too long");
			ck_assert(!fake_is_open(fd));
		}
		client_say(other, "{'status':{}}");
		client_assert_heard(other, "status");
		free(line);
		front_world_leave();
	}
}
END_TEST

START_TEST(an_idle_session_holds_no_memory_for_lines)
{
	struct session *session;
	int fd;

	front_world_begin();
	fd = front_world_connect();
	session = front_world_session(fd);
	fake_receive(fd, "{\"status\"");
	ck_assert_uint_gt(session->reader.bytes.capacity, 0);
	fake_receive(fd, ":{}}\n");
	ck_assert_uint_eq(session->reader.bytes.capacity, 0);
	front_world_leave();
}
END_TEST

/* How a receive may fail: in passing, or for good. */
static const struct receive_error_case {
	int error;
	bool ends;
} receive_error_cases[] = {
	{-ENOBUFS, false},
	{-EINTR, false},
	{-EAGAIN, false},
	{-ECONNRESET, true},
	{-ETIMEDOUT, true},
};

START_TEST(a_receive_that_fails_in_passing_is_begun_again)
{
	for (size_t i = 0; i < sizeof(receive_error_cases) / sizeof(receive_error_cases[0]); i++) {
		const struct receive_error_case *at = &receive_error_cases[i];
		int fd;

		front_world_begin();
		fd = front_world_connect_busy();
		fake_complete(FAKE_RECEIVE, fd, at->error);
		fake_pass(NS_PER_MS);
		ck_assert_msg(fake_is_open(fd) != at->ends, "%d: open or closed", at->error);
		ck_assert_msg(front_world_is_busy() != at->ends, "%d: its graph", at->error);
		if (!at->ends) {
			client_say(fd, "{'status':{}}");
			client_assert_heard(fd, "1:accepted status");
		}
		front_world_leave();
	}
}
END_TEST

/* Sending. */

START_TEST(what_a_turn_says_leaves_in_one_send)
{
	uint64_t n_sends;
	int fd;

	front_world_begin();
	fd = front_world_connect();
	n_sends = ring_counters(world.ring)->sends;
	fake_receive(fd, "{\"status\":{}}\n{\"hello\":{}}\n");
	fake_receive(fd, "{\"status\":{}}\n");
	fake_run();
	client_assert_heard(fd, "status hello status");
	ck_assert_uint_eq(ring_counters(world.ring)->sends - n_sends, 1);
	front_world_leave();
}
END_TEST

START_TEST(a_send_that_took_a_part_goes_on_with_the_rest)
{
	int fd, n = 0;

	front_world_begin();
	fd = front_world_connect();
	fake_holds.sends = true;
	client_say(fd, "{'hello':{}}");
	client_say(fd, "{'status':{}}");
	while (fake_find(FAKE_SEND, fd)) {
		/* One at a time, and what passes is tried again. */
		fake_complete(FAKE_SEND, fd, ++n % 3 == 0 ? -EINTR : 1);
		fake_run();
	}
	client_assert_heard(fd, "hello status");
	ck_assert_int_gt(n, 200);
	front_world_leave();
}
END_TEST

START_TEST(a_send_that_fails_ends_the_session_and_its_graphs)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	fake_holds.sends = true;
	client_say(fd, "{'status':{}}");
	fake_complete(FAKE_SEND, fd, -EPIPE);
	fake_run();
	ck_assert(!fake_is_open(fd));
	ck_assert(!front_world_is_busy());
	front_world_leave();
}
END_TEST

START_TEST(without_memory_for_what_it_says_the_session_is_closed)
{
	int fd, other;

	front_world_begin();
	other = front_world_connect();
	fd = front_world_connect_busy();
	outbox_pool_deinit(&front_world.front.outbox_pool);
	memory_fail_bytes(OUTBOX_CHUNK_SIZE);
	client_say(fd, "{'hello':{}}");
	ck_assert(memory_has_failed());
	ck_assert(!fake_is_open(fd));
	ck_assert(!front_world_is_busy());
	client_say(other, "{'status':{}}");
	client_assert_heard(other, "status");
	front_world_leave();
}
END_TEST

START_TEST(without_memory_for_a_message_the_session_is_closed)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	/* The message's memory is kept: this one is the first. */
	buffer_deinit(&front_world.front.message);
	buffer_init(&front_world.front.message, 10);
	client_say(fd, "{'hello':{}}");
	ck_assert(!fake_is_open(fd));
	ck_assert(!front_world_is_busy());
	client_assert_heard(fd, "1:accepted");
	front_world_leave();
}
END_TEST

START_TEST(without_memory_for_a_line_the_session_is_told_and_closed)
{
	static const char blanks[5000];
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	memory_fail_bytes(8192);
	fake_receive_bytes(fd, blanks, sizeof(blanks));
	fake_run();
	ck_assert(memory_has_failed());
	client_assert_heard(fd, "1:accepted error");
	ck_assert(!fake_is_open(fd));
	front_world_leave();
}
END_TEST

START_TEST(there_is_a_bound_on_sessions)
{
	struct front_options options = front_world_options();
	int one, two, three;

	options.sessions_max = 2;
	front_world_begin_with(&options);
	one = front_world_connect();
	front_world_connect();
	three = fake_descriptor(1000);
	ck_assert_int_eq(session_new(&front_world.front, three, 1000), -EMFILE);
	ck_assert(!fake_is_open(three));
	client_close(one);
	two = front_world_connect();
	client_say(two, "{'status':{}}");
	client_assert_heard(two, "status");
	ck_assert_uint_eq(front_world.front.n_sessions, 2);
	ck_assert_uint_eq(front_world.front.sessions_total, 3);
	front_world_leave();
}
END_TEST

START_TEST(without_memory_for_a_session_the_descriptor_is_closed)
{
	int fd;

	front_world_begin();
	fd = fake_descriptor(1000);
	memory_fail_object(sizeof(struct session));
	ck_assert_int_eq(session_new(&front_world.front, fd, 1000), -ENOMEM);
	ck_assert(memory_has_failed());
	ck_assert(!fake_is_open(fd));
	ck_assert_uint_eq(front_world.front.n_sessions, 0);
	front_world_end();
}
END_TEST

/* A slow reader. */

#define STATUS_SIZE (sizeof("{\"status\":{\"graphs\":0,\"graph_list\":[]}}\n") - 1)

/* So many status lines in one receive from who reads nothing: is there another receive, and how
 * many bytes must be read until there is. */
static const struct mark_case {
	unsigned n_lines;
	bool reads_on;
	size_t to_read;
} mark_cases[] = {
	{1, true, 0},
	{4, true, 0},
	{5, false, 3 * STATUS_SIZE},
};

START_TEST(who_does_not_read_is_not_read_from)
{
	struct front_options options = front_world_options();

	options.out_high = 4 * STATUS_SIZE;
	options.out_low = 2 * STATUS_SIZE;
	for (size_t i = 0; i < sizeof(mark_cases) / sizeof(mark_cases[0]); i++) {
		const struct mark_case *at = &mark_cases[i];
		char lines[10 * STATUS_SIZE] = "";
		int fd;

		for (unsigned n = 0; n < at->n_lines; n++)
			strncat(lines, "{\"status\":{}}\n", sizeof(lines) - strlen(lines) - 1);
		front_world_begin_with(&options);
		fake_holds.sends = true;
		fd = front_world_connect();
		fake_receive(fd, lines);
		fake_run();
		ck_assert_msg((fake_find(FAKE_RECEIVE, fd) != NULL) == at->reads_on,
			"after %u lines", at->n_lines);
		if (!at->reads_on) {
			client_read(fd, at->to_read - 1);
			ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
			client_read(fd, 1);
			ck_assert_ptr_nonnull(fake_find(FAKE_RECEIVE, fd));
		}
		fake_holds.sends = false;
		fake_run();
		ck_assert_uint_eq(client_n_heard(fd), at->n_lines);
		front_world_leave();
	}
}
END_TEST

static void answer_with(const char *target, size_t size)
{
	char *body = malloc(size + 1);

	memset(body, 'x', size);
	body[size] = '\0';
	world_answer(target, "200 OK", body);
	free(body);
}

static size_t waiting(int fd)
{
	return front_world_session(fd)->out.bytes;
}

START_TEST(questions_wait_while_their_answers_are_not_read)
{
	enum { N = 50 };
	struct front_options options = front_world_options();
	char lines[N * STATUS_SIZE] = "";
	int fd;

	options.out_high = 4 * STATUS_SIZE;
	options.out_low = 2 * STATUS_SIZE;
	for (unsigned n = 0; n < N; n++)
		strncat(lines, "{\"status\":{}}\n", sizeof(lines) - strlen(lines) - 1);
	front_world_begin_with(&options);
	fake_holds.sends = true;
	fd = front_world_connect();
	fake_receive(fd, lines);
	fake_run();
	ck_assert_uint_eq(waiting(fd), 5 * STATUS_SIZE);
	client_read(fd, 3 * STATUS_SIZE);
	ck_assert_uint_eq(waiting(fd), 5 * STATUS_SIZE);
	fake_holds.sends = false;
	fake_run();
	ck_assert_uint_eq(client_n_heard(fd), N);
	front_world_leave();
}
END_TEST

START_TEST(a_slow_reader_pauses_its_own_graphs_and_nobody_else_s)
{
	struct front_options options = front_world_options();
	int slow, other;

	options.out_high = 4000;
	options.out_low = 1000;
	front_world_begin_with(&options);
	slow = front_world_connect();
	other = front_world_connect();
	client_submit(slow, 1,
		"{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		"'c':{'url':'@c'}}}");
	/* From here on it reads nothing. */
	fake_holds.sends = true;
	answer_with("/a", 2000);
	client_stall(slow);
	ck_assert_uint_lt(waiting(slow), options.out_high);
	answer_with("/b", 2000);
	client_stall(slow);
	ck_assert_uint_gt(waiting(slow), options.out_high);
	ck_assert_int_lt(world_find("/c"), 0);
	/* The others do not notice. */
	client_submit(other, 1, "{'jobs':{'a':{'url':'@d'}}}");
	client_stall(slow);
	world_answer("/d", "200 OK", "");
	client_stall(slow);
	client_assert_heard(other, "1:accepted 1:settled 1:done");
	/* It goes on at the low mark, and not before. */
	client_read(slow, waiting(slow) - options.out_low - 1);
	client_stall(slow);
	ck_assert_int_lt(world_find("/c"), 0);
	client_read(slow, 1);
	client_stall(slow);
	ck_assert_int_ge(world_find("/c"), 0);
	fake_holds.sends = false;
	world_answer("/c", "200 OK", "");
	client_assert_heard(slow, "1:accepted 1:settled 1:settled 1:settled 1:done");
	front_world_leave();
}
END_TEST

START_TEST(a_graph_submitted_by_a_slow_reader_begins_when_it_reads)
{
	struct front_options options = front_world_options();
	int fd;

	options.out_high = STATUS_SIZE;
	options.out_low = 0;
	front_world_begin_with(&options);
	fd = front_world_connect();
	fake_holds.sends = true;
	/* It is slow already when the last of these lines is read. */
	client_say(fd, "{'status':{}}\n{'status':{}}\n"
		       "{'id':1,'submit':{'jobs':{'a':{'url':'@a'}}}}");
	client_stall(fd);
	ck_assert(!front_world_is_busy());
	fake_holds.sends = false;
	fake_run();
	ck_assert(front_world_is_busy());
	front_world_leave();
}
END_TEST

START_TEST(a_slow_reader_that_goes_ends_its_paused_graphs)
{
	struct front_options options = front_world_options();
	int fd;

	options.out_high = 1000;
	options.out_low = 100;
	front_world_begin_with(&options);
	fd = front_world_connect();
	client_submit(fd, 1,
		"{'concurrency':1,'jobs':{'a':{'url':'@a','priority':9},'b':{'url':'@b'},"
		"'c':{'url':'@c'},'d':{'url':'@d','after':['c']}}}");
	fake_holds.sends = true;
	answer_with("/a", 2000);
	ck_assert(front_world_session(fd)->is_slow);
	fake_complete(FAKE_SEND, fd, -EPIPE);
	fake_holds.sends = false;
	fake_pass(NS_PER_MS);
	ck_assert(!fake_is_open(fd));
	ck_assert_uint_eq(world.scheduler.n_graphs, 0);
	front_world_end();
}
END_TEST

UNIT_MAIN("front/session", &a_line_may_come_byte_by_byte, &several_messages_may_come_at_once,
	&a_line_that_is_too_long_ends_the_session_and_no_other,
	&an_idle_session_holds_no_memory_for_lines, &a_receive_that_fails_in_passing_is_begun_again,
	&what_a_turn_says_leaves_in_one_send, &a_send_that_took_a_part_goes_on_with_the_rest,
	&a_send_that_fails_ends_the_session_and_its_graphs,
	&without_memory_for_what_it_says_the_session_is_closed,
	&without_memory_for_a_message_the_session_is_closed,
	&without_memory_for_a_line_the_session_is_told_and_closed, &there_is_a_bound_on_sessions,
	&without_memory_for_a_session_the_descriptor_is_closed, &who_does_not_read_is_not_read_from,
	&questions_wait_while_their_answers_are_not_read,
	&a_slow_reader_pauses_its_own_graphs_and_nobody_else_s,
	&a_graph_submitted_by_a_slow_reader_begins_when_it_reads,
	&a_slow_reader_that_goes_ends_its_paused_graphs)
