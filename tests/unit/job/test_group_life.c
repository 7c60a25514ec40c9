/* SPDX-License-Identifier: MIT */
#include "job/group.h"

#include <stdlib.h>

#include "job/graph.h"
#include "job/outcome.h"
#include "tests/unit/front/memory.h"
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

/* Waiting, skipping, dooming. */

START_TEST(a_group_that_waits_holds_back_its_children)
{
	begin("{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'jobs':{'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['b']},'h':{'after':['b'],'jobs':{'e':{'url':'@e'}}}}},"
	      "'d':{'url':'@d','after':['g']}}}");
	world_assert_on_wire("/a");
	world_play("+1000 a:200");
	world_assert_on_wire("/b");
	world_play("+1000 b:200");
	ck_assert_int_ge(world_find("/c"), 0);
	ck_assert_int_ge(world_find("/e"), 0);
	world_play("c:200");
	ck_assert_int_eq(world_find("/d"), -1);
	world_play("e:200");
	world_assert_on_wire("/d");
	world_play("d:200");
	world_assert_fates(graph, "a b c e h g d");
	world_assert_says(graph, "g/time/start=1000 b/time/start=1000 h/time/start=2000 "
				 "g/value={\"jobs\":3,\"fulfilled\":3,\"rejected\":0} "
				 "h/value/jobs=1 ./jobs=5");
	end();
}
END_TEST

/* A child's own dependency may settle while its group still waits. */
START_TEST(a_child_waits_for_its_group_and_for_its_own_dependencies)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'g':{'after':['a'],'jobs':{"
		 "'b':{'url':'@b','after':['x']}}}}}",
			"x:200 +10 a:200 b:200", "x a b g", "b/time/start=10"},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'g':{'after':['a'],'jobs':{"
		 "'b':{'url':'@b','after':['x']}}}}}",
			"a:200 +10 x:200 b:200", "a x b g", "b/time/start=10 g/time/start=0"},
		/* Doomed by its own dependency, it still settles only once its group has begun. */
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'g':{'after':['a'],'jobs':{"
		 "'b':{'url':'@b','after':['x']}}}}}",
			"x:500 a:200", "x=HTTP_STATUS a b=DEPENDENCY_REJECTED g", "b/reason/job=x"},
		/* And a group that is doomed gives it its own cause. */
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'g':{'after':['a'],'jobs':{"
		 "'b':{'url':'@b','after':['x']}}}}}",
			"x:500 a:500",
			"x=HTTP_STATUS a=HTTP_STATUS b=DEPENDENCY_REJECTED g=DEPENDENCY_REJECTED",
			"b/reason/job=a b/reason/root=a"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(a_skipped_group_skips_all_that_is_in_it)
{
	static const struct world_case cases[] = {
		{"{'input':{'x':1},'jobs':{'g':{'when':{'input#/x':2},'else':{'n':1},'jobs':{"
		 "'a':{'url':'@a'},'h':{'mode':'any','else':0,'jobs':{'b':{'url':'@b'},"
		 "'c':{'url':'@c','after':['b']}}}}},'d':{'url':'@d/{{g#/n}}'}}}",
			"d/1:200", "a/skipped b/skipped c/skipped h/skipped g/skipped d",
			"./skipped=3 ./fulfilled=4 ./status=fulfilled g/via=skipped "
			"g/status=fulfilled a/time/start=0"},
		/* With it, what is in the middle of it waits for nothing any more. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'when':{'a#/go':true},'jobs':{"
		 "'b':{'url':'@b'},'p':{'each':[1,2],'url':'@p/{{item}}'}}}}}",
			"a:200={}", "a b/skipped p/skipped g/skipped", "./jobs=2 ./skipped=1"},
		{"{'jobs':{'a':{'url':'@a'},'g':{'when':{'a#/go':true},'jobs':{"
		 "'b':{'url':'@b'}}}}}",
			"a:200={\"go\":true} b:200", "a b g", "g/via=-"},
		/* Nothing was rejected of what it needs to be. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'needs':'rejected','jobs':{"
		 "'b':{'url':'@b'}}},'c':{'url':'@c','after':['g']}}}",
			"a:200 c:200", "a b/skipped g/skipped c", NULL},
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'needs':'rejected','jobs':{"
		 "'b':{'url':'@b'}}},'c':{'url':'@c','after':['g']}}}",
			"a:500 b:200 c:200", "a=HTTP_STATUS b g c", NULL},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(a_doomed_group_dooms_all_that_is_in_it)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'jobs':{'b':{'url':'@b'},"
		 "'h':{'jobs':{'c':{'url':'@c'}}}}},'d':{'url':'@d','after':['g']}}}",
			"a:500",
			"a=HTTP_STATUS b=DEPENDENCY_REJECTED c=DEPENDENCY_REJECTED "
			"h=DEPENDENCY_REJECTED g=DEPENDENCY_REJECTED d=DEPENDENCY_REJECTED",
			"b/reason/job=a b/reason/root=a c/reason/job=a c/reason/root=a "
			"g/reason/job=a d/reason/job=g d/reason/root=a ./rejected=4"},
		/* A fallback covers that, each its own. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'fallback':1,'jobs':{"
		 "'b':{'url':'@b'},'c':{'url':'@c','fallback':2}}},'d':{'url':'@d/{{g}}'}}}",
			"a:500 d/1:200",
			"a=HTTP_STATUS b=DEPENDENCY_REJECTED c/fallback g/fallback d",
			"g/cause/code=DEPENDENCY_REJECTED g/cause/job=a c/cause/job=a"},
		/* From one group to the next, the first cause stays. */
		{"{'jobs':{'g':{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}},"
		 "'h':{'after':['g'],'jobs':{'c':{'url':'@c'}}},'d':{'url':'@d','after':['h']}}}",
			"b:500",
			"b=HTTP_STATUS a=CANCELLED/fail_fast g=JOB_REJECTED "
			"c=DEPENDENCY_REJECTED h=DEPENDENCY_REJECTED d=DEPENDENCY_REJECTED",
			"g/reason/job=b h/reason/job=g h/reason/root=b c/reason/job=g "
			"c/reason/root=b d/reason/job=h d/reason/root=b"},
		/* The first cause may be inside of a fan-out. */
		{"{'jobs':{'p':{'each':{'in':[1,2],'mode':'all'},'url':'@{{item}}'},"
		 "'d':{'url':'@d','after':['p']}}}",
			"2:500",
			"p[1]=HTTP_STATUS p[0]=CANCELLED/fail_fast p=JOB_REJECTED "
			"d=DEPENDENCY_REJECTED",
			"p/reason/job=p[1] d/reason/job=p d/reason/root=p[1]"},
		{"{'jobs':{'g':{'mode':'all','jobs':{'p':{'each':{'in':[1,2],'mode':'all'},"
		 "'mode':'all','jobs':{'b':{'url':'@b{{item}}'},'c':{'url':'@c','after':['b']}}}}},"
		 "'d':{'url':'@d','after':['g']}}}",
			"b2:500",
			"b[1]=HTTP_STATUS c[1]=CANCELLED/fail_fast p[1]=JOB_REJECTED "
			"b[0]=CANCELLED/fail_fast c[0]=CANCELLED/fail_fast "
			"p[0]=CANCELLED/fail_fast p=JOB_REJECTED g=JOB_REJECTED "
			"d=DEPENDENCY_REJECTED",
			"p[1]/reason/job=b[1] p/reason/job=p[1] g/reason/job=p d/reason/job=g "
			"d/reason/root=b[1]"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* Bounds and time. */

START_TEST(a_group_has_no_more_on_the_wire_than_its_concurrency)
{
	begin("{'concurrency':4,'jobs':{'x':{'url':'@x'},'y':{'url':'@y','after':['x']},"
	      "'g':{'concurrency':2,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c'},"
	      "'h':{'concurrency':1,'jobs':{'d':{'url':'@d'},'e':{'url':'@e'}}}}}}}");
	world_assert_on_wire("/x /a /b");
	/* Who waits for the group holds up nobody else. */
	world_play("x:200");
	world_assert_on_wire("/y /a /b");
	world_play("a:200");
	world_assert_on_wire("/y /c /b");
	world_play("b:200 c:200");
	/* Two places in the group, but one in the group in it. */
	ck_assert_int_ge(world_find("/d"), 0);
	ck_assert_int_eq(world_find("/e"), -1);
	world_play("d:200 e:200 y:200");
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(a_group_s_timeout_leaves_what_had_settled)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'g':{'timeout':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		 "'c':{'url':'@c','after':['b']}}},'d':{'url':'@d'}}}",
			"a:200 +999 +1 d:200",
			"a b=CANCELLED/timeout c=CANCELLED/timeout g=GROUP_TIMEOUT/timeout d",
			"./status=fulfilled b/reason/sent=full"},
		/* It runs from when the group is ready. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'timeout':1,'jobs':{"
		 "'b':{'url':'@b'}}}}}",
			"+5000 a:200 +999 b:200 +10000", "a b g", NULL},
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'timeout':1,'jobs':{"
		 "'b':{'url':'@b'}}}}}",
			"+5000 a:200 +1000", "a b=CANCELLED/timeout g=GROUP_TIMEOUT/timeout",
			"g/time/end=6000"},
		/* The earlier of two that nest. */
		{"{'jobs':{'g':{'timeout':2,'jobs':{'h':{'timeout':1,'jobs':{"
		 "'a':{'url':'@a'}}},'b':{'url':'@b'}}}}}",
			"+1000 +1000",
			"a=CANCELLED/timeout h=GROUP_TIMEOUT/timeout b=CANCELLED/timeout "
			"g=GROUP_TIMEOUT/timeout",
			NULL},
		{"{'jobs':{'g':{'timeout':1,'jobs':{'b':{'url':'@b'},'h':{'timeout':2,'jobs':{"
		 "'a':{'url':'@a'}}}}}}}",
			"+1000 +1000",
			"b=CANCELLED/timeout a=CANCELLED/timeout h=CANCELLED/timeout "
			"g=GROUP_TIMEOUT/timeout",
			NULL},
		{"{'mode':'all','jobs':{'g':{'timeout':1,'fallback':null,'jobs':{"
		 "'a':{'url':'@a'}}}}}",
			"+1000", "a=CANCELLED/timeout g/fallback",
			"g/cause/code=GROUP_TIMEOUT ./status=fulfilled"},
		{"{'mode':'all','jobs':{'g':{'timeout':1,'jobs':{'a':{'url':'@a'}}},"
		 "'b':{'url':'@b'}}}",
			"+1000",
			"a=CANCELLED/timeout g=GROUP_TIMEOUT/timeout b=CANCELLED/fail_fast",
			"./reason/code=JOB_REJECTED ./reason/job=g"},
		/* An instance of a fan-out has its own. */
		{"{'jobs':{'p':{'each':{'in':[1,2],'concurrency':1},'timeout':1,'jobs':{"
		 "'a':{'url':'@a{{item}}'}}}}}",
			"+600 a1:200 +600 a2:200", "a[0] p[0] a[1] p[1] p", NULL},
		{"{'jobs':{'p':{'each':[1,2],'timeout':1,'jobs':{'a':{'url':'@a{{item}}'}}}}}",
			"a2:200 +1000",
			"a[1] p[1] a[0]=CANCELLED/timeout "
			"p[0]=GROUP_TIMEOUT/timeout p",
			"p/status=fulfilled p/value/rejected=1"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* A turn is a turn, whether what is ready in it stands in a group, in a fan-out or in neither. */
START_TEST(who_is_ready_in_one_turn_goes_by_priority_and_then_by_job_order)
{
	static const struct {
		const char *document, *script, *first;
	} cases[] = {
		{"{'concurrency':1,'jobs':{'g':{'jobs':{'a':{'url':'@a'}}},'x':{'url':'@x'}}}", "",
			"/a"},
		{"{'concurrency':1,'jobs':{'x':{'url':'@x','priority':3},'g':{'jobs':{"
		 "'a':{'url':'@a'}}}}}",
			"", "/a"},
		{"{'concurrency':1,'jobs':{'x':{'url':'@x','priority':3},'p':{'each':['a'],"
		 "'url':'@{{item}}'}}}",
			"", "/a"},
		{"{'concurrency':1,'jobs':{'s':{'url':'@s'},'g':{'after':['s'],'jobs':{"
		 "'a':{'url':'@a'}}},'x':{'url':'@x','after':['s']}}}",
			"s:200", "/a"},
		{"{'concurrency':1,'jobs':{'s':{'url':'@s'},'x':{'url':'@x','after':['s'],"
		 "'priority':3},'p':{'each':'{{s}}','url':'@{{item}}'}}}",
			"s:200=[\"a\"]", "/a"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		world_play(cases[i].script);
		world_assert_on_wire(cases[i].first);
		end();
	}
}
END_TEST

/* Depth. */

#define DEPTH 31

static void append_nested(struct buffer *out, const char *mode)
{
	buffer_init(out, SIZE_MAX);
	buffer_append_literal(out, "{'jobs':{'z':{'url':'@z'}");
	for (int i = 0; i < DEPTH; i++)
		buffer_printf(out,
			",'g%d':{'mode':'%s','concurrency':%d,'jobs':{'b%d':{'url':'@b%d',"
			"'after':['z']}",
			i, mode, DEPTH + 2 - i, i, i);
	buffer_append_literal(out, ",'a':{'url':'@a'}");
	for (int i = 0; i < DEPTH; i++)
		buffer_append_literal(out, "}}");
	buffer_append(out, "}}", sizeof("}}"));
}

static void begin_nested(const char *mode)
{
	struct buffer out;

	append_nested(&out, mode);
	begin(out.data);
	buffer_deinit(&out);
}

START_TEST(groups_nest_as_deep_as_a_document_may)
{
	char name[8];

	begin_nested("any");
	world_assert_on_wire("/z /a");
	world_play("a:200");
	/* Each is the winner of the one around it. */
	for (int i = 0; i < DEPTH; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		world_assert_fate(graph, name, "fulfilled");
		snprintf(name, sizeof(name), "b%d", i);
		world_assert_fate(graph, name, "CANCELLED");
	}
	world_assert_says(graph, "g30/value/winner=a g29/value/winner=g30 g0/value/winner=g1");
	world_play("z:200");
	world_assert_done(graph, "/jobs", "33");
	end();

	begin_nested("all");
	world_play("a:500");
	world_assert_says(graph, "g30/reason/job=a g0/reason/job=g1 b7/reason/by=fail_fast");
	world_play("z:200");
	ck_assert(graph->done);
	end();

	begin_nested("settled");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_MS);
	world_assert_says(graph, "g30/reason/by=client g0/reason/by=client a/reason/by=client");
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(one_group_may_be_cancelled)
{
	begin("{'jobs':{'g':{'jobs':{'a':{'url':'@a'},'h':{'jobs':{'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['b']}}}}},'d':{'url':'@d','after':['g']},"
	      "'e':{'url':'@e'}}}");
	ck_assert(graph_cancel_job(graph->graph, TEXT("h")));
	fake_run();
	world_assert_fates(graph, "b=CANCELLED/client c=CANCELLED/client h=CANCELLED/client");
	world_assert_on_wire("/a /e");
	world_play("a:200");
	world_assert_says(graph, "g/value={\"jobs\":3,\"fulfilled\":1,\"rejected\":2}");
	world_play("e:200 d:200");
	ck_assert(graph->done);
	end();
}
END_TEST

/* A group whose fate is sealed in one way is not given another. */
START_TEST(a_group_that_has_settled_is_not_cancelled)
{
	begin("{'jobs':{'g':{'jobs':{'a':{'url':'@a'}}},'e':{'url':'@e'}}}");
	world_play("a:200");
	ck_assert(graph_cancel_job(graph->graph, TEXT("g")));
	ck_assert(graph_cancel_job(graph->graph, TEXT("a")));
	fake_run();
	world_assert_fates(graph, "a g");
	world_play("e:200");
	ck_assert(graph->done);
	end();
}
END_TEST

/* Between the settling of what it waits for and the end of that turn. */
START_TEST(a_group_is_cancelled_in_the_turn_in_which_it_would_begin)
{
	static const char *const documents[] = {
		"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'timeout':1,'jobs':{"
		"'b':{'url':'@b'}}}}}",
		"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'when':{'a.status':1},'jobs':{"
		"'b':{'url':'@b'}}}}}",
		"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'needs':'rejected','jobs':{"
		"'b':{'url':'@b'}}}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		begin(documents[i]);
		fake_receive(world_fd("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		ck_assert(graph_cancel_job(graph->graph, TEXT("g")));
		fake_pass(5 * NS_PER_S);
		world_assert_fates(graph, "a b=CANCELLED/client g=CANCELLED/client");
		ck_assert(graph->done);
		end();
	}
	/* A fan-out. */
	begin("{'jobs':{'a':{'url':'@a'},'p':{'each':'{{a}}','url':'@x'}}}");
	fake_receive(world_fd("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7");
	ck_assert(graph_cancel_job(graph->graph, TEXT("p")));
	fake_pass(5 * NS_PER_S);
	world_assert_fates(graph, "a p=CANCELLED/client");
	ck_assert(graph->done);
	end();
}
END_TEST

/* What a group's children decide before it has begun, cancelled one by one, and what it waits for:
 * what settles first in one turn. */
START_TEST(a_group_whose_fate_is_sealed_is_not_decided_by_its_children)
{
	static const struct {
		const char *document, *cancelled[3], *fates;
	} cases[] = {
		/* The dependency first. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'mode':'race','after':['a'],'jobs':{"
		 "'b':{'url':'@b'},'c':{'url':'@c'}}}}}",
			{"a", "b"},
			"a=CANCELLED/client b=CANCELLED/client c=DEPENDENCY_REJECTED "
			"g=DEPENDENCY_REJECTED"},
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'jobs':{'b':{'url':'@b'}}}}}",
			{"a", "b"}, "a=CANCELLED/client b=CANCELLED/client g=DEPENDENCY_REJECTED"},
		{"{'jobs':{'a':{'url':'@a'},'x':{'url':'@x'},'g':{'mode':'all',"
		 "'needs':'any','after':['a','x'],'jobs':{'b':{'url':'@b'},'c':{'url':'@c'}}}}}",
			{"a", "x", "b"},
			"a=CANCELLED/client x=CANCELLED/client b=CANCELLED/client "
			"c=DEPENDENCY_REJECTED g=DEPENDENCY_REJECTED"},
		/* And it may still be cancelled itself, with children or without. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'jobs':{'b':{'url':'@b'}}},"
		 "'h':{'after':['a'],'jobs':{}}}}",
			{"a", "g", "h"},
			"a=CANCELLED/client h=CANCELLED/client b=CANCELLED/client "
			"g=CANCELLED/client"},
		/* The child first: it is decided then. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'mode':'race','after':['a'],'jobs':{"
		 "'b':{'url':'@b'},'c':{'url':'@c'}}}}}",
			{"b", "a"},
			"b=CANCELLED/client a=CANCELLED/client c=CANCELLED/winner g=JOB_REJECTED"},
		/* A child that is a group has settled only when its own children have. */
		{"{'jobs':{'a':{'url':'@a'},'g':{'mode':'race','after':['a'],'jobs':{"
		 "'h':{'mode':'race','jobs':{'b':{'url':'@b'}}},'c':{'url':'@c'}}}}}",
			{"b", "a"},
			"b=CANCELLED/client a=CANCELLED/client h=JOB_REJECTED "
			"c=DEPENDENCY_REJECTED g=DEPENDENCY_REJECTED"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].document);
		for (size_t n = 0; n < 3 && cases[i].cancelled[n]; n++)
			ck_assert(graph_cancel_job(graph->graph, text_from(cases[i].cancelled[n])));
		fake_run();
		world_assert_fates(graph, cases[i].fates);
		end();
	}
	/* Nothing was rejected of what it needs to be. */
	begin("{'jobs':{'a':{'url':'@a'},'g':{'mode':'all','after':['a'],'needs':'rejected',"
	      "'jobs':{'b':{'url':'@b'},'c':{'url':'@c'}}}}}");
	fake_receive(world_fd("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ck_assert(graph_cancel_job(graph->graph, TEXT("b")));
	fake_run();
	world_assert_fates(graph, "a b=CANCELLED/client c/skipped g/skipped");
	end();
}
END_TEST

START_TEST(without_memory_for_a_condition_what_it_stands_for_is_rejected)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','when':{'a#/x':1}},"
	      "'g':{'when':{'a#/x':1},'jobs':{'c':{'url':'@c'},'h':{'jobs':{"
	      "'d':{'url':'@d'}}}}},'p':{'each':[1],'after':['a'],'when':{'a#/x':1},"
	      "'url':'@p'}}}");
	/* What a said is lost. */
	memory_fail_object(sizeof(struct outcome) + strlen("http://192.0.2.1/a"
							   "{\"x\":1}"));
	world_play("a:200={\"x\":1}");
	ck_assert(memory_has_failed());
	world_assert_fate(graph, "a", "fulfilled");
	world_assert_fate(graph, "b", "OVERLOADED");
	world_assert_fate(graph, "g", "OVERLOADED");
	world_assert_fate(graph, "c", "CANCELLED");
	world_assert_fate(graph, "d", "CANCELLED");
	world_assert_fate(graph, "h", "CANCELLED");
	world_assert_fate(graph, "p[0]", "OVERLOADED");
	ck_assert(graph->done);
	end();
}
END_TEST

UNIT_MAIN("job/group_life", &a_group_that_waits_holds_back_its_children,
	&a_child_waits_for_its_group_and_for_its_own_dependencies,
	&a_skipped_group_skips_all_that_is_in_it, &a_doomed_group_dooms_all_that_is_in_it,
	&a_group_has_no_more_on_the_wire_than_its_concurrency,
	&a_group_s_timeout_leaves_what_had_settled,
	&who_is_ready_in_one_turn_goes_by_priority_and_then_by_job_order,
	&groups_nest_as_deep_as_a_document_may, &one_group_may_be_cancelled,
	&a_group_that_has_settled_is_not_cancelled,
	&a_group_is_cancelled_in_the_turn_in_which_it_would_begin,
	&a_group_whose_fate_is_sealed_is_not_decided_by_its_children,
	&without_memory_for_a_condition_what_it_stands_for_is_rejected)
