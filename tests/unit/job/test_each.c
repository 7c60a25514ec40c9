/* SPDX-License-Identifier: MIT */
#include "job/each.h"

#include <stdlib.h>

#include "job/graph.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define MANY 100000

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

/* What it fans out over. */

START_TEST(items_come_from_an_array_wherever_it_is)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'p':{'each':['a','b'],'url':'@{{item}}'}}}", "b:200 a:200",
			"p[1] p[0] p",
			"p[0]/index=0 p[1]/index=0 p/index=0 p[0]/item=0 p[1]/item=1 p/item=- "
			"p/value={\"jobs\":2,\"fulfilled\":2,\"rejected\":0} ./jobs=2"},
		{"{'jobs':{'p':{'each':[{'n':'a'},{'n':'b'}],'url':'@{{item#/n}}/{{index}}'}}}",
			"a/0:200 b/1:200", "p[0] p[1] p", NULL},
		{"{'input':{'x':['a']},'jobs':{'p':{'each':'{{input#/x}}','url':'@{{item}}'}}}",
			"a:200", "p[0] p", NULL},
		{"{'jobs':{'p':{'each':'{{s#/ids}}','url':'@p/{{item}}'},'s':{'url':'@s'}}}",
			"s:200={\"ids\":[7,8]} p/7:200 p/8:500", "s p[0] p[1]=HTTP_STATUS p",
			"p/value={\"jobs\":2,\"fulfilled\":1,\"rejected\":1} p/index=0 s/index=1"},
		{"{'jobs':{'p':{'each':'{{s}}','url':'@p/{{item}}'},'s':{'url':'@s'}}}",
			"s:200=[null,true] p/null:200 p/true:200", "s p[0] p[1] p", NULL},
		{"{'jobs':{'p':{'each':'{{s}}','url':'@p/{{item}}'},'s':{'url':'@s'}}}", "s:200=[]",
			"s p", "./jobs=1"},
		/* Filled in. */
		{"{'input':'i','jobs':{'p':{'each':['a','{{input}}','{{s#/x}}'],"
		 "'url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200={\"x\":5} a:200 i:200 5:200", "s p[0] p[1] p[2] p", NULL},
		{"{'jobs':{'p':{'each':{'in':[['a','b'],[]]},'url':'@{{item#/0 ?? none}}'}}}",
			"a:200 none:200", "p[0] p[1] p", NULL},
		/* A default, where there is none. */
		{"{'input':{},'jobs':{'p':{'each':'{{input#/x ?? [1]}}','url':'@{{item}}'}}}",
			"1:200", "p[0] p", NULL},
		{"{'jobs':{'p':{'each':'{{s#/x ?? []}}','url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200={}", "s p", "p/status=fulfilled"},
		{"{'jobs':{'p':{'each':'{{s ?? [1]}}','needs':'settled','url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:! 1:200", "s=EMPTY_REPLY p[0] p", NULL},
		/* Of a response that was no success, too. */
		{"{'jobs':{'p':{'each':'{{s}}','needs':'settled','url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:500=[3] 3:200", "s=HTTP_STATUS p[0] p", NULL},
		/* A fan-out over a fan-out's bodies, and over a fallback. */
		{"{'jobs':{'p':{'each':[1,2],'url':'@p/{{item}}'},"
		 "'q':{'each':'{{p}}','url':'@q/{{item ?? x}}'}}}",
			"p/2:200=8 p/1:200=9 q/9:200 q/8:200", "p[1] p[0] p q[0] q[1] q", NULL},
		{"{'jobs':{'s':{'url':'@s','fallback':[4]},'q':{'each':'{{s}}','url':'@{{item}}'}}"
		 "}",
			"s:500 4:200", "s/fallback q[0] q", NULL},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(what_is_no_array_or_too_long_rejects_the_whole)
{
	static const struct world_case cases[] = {
		{"{'input':{'x':1},'jobs':{'p':{'each':'{{input#/x}}','url':'@{{item}}'}}}", "",
			"p=EACH_NOT_ARRAY", "./jobs=0 p/reason/retryable=false p/group=true"},
		{"{'input':{'x':null},'jobs':{'p':{'each':'{{input#/x ?? []}}','url':'@x'}}}", "",
			"p=EACH_NOT_ARRAY", NULL},
		{"{'input':{'x':{}},'jobs':{'p':{'each':'{{input#/x}}','url':'@{{item}}'}}}", "",
			"p=EACH_NOT_ARRAY", NULL},
		{"{'input':{'x':'[]'},'jobs':{'p':{'each':'{{input#/x}}','url':'@{{item}}'}}}", "",
			"p=EACH_NOT_ARRAY", NULL},
		{"{'input':{},'jobs':{'p':{'each':'{{input#/x ?? y}}','url':'@{{item}}'}}}", "",
			"p=EACH_NOT_ARRAY", NULL},
		{"{'jobs':{'p':{'each':'{{s}}','url':'@{{item}}'},'s':{'url':'@s'}}}", "s:200=x",
			"s p=EACH_NOT_ARRAY", NULL},
		{"{'jobs':{'p':{'each':'{{s}}','url':'@{{item}}'},'s':{'url':'@s'}}}", "s:200",
			"s p=EACH_NOT_ARRAY", NULL},
		{"{'jobs':{'p':{'each':'{{s#/x}}','url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200={}", "s p=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':'{{s#/x}}','url':'@{{item}}'},'s':{'url':'@s'}}}", "s:200=x",
			"s p=REF_NOT_JSON", NULL},
		{"{'jobs':{'p':{'each':['{{s#/x}}'],'url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200=[]", "s p=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':'{{s}}','needs':'settled','url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:!", "s=EMPTY_REPLY p=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':{'in':'{{s}}','max':2},'url':'@{{item}}'},'s':{'url':'@s'}}"
		 "}",
			"s:200=[1,2] 1:200 2:200", "s p[0] p[1] p", NULL},
		{"{'jobs':{'p':{'each':{'in':'{{s}}','max':2},'url':'@{{item}}'},"
		 "'s':{'url':'@s'},'d':{'url':'@d','after':['p']}}}",
			"s:200=[1,2,3]", "s p=EACH_TOO_LARGE d=DEPENDENCY_REJECTED",
			"d/reason/root=p ./jobs=2"},
		/* `fallback` is each child's, not the fan-out's; `optional` is both's. */
		{"{'mode':'all','jobs':{'p':{'each':'{{s}}','fallback':1,'url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:200=7", "s p=EACH_NOT_ARRAY", "./reason/job=p"},
		{"{'mode':'all','jobs':{'p':{'each':'{{s}}','optional':true,'url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:200=7", "s p=EACH_NOT_ARRAY", "./status=fulfilled"},
		{"{'mode':'all','jobs':{'p':{'each':{'in':[1,2],'mode':'all'},'optional':true,"
		 "'url':'@{{item}}'}}}",
			"1:500 2:200", "p[0]=HTTP_STATUS p[1] p", "./status=fulfilled"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(all_other_keys_hold_for_each_child)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'p':{'each':[1,2,3],'when':{'item':{'gt':1}},'else':0,"
		 "'url':'@{{item}}'}}}",
			"3:200 2:200", "p[0]/skipped p[2] p[1] p",
			"p/via=- ./skipped=1 ./fulfilled=3 "
			"p/value={\"jobs\":3,\"fulfilled\":3,\"rejected\":0}"},
		{"{'jobs':{'p':{'each':[1,2],'fallback':0,'url':'@{{item}}'}}}", "1:500 2:200",
			"p[0]/fallback p[1] p", NULL},
		{"{'jobs':{'p':{'each':{'in':[1,2],'concurrency':1},'timeout':1,'url':'@{{item}}'}}"
		 "}",
			"+999 +1 +999 2:200", "p[0]=JOB_TIMEOUT p[1] p", NULL},
		{"{'jobs':{'p':{'each':[1,2],'concurrency':1,'retry':{'attempts':2,'delay':1,"
		 "'jitter':'none'},'url':'@{{item}}'}}}",
			"1:500 +999 +1 1:200 2:200", "p[0] p[1] p", "p[0]/attempts=2"},
		/* Each of a group's: the children of its own instance. */
		{"{'jobs':{'p':{'each':[1,2],'when':{'item':2},'jobs':{'a':{'url':'@a{{item}}'},"
		 "'b':{'url':'@b{{a}}'}}}}}",
			"a2:200=5 b5:200",
			"a[0]/skipped b[0]/skipped p[0]/skipped a[1] b[1] p[1] p",
			"./skipped=2 a[0]/item=0 b[1]/item=1 b[1]/index=2"},
		{"{'jobs':{'p':{'each':[1,2],'mode':'any','fallback':0,'jobs':{"
		 "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}'}}}}}",
			"a1:500 a2:200 b1:500",
			"a[0]=HTTP_STATUS a[1] b[1]=CANCELLED/winner p[1] b[0]=HTTP_STATUS "
			"p[0]/fallback p",
			"p[0]/cause/code=ALL_REJECTED p[0]/cause/errors/1/job=b[0]"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* The window. */

START_TEST(children_start_in_order_in_a_sliding_window)
{
	begin("{'jobs':{'p':{'each':[0,1,2,3,4],'concurrency':2,'url':'@{{item}}'}}}");
	world_assert_on_wire("/0 /1");
	ck_assert_uint_eq(world_n_children(graph, "p"), 2);
	world_play("1:200");
	world_assert_on_wire("/0 /2");
	world_play("2:500");
	world_assert_on_wire("/0 /3");
	world_play("0:200 3:200");
	world_assert_on_wire("/4");
	ck_assert_uint_eq(world_n_children(graph, "p"), 1);
	world_play("4:200");
	world_assert_fates(graph, "p[1] p[2]=HTTP_STATUS p[0] p[3] p[4] p");
	end();
}
END_TEST

START_TEST(a_child_in_its_backoff_keeps_its_place_in_the_window)
{
	begin("{'jobs':{'p':{'each':[0,1],'concurrency':1,'retry':{'attempts':2,'delay':5,"
	      "'jitter':'none'},'url':'@{{item}}'}}}");
	world_play("0:500 +4999");
	world_assert_on_wire("");
	world_play("+1 0:200");
	world_assert_on_wire("/1");
	world_play("1:200");
	ck_assert(graph->done);
	end();
}
END_TEST

/* A window of instances, each a whole group. */
START_TEST(no_instance_waits_for_another)
{
	begin("{'jobs':{'u':{'each':[1,2,3],'jobs':{'a':{'url':'@a{{item}}'},"
	      "'b':{'url':'@b{{a}}'},'c':{'url':'@c{{b}}','after':['a']}}}}}");
	world_assert_on_wire("/a1 /a2 /a3");
	world_play("a3:200=x bx:200=y cy:200");
	world_assert_fates(graph, "a[2] b[2] c[2] u[2]");
	world_play("a1:200=v a2:500 bv:200=w cw:200");
	world_assert_fates(graph, "a[2] b[2] c[2] u[2] a[0] a[1]=HTTP_STATUS "
				  "b[1]=DEPENDENCY_REJECTED c[1]=DEPENDENCY_REJECTED u[1] "
				  "b[0] c[0] u[0] u");
	world_assert_says(graph, "c[1]/reason/job=a[1] b[1]/reason/root=a[1] "
				 "u[1]/value/rejected=3 u/value/jobs=9 ./jobs=9");
	end();
}
END_TEST

START_TEST(a_window_of_instances_slides_when_a_whole_one_has_settled)
{
	begin("{'jobs':{'u':{'each':{'in':[1,2],'concurrency':1},'jobs':{'a':{'url':'@a{{item}}'},"
	      "'b':{'url':'@b{{item}}','after':['a']}}}}}");
	world_play("a1:200");
	world_assert_on_wire("/b1");
	world_play("b1:200");
	world_assert_on_wire("/a2");
	world_play("a2:200 b2:200");
	world_assert_fates(graph, "a[0] b[0] u[0] a[1] b[1] u[1] u");
	end();
}
END_TEST

/* Batches. */

START_TEST(a_batch_is_a_barrier_and_the_delay_stands_between)
{
	begin("{'jobs':{'p':{'each':{'in':[0,1,2,3,4],'batch':{'size':2,'delay':'50ms'}},"
	      "'url':'@{{item}}'}}}");
	world_assert_on_wire("/0 /1");
	world_play("1:200 +1000");
	world_assert_on_wire("/0");
	world_play("0:500");
	world_assert_on_wire("");
	world_play("+49");
	world_assert_on_wire("");
	world_play("+1");
	ck_assert_int_ge(world_find("/2"), 0);
	ck_assert_int_ge(world_find("/3"), 0);
	ck_assert_uint_eq(world_n_on_wire(), 2);
	world_play("2:200 3:200 +50");
	world_assert_on_wire("/4");
	world_play("4:200");
	/* None behind the last. */
	ck_assert(graph->done);
	world_assert_fates(graph, "p[1] p[0]=HTTP_STATUS p[2] p[3] p[4] p");
	end();
}
END_TEST

START_TEST(batches_without_delay_and_with_a_window)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'p':{'each':{'in':[0,1,2],'batch':{'size':2}},'url':'@{{item}}'}}}",
			"1:200 0:200 2:200", "p[1] p[0] p[2] p", NULL},
		{"{'jobs':{'p':{'each':{'in':[0,1,2,3],'batch':{'size':2},'concurrency':1},"
		 "'url':'@{{item}}'}}}",
			"0:200 1:200 2:200 3:200", "p[0] p[1] p[2] p[3] p", NULL},
		/* Exactly full batches: no delay behind the last. */
		{"{'jobs':{'p':{'each':{'in':[0,1],'batch':{'size':1,'delay':5}},"
		 "'url':'@{{item}}'}}}",
			"0:200 +4999 +1 1:200", "p[0] p[1] p", "p/time/end=5000"},
		{"{'jobs':{'p':{'each':{'in':[0,1,2],'batch':{'size':10,'delay':5}},"
		 "'url':'@{{item}}'}}}",
			"0:200 1:200 2:200", "p[0] p[1] p[2] p", "p/time/end=0"},
		{"{'jobs':{'p':{'each':{'in':[],'batch':{'size':1,'delay':5}},'url':'@x'}}}", "",
			"p", NULL},
		/* Settled at once, without a request. */
		{"{'input':0,'jobs':{'p':{'each':{'in':[0,1,2],'batch':{'size':1,'delay':1}},"
		 "'when':{'input':1},'url':'@x'}}}",
			"+2000", "p[0]/skipped p[1]/skipped p[2]/skipped p", "p/time/end=2000"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

UNIT_MAIN("job/each", &items_come_from_an_array_wherever_it_is,
	&what_is_no_array_or_too_long_rejects_the_whole, &all_other_keys_hold_for_each_child,
	&children_start_in_order_in_a_sliding_window,
	&a_child_in_its_backoff_keeps_its_place_in_the_window, &no_instance_waits_for_another,
	&a_window_of_instances_slides_when_a_whole_one_has_settled,
	&a_batch_is_a_barrier_and_the_delay_stands_between,
	&batches_without_delay_and_with_a_window)
