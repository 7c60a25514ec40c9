/* SPDX-License-Identifier: MIT */
#include "job/warm.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "net/pool.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void begin(const char *document, bool prewarm)
{
	struct scheduler_options options = world_options();

	options.prewarm = prewarm;
	world_begin_with(&options, BOUND_NONE);
	graph = world_submit(document);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

static void assert_counted(unsigned dialled, unsigned warmed, unsigned warm_used)
{
	struct pool_counters counters = pool_counters(world.pool);

	ck_assert_msg(counters.dialled == dialled && counters.warmed == warmed &&
			      counters.warm_used == warm_used,
		"%u dialled, %u warmed, %u of them used: %s", (unsigned)counters.dialled,
		(unsigned)counters.warmed, (unsigned)counters.warm_used, world_document);
}

START_TEST(a_dependent_s_connection_is_dialled_while_it_waits)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/{{a}}'}}}", true);
	world_assert_on_wire("/a");
	assert_counted(2, 1, 0);
	fake_pass(20 * NS_PER_MS);
	world_play("a:200=x");
	/* It is sent at once. */
	world_assert_on_wire("/x");
	assert_counted(2, 1, 1);
	world_play("x:200");
	world_assert_says(graph, "b/status=fulfilled b/time/connect=0 b/time/dns=0 b/attempts=1");
	end();
}
END_TEST

START_TEST(it_is_not_where_prewarm_is_off)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/{{a}}'}}}", false);
	assert_counted(1, 0, 0);
	world_play("a:200=x x:200");
	assert_counted(2, 0, 0);
	end();
}
END_TEST

/* Its name is looked up, and that is all that can be done so far. */
START_TEST(a_name_is_looked_up_ahead)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'http://b.example/','after':['a']}}}", true);
	ck_assert_uint_eq(fake_lookup_n_waiting(), 1);
	fake_lookup_answer("b.example", "192.0.2.2");
	fake_run();
	assert_counted(2, 1, 0);
	world_play("a:200");
	world_assert_on_wire("/");
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	end();
}
END_TEST

/* How many are dialled while a is on the wire, a's own among them. */
START_TEST(how_many_are_dialled)
{
	static const struct {
		const char *jobs;
		unsigned dialled;
	} cases[] = {
		{"", 1},
		/* a's own connection will be free by then. */
		{",'b':{'url':'@b','after':['a']}", 1},
		{",'b':{'url':'@b','after':['a']},'c':{'url':'@c','after':['a']}", 2},
		{",'b':{'url':'@b','after':['a']},'c':{'url':'@c','after':['a']},"
		 "'d':{'url':'@d','after':['a']}",
			3},
		{",'b':{'url':'http://192.0.2.2/','after':['a']},"
		 "'c':{'url':'http://192.0.2.2/','after':['a']}",
			3},
		{",'b':{'url':'http://192.0.2.2/','after':['a']},"
		 "'c':{'url':'http://192.0.2.3/','after':['a']}",
			3},
		/* A reference behind the host does not matter; in place of it, it does. */
		{",'b':{'url':'http://192.0.2.2?{{a}}','after':['a']}", 2},
		{",'b':{'url':'http://192.0.2.2:81/{{a}}','after':['a']}", 2},
		{",'b':{'url':'{{a}}'}", 1},
		/* One step ahead and no further. */
		{",'b':{'url':'@b','after':['a']},'c':{'url':'http://192.0.2.2/','after':['b']}",
			1},
		/* Not for who waits for something else that will not come, or does not wait. */
		{",'b':{'url':'http://192.0.2.2/'}", 2},
		/* A group and a fan-out are no requests. */
		{",'g':{'after':['a'],'jobs':{'b':{'url':'http://192.0.2.2/'}}}", 1},
		{",'p':{'each':'{{a}}','url':'http://192.0.2.2/{{item}}'}", 1},
		/* Some, where there are many. */
		{",'b':{'url':'http://192.0.2.2/','after':['a']},"
		 "'c':{'url':'http://192.0.2.3/','after':['a']},"
		 "'d':{'url':'http://192.0.2.4/','after':['a']},"
		 "'e':{'url':'http://192.0.2.5/','after':['a']},"
		 "'f':{'url':'http://192.0.2.6/','after':['a']},"
		 "'g':{'url':'http://192.0.2.7/','after':['a']},"
		 "'h':{'url':'http://192.0.2.8/','after':['a']},"
		 "'i':{'url':'http://192.0.2.9/','after':['a']},"
		 "'j':{'url':'http://192.0.2.10/','after':['a']},"
		 "'k':{'url':'http://192.0.2.11/','after':['a']}",
			9},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char document[1000];
		struct pool_counters counters;

		snprintf(
			document, sizeof(document), "{'jobs':{'a':{'url':'@a'}%s}}", cases[i].jobs);
		begin(document, true);
		counters = pool_counters(world.pool);
		ck_assert_msg(counters.dialled == cases[i].dialled, "%u dialled: %s",
			(unsigned)counters.dialled, document);
		end();
	}
}
END_TEST

/* What is idle already need not be dialled. */
START_TEST(an_idle_connection_is_warm_enough)
{
	struct world_graph *before;

	begin("{'jobs':{'x':{'url':'http://192.0.2.2/x'}}}", true);
	before = graph;
	world_play("x:200");
	graph = world_submit(
		"{'jobs':{'a':{'url':'@a'},'b':{'url':'http://192.0.2.2/b','after':['a']}}}");
	assert_counted(2, 0, 0);
	world_play("a:200 b:200");
	assert_counted(2, 0, 0);
	world_free(before);
	end();
}
END_TEST

/* Its failure is nobody's failure. */
START_TEST(a_warm_up_that_fails_is_forgotten)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'http://b.example/b','after':['a']}}}", true);
	fake_lookup_fail("b.example", FAULT_DNS_TEMPORARY);
	fake_run();
	world_assert_fates(graph, "");
	world_play("a:200");
	fake_lookup_answer("b.example", "192.0.2.2");
	fake_run();
	world_play("b:200");
	world_assert_fates(graph, "a b");
	end();
}
END_TEST

START_TEST(in_a_fan_out_each_instance_warms_its_own)
{
	begin("{'jobs':{'p':{'each':[1,2],'jobs':{'a':{'url':'@a{{item}}'},"
	      "'b':{'url':'http://192.0.2.2/b{{item}}','after':['a']}}}}}",
		true);
	world_assert_on_wire("/a1 /a2");
	/* The dependents of both: two, or one where the second sees the first's. */
	ck_assert_uint_ge(pool_counters(world.pool).warmed, 1);
	world_play("a1:200 a2:200 b1:200 b2:200");
	ck_assert(graph->done);
	end();
}
END_TEST

UNIT_MAIN("job/warm", &a_dependent_s_connection_is_dialled_while_it_waits,
	&it_is_not_where_prewarm_is_off, &a_name_is_looked_up_ahead, &how_many_are_dialled,
	&an_idle_connection_is_warm_enough, &a_warm_up_that_fails_is_forgotten,
	&in_a_fan_out_each_instance_warms_its_own)
