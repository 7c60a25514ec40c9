/* SPDX-License-Identifier: MIT */
#include "job/dependency.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/outcome.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

static void begin(const char *document)
{
	world_begin();
	graph = world_submit(document);
}

static void end(void)
{
	world_give_up(graph);
	world_end();
}

/* What a job that needs a and b does, when they settle so; by what `needs` says. */
struct needs_case {
	/* Steps; after how many of them its fate is known. */
	const char *steps[2];
	/* "run", "skipped", or the direct cause of its rejection; and when: 0, 1 or 2 settled. */
	const char *fulfilled, *settled, *rejected, *any;
	int when_fulfilled, when_settled, when_rejected, when_any;
};

static bool is_decided(void)
{
	return world_find("/x") >= 0 || graph->n_records > 2 ||
	       (graph->n_records > 1 && world_job(graph, "x")->state == JOB_SETTLED);
}

static void check_needs(
	const struct needs_case *wanted, const char *needs, const char *what, int when)
{
	char document[200];

	snprintf(document, sizeof(document),
		"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		"'x':{'url':'@x','after':['a','b'],'needs':'%s'}}}",
		needs);
	begin(document);
	ck_assert(!is_decided());
	for (int i = 0; i < 2; i++) {
		world_play(wanted->steps[i]);
		ck_assert_msg(is_decided() == (when <= i + 1), "%s after %s %s", needs,
			wanted->steps[0], i ? wanted->steps[1] : "");
		if (graph->done)
			break;
	}
	if (strcmp(what, "run") == 0) {
		world_play("x:200");
		world_assert(graph, "x", "/via", "network");
	} else if (strcmp(what, "skipped") == 0) {
		world_assert(graph, "x", "/via", "skipped");
	} else {
		world_assert_fate(graph, "x", "DEPENDENCY_REJECTED");
		world_assert(graph, "x", "/reason/job", what);
		world_assert(graph, "x", "/reason/root", what);
		world_assert(graph, "x", "/attempts", "0");
	}
	ck_assert(graph->done);
	end();
}

START_TEST(needs_of_four_kinds_and_each_order_of_settling)
{
	static const struct needs_case cases[] = {
		{{"a:200", "b:200"}, "run", "run", "skipped", "run", 2, 2, 2, 1},
		{{"b:200", "a:200"}, "run", "run", "skipped", "run", 2, 2, 2, 1},
		{{"a:500", "b:200"}, "a", "run", "run", "run", 1, 2, 2, 2},
		{{"a:200", "b:500"}, "b", "run", "run", "run", 2, 2, 2, 1},
		{{"b:500", "a:200"}, "b", "run", "run", "run", 1, 2, 2, 2},
		{{"b:200", "a:500"}, "a", "run", "run", "run", 2, 2, 2, 1},
		{{"a:500", "b:500"}, "a", "run", "run", "b", 1, 2, 2, 2},
		{{"b:500", "a:500"}, "b", "run", "run", "a", 1, 2, 2, 2},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		const struct needs_case *at = &cases[i];

		check_needs(at, "fulfilled", at->fulfilled, at->when_fulfilled);
		check_needs(at, "settled", at->settled, at->when_settled);
		check_needs(at, "rejected", at->rejected, at->when_rejected);
		check_needs(at, "any", at->any, at->when_any);
	}
}
END_TEST

START_TEST(what_a_dependency_may_have_become)
{
	static const struct world_case cases[] = {
		/* A skip is not a failure. */
		{"{'input':0,'jobs':{'a':{'url':'@a','when':{'input':1}},"
		 "'b':{'url':'@b','after':['a']}}}",
			"b:200", "a/skipped b", NULL},
		{"{'input':0,'jobs':{'a':{'url':'@a','when':{'input':1}},"
		 "'b':{'url':'@b','after':['a'],'needs':'rejected'}}}",
			"", "a/skipped b/skipped", NULL},
		{"{'input':0,'jobs':{'a':{'url':'@a','when':{'input':1}},'c':{'url':'@c'},"
		 "'b':{'url':'@b','after':['a','c'],'needs':'any'}}}",
			"b:200 c:500", "a/skipped b c=HTTP_STATUS", NULL},
		/* Nor is a fallback. */
		{"{'jobs':{'a':{'url':'@a','fallback':0},'b':{'url':'@b','after':['a']},"
		 "'c':{'url':'@c','after':['a'],'needs':'rejected'}}}",
			"a:500 b:200", "a/fallback c/skipped b", NULL},
		/* `optional` is about the graph, not about who depends on it. */
		{"{'mode':'all','jobs':{'a':{'url':'@a','optional':true},"
		 "'b':{'url':'@b','after':['a'],'optional':true}}}",
			"a:500", "a=HTTP_STATUS b=DEPENDENCY_REJECTED", "./status=fulfilled"},
		/* A group, and a fan-out. */
		{"{'jobs':{'g':{'mode':'any','jobs':{'a':{'url':'@a'}}},"
		 "'b':{'url':'@b','after':['g'],'needs':'rejected'}}}",
			"a:500 b:200", "a=HTTP_STATUS g=ALL_REJECTED b", NULL},
		{"{'jobs':{'p':{'each':[1],'url':'@{{item}}'},"
		 "'b':{'url':'@b','after':['p'],'needs':'rejected'}}}",
			"1:500", "p[0]=HTTP_STATUS p b/skipped", NULL},
		/* None at all. */
		{"{'jobs':{'a':{'url':'@a','needs':'any'},'b':{'url':'@b','needs':'settled'}}}",
			"a:200 b:200", "a b", NULL},
		{"{'jobs':{'a':{'url':'@a','needs':'rejected'}}}", "", "a/skipped", NULL},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(what_comes_after_the_start_changes_nothing)
{
	static const struct world_case cases[] = {
		/* On the wire, or settled, when the rest settles. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'x':{'url':'@x/{{a.outcome}}','after':['b'],'needs':'any'}}}",
			"a:200 b:500 x/fulfilled:200", "a b=HTTP_STATUS x", NULL},
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'x':{'url':'@x','after':['a','b'],'needs':'any'}}}",
			"a:200 x:200 b:500", "a x b=HTTP_STATUS", NULL},
		/* What has not settled is missing. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'x':{'url':'@x/{{a ?? no}}/{{b ?? no}}','needs':'any'}}}",
			"b:200=v x/no/v:200 a:200", "b x a", NULL},
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'x':{'url':'@x/{{a}}/{{b}}','needs':'any'}}}",
			"b:200=v a:200", "b x=REF_MISSING a", NULL},
		/* A group that began with the first. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'g':{'after':['a','b'],"
		 "'needs':'any','jobs':{'x':{'url':'@x'}}}}}",
			"b:200 a:500 x:200", "b a=HTTP_STATUS x g", NULL},
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'g':{'after':['a','b'],"
		 "'needs':'any','jobs':{'x':{'url':'@x'}}}}}",
			"b:500 a:500",
			"b=HTTP_STATUS a=HTTP_STATUS x=DEPENDENCY_REJECTED g=DEPENDENCY_REJECTED",
			"x/reason/job=a"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(the_direct_cause_and_the_first_one_are_named)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
		 "'c':{'url':'@c','after':['b']},'d':{'url':'@d','after':['c'],'needs':'any'}}}",
			"a:500",
			"a=HTTP_STATUS b=DEPENDENCY_REJECTED c=DEPENDENCY_REJECTED "
			"d=DEPENDENCY_REJECTED",
			"b/reason/job=a b/reason/root=a c/reason/job=b c/reason/root=a "
			"d/reason/job=c d/reason/root=a"},
		/* Who ran in spite of it is a cause of its own. */
		{"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a'],'needs':'settled'},"
		 "'c':{'url':'@c','after':['b']}}}",
			"a:500 b:500", "a=HTTP_STATUS b=HTTP_STATUS c=DEPENDENCY_REJECTED",
			"c/reason/job=b c/reason/root=b"},
		{"{'jobs':{'p':{'each':[1],'jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b','after':['a']},'c':{'url':'@c','after':['b']}}}}}",
			"a:500",
			"a[0]=HTTP_STATUS b[0]=DEPENDENCY_REJECTED c[0]=DEPENDENCY_REJECTED p[0] p",
			"c[0]/reason/job=b[0] c[0]/reason/root=a[0]"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(a_slow_reader_holds_up_dooms_and_skips)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},"
	      "'c':{'url':'@c','after':['a'],'needs':'rejected'},"
	      "'g':{'after':['a'],'needs':'settled','jobs':{'d':{'url':'@d'}}}}}");
	graph_pause(graph->graph, true);
	world_play("a:500 +1000");
	world_assert_fates(graph, "a=HTTP_STATUS");
	world_assert_on_wire("");
	graph_pause(graph->graph, false);
	fake_run();
	world_assert_fates(graph, "a=HTTP_STATUS b=DEPENDENCY_REJECTED");
	ck_assert_int_ge(world_find("/c"), 0);
	ck_assert_int_ge(world_find("/d"), 0);
	end();
}
END_TEST

START_TEST(an_outcome_is_counted_by_who_may_still_ask)
{
	static const struct {
		const char *document;
		uint32_t n_users;
	} cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'}}}", 0},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x/{{a}}/{{a.status}}'}}}", 1},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x/"
		 "{{a}}'},'y':{'url':'@y','after':['a']}}}",
			2},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x/{{a}}'}},'return':'{{a}}'}", 2},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'}},'return':'{{a}}'}", 1},
		/* In a fan-out: once for each place, whatever the items. */
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'p':{'each':[1,2,3],'jobs':{"
		 "'b':{'url':'@b/{{a}}'},'c':{'url':'@c/{{a}}'}}}}}",
			2},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},"
		 "'p':{'each':'{{a}}','url':'@b/{{a}}'}}}",
			1},
		/* For the group it is in. */
		{"{'jobs':{'g':{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'}}},"
		 "'y':{'url':'@y/{{g}}'}}}",
			1},
		/* Not for who has settled. */
		{"{'input':0,'jobs':{'a':{'url':'@a'},'x':{'url':'@x/{{a}}'},"
		 "'s':{'url':'@s','when':{'input':1}},'y':{'url':'@y/{{a ?? 0}}','after':['s'],"
		 "'needs':'any','when':{'input':1}}}}",
			1},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct job *a;

		begin(cases[i].document);
		a = world_job(graph, "a");
		world_play("a:200=[1]");
		ck_assert_msg((a->outcome ? a->outcome->n_users : 0) == cases[i].n_users, "%s: %u",
			cases[i].document, a->outcome ? a->outcome->n_users : 0);
		end();
	}
}
END_TEST

UNIT_MAIN("job/dependency", &needs_of_four_kinds_and_each_order_of_settling,
	&what_a_dependency_may_have_become, &what_comes_after_the_start_changes_nothing,
	&the_direct_cause_and_the_first_one_are_named, &a_slow_reader_holds_up_dooms_and_skips,
	&an_outcome_is_counted_by_who_may_still_ask)
