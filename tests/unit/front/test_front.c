/* SPDX-License-Identifier: MIT */
#include "front/front.h"

#include "front/session.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/unit.h"

#define N_SESSIONS 5

/* A session busy with a request for "/0", "/1", …; every second one idle. */
static void connect_all(int fds[N_SESSIONS])
{
	for (int i = 0; i < N_SESSIONS; i++) {
		char document[64];

		fds[i] = front_world_connect();
		snprintf(document, sizeof(document), "{'jobs':{'a':{'url':'@%d'}}}", i);
		if (i % 2 == 0)
			client_submit(fds[i], 1, document);
	}
}

static void answer(int i)
{
	char target[16];

	snprintf(target, sizeof(target), "/%d", i);
	world_answer(target, "200 OK", "");
}

START_TEST(begins_and_ends_without_a_session)
{
	front_world_begin();
	front_drain(&front_world.front);
	front_shut_down(&front_world.front);
	front_world_end();
}
END_TEST

START_TEST(counts_its_sessions)
{
	int fds[N_SESSIONS];

	front_world_begin();
	connect_all(fds);
	ck_assert_uint_eq(front_world.front.n_sessions, N_SESSIONS);
	for (unsigned i = 0; i < N_SESSIONS; i++) {
		client_close(fds[i]);
		ck_assert_uint_eq(front_world.front.n_sessions, N_SESSIONS - 1 - i);
	}
	ck_assert_uint_eq(front_world.front.sessions_total, N_SESSIONS);
	front_world_end();
}
END_TEST

START_TEST(drain_closes_idle_sessions_and_the_others_one_by_one)
{
	int fds[N_SESSIONS];

	front_world_begin();
	connect_all(fds);
	front_drain(&front_world.front);
	fake_run();
	for (int i = 0; i < N_SESSIONS; i++)
		ck_assert_msg(fake_is_open(fds[i]) == (i % 2 == 0), "session %d", i);
	for (int i = 0; i < N_SESSIONS; i += 2) {
		client_submit(fds[i], 2, "{'jobs':{}}");
		ck_assert(fake_is_open(fds[i]));
		answer(i);
		client_assert_heard(fds[i], "1:accepted 2:refused 1:settled 1:done");
		client_assert(fds[i], 1, "/refused/errors/0/code", "DRAINING");
		ck_assert(!fake_is_open(fds[i]));
	}
	front_world_end();
}
END_TEST

START_TEST(who_comes_while_it_drains_is_refused)
{
	int fd;

	front_world_begin();
	front_drain(&front_world.front);
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{}}");
	client_assert_heard(fd, "1:refused");
	client_assert(fd, 0, "/refused/errors/0/code", "DRAINING");
	front_world_leave();
}
END_TEST

START_TEST(shut_down_settles_all_and_closes_all)
{
	int fds[N_SESSIONS];

	front_world_begin();
	connect_all(fds);
	answer(2);
	front_shut_down(&front_world.front);
	fake_pass(NS_PER_MS);
	for (int i = 0; i < N_SESSIONS; i++) {
		static const char *const heard[N_SESSIONS] = {
			"1:accepted 1:decided 1:settled 1:done",
			"",
			"1:accepted 1:settled 1:done",
			"",
			"1:accepted 1:decided 1:settled 1:done",
		};

		client_assert_heard(fds[i], heard[i]);
		ck_assert(!fake_is_open(fds[i]));
	}
	client_assert(fds[0], 2, "/settled/reason/code", "SHUTDOWN");
	ck_assert_uint_eq(world.scheduler.n_graphs, 0);
	front_world_end();
}
END_TEST

START_TEST(shut_down_may_follow_drain)
{
	int fds[N_SESSIONS];

	front_world_begin();
	connect_all(fds);
	front_drain(&front_world.front);
	fake_run();
	answer(0);
	front_shut_down(&front_world.front);
	fake_pass(NS_PER_MS);
	client_assert_heard(fds[0], "1:accepted 1:settled 1:done");
	client_assert_heard(fds[2], "1:accepted 1:decided 1:settled 1:done");
	client_assert_heard(fds[4], "1:accepted 1:decided 1:settled 1:done");
	front_world_end();
}
END_TEST

UNIT_MAIN("front/front", &begins_and_ends_without_a_session, &counts_its_sessions,
	&drain_closes_idle_sessions_and_the_others_one_by_one,
	&who_comes_while_it_drains_is_refused, &shut_down_settles_all_and_closes_all,
	&shut_down_may_follow_drain)
