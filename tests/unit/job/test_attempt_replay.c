/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;
/* The connection that "a" leaves behind, on which "b" is then sent. */
static int old_fd;

/* Job "b" is on the wire, on a connection that has served "a". */
static void begin(const char *members)
{
	char document[256];

	world_begin();
	snprintf(document, sizeof(document),
		"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']%s}}}", members);
	graph = world_submit(document);
	old_fd = world_fd("/a");
	world_answer("/a", "200 OK", "");
	ck_assert_int_eq(world_fd("/b"), old_fd);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

/* The old connection turns out to be dead: closed, or reset. */
static void die(int result)
{
	fake_complete(FAKE_RECEIVE, old_fd, result);
	fake_run();
	ck_assert(!fake_is_open(old_fd));
}

START_TEST(a_safe_request_is_sent_again_when_a_reused_connection_is_dead)
{
	static const struct {
		const char *method;
		bool is_safe;
	} methods[] = {
		{"GET", true},
		{"HEAD", true},
		{"OPTIONS", true},
		{"TRACE", true},
		{"POST", false},
		{"PUT", false},
		{"DELETE", false},
		{"PATCH", false},
	};
	static const struct {
		int result;
		const char *code;
	} deaths[] = {
		{0, "EMPTY_REPLY"},
		{-ECONNRESET, "RECV_RESET"},
	};

	for (size_t i = 0; i < countof(methods) * countof(deaths); i++) {
		bool is_safe = methods[i / countof(deaths)].is_safe;
		char members[64];

		snprintf(members, sizeof(members), ",'method':'%s'",
			methods[i / countof(deaths)].method);
		begin(members);
		die(deaths[i % countof(deaths)].result);
		ck_assert_uint_eq(world.scheduler.counters.replays, is_safe);
		if (is_safe) {
			world_assert_fate(graph, "b", "-");
			world_answer_bytes(
				"/b", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38);
			world_assert_fate(graph, "b", "fulfilled");
			/* Not counted, and not on a reused connection in the end. */
			world_assert(graph, "b", "/attempts", "1");
			world_assert(graph, "b", "/conn/reused", "false");
		} else {
			world_assert_fate(graph, "b", deaths[i % countof(deaths)].code);
			world_assert(graph, "b", "/conn/reused", "true");
			world_assert(graph, "b", "/reason/sent", "full");
		}
		end();
	}
}
END_TEST

START_TEST(also_where_not_even_sending_works)
{
	static const struct {
		int error;
		/* Whether the receive must tell. */
		bool is_silent;
	} cases[] = {
		{EPIPE, true},
		{ECONNRESET, true},
		{ETIMEDOUT, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		world_begin();
		graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
		old_fd = world_fd("/a");
		fake_holds.sends = true;
		world_answer("/a", "200 OK", "");
		fake_complete(FAKE_SEND, old_fd, -cases[i].error);
		fake_holds.sends = false;
		if (cases[i].is_silent)
			die(0);
		fake_run();
		ck_assert_uint_eq(world.scheduler.counters.replays, 1);
		world_answer("/b", "200 OK", "x");
		world_assert_fate(graph, "b", "fulfilled");
		end();
	}
}
END_TEST

START_TEST(it_is_sent_again_once)
{
	int fd;

	begin("");
	die(0);
	fd = world_fd("/b");
	ck_assert_int_ne(fd, old_fd);
	fake_complete(FAKE_RECEIVE, fd, 0);
	fake_run();
	world_assert_fate(graph, "b", "EMPTY_REPLY");
	world_assert(graph, "b", "/attempts", "1");
	ck_assert_uint_eq(world.scheduler.counters.replays, 1);
	end();
}
END_TEST

START_TEST(a_fresh_connection_is_not_sent_on_again)
{
	world_begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	fake_complete(FAKE_RECEIVE, world_fd("/a"), 0);
	fake_run();
	world_assert_fate(graph, "a", "EMPTY_REPLY");
	ck_assert_uint_eq(world.scheduler.counters.replays, 0);
	end();
}
END_TEST

START_TEST(a_byte_of_an_answer_makes_it_the_request_s)
{
	begin("");
	fake_receive(old_fd, "H");
	die(0);
	world_assert_fate(graph, "b", "BODY_TRUNCATED");
	ck_assert_uint_eq(world.scheduler.counters.replays, 0);
	end();
}
END_TEST

START_TEST(it_takes_a_fresh_connection_though_others_are_idle)
{
	static const char document[] =
		"{'jobs':{'a':{'url':'@a'},'a2':{'url':'@a2'},'b':{'url':'@b',"
		"'after':['a','a2']}}}";
	int other;

	world_begin();
	graph = world_submit(document);
	other = world_fd("/a");
	old_fd = world_fd("/a2");
	world_answer("/a", "200 OK", "");
	world_answer("/a2", "200 OK", "");
	ck_assert_int_eq(world_fd("/b"), old_fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	die(0);
	ck_assert_int_ne(world_fd("/b"), other);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	end();
}
END_TEST

START_TEST(it_keeps_its_place_and_its_clock)
{
	begin(",'timeout':10");
	fake_pass(6 * NS_PER_S);
	die(0);
	ck_assert_uint_eq(world.scheduler.requests.used, 1);
	fake_pass(4 * NS_PER_S - 1);
	world_assert_fate(graph, "b", "-");
	fake_pass(NS_PER_MS);
	world_assert_fate(graph, "b", "JOB_TIMEOUT");
	end();
}
END_TEST

START_TEST(what_the_peer_may_have_had_before_counts)
{
	begin("");
	fake_holds.connects = true;
	die(0);
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	world_assert_fate(graph, "b", "CONNECT_REFUSED");
	world_assert(graph, "b", "/reason/sent", "full");
	end();

	/* Of the second time, only a part has gone out. */
	begin(",'timeout':1");
	fake_holds.sends = true;
	die(0);
	fake_pass(NS_PER_S);
	world_assert_fate(graph, "b", "JOB_TIMEOUT");
	world_assert(graph, "b", "/reason/sent", "full");
	end();
}
END_TEST

START_TEST(it_can_be_ended_in_between)
{
	/* While the dead connection is being closed. */
	begin("");
	fake_holds.closes = true;
	fake_complete(FAKE_RECEIVE, old_fd, 0);
	fake_run();
	graph_cancel_job(graph->graph, TEXT("b"));
	world_assert_fate(graph, "b", "CANCELLED");
	fake_holds.closes = false;
	fake_run();
	ck_assert_int_eq(world_find("/b"), -1);
	ck_assert_uint_eq(ring_counters(world.ring)->connects, 1);
	end();

	/* By its limit. */
	begin(",'timeout':1");
	fake_holds.closes = true;
	fake_complete(FAKE_RECEIVE, old_fd, 0);
	fake_pass(NS_PER_S);
	world_assert_fate(graph, "b", "JOB_TIMEOUT");
	world_assert(graph, "b", "/reason/sent", "full");
	ck_assert_ptr_null(graph->done);
	end();
}
END_TEST

UNIT_MAIN("job/attempt_replay", &a_safe_request_is_sent_again_when_a_reused_connection_is_dead,
	&also_where_not_even_sending_works, &it_is_sent_again_once,
	&a_fresh_connection_is_not_sent_on_again, &a_byte_of_an_answer_makes_it_the_request_s,
	&it_takes_a_fresh_connection_though_others_are_idle, &it_keeps_its_place_and_its_clock,
	&what_the_peer_may_have_had_before_counts, &it_can_be_ended_in_between)
