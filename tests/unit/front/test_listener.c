/* SPDX-License-Identifier: MIT */
#include "front/listener.h"

#include <errno.h>

#include "front/session.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/unit.h"
#include "tests/unit/util/stderr_capture.h"

#define RETRY_NS (100 * NS_PER_MS)

static struct listener listener;
static int listener_fd;

static void begin_with(const struct front_options *options)
{
	front_world_begin_with(options);
	listener_fd = fake_descriptor(0);
	listener_init(&listener, &front_world.front);
}

static void begin(void)
{
	struct front_options options = front_world_options();

	begin_with(&options);
	listener_start(&listener, listener_fd);
}

/* The listening socket is its owner's, who closes it. */
static void end(void)
{
	ck_assert(listener_is_idle(&listener));
	ck_assert(fake_is_open(listener_fd));
	ring_close_forget(world.ring, listener_fd);
	front_world_leave();
}

static bool is_accepting(void)
{
	return fake_find(FAKE_ACCEPT, listener_fd);
}

static void stop(void)
{
	listener_stop(&listener);
	fake_run();
}

START_TEST(does_not_listen_before_it_is_started)
{
	struct front_options options = front_world_options();

	begin_with(&options);
	fake_pass(NS_PER_S);
	ck_assert(!is_accepting());
	end();
}
END_TEST

START_TEST(each_client_gets_a_session_of_its_own)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		int fd = fake_descriptor(2000 + i);

		fake_complete_more(FAKE_ACCEPT, listener_fd, fd);
		ck_assert_uint_eq(front_world_session(fd)->uid, 2000 + i);
		client_say(fd, "{'status':{}}");
		client_assert_heard(fd, "status");
	}
	ck_assert_uint_eq(front_world.front.n_sessions, 3);
	ck_assert(is_accepting());
	stop();
	end();
}
END_TEST

/* How an accept may end: at once begun again, or after a moment. */
static const struct end_case {
	int result;
	bool at_once;
} end_cases[] = {
	/* A descriptor, and no more to come. */
	{1, true},
	{-ECONNABORTED, true},
	{-EINTR, true},
	{-EMFILE, false},
	{-ENFILE, false},
	{-ENOMEM, false},
	{-ENOBUFS, false},
};

START_TEST(an_accept_that_ends_is_begun_again)
{
	for (size_t i = 0; i < sizeof(end_cases) / sizeof(end_cases[0]); i++) {
		const struct end_case *at = &end_cases[i];
		int fd;

		begin();
		fake_complete(FAKE_ACCEPT, listener_fd,
			at->result > 0 ? fake_descriptor(1000) : at->result);
		fake_run();
		ck_assert_msg(is_accepting() == at->at_once, "after %d", at->result);
		fake_pass(RETRY_NS - NS_PER_MS);
		ck_assert_msg(is_accepting() == at->at_once, "after %d", at->result);
		fake_pass(2 * NS_PER_MS);
		ck_assert_msg(is_accepting(), "after %d", at->result);
		fd = fake_descriptor(1000);
		fake_complete_more(FAKE_ACCEPT, listener_fd, fd);
		front_world_session(fd);
		stop();
		end();
	}
}
END_TEST

START_TEST(too_many_sessions_are_turned_away_one_by_one)
{
	struct front_options options = front_world_options();
	struct stderr_capture capture;
	int one, two, three;

	options.sessions_max = 1;
	begin_with(&options);
	listener_start(&listener, listener_fd);
	one = fake_descriptor(1000);
	two = fake_descriptor(1000);
	three = fake_descriptor(1000);
	fake_complete_more(FAKE_ACCEPT, listener_fd, one);
	stderr_capture_begin(&capture);
	fake_complete_more(FAKE_ACCEPT, listener_fd, two);
	stderr_capture_end(&capture);
	ck_assert_msg(strstr(capture.text, "turned away"), "%s", capture.text);
	ck_assert(!fake_is_open(two));
	client_close(one);
	fake_complete_more(FAKE_ACCEPT, listener_fd, three);
	front_world_session(three);
	stop();
	end();
}
END_TEST

START_TEST(once_stopped_it_accepts_nobody)
{
	int fd;

	begin();
	fd = fake_descriptor(1000);
	fake_complete_more(FAKE_ACCEPT, listener_fd, fd);
	fake_holds.cancels = true;
	listener_stop(&listener);
	ck_assert(!listener_is_idle(&listener));
	/* Who came before the kernel knew is turned away. */
	fd = fake_descriptor(1000);
	fake_complete_more(FAKE_ACCEPT, listener_fd, fd);
	ck_assert(!fake_is_open(fd));
	ck_assert_uint_eq(front_world.front.n_sessions, 1);
	fake_complete(FAKE_ACCEPT, listener_fd, -ECANCELED);
	fake_holds.cancels = false;
	fake_pass(NS_PER_S);
	ck_assert(!is_accepting());
	end();
}
END_TEST

START_TEST(a_last_client_of_a_stopped_listener_is_turned_away)
{
	int fd;

	begin();
	fake_holds.cancels = true;
	listener_stop(&listener);
	fd = fake_descriptor(1000);
	fake_complete(FAKE_ACCEPT, listener_fd, fd);
	ck_assert(!fake_is_open(fd));
	fake_pass(NS_PER_S);
	ck_assert(!is_accepting());
	end();
}
END_TEST

START_TEST(stopped_while_it_waits_it_does_not_try_again)
{
	begin();
	fake_complete(FAKE_ACCEPT, listener_fd, -EMFILE);
	fake_pass(RETRY_NS / 2);
	stop();
	ck_assert(listener_is_idle(&listener));
	fake_pass(NS_PER_S);
	ck_assert(!is_accepting());
	end();
}
END_TEST

UNIT_MAIN("front/listener", &does_not_listen_before_it_is_started,
	&each_client_gets_a_session_of_its_own, &an_accept_that_ends_is_begun_again,
	&too_many_sessions_are_turned_away_one_by_one, &once_stopped_it_accepts_nobody,
	&a_last_client_of_a_stopped_listener_is_turned_away,
	&stopped_while_it_waits_it_does_not_try_again)
