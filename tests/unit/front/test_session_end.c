/* SPDX-License-Identifier: MIT */
/* How a session ends: its client goes, half-closes or makes a mistake; the daemon drains or shuts
 * down. */
#include "front/session.h"

#include <errno.h>

#include "tests/unit/front/front_world.h"
#include "tests/unit/unit.h"

#define LINGER_NS (5 * NS_PER_S)
#define WATCH_NS  (100 * NS_PER_MS)

static struct session *session_of(int fd)
{
	return front_world_session(fd);
}

/* The client goes. */

START_TEST(a_client_that_goes_takes_its_graphs_along)
{
	int fd, other;

	front_world_begin();
	other = front_world_connect();
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	client_submit(fd, 2, "{'jobs':{'a':{'url':'@c'}}}");
	client_submit(other, 1, "{'jobs':{'a':{'url':'@d'}}}");
	ck_assert_uint_eq(world_n_on_wire(), 3 + 2);
	client_close(fd);
	fake_pass(NS_PER_MS);
	ck_assert(!fake_is_open(fd));
	ck_assert_int_lt(world_find("/a"), 0);
	ck_assert_int_lt(world_find("/c"), 0);
	ck_assert_int_ge(world_find("/d"), 0);
	ck_assert_uint_eq(world.scheduler.n_graphs, 1);
	/* It was told nothing of it. */
	client_assert_heard(fd, "1:accepted 2:accepted");
	world_answer("/d", "200 OK", "");
	client_assert_heard(other, "1:accepted 1:settled 1:done");
	front_world_leave();
}
END_TEST

START_TEST(a_session_is_freed_when_its_descriptor_and_its_requests_are_closed)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	fake_holds.sends = true;
	client_say(fd, "{'status':{}}");
	fake_holds.cancels = true;
	fake_holds.closes = true;
	client_close(fd);
	/* What it has in flight is cancelled, and waited for. */
	ck_assert(session_of(fd)->send_op.cancelled);
	ck_assert_ptr_null(fake_find(FAKE_CLOSE, fd));
	fake_complete(FAKE_SEND, fd, -ECANCELED);
	ck_assert_ptr_nonnull(fake_find(FAKE_CLOSE, fd));
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_run();
	ck_assert(!fake_is_open(fd));
	ck_assert_uint_eq(front_world.front.n_sessions, 1);
	fake_holds = (struct fake_holds){0};
	fake_run();
	ck_assert_uint_eq(front_world.front.n_sessions, 0);
	ck_assert(!front_world_is_busy());
	front_world_end();
}
END_TEST

START_TEST(what_comes_while_it_is_closed_is_not_read)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	fake_holds.sends = true;
	fake_holds.cancels = true;
	client_say(fd, "{'status':{}}");
	fake_complete(FAKE_SEND, fd, -EPIPE);
	ck_assert_int_eq(session_of(fd)->state, SESSION_CLOSING);
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'}}}");
	ck_assert(!fake_is_open(fd));
	ck_assert(!front_world_is_busy());
	fake_holds = (struct fake_holds){0};
	front_world_leave();
}
END_TEST

/* Half-closed. */

START_TEST(a_half_closed_client_without_a_graph_is_closed)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	/* The rest of a line is no message. */
	fake_receive(fd, "{\"status\":{}}\n{\"hello\"");
	client_half_close(fd);
	client_assert_heard(fd, "status");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(a_half_closed_client_gets_its_results_first)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	client_submit(fd, 2, "{'jobs':{'a':{'url':'@b'}}}");
	client_half_close(fd);
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
	fake_pass(10 * NS_PER_S);
	world_answer("/b", "200 OK", "bee");
	client_assert_heard(fd, "1:accepted 2:accepted 2:settled 2:done");
	ck_assert(fake_is_open(fd));
	/* Its last words are read as slowly as it likes. */
	fake_holds.sends = true;
	world_answer("/a", "200 OK", "");
	fake_pass(10 * NS_PER_S);
	ck_assert(fake_is_open(fd));
	fake_holds.sends = false;
	fake_run();
	client_assert_heard(fd, "1:accepted 2:accepted 2:settled 2:done 1:settled 1:done");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(a_half_closed_client_that_goes_is_noticed)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	client_half_close(fd);
	fake_pass(10 * WATCH_NS);
	ck_assert(front_world_is_busy());
	fake_set_gone(fd);
	fake_pass(WATCH_NS);
	ck_assert(!front_world_is_busy());
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(a_slow_reader_that_half_closes_is_not_read_from_again)
{
	struct front_options options = front_world_options();
	char body[1001] = "";
	int fd;

	options.out_high = 1000;
	options.out_low = 0;
	front_world_begin_with(&options);
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	fake_holds.sends = true;
	/* What it then hears of is a receive that was begun before. */
	memset(body, 'x', sizeof(body) - 1);
	world_answer("/b", "200 OK", body);
	ck_assert(session_of(fd)->is_slow);
	client_half_close(fd);
	fake_holds.sends = false;
	fake_run();
	ck_assert(!session_of(fd)->is_slow);
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
	world_answer("/a", "200 OK", "");
	client_assert_heard(fd, "1:accepted 1:settled 1:settled 1:done");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

/* A mistake. */

START_TEST(a_mistake_ends_the_graphs_of_which_nothing_more_is_said)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	client_say(fd, "what");
	fake_pass(NS_PER_MS);
	client_assert_heard(fd, "1:accepted error");
	ck_assert(!fake_is_open(fd));
	ck_assert(!front_world_is_busy());
	front_world_end();
}
END_TEST

START_TEST(last_words_wait_a_while_to_be_read)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	fake_holds.sends = true;
	client_say(fd, "what");
	fake_pass(LINGER_NS / 2);
	ck_assert(fake_is_open(fd));
	/* Its graphs do not wait, and what it says counts no longer. */
	ck_assert(!front_world_is_busy());
	client_submit(fd, 2, "{'jobs':{'a':{'url':'@a'}}}");
	ck_assert(!front_world_is_busy());
	client_half_close(fd);
	fake_holds.sends = false;
	fake_run();
	client_assert_heard(fd, "1:accepted error");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(last_words_that_nobody_reads_are_given_up)
{
	int fd;

	front_world_begin();
	fake_holds.sends = true;
	fd = front_world_connect();
	client_say(fd, "what");
	fake_pass(LINGER_NS - NS_PER_MS);
	ck_assert(fake_is_open(fd));
	fake_pass(2 * NS_PER_MS);
	ck_assert(!fake_is_open(fd));
	client_assert_heard(fd, "");
	front_world_end();
}
END_TEST

/* Drained. */

START_TEST(a_drained_session_without_a_graph_is_closed_when_all_is_sent)
{
	int idle, owed;

	front_world_begin();
	idle = front_world_connect();
	owed = front_world_connect();
	fake_holds.sends = true;
	client_say(owed, "{'status':{}}");
	front_drain(&front_world.front);
	fake_run();
	ck_assert(!fake_is_open(idle));
	ck_assert(fake_is_open(owed));
	fake_holds.sends = false;
	fake_run();
	client_assert_heard(owed, "status");
	ck_assert(!fake_is_open(owed));
	front_world_end();
}
END_TEST

START_TEST(a_drained_session_goes_on_until_its_last_graph_is_done)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	client_submit(fd, 2, "{'jobs':{'a':{'url':'@b'}}}");
	front_drain(&front_world.front);
	/* It may still ask, cancel, and be refused. */
	client_say(fd, "{'status':{}}");
	client_submit(fd, 3, "{'jobs':{}}");
	client_say(fd, "{'id':2,'cancel':{}}");
	client_assert_heard(fd, "1:accepted 2:accepted status 3:refused 2:decided 2:settled "
				"2:done");
	client_assert(fd, 3, "/refused/errors/0/code", "DRAINING");
	ck_assert(fake_is_open(fd));
	fake_forget(fd);
	world_answer("/a", "200 OK", "");
	client_assert_heard(fd, "1:settled 1:done");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

/* Shut down. */

START_TEST(a_shut_down_session_s_graphs_settle_as_shutdown)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	session_shut_down(session_of(fd));
	fake_pass(NS_PER_MS);
	client_assert_heard(fd, "1:accepted 1:decided 1:settled 1:settled 1:done");
	for (unsigned i = 2; i < 4; i++) {
		client_assert(fd, i, "/settled/reason/code", "SHUTDOWN");
		client_assert(fd, i, "/settled/reason/by", "shutdown");
	}
	client_assert(fd, 4, "/done/reason/code", "SHUTDOWN");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(a_shut_down_session_that_nobody_reads_is_given_up)
{
	int fd;

	front_world_begin();
	fd = front_world_connect_busy();
	fake_holds.sends = true;
	session_shut_down(session_of(fd));
	fake_pass(LINGER_NS - NS_PER_MS);
	ck_assert(fake_is_open(fd));
	/* It is not listened to. */
	client_submit(fd, 2, "{'jobs':{}}");
	fake_pass(2 * NS_PER_MS);
	ck_assert(!fake_is_open(fd));
	client_assert_heard(fd, "1:accepted");
	front_world_end();
}
END_TEST

/* A session in each state, and then told to drain or to shut down: it still ends. */
static void make_open(int fd)
{
}

static void make_half_closed(int fd)
{
	client_half_close(fd);
}

static void make_leaving(int fd)
{
	client_say(fd, "what");
}

static void make_closing(int fd)
{
	client_close(fd);
}

START_TEST(drain_and_shut_down_may_come_at_any_time)
{
	static void (*const make[])(int fd) = {
		make_open, make_half_closed, make_leaving, make_closing};

	for (size_t i = 0; i < 2 * sizeof(make) / sizeof(make[0]); i++) {
		int fd;

		front_world_begin();
		fd = front_world_connect_busy();
		fake_holds.sends = true;
		fake_holds.cancels = true;
		client_say(fd, "{'status':{}}");
		make[i / 2](fd);
		if (i % 2 == 0)
			front_drain(&front_world.front);
		front_shut_down(&front_world.front);
		fake_run();
		front_shut_down(&front_world.front);
		fake_holds = (struct fake_holds){0};
		fake_pass(NS_PER_MS);
		ck_assert_msg(!fake_is_open(fd), "state %zu", i / 2);
		ck_assert(!front_world_is_busy());
		front_world_end();
	}
}
END_TEST

UNIT_MAIN("front/session_end", &a_client_that_goes_takes_its_graphs_along,
	&a_session_is_freed_when_its_descriptor_and_its_requests_are_closed,
	&what_comes_while_it_is_closed_is_not_read, &a_half_closed_client_without_a_graph_is_closed,
	&a_half_closed_client_gets_its_results_first, &a_half_closed_client_that_goes_is_noticed,
	&a_slow_reader_that_half_closes_is_not_read_from_again,
	&a_mistake_ends_the_graphs_of_which_nothing_more_is_said,
	&last_words_wait_a_while_to_be_read, &last_words_that_nobody_reads_are_given_up,
	&a_drained_session_without_a_graph_is_closed_when_all_is_sent,
	&a_drained_session_goes_on_until_its_last_graph_is_done,
	&a_shut_down_session_s_graphs_settle_as_shutdown,
	&a_shut_down_session_that_nobody_reads_is_given_up,
	&drain_and_shut_down_may_come_at_any_time)
