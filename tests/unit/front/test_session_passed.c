/* SPDX-License-Identifier: MIT */
#include "front/session.h"

#include <errno.h>

#include "front/submission.h"
#include "job/descriptor.h"
#include "proto/plan.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/net/fake_file.h"
#include "tests/unit/unit.h"

#define GRAPH(id) "{\"id\":" id ",\"submit\":{\"jobs\":{\"a\":{\"url\":\"http://192.0.2.1/\"}}}}"

/* The client sends that, with so many descriptors; no turn goes by. */
static void send_passed(int fd, const char *text, unsigned n)
{
	int fds[RING_FDS_MAX] = {0};

	for (unsigned i = 0; i < n; i++)
		fds[i] = fake_odd();
	fake_receive_passed(fd, text, fds, n, false);
}

static void say_passed(int fd, const char *text, unsigned n)
{
	send_passed(fd, text, n);
	fake_run();
}

static unsigned n_of_graph(int fd, unsigned id)
{
	const struct submission *submission = submission_find(front_world_session(fd), id);

	ck_assert_msg(submission, "there is no graph %u", id);
	return submission->graph->descriptors ? submission->graph->descriptors->n : 0;
}

/* What is received, and how many descriptors the graphs 1, 2 and 3 have then. */
static const struct piece_case {
	struct {
		const char *text;
		unsigned n;
	} pieces[6];
	unsigned n_of_graphs[3];
	const char *heard;
} piece_cases[] = {
	{{{GRAPH("1") "\n", 0}}, {0}, "1:accepted"},
	{{{GRAPH("1") "\n", 2}}, {2}, "1:accepted"},
	/* Sends without descriptors are received with the one that has them: it is the last. */
	{{{GRAPH("1") "\n" GRAPH("2") "\n", 2}}, {0, 2}, "1:accepted 2:accepted"},
	{{{"{\"status\":{}}\n" GRAPH("1") "\n", 1}}, {1}, "status 1:accepted"},
	/* A line in pieces, descriptors with any of them. */
	{{{"{\"id\":1,", 2}, {"\"submit\":{\"jobs\":{\"a\":{\"url\":", 0},
		 {"\"http://192.0.2.1/\"}}}}\n", 0}},
		{2}, "1:accepted"},
	{{{"{\"id\":1,", 1}, {"\"submit\":{\"jobs\":{\"a\":{\"url\":", 2},
		 {"\"http://192.0.2.1/\"}}}}\n", 3}},
		{6}, "1:accepted"},
	{{{GRAPH("1"), 0}, {"\n", 2}}, {2}, "1:accepted"},
	/* The end of a line and the begin of the next one. */
	{{{GRAPH("1"), 1}, {"\n{\"id\":2,\"submit\"", 2},
		 {":{\"jobs\":{\"a\":{\"url\":\"http://192.0.2.1/\"}}}}\n", 0}},
		{1, 2}, "1:accepted 2:accepted"},
	{{{GRAPH("1") "\n", 1}, {GRAPH("2") "\n", 2}, {GRAPH("3") "\n", 3}}, {1, 2, 3},
		"1:accepted 2:accepted 3:accepted"},
	{{{GRAPH("1") "\n" GRAPH("2") "\n" GRAPH("3"), 3}, {"\n", 0}}, {0, 0, 3},
		"1:accepted 2:accepted 3:accepted"},
	/* Those of empty lines are nobody's. */
	{{{"\n", 2}, {GRAPH("1") "\n", 1}}, {1}, "1:accepted"},
	{{{"\n\n", 2}}, {0}, ""},
	{{{"\n\n{", 2}, {GRAPH("1") "\n", 0}}, {0}, "error"},
	{{{"\n\n ", 2}, {GRAPH("1") "\n", 0}}, {2}, "1:accepted"},
	/* Any other line has them closed. */
	{{{"{\"status\":{}}\n", 2}, {GRAPH("1") "\n", 1}}, {1}, "status 1:accepted"},
	{{{GRAPH("1") "\n{\"hello\":{}}\n", 2}}, {0}, "1:accepted hello"},
	{{{"{\"id\":9,\"cancel\":{}}\n", 2}}, {0}, ""},
	{{{"{\"id\":9,\"submit\":{\"jobs\":1}}\n", 2}}, {0}, "9:refused"},
};

START_TEST(descriptors_belong_to_the_line_of_their_last_byte)
{
	for (size_t i = 0; i < sizeof(piece_cases) / sizeof(piece_cases[0]); i++) {
		const struct piece_case *at = &piece_cases[i];
		unsigned n_open, n = 0;
		int fd;

		front_world_begin();
		fd = front_world_connect();
		for (size_t k = 0; k < 6 && at->pieces[k].text; k++)
			send_passed(fd, at->pieces[k].text, at->pieces[k].n);
		n_open = fake_n_open();
		for (unsigned id = 1; id <= 3; id++) {
			if (at->n_of_graphs[id - 1] > 0)
				ck_assert_uint_eq(n_of_graph(fd, id), at->n_of_graphs[id - 1]);
			n += at->n_of_graphs[id - 1];
		}
		/* The session's own is open, too. */
		ck_assert_uint_eq(n_open, n + 1);
		ck_assert_ptr_null(front_world_session(fd)->passed.all);
		fake_run();
		client_assert_heard(fd, at->heard);
		front_world_leave();
	}
}
END_TEST

START_TEST(a_graph_has_them_until_it_is_done)
{
	int fd, first;

	front_world_begin();
	fd = front_world_connect();
	first = fake_end_fd();
	say_passed(fd, GRAPH("1") "\n", 2);
	ck_assert(fake_is_open(first) && fake_is_open(first + 1));
	client_say(fd, "{'id':1,'cancel':{}}");
	client_assert_heard(fd, "1:accepted 1:decided 1:settled 1:done");
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
	front_world_leave();
}
END_TEST

static const char *const refusals[] = {
	/* The document, its number, and what is no message. */
	"{\"id\":1,\"submit\":{\"jobs\":{\"a\":{}}}}\n",
	"{\"id\":\"x\",\"submit\":{}}\n",
	"{\"id\":7,\"submit\":{\"jobs\":{}}}\n",
	"what\n",
	"{}\n",
};

START_TEST(what_is_refused_has_them_closed)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		int fd, first;

		front_world_begin();
		fd = front_world_connect();
		say_passed(fd, GRAPH("7") "\n", 0);
		first = fake_end_fd();
		say_passed(fd, refusals[i], 2);
		ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
		front_world_leave();
	}
}
END_TEST

START_TEST(what_is_drained_or_over_quota_has_them_closed)
{
	struct front_options options = front_world_options();

	options.graphs_max = 1;
	for (int draining = 0; draining <= 1; draining++) {
		int fd, first;

		front_world_begin_with(&options);
		fd = front_world_connect_busy();
		if (draining)
			front_drain(&front_world.front);
		first = fake_end_fd();
		say_passed(fd, GRAPH("2") "\n", 2);
		client_assert_heard(fd, "1:accepted 2:refused");
		ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
		front_world_leave();
	}
}
END_TEST

START_TEST(more_than_a_graph_can_have_is_a_mistake)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	send_passed(fd, "{\"id\":1,", PLAN_FDS_MAX - 1);
	send_passed(fd, "\"submit\":", 1);
	ck_assert_uint_eq(fake_n_open(), PLAN_FDS_MAX + 1);
	say_passed(fd, "{}", 1);
	client_assert_heard(fd, "error");
	client_assert(
		fd, 0, "/error/message", "too many descriptors, or there is no memory for them");
	ck_assert_uint_eq(fake_n_open(), 0);
	front_world_leave();
}
END_TEST

START_TEST(as_many_as_a_graph_can_have_are_taken)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	send_passed(fd, "{\"id\":1,", PLAN_FDS_MAX);
	fake_receive(fd, "\"submit\":{\"jobs\":{\"a\":{\"url\":\"http://192.0.2.1/\"}}}}\n");
	ck_assert_uint_eq(n_of_graph(fd, 1), PLAN_FDS_MAX);
	fake_run();
	front_world_leave();
}
END_TEST

/* Ways in which a session reads no more lines. */
static void end_by_close(int fd)
{
	client_close(fd);
}

static void end_by_half_close(int fd)
{
	client_half_close(fd);
}

static void end_by_drain(int fd)
{
	front_drain(&front_world.front);
}

static void end_by_shut_down(int fd)
{
	front_shut_down(&front_world.front);
}

static void end_by_reset(int fd)
{
	fake_complete(FAKE_RECEIVE, fd, -ECONNRESET);
}

static void end_by_mistake(int fd)
{
	client_say(fd, "'what");
}

static void (*const ends[])(int fd) = {end_by_close, end_by_half_close, end_by_drain,
	end_by_shut_down, end_by_reset, end_by_mistake};

START_TEST(what_no_line_will_have_is_closed)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int fd, first;

		front_world_begin();
		fd = front_world_connect();
		first = fake_end_fd();
		say_passed(fd, "{\"id\":1,", 2);
		ck_assert(fake_is_open(first) && fake_is_open(first + 1));
		ends[i](fd);
		fake_run();
		ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
		front_world_leave();
	}
}
END_TEST

START_TEST(what_comes_when_no_lines_are_read_is_closed)
{
	int fd, first;

	/* Finishing: its graph is not done. */
	front_world_begin();
	fd = front_world_connect_busy();
	front_shut_down(&front_world.front);
	fake_holds.closes = true;
	first = fake_end_fd();
	send_passed(fd, GRAPH("2") "\n", 2);
	fake_holds.closes = false;
	fake_run();
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
	front_world_leave();
	/* Leaving: its last words are not read. */
	front_world_begin();
	fake_holds.sends = true;
	fd = front_world_connect();
	client_say(fd, "what");
	first = fake_end_fd();
	say_passed(fd, GRAPH("2") "\n", 2);
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
	front_world_leave();
	/* Closing: the cancel comes too late. */
	front_world_begin();
	fd = front_world_connect();
	front_drain(&front_world.front);
	ck_assert_ptr_nonnull(fake_find(FAKE_RECEIVE, fd));
	first = fake_end_fd();
	send_passed(fd, GRAPH("2") "\n", 2);
	fake_run();
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
	front_world_leave();
}
END_TEST

START_TEST(a_graph_whose_descriptors_did_not_all_come_is_refused)
{
	int fd, passed;

	front_world_begin();
	fd = front_world_connect();
	passed = fake_odd();
	fake_receive_passed(fd, "{\"id\":1,", &passed, 1, true);
	fake_receive(fd, "\"submit\":{\"jobs\":{}}}\n");
	fake_run();
	client_assert_heard(fd, "1:refused");
	client_assert(fd, 0, "/refused/errors/0/code", "OVERLOADED");
	ck_assert(!fake_is_open(passed));
	fake_forget(fd);
	client_submit(fd, 1, "{'jobs':{}}");
	client_assert_heard(fd, "1:accepted 1:done");
	/* Another line needs none. */
	fake_forget(fd);
	fake_receive_passed(fd, "{\"status\":{}}\n", NULL, 0, true);
	fake_run();
	client_submit(fd, 2, "{'jobs':{}}");
	client_assert_heard(fd, "status 2:accepted 2:done");
	front_world_leave();
}
END_TEST

static void assert_refused(int fd)
{
	client_assert_heard(fd, "1:refused");
	client_assert(fd, 0, "/refused/errors/0/code", "OVERLOADED");
	fake_forget(fd);
}

START_TEST(all_sessions_together_have_a_bound)
{
	struct front_options options = front_world_options();
	int fd, other, first;

	options.passed_max = 10;
	front_world_begin_with(&options);
	fd = front_world_connect();
	other = front_world_connect_as(1001);
	say_passed(fd, GRAPH("1") "\n", 8);
	client_assert_heard(fd, "1:accepted");
	first = fake_end_fd();
	say_passed(other, GRAPH("1") "\n", 3);
	assert_refused(other);
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 2));
	/* Lines that are not whole count, too. */
	say_passed(fd, "{\"id\":2,", 1);
	say_passed(other, GRAPH("1") "\n", 2);
	assert_refused(other);
	say_passed(other, GRAPH("1") "\n", 1);
	client_assert_heard(other, "1:accepted");
	ck_assert_uint_eq(front_world.front.passed.n, 10);
	/* Who passes none needs no room. */
	say_passed(other, GRAPH("2") "\n", 0);
	client_assert_heard(other, "1:accepted 2:accepted");
	client_close(fd);
	ck_assert_uint_eq(front_world.front.passed.n, 1);
	say_passed(other, GRAPH("3") "\n", 9);
	client_assert_heard(other, "1:accepted 2:accepted 3:accepted");
	front_world_leave();
}
END_TEST

START_TEST(lines_that_wait_for_a_slow_reader_keep_theirs)
{
	struct front_options options = front_world_options();
	int fd;

	options.out_high = 10;
	options.out_low = 0;
	front_world_begin_with(&options);
	fake_holds.sends = true;
	fd = front_world_connect();
	/* The first line's answer is too much already. */
	say_passed(fd, "{\"hello\":{}}\n" GRAPH("1") "\n" GRAPH("2") "\n", 3);
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
	ck_assert_uint_eq(front_world_session(fd)->passed.n, 3);
	fake_holds.sends = false;
	fake_run();
	ck_assert_uint_eq(n_of_graph(fd, 1), 0);
	ck_assert_uint_eq(n_of_graph(fd, 2), 3);
	front_world_leave();
}
END_TEST

START_TEST(without_memory_they_are_closed_and_the_client_told)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	memory_fail_object(PLAN_FDS_MAX * 16);
	say_passed(fd, GRAPH("1") "\n", 2);
	ck_assert(memory_has_failed());
	client_assert_heard(fd, "error");
	front_world_leave();
	front_world_begin();
	fd = front_world_connect();
	memory_fail_object(sizeof(struct descriptors) + 2 * sizeof(struct descriptor));
	say_passed(fd, GRAPH("1") "\n", 2);
	ck_assert(memory_has_failed());
	client_assert_heard(fd, "1:refused");
	client_assert(fd, 0, "/refused/errors/0/code", "OVERLOADED");
	ck_assert_uint_eq(fake_n_open(), 1);
	memory_fail_object(sizeof(struct graph));
	say_passed(fd, GRAPH("1") "\n", 2);
	ck_assert(memory_has_failed());
	client_assert_heard(fd, "1:refused 1:refused");
	ck_assert_uint_eq(fake_n_open(), 1);
	front_world_leave();
}
END_TEST

/* More than a line may be: its bytes are not kept, and nor is what came with them. */
START_TEST(those_of_bytes_that_find_no_room_are_closed)
{
	int fd, first;

	front_world_begin();
	fd = front_world_connect();
	first = fake_end_fd();
	memory_fail_bytes(sizeof(GRAPH("1")));
	say_passed(fd, GRAPH("1") "\n", 2);
	ck_assert(memory_has_failed());
	client_assert_heard(fd, "error");
	ck_assert(!fake_is_open(first) && !fake_is_open(first + 1));
	front_world_leave();
}
END_TEST

UNIT_MAIN("front/session_passed", &descriptors_belong_to_the_line_of_their_last_byte,
	&a_graph_has_them_until_it_is_done, &what_is_refused_has_them_closed,
	&what_is_drained_or_over_quota_has_them_closed, &more_than_a_graph_can_have_is_a_mistake,
	&as_many_as_a_graph_can_have_are_taken, &what_no_line_will_have_is_closed,
	&what_comes_when_no_lines_are_read_is_closed,
	&a_graph_whose_descriptors_did_not_all_come_is_refused, &all_sessions_together_have_a_bound,
	&lines_that_wait_for_a_slow_reader_keep_theirs,
	&without_memory_they_are_closed_and_the_client_told,
	&those_of_bytes_that_find_no_room_are_closed)
