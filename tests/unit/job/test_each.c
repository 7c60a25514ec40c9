/* SPDX-License-Identifier: MIT */
#include "job/each.h"

#include <stdlib.h>

#include "job/graph.h"
#include "tests/unit/front/memory.h"
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
		{"{'jobs':{'p':{'each':'{{s}}','url':'@p/{{item}}'},'s':{'url':'@s'}}}",
			"s:200=[]", "s p", "./jobs=1"},
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
		{"{'jobs':{'s':{'url':'@s','fallback':[4]},'q':{'each':'{{s}}','url':'@{{item}}'}}}",
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
		{"{'jobs':{'p':{'each':'{{s#/x}}','url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200=x", "s p=REF_NOT_JSON", NULL},
		{"{'jobs':{'p':{'each':['{{s#/x}}'],'url':'@{{item}}'},'s':{'url':'@s'}}}",
			"s:200=[]", "s p=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':'{{s}}','needs':'settled','url':'@{{item}}'},"
		 "'s':{'url':'@s'}}}",
			"s:!", "s=EMPTY_REPLY p=REF_MISSING", NULL},
		{"{'jobs':{'p':{'each':{'in':'{{s}}','max':2},'url':'@{{item}}'},'s':{'url':'@s'}}}",
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
		{"{'jobs':{'p':{'each':{'in':[1,2],'concurrency':1},'timeout':1,'url':'@{{item}}'}}}",
			"+999 +1 +999 2:200", "p[0]=JOB_TIMEOUT p[1] p", NULL},
		{"{'jobs':{'p':{'each':[1,2],'concurrency':1,'retry':{'attempts':2,'delay':1,"
		 "'jitter':'none'},'url':'@{{item}}'}}}",
			"1:500 +999 +1 1:200 2:200", "p[0] p[1] p", "p[0]/attempts=2"},
		/* Each of a group's: the children of its own instance. */
		{"{'jobs':{'p':{'each':[1,2],'when':{'item':2},'jobs':{'a':{'url':'@a{{item}}'},"
		 "'b':{'url':'@b{{a}}'}}}}}",
			"a2:200=5 b5:200", "a[0]/skipped b[0]/skipped p[0]/skipped a[1] b[1] p[1] p",
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

/* Laziness. */

static char *numbers_document(const char *format, unsigned n)
{
	struct buffer out, numbers;

	buffer_init(&numbers, SIZE_MAX);
	for (unsigned i = 0; i < n; i++)
		buffer_printf(&numbers, "%s%u", i ? "," : "", i);
	buffer_append_byte(&numbers, '\0');
	buffer_init(&out, SIZE_MAX);
	buffer_printf(&out, format, numbers.data);
	buffer_append_byte(&out, '\0');
	buffer_deinit(&numbers);
	return buffer_take(&out);
}

static unsigned n_children_max;

static void note_children(struct world_graph *at, const struct record *record)
{
	unsigned n = world_n_children(at, "p");

	n_children_max = n > n_children_max ? n : n_children_max;
}

static void begin_many(const char *format, unsigned n)
{
	char *document = numbers_document(format, n);

	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	n_children_max = 0;
	world_start(graph, document);
	fake_run();
	free(document);
}

START_TEST(no_more_than_its_window_is_in_memory)
{
	begin_many("{'jobs':{'p':{'each':{'in':[%s],'concurrency':3},'dedupe':false,'url':'@x'}}}",
		2000);
	for (unsigned i = 0; i < 2000; i++) {
		ck_assert_uint_eq(world_n_children(graph, "p"), i < 1998 ? 3 : 2000 - i);
		world_answer("/x", "200 OK", "");
	}
	world_assert_done(graph, "/fulfilled", "2000");
	end();
}
END_TEST

START_TEST(without_a_window_those_that_have_not_begun_are_few)
{
	begin_many("{'concurrency':5,'jobs':{'p':{'each':{'in':[%s],'concurrency':'unbounded'},"
		   "'dedupe':false,'url':'@x'}}}",
		MANY);
	fake_pass(100 * NS_PER_MS);
	ck_assert_uint_eq(world_n_on_wire(), 5);
	ck_assert_uint_le(world_n_children(graph, "p"), EACH_FRESH_MAX + 5);
	ck_assert_uint_ge(world_n_children(graph, "p"), 5);
	for (unsigned i = 0; i < 3000; i++) {
		world_answer("/x", "200 OK", "");
		ck_assert_uint_eq(world_n_on_wire(), 5);
		ck_assert_uint_le(world_n_children(graph, "p"), EACH_FRESH_MAX + 5);
	}
	ck_assert_uint_eq(graph->n_records, 3000);
	end();
}
END_TEST

/* Those that settle without a request, too, and those that are ended. */
START_TEST(very_many_items_settle_in_slices_in_little_memory)
{
	static const struct {
		const char *format;
		bool cancelled;
		const char *pointer, *count;
	} cases[] = {
		{"{'input':0,'jobs':{'p':{'each':{'in':[%s],'concurrency':'unbounded'},"
		 "'when':{'input':1},'url':'@x'}}}",
			false, "/skipped", "100000"},
		{"{'input':0,'jobs':{'p':{'each':{'in':[%s],'concurrency':4},"
		 "'when':{'input':1},'url':'@x'}}}",
			false, "/skipped", "100000"},
		{"{'jobs':{'p':{'each':{'in':[%s],'concurrency':2},'dedupe':false,'url':'@x'}}}",
			true, "/rejected", "100000"},
		{"{'jobs':{'p':{'each':{'in':[%s],'concurrency':2},'jobs':{"
		 "'a':{'url':'@a','dedupe':false},'b':{'url':'@b','after':['a']}}}}}",
			true, "/rejected", "200000"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin_many(cases[i].format, MANY);
		graph->on_settled = note_children;
		if (cases[i].cancelled) {
			graph_cancel_job(graph->graph, TEXT("p"));
			fake_run();
		}
		/* The loop has other work. */
		ck_assert_uint_lt(graph->n_leaves, MANY / 2);
		for (int ms = 0; ms < 60000 && !graph->done; ms++)
			fake_pass(NS_PER_MS);
		world_assert_done(graph, cases[i].pointer, cases[i].count);
		ck_assert_uint_le(n_children_max, 2 * 2048);
		end();
	}
}
END_TEST

/* What is outside. */

START_TEST(what_is_outside_may_settle_before_an_instance_is_made_or_after)
{
	static const struct world_case cases[] = {
		/* Before, between and after. */
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[1,2],'concurrency':1},'jobs':{"
		 "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}{{x}}'}}}}}",
			"x:200=v a1:200 b1v:200 b2v:200 a2:200",
			"x a[0] b[0] p[0] b[1] a[1] p[1] p", NULL},
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[1,2],'concurrency':1},'jobs':{"
		 "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}{{x}}'}}}}}",
			"a1:200 x:200=v b1v:200 b2v:200 a2:200",
			"a[0] x b[0] p[0] b[1] a[1] p[1] p", NULL},
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':[1,2],'jobs':{"
		 "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}{{x}}'}}}}}",
			"a1:200 a2:200 x:200=v b2v:200 b1v:200",
			"a[0] a[1] x b[1] p[1] b[0] p[0] p", "./jobs=5"},
		/* Its rejection dooms those that are there, and those to come. */
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[1,2],'concurrency':1},'jobs':{"
		 "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}{{x}}'}}}}}",
			"x:500 a1:200 a2:200",
			"x=HTTP_STATUS b[0]=DEPENDENCY_REJECTED a[0] p[0] "
			"b[1]=DEPENDENCY_REJECTED a[1] p[1] p",
			"b[1]/reason/job=x b[1]/reason/root=x"},
		/* In a fan-out of a fan-out. */
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[1,2],'concurrency':1},'jobs':{"
		 "'q':{'each':{'in':[3,4],'concurrency':1},'jobs':{"
		 "'a':{'url':'@a{{x}}{{item}}{{index}}'}}}}}}}",
			"x:200=v av30:200 av41:200 av30:200 av41:200",
			"x a[0][0] q[0][0] a[0][1] q[0][1] q[0] p[0] a[1][0] q[1][0] a[1][1] "
			"q[1][1] q[1] p[1] p",
			"a[1][0]/item=0 q[1][1]/item=1 q[1]/item=1 q[1]/value/jobs=2"},
		/* A whole fan-out of leaves waits for what its children refer to. */
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':[1,2],'url':'@{{item}}{{x}}'}}}",
			"x:200=v 1v:200 2v:200", "x p[0] p[1] p", NULL},
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':[1,2],'url':'@{{item}}{{x}}'}}}", "x:500",
			"x=HTTP_STATUS p=DEPENDENCY_REJECTED", "./jobs=1"},
		/* In an instance, needs of its own. */
		{"{'jobs':{'x':{'url':'@x'},'p':{'each':[1],'jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b','after':['a','x'],'needs':'any'}}}}}",
			"x:500 a:200 b:200", "x=HTTP_STATUS a[0] b[0] p[0] p", NULL},
		{"{'jobs':{'x':{'url':'@x'},'y':{'url':'@y','after':['x']},"
		 "'p':{'after':['x'],'each':[1],'jobs':{'a':{'url':'@a'},"
		 "'b':{'url':'@b','after':['a','y'],'needs':'any'}}}}}",
			"x:200 y:200 b:200 a:200", "x y b[0] a[0] p[0] p", NULL},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

START_TEST(fan_outs_nest)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'u':{'each':[['a','b'],['c']],'jobs':{"
		 "'v':{'each':'{{item}}','url':'@{{item}}'}}}}}",
			"c:200 b:200 a:500",
			"v[1][0] v[1] u[1] v[0][1] v[0][0]=HTTP_STATUS v[0] u[0] u",
			"v[0][1]/item=1 v[1][0]/item=0 v[1]/item=1 v[0][1]/index=1 "
			"v[0]/value={\"jobs\":2,\"fulfilled\":1,\"rejected\":1} u/value/jobs=3"},
		/* Over what a sibling of the same instance says. */
		{"{'jobs':{'u':{'each':[1,2],'jobs':{'s':{'url':'@s{{item}}'},"
		 "'v':{'each':'{{s}}','url':'@v{{item}}'}}}}}",
			"s2:200=[7] s1:200=[8,9] v8:200 v7:200 v9:200",
			"s[1] s[0] v[0][0] v[1][0] v[1] u[1] v[0][1] v[0] u[0] u", NULL},
		/* Empty and broken ones inside. */
		{"{'jobs':{'u':{'each':[[],5,['a']],'jobs':{"
		 "'v':{'each':'{{item}}','url':'@{{item}}'}}}}}",
			"a:200", "v[1]=EACH_NOT_ARRAY v[0] u[1] u[0] v[2][0] v[2] u[2] u",
			"u[1]/status=fulfilled"},
		/* Ended from outside. */
		{"{'mode':'any','jobs':{'u':{'each':{'in':[[1,2],[3]],'concurrency':1},'jobs':{"
		 "'v':{'each':{'in':'{{item}}','concurrency':1},'url':'@{{item}}'}}},"
		 "'z':{'url':'@z'}}}",
			"z:200", "z v[0][0]=CANCELLED/winner v[0][1]=CANCELLED/winner "
				 "v[0]=CANCELLED/winner u[0]=CANCELLED/winner "
				 "v[1]=CANCELLED/winner u[1]=CANCELLED/winner u=CANCELLED/winner",
			"./winner=z"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* Ends. */

START_TEST(ended_midway_each_item_gets_its_record)
{
	begin("{'jobs':{'p':{'each':[0,1,2,3,4],'concurrency':2,'url':'@{{item}}'},"
	      "'d':{'url':'@d','after':['p']}}}");
	world_play("0:200");
	ck_assert(graph_cancel_job(graph->graph, TEXT("p")));
	fake_pass(NS_PER_MS);
	world_assert_fates(graph, "p[0] p[1]=CANCELLED/client p[2]=CANCELLED/client "
				  "p[3]=CANCELLED/client p[4]=CANCELLED/client "
				  "p=CANCELLED/client d=DEPENDENCY_REJECTED");
	world_assert_says(graph, "p[1]/reason/sent=full p[4]/reason/sent=none p[4]/item=4 "
				 "./jobs=6 ./rejected=5 d/reason/root=p");
	ck_assert_uint_eq(world_n_on_wire(), 0);
	end();

	/* Between two batches. */
	begin("{'jobs':{'p':{'each':{'in':[0,1],'batch':{'size':1,'delay':9}},'url':'@{{item}}'}}}");
	world_play("0:200");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_MS);
	world_assert_fates(graph, "p[0] p[1]=CANCELLED/client p=CANCELLED/client");
	ck_assert(graph->done);
	end();

	/* By a timeout of what is around it. */
	begin("{'jobs':{'g':{'timeout':1,'jobs':{'p':{'each':[0,1,2],'concurrency':1,"
	      "'url':'@{{item}}'}}}}}");
	world_play("0:200 +1000");
	world_assert_fates(graph, "p[0] p[1]=CANCELLED/timeout p[2]=CANCELLED/timeout "
				  "p=CANCELLED/timeout g=GROUP_TIMEOUT/timeout");
	end();
}
END_TEST

START_TEST(one_child_may_be_cancelled)
{
	begin("{'jobs':{'p':{'each':[0,1],'url':'@{{item}}'},"
	      "'u':{'each':[5],'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}}}");
	ck_assert(graph_cancel_job(graph->graph, TEXT("p[1]")));
	ck_assert(graph_cancel_job(graph->graph, TEXT("a[0]")));
	fake_run();
	world_assert_fates(graph, "p[1]=CANCELLED/client a[0]=CANCELLED/client");
	ck_assert(graph_cancel_job(graph->graph, TEXT("u[0]")));
	fake_run();
	world_assert_fates(graph, "p[1]=CANCELLED/client a[0]=CANCELLED/client "
				  "b[0]=CANCELLED/client u[0]=CANCELLED/client u");
	world_play("0:200");
	world_assert_says(graph, "p/status=fulfilled p/value/rejected=1");
	end();
}
END_TEST

START_TEST(a_slow_reader_holds_up_the_making_of_children)
{
	begin("{'jobs':{'s':{'url':'@s'},'p':{'each':'{{s}}','concurrency':1,"
	      "'url':'@{{item}}'}}}");
	graph_pause(graph->graph, true);
	world_play("s:200=[1,2] +1000");
	ck_assert_uint_eq(world_n_children(graph, "p"), 0);
	graph_pause(graph->graph, false);
	fake_run();
	world_assert_on_wire("/1");
	graph_pause(graph->graph, true);
	world_play("1:200 +1000");
	world_assert_fates(graph, "s p[0]");
	world_assert_on_wire("");
	/* An end, too: of what is on the wire alone. */
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(NS_PER_S);
	world_assert_fates(graph, "s p[0]");
	graph_pause(graph->graph, false);
	fake_run();
	world_assert_fates(graph, "s p[0] p[1]=CANCELLED/client p=CANCELLED/client");
	end();
}
END_TEST

/* Memory. */

START_TEST(outcomes_are_kept_for_who_asks_and_no_longer)
{
	/* Nobody asks. */
	begin("{'jobs':{'p':{'each':[0,1],'url':'@{{item}}'},'d':{'url':'@d','after':['p']}}}");
	world_play("0:200=12345 1:200=12345");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	world_play("d:200");
	end();

	begin("{'jobs':{'p':{'each':[0,1],'url':'@{{item}}'},'d':{'url':'@d/{{p#/1}}'},"
	      "'z':{'url':'@z'}}}");
	world_play("0:200=[5]");
	ck_assert_uint_eq(world.scheduler.body_bytes, 3);
	world_play("1:200=6");
	/* "[[5],6]" alone: the children's bodies are in it. */
	ck_assert_uint_eq(world.scheduler.body_bytes, 7);
	world_play("d/6:200");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	end();

	/* What an instance's jobs say goes with the instance. */
	begin("{'jobs':{'p':{'each':[0,1],'jobs':{'a':{'url':'@a{{item}}'},"
	      "'b':{'url':'@b{{a}}'}}},'z':{'url':'@z'}}}");
	world_play("a0:200=77");
	ck_assert_uint_eq(world.scheduler.body_bytes, 2);
	world_play("a1:200=88 b77:200");
	ck_assert_uint_eq(world.scheduler.body_bytes, 2);
	world_play("b88:200");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	end();

	/* What is outside is kept until the whole has settled. */
	begin("{'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[0,1],'concurrency':1},'jobs':{"
	      "'a':{'url':'@a{{x}}'}}},'z':{'url':'@z'}}}");
	world_play("x:200=77 a77:200");
	ck_assert_uint_eq(world.scheduler.body_bytes, 2);
	world_play("a77:200");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	end();

	/* A fan-out that is ended keeps nothing. */
	begin("{'jobs':{'p':{'each':[0,1],'url':'@{{item}}'},'d':{'url':'@d/{{p#/1}}'},"
	      "'z':{'url':'@z'}}}");
	world_play("0:200=[5]");
	graph_cancel_job(graph->graph, TEXT("p"));
	fake_run();
	world_assert_fate(graph, "d", "DEPENDENCY_REJECTED");
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	end();
}
END_TEST

static size_t scope_size(unsigned n_jobs)
{
	return sizeof(struct scope) + n_jobs * sizeof(struct job);
}

START_TEST(without_memory_for_a_child_the_whole_is_rejected_as_overloaded)
{
	begin("{'jobs':{'p':{'each':[0,1,2],'concurrency':1,'url':'@{{item}}'},"
	      "'d':{'url':'@d','after':['p']}}}");
	memory_fail_object(scope_size(1));
	world_play("0:200");
	ck_assert(memory_has_failed());
	world_assert_fates(graph, "p[0] p=OVERLOADED d=DEPENDENCY_REJECTED");
	ck_assert(graph->done);
	end();

	/* With others at work. */
	begin("{'jobs':{'p':{'each':[0,1,2],'concurrency':2,'url':'@{{item}}'}}}");
	memory_fail_object(scope_size(1));
	world_play("0:200");
	ck_assert(memory_has_failed());
	world_assert_fates(graph, "p[0] p[1]=CANCELLED p=OVERLOADED");
	ck_assert(graph->done);
	ck_assert_uint_eq(world_n_on_wire(), 0);
	end();

	/* Its groups' memory. */
	begin("{'jobs':{'p':{'each':[0,1,2],'concurrency':1,'mode':'all','jobs':{"
	      "'a':{'url':'@{{item}}'}}}}}");
	memory_fail_object(scope_size(2));
	world_play("0:200");
	ck_assert(memory_has_failed());
	world_assert_fates(graph, "a[0] p[0] p=OVERLOADED");
	end();
}
END_TEST

START_TEST(without_memory_an_ended_fan_out_settles_all_the_same)
{
	begin("{'jobs':{'p':{'each':[0,1,2,3],'concurrency':1,'url':'@{{item}}'},"
	      "'d':{'url':'@d','after':['p'],'needs':'settled'}}}");
	world_play("0:200");
	memory_fail_object(scope_size(1));
	ck_assert(graph_cancel_job(graph->graph, TEXT("p")));
	fake_pass(NS_PER_S);
	ck_assert(memory_has_failed());
	world_assert_fate(graph, "p[1]", "CANCELLED");
	world_assert_fate(graph, "p", "CANCELLED");
	world_play("d:200");
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(without_memory_for_the_items_the_whole_is_rejected_as_overloaded)
{
	world_begin();
	graph = calloc(1, sizeof(*graph));
	world_start(graph, "{'jobs':{'p':{'each':[0,1,2,3,4,5,6],'url':'@{{item}}'},"
			   "'d':{'url':'@d/{{p}}'}}}");
	memory_fail_object(7 * sizeof(struct outcome *));
	fake_run();
	ck_assert(memory_has_failed());
	world_assert_fates(graph, "p=OVERLOADED d=DEPENDENCY_REJECTED");
	end();
}
END_TEST

UNIT_MAIN("job/each", &items_come_from_an_array_wherever_it_is,
	&what_is_no_array_or_too_long_rejects_the_whole, &all_other_keys_hold_for_each_child,
	&children_start_in_order_in_a_sliding_window,
	&a_child_in_its_backoff_keeps_its_place_in_the_window, &no_instance_waits_for_another,
	&a_window_of_instances_slides_when_a_whole_one_has_settled,
	&a_batch_is_a_barrier_and_the_delay_stands_between,
	&batches_without_delay_and_with_a_window, &no_more_than_its_window_is_in_memory,
	&without_a_window_those_that_have_not_begun_are_few,
	&very_many_items_settle_in_slices_in_little_memory,
	&what_is_outside_may_settle_before_an_instance_is_made_or_after, &fan_outs_nest,
	&ended_midway_each_item_gets_its_record, &one_child_may_be_cancelled,
	&a_slow_reader_holds_up_the_making_of_children,
	&outcomes_are_kept_for_who_asks_and_no_longer,
	&without_memory_for_a_child_the_whole_is_rejected_as_overloaded,
	&without_memory_an_ended_fan_out_settles_all_the_same,
	&without_memory_for_the_items_the_whole_is_rejected_as_overloaded)
