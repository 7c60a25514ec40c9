/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "net/pool.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void begin_with(
	uint32_t requests_max, uint32_t requests_per_origin_max, const char *document)
{
	struct scheduler_options options = world_options();

	options.requests_max = requests_max;
	world_begin_with(&options, requests_per_origin_max);
	graph = world_submit(document);
}

static void begin(const char *document)
{
	begin_with(BOUND_NONE, BOUND_NONE, document);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

/* Groups in each other, of which some are bounded. */
START_TEST(it_takes_a_place_in_every_bound_around_it_and_gives_all_back)
{
	struct group *g, *h, *i;
	struct attempt *attempt;
	struct origin *origin;

	begin("{'concurrency':9,'jobs':{'g':{'concurrency':5,'jobs':{'h':{'jobs':{"
	      "'i':{'concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}}}}},"
	      "'c':{'url':'@c'}}}");
	g = world_job(graph, "g")->group;
	h = world_job(graph, "h")->group;
	i = world_job(graph, "i")->group;
	attempt = world_job(graph, "a")->attempt;
	origin = attempt->route->origin;
	ck_assert_uint_eq(world.scheduler.requests.used, 3);
	ck_assert_uint_eq(graph->graph->group.requests.used, 3);
	ck_assert_uint_eq(g->requests.used, 2);
	ck_assert_uint_eq(i->requests.used, 2);
	ck_assert_uint_eq(origin->requests.used, 3);
	ck_assert_ptr_eq(attempt->job, world_job(graph, "a"));
	ck_assert_ptr_eq(attempt->scope, graph->graph->root);
	world_play("b:200");
	ck_assert_uint_eq(world.scheduler.requests.used, 2);
	ck_assert_uint_eq(g->requests.used, 1);
	ck_assert_uint_eq(h->requests.used, h->requests.limit == BOUND_NONE ? 0 : 1);
	ck_assert_uint_eq(i->requests.used, 1);
	world_play("a:500 c:200");
	ck_assert_uint_eq(world.scheduler.requests.used, 0);
	end();
}
END_TEST

/* Who of a, b (in g), c waits for whom: the bound that refuses. */
START_TEST(who_is_refused_by_one_bound_holds_nothing_of_the_others)
{
	static const struct {
		const char *document;
		uint32_t requests_max, requests_per_origin_max;
		const char *on_wire;
	} cases[] = {
		/* The daemon's. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/b'}}}", 1, BOUND_NONE,
			"/a"},
		/* The graph's. */
		{"{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/b'}}}",
			BOUND_NONE, BOUND_NONE, "/a"},
		/* A group's, two levels up. */
		{"{'jobs':{'g':{'concurrency':1,'jobs':{'h':{'jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'http://192.0.2.2/b'}}}}}}}",
			BOUND_NONE, BOUND_NONE, "/a"},
		/* The origin's. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}", BOUND_NONE, 1, "/a"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin_with(
			cases[i].requests_max, cases[i].requests_per_origin_max, cases[i].document);
		world_assert_on_wire(cases[i].on_wire);
		ck_assert_int_eq(world_job(graph, "b")->state, JOB_QUEUED);
		ck_assert_ptr_null(world_job(graph, "b")->attempt);
		ck_assert_uint_eq(world.scheduler.requests.used, 1);
		ck_assert_uint_eq(graph->graph->group.requests.used, 1);
		ck_assert_uint_eq(graph->graph->n_attempts, 1);
		ck_assert_uint_eq(world.scheduler.attempts.n_used, 1);
		world_play("+30 a:200");
		world_assert_on_wire("/b");
		world_play("b:200");
		world_assert_says(graph, "b/time/queue=30 b/time/start=0 a/time/queue=0");
		ck_assert(graph->done);
		end();
	}
}
END_TEST

START_TEST(a_job_s_time_begins_with_its_first_place)
{
	begin("{'concurrency':1,'defaults':{'timeout':2},'jobs':{'a':{'url':'@a','priority':9},"
	      "'b':{'url':'@b'}}}");
	world_play("+1900 a:200 +1999");
	world_assert_fates(graph, "a");
	world_play("+1");
	world_assert_fates(graph, "a b=JOB_TIMEOUT");
	world_assert_says(graph, "b/time/queue=1900 b/time/end=3900");
	end();
}
END_TEST

START_TEST(what_cannot_be_filled_takes_no_place_for_long)
{
	static const struct world_case cases[] = {
		/* Its URL: before it has any place. */
		{"{'input':{},'jobs':{'a':{'url':'@{{input#/x}}'},'b':{'url':'@b'}},"
		 "'concurrency':1}",
			"b:200", "a=REF_MISSING b", "a/attempts=0 a/reason/sent=none"},
		{"{'input':'xy','jobs':{'a':{'url':'{{input}}'},'b':{'url':'@b'}},'concurrency':1}",
			"b:200", "a=URL_INVALID b", NULL},
		/* The rest: it has all its places, and gives them back. */
		{"{'input':{},'jobs':{'a':{'url':'@a','headers':{'x':'{{input#/x}}'}},"
		 "'b':{'url':'@b'}},'concurrency':1}",
			"b:200", "a=REF_MISSING b", "a/attempts=0 a/reason/sent=none"},
		{"{'input':'a\\r\\nb','jobs':{'a':{'url':'@a','headers':{'x':'{{input}}'}},"
		 "'b':{'url':'@b'}},'concurrency':1}",
			"b:200", "a=TEMPLATE_UNSAFE b", "a/attempts=0"},
		{"{'input':{},'jobs':{'a':{'url':'@a','method':'POST','json':'{{input#/x}}'},"
		 "'b':{'url':'@b'}},'concurrency':1}",
			"b:200", "a=REF_MISSING b", NULL},
		/* With a fallback of its own, it is none the worse. */
		{"{'input':{},'jobs':{'a':{'url':'@{{input#/x}}','fallback':1},'b':{'url':'@b'}},"
		 "'mode':'all'}",
			"b:200", "a/fallback b", "a/cause/code=REF_MISSING ./status=fulfilled"},
		{"{'input':{},'jobs':{'a':{'url':'@{{input#/x}}'},'b':{'url':'@b'}},'mode':'all'}",
			"", "a=REF_MISSING b=CANCELLED/fail_fast", NULL},
		/* And is not tried again. */
		{"{'input':{},'jobs':{'a':{'url':'@a','retry':3,'headers':{'x':'{{input#/x}}'}}}}",
			"", "a=REF_MISSING", "a/reason/stopped=policy a/tries=-"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(attempts_are_as_many_as_there_may_be)
{
	struct scheduler_options options = world_options();

	options.attempts_max = 2;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'}}}");
	world_assert_fates(graph, "c=OVERLOADED");
	world_assert_says(graph, "c/reason/retryable=true c/attempts=0");
	world_play("a:200 b:200");
	/* Their memory serves again. */
	world_free(graph);
	graph = world_submit("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	world_play("a:200 b:200");
	end();
}
END_TEST

/* What an attempt of another job left in its memory is not seen. */
START_TEST(an_attempt_used_again_is_as_new)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a','method':'POST','body':'body','headers':{'x':'1'}},"
		 "'b':{'url':'@b','after':['a'],'needs':'settled'}}}",
			"a:500=long b:200", "a=HTTP_STATUS b",
			"b/value/bytes=0 b/value/headers={\"content-length\":\"0\"}"},
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'{{input}}','after':['a']}},'input':7}",
			"a:200=xyz", "a b=URL_INVALID", "b/reason/response=-"},
	};

	world_check_cases(cases, countof(cases));
	begin("{'jobs':{'a':{'url':'@a','method':'POST','body':'body','headers':{'x':'1'}},"
	      "'b':{'url':'@b','after':['a']}}}");
	world_play("a:200");
	ck_assert(text_is(world_request("/b"), "GET /b HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n") ||
		  !memmem(world_request("/b").data, world_request("/b").size, "body", 4));
	end();
}
END_TEST

/* One that was sent twice because its connection was dead; and one that is never sent. */
START_TEST(what_an_attempt_before_had_sent_is_not_this_one_s)
{
	struct world_graph *other;

	begin("{'jobs':{'s':{'url':'@s'},'a':{'url':'@a','after':['s']}}}");
	world_play("s:200");
	fake_complete(FAKE_RECEIVE, world_fd("/a"), 0);
	fake_run();
	ck_assert_uint_eq(world.scheduler.counters.replays, 1);
	world_play("a:200");
	other = world_submit("{'input':{},'jobs':{'b':{'url':'@b','headers':{'x':"
			     "'{{input#/x}}'}}}}");
	world_assert_says(other, "b/reason/code=REF_MISSING b/reason/sent=none b/attempts=0 "
				 "b/time/first_byte=0 b/time/body=0");
	world_free(other);
	end();
}
END_TEST

START_TEST(without_memory_for_a_route_or_a_connection_its_job_is_told)
{
	world_begin();
	graph = calloc(1, sizeof(*graph));
	world_start(graph, "{'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/b'}}}");
	memory_fail_object(sizeof(struct route));
	fake_run();
	if (memory_has_failed()) {
		world_assert_fates(graph, "a=OVERLOADED");
		world_assert_on_wire("/b");
	}
	world_play("b:200");
	end();
}
END_TEST

START_TEST(what_is_ended_while_it_is_ready_never_begins)
{
	world_begin();
	graph = calloc(1, sizeof(*graph));
	world_start(graph, "{'jobs':{'a':{'url':'@a'},'g':{'jobs':{'b':{'url':'@b'}}},"
			   "'p':{'each':[1],'url':'@c'}}}");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_run();
	world_assert_fates(graph, "a=CANCELLED/client b=CANCELLED/client g=CANCELLED/client "
				  "p=CANCELLED/client");
	ck_assert_uint_eq(ring_counters(world.ring)->sends, 0);
	ck_assert_uint_eq(pool_counters(world.pool).dialled, 0);
	end();
}
END_TEST

UNIT_MAIN("job/attempt_start", &it_takes_a_place_in_every_bound_around_it_and_gives_all_back,
	&who_is_refused_by_one_bound_holds_nothing_of_the_others,
	&a_job_s_time_begins_with_its_first_place, &what_cannot_be_filled_takes_no_place_for_long,
	&attempts_are_as_many_as_there_may_be, &an_attempt_used_again_is_as_new,
	&what_an_attempt_before_had_sent_is_not_this_one_s,
	&without_memory_for_a_route_or_a_connection_its_job_is_told,
	&what_is_ended_while_it_is_ready_never_begins)
