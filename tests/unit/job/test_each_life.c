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
		fake_pass(NS_PER_MS);
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
		fake_pass(NS_PER_MS);
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

/* Of all fan-outs together. */

START_TEST(every_fan_out_goes_on_whatever_the_others_have)
{
	struct buffer out;
	unsigned n_max = 0, n_answered = 0;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'concurrency':3,'jobs':[");
	for (int i = 0; i < 10; i++) {
		buffer_printf(&out, "%s{'id':'p%d','each':{'in':[0", i ? "," : "", i);
		for (int k = 1; k < 1000; k++)
			buffer_printf(&out, ",%d", k);
		buffer_append_literal(
			&out, "],'concurrency':'unbounded'},'dedupe':false,'url':'@x'}");
	}
	buffer_append(&out, "]}", sizeof("]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = true;
	world_start(graph, out.data);
	buffer_deinit(&out);
	for (; n_answered < 20000; n_answered++) {
		fake_pass(NS_PER_MS);
		if (graph->done)
			break;
		n_max = graph->graph->n_fresh > n_max ? graph->graph->n_fresh : n_max;
		world_answer("/x", "200 OK", "");
	}
	ck_assert_uint_eq(n_answered, 10000);
	ck_assert_uint_gt(n_max, EACH_FRESH_MAX);
	ck_assert_uint_le(n_max, GRAPH_FRESH_MAX + 10 * EACH_FRESH_MAX / 16);
	world_assert_done(graph, "/fulfilled", "10000");
	end();
}
END_TEST

/* All have begun, and all wait for what is outside. */
START_TEST(so_many_are_alive_and_no_more)
{
	begin_many("{'input':0,'jobs':{'x':{'url':'@x'},'p':{'each':{'in':[%s],"
		   "'concurrency':'unbounded'},'jobs':{'a':{'url':'@a','when':{'input':1}},"
		   "'b':{'url':'@b','after':['x'],'when':{'input':1}}}}}}",
		MANY);
	for (int ms = 0; ms < 1000; ms++)
		fake_pass(NS_PER_MS);
	ck_assert_uint_eq(graph->graph->n_scopes, GRAPH_SCOPES_MAX);
	ck_assert_uint_eq(graph->n_leaves, GRAPH_SCOPES_MAX);
	world_answer("/x", "200 OK", "");
	for (int ms = 0; ms < 60000 && !graph->done; ms++) {
		ck_assert_uint_le(graph->graph->n_scopes, GRAPH_SCOPES_MAX);
		fake_pass(NS_PER_MS);
	}
	world_assert_done(graph, "/skipped", "200000");
	end();
}
END_TEST

/* Its own children stand still, and others make room. */
START_TEST(who_had_no_room_goes_on_when_others_make_some)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "{'input':0,'jobs':{'x':{'url':'@x'},'y':{'url':'@y'},"
				    "'z':{'url':'@z'},'q':{'after':['z'],'each':{'in':[0");
	for (int i = 1; i < 500; i++)
		buffer_printf(&out, ",%d", i);
	buffer_append_literal(&out,
		"],'concurrency':'unbounded'},'jobs':{'c':{'url':'@c','when':{'input':1}},"
		"'d':{'url':'@d','after':['y'],'when':{'input':1}}}},"
		"'p':{'each':{'in':[%s],'concurrency':'unbounded'},"
		"'jobs':{'a':{'url':'@a','when':{'input':1}},"
		"'b':{'url':'@b','after':['x'],'when':{'input':1}}}}}}");
	buffer_append_byte(&out, '\0');
	/* It has all its children; there is nobody else who makes any. */
	begin_many(out.data, GRAPH_SCOPES_MAX);
	buffer_deinit(&out);
	for (int ms = 0; ms < 1000; ms++)
		fake_pass(NS_PER_MS);
	ck_assert_uint_eq(graph->graph->n_scopes, GRAPH_SCOPES_MAX);
	/* Some, however full it is. */
	world_answer("/z", "200 OK", "");
	fake_pass(100 * NS_PER_MS);
	ck_assert_uint_ge(world_n_children(graph, "q"), 1);
	ck_assert_uint_lt(world_n_children(graph, "q"), 500);
	world_answer("/x", "200 OK", "");
	for (int ms = 0; ms < 60000 && world_n_children(graph, "p") > 0; ms++)
		fake_pass(NS_PER_MS);
	ck_assert_uint_eq(world_n_children(graph, "q"), 500);
	world_answer("/y", "200 OK", "");
	fake_pass(100 * NS_PER_MS);
	world_assert_done(graph, "/skipped", "132072");
	end();
}
END_TEST

/* An outer one that has filled the graph must not keep its own inner ones from going on. */
START_TEST(inner_fan_outs_go_on_when_the_outer_one_has_filled_the_graph)
{
	begin_many("{'concurrency':2,'jobs':{'p':{'each':{'in':[%s],'concurrency':'unbounded'},"
		   "'jobs':{'q':{'each':[1,2,3],'url':'@x','dedupe':false}}}}}",
		3000);
	for (int i = 0; i < 20000; i++) {
		fake_pass(NS_PER_MS);
		if (graph->done)
			break;
		world_answer("/x", "200 OK", "");
	}
	world_assert_done(graph, "/fulfilled", "9000");
	end();
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
			"z:200",
			"z v[0][0]=CANCELLED/winner v[1]=CANCELLED/winner "
			"u[1]=CANCELLED/winner v[0][1]=CANCELLED/winner "
			"v[0]=CANCELLED/winner u[0]=CANCELLED/winner u=CANCELLED/winner",
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
	begin("{'jobs':{'p':{'each':{'in':[0,1],'batch':{'size':1,'delay':9}},'url':'@{{item}}'}}"
	      "}");
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

UNIT_MAIN("job/each_life", &no_more_than_its_window_is_in_memory,
	&without_a_window_those_that_have_not_begun_are_few,
	&very_many_items_settle_in_slices_in_little_memory,
	&every_fan_out_goes_on_whatever_the_others_have, &so_many_are_alive_and_no_more,
	&who_had_no_room_goes_on_when_others_make_some,
	&inner_fan_outs_go_on_when_the_outer_one_has_filled_the_graph,
	&what_is_outside_may_settle_before_an_instance_is_made_or_after, &fan_outs_nest,
	&ended_midway_each_item_gets_its_record, &one_child_may_be_cancelled,
	&a_slow_reader_holds_up_the_making_of_children,
	&outcomes_are_kept_for_who_asks_and_no_longer,
	&without_memory_for_a_child_the_whole_is_rejected_as_overloaded,
	&without_memory_an_ended_fan_out_settles_all_the_same,
	&without_memory_for_the_items_the_whole_is_rejected_as_overloaded)
