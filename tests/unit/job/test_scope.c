/* SPDX-License-Identifier: MIT */
#include "job/scope.h"

#include "job/graph.h"
#include "job/name.h"
#include "proto/json.h"
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

static uint32_t place_of(const char *id)
{
	return plan_index(graph->graph->plan, plan_find(graph->graph->plan, text_from(id)));
}

/* A fan-out of groups, in which a fan-out of leaves; and what is around them. */
static void begin_nested(void)
{
	begin("{'jobs':{'x':{'url':'@x'},'p':{'each':[[1,2],[3]],'jobs':{'a':{'url':'@a'},"
	      "'q':{'each':'{{item}}','url':'@q{{item}}'},'z':{'url':'@z'}}},"
	      "'y':{'url':'@y'}}}");
}

START_TEST(a_job_is_found_from_inside_out_and_never_from_outside_in)
{
	struct scope *root, *outer, *inner;

	begin_nested();
	root = graph->graph->root;
	outer = world_job(graph, "a[1]")->scope;
	inner = world_job(graph, "q[1][0]")->scope;
	/* Its own. */
	ck_assert_ptr_eq(scope_job(root, place_of("x")), world_job(graph, "x"));
	ck_assert_ptr_eq(scope_job(outer, place_of("a")), world_job(graph, "a[1]"));
	ck_assert_ptr_eq(scope_job(inner, place_of("q") + 1), world_job(graph, "q[1][0]"));
	/* What is around it: of the same instance. */
	ck_assert_ptr_eq(scope_job(inner, place_of("z")), world_job(graph, "z[1]"));
	ck_assert_ptr_eq(scope_job(inner, place_of("y")), world_job(graph, "y"));
	ck_assert_ptr_eq(scope_job(outer, place_of("p")), world_job(graph, "p"));
	ck_assert_ptr_eq(scope_job(inner, place_of("p") + 1), world_job(graph, "p[1]"));
	/* What is inside of something else. */
	ck_assert_ptr_null(scope_job(root, place_of("a")));
	ck_assert_ptr_null(scope_job(root, place_of("p") + 1));
	ck_assert_ptr_null(scope_job(outer, place_of("q") + 1));
	end();
}
END_TEST

START_TEST(what_is_in_a_scope_is_what_is_not_in_a_fan_out_of_it)
{
	struct scope *outer;
	uint32_t p, q;

	begin_nested();
	outer = world_job(graph, "a[0]")->scope;
	p = place_of("p");
	q = place_of("q");
	ck_assert(scope_has(graph->graph->root, p));
	ck_assert(!scope_has(graph->graph->root, p + 1));
	ck_assert(!scope_has(graph->graph->root, q));
	ck_assert(scope_has(outer, p + 1));
	ck_assert(scope_has(outer, q));
	ck_assert(!scope_has(outer, q + 1));
	ck_assert(!scope_has(outer, p));
	/* The next place skips what is inside. */
	ck_assert_uint_eq(scope_next(graph->graph->root, place_of("x")), p);
	ck_assert_uint_eq(scope_next(graph->graph->root, p), place_of("y"));
	ck_assert_uint_eq(scope_next(outer, p + 1), place_of("a"));
	ck_assert_uint_eq(scope_next(outer, q), place_of("z"));
	end();
}
END_TEST

START_TEST(each_has_its_item)
{
	struct scope *inner;

	begin_nested();
	inner = world_job(graph, "q[0][1]")->scope;
	ck_assert_uint_eq(inner->item_index, 1);
	ck_assert(text_is(json_number(inner->item), "2"));
	ck_assert_ptr_eq(inner->each, world_job(graph, "q[0]"));
	ck_assert_uint_eq(yyjson_arr_size(world_job(graph, "a[1]")->scope->item), 1);
	end();
}
END_TEST

/* "p[0] p[1]": the jobs at that place in the scopes that are inside of this one. */
static void assert_walk(struct scope *scope, uint32_t place, const char *names)
{
	struct scope_walk walk;
	struct buffer found;
	char memory[JOB_NAME_MAX];

	buffer_init(&found, SIZE_MAX);
	scope_walk_init(&walk, scope, place);
	for (struct scope *at; (at = scope_walk_next(&walk, scope));) {
		if (found.size > 0)
			buffer_append_byte(&found, ' ');
		ck_assert(scope_has(at, place));
		buffer_append_text(&found, job_name(scope_job(at, place), memory));
	}
	ck_assert_msg(text_is(buffer_text(&found), names), "%.*s", TEXT_ARGS(buffer_text(&found)));
	buffer_deinit(&found);
}

START_TEST(all_scopes_inside_of_one_are_walked_through)
{
	struct scope *root;

	begin("{'jobs':{'u':{'each':[[[1,2],[]],[],[[],[3],[4]]],'jobs':{"
	      "'v':{'each':'{{item}}','jobs':{'w':{'each':'{{item}}','url':'@w',"
	      "'dedupe':false}}}}},'x':{'url':'@x'}}}");
	root = graph->graph->root;
	/* Those without children have settled, and are gone. */
	assert_walk(root, place_of("u") + 1, "u[0] u[2]");
	assert_walk(root, place_of("v"), "v[0] v[2]");
	assert_walk(root, place_of("v") + 1, "v[0][0] v[2][1] v[2][2]");
	assert_walk(root, place_of("w") + 1, "w[0][0][0] w[0][0][1] w[2][1][0] w[2][2][0]");
	assert_walk(world_job(graph, "u[0]")->scope, place_of("v") + 1, "v[0][0]");
	assert_walk(world_job(graph, "u[2]")->scope, place_of("w") + 1, "w[2][1][0] w[2][2][0]");
	assert_walk(world_job(graph, "v[2][1]")->scope, place_of("w") + 1, "w[2][1][0]");
	graph_cancel_job(graph->graph, TEXT("u"));
	fake_run();
	assert_walk(root, place_of("w") + 1, "");
	end();
}
END_TEST

START_TEST(it_goes_when_all_in_it_has_settled_and_is_off_the_wire)
{
	int fd;

	begin("{'jobs':{'p':{'each':[1,2],'mode':'settled','jobs':{'a':{'url':'@a{{item}}'},"
	      "'b':{'url':'@b{{item}}'}}}}}");
	ck_assert_uint_eq(world_n_children(graph, "p"), 2);
	world_play("a1:200 b1:200");
	ck_assert_uint_eq(world_n_children(graph, "p"), 1);
	/* All its records are there, but not all its places are free. */
	fd = world_fd("/a2");
	fake_holds.closes = true;
	graph_cancel_job(graph->graph, TEXT("p[1]"));
	fake_run();
	world_assert_fate(graph, "p", "fulfilled");
	ck_assert_uint_eq(world_n_children(graph, "p"), 1);
	ck_assert_uint_eq(graph->graph->group.requests.used, 2);
	ck_assert(!graph->done);
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_holds.closes = false;
	fake_complete(FAKE_CLOSE, -1, 0);
	fake_run();
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(a_scope_has_begun_when_one_of_its_jobs_has_had_its_turn)
{
	struct group *p;

	begin("{'concurrency':1,'jobs':{'p':{'each':[[1,2],[3]],'jobs':{"
	      "'q':{'each':'{{item}}','url':'@q{{item}}','dedupe':false},"
	      "'n':{'url':'@n','after':['q']}}}}}");
	p = world_job(graph, "p")->group;
	world_assert_on_wire("/q1");
	/* From the inside out. */
	ck_assert(world_job(graph, "q[0][0]")->scope->has_begun);
	ck_assert(world_job(graph, "n[0]")->scope->has_begun);
	ck_assert(!world_job(graph, "q[0][1]")->scope->has_begun);
	ck_assert(!world_job(graph, "n[1]")->scope->has_begun);
	ck_assert_uint_eq(p->each.n_fresh, 1);
	graph_cancel_job(graph->graph, TEXT("n[1]"));
	fake_run();
	ck_assert_uint_eq(p->each.n_fresh, 0);
	end();
}
END_TEST

START_TEST(leaves_are_counted_as_they_become_known)
{
	begin("{'jobs':{'s':{'url':'@s'},'p':{'each':'{{s}}','concurrency':1,'jobs':{"
	      "'a':{'url':'@a{{item}}'},'b':{'url':'@b{{item}}','after':['a']}}}}}");
	ck_assert_uint_eq(graph->graph->n_leaves, 1);
	world_play("s:200=[1,2]");
	ck_assert_uint_eq(graph->graph->n_leaves, 3);
	world_play("a1:200 b1:200");
	ck_assert_uint_eq(graph->graph->n_leaves, 5);
	ck_assert_uint_eq(graph->graph->n_settled, 3);
	end();
}
END_TEST

UNIT_MAIN("job/scope", &a_job_is_found_from_inside_out_and_never_from_outside_in,
	&what_is_in_a_scope_is_what_is_not_in_a_fan_out_of_it, &each_has_its_item,
	&all_scopes_inside_of_one_are_walked_through,
	&it_goes_when_all_in_it_has_settled_and_is_off_the_wire,
	&a_scope_has_begun_when_one_of_its_jobs_has_had_its_turn,
	&leaves_are_counted_as_they_become_known)
