/* SPDX-License-Identifier: MIT */
#include "job/name.h"

#include "job/graph.h"
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

/* A leaf, a group, a fan-out, one of groups, and one in it; and a fan-out in a group. */
static void begin_all(void)
{
	begin("{'jobs':{'a':{'url':'@a'},'g':{'jobs':{'b':{'url':'@b'},"
	      "'f':{'each':[1],'url':'@f'}}},"
	      "'p':{'each':[0,1,2],'url':'@p{{item}}'},"
	      "'u':{'each':[[1],[2,3]],'jobs':{'c':{'url':'@c'},"
	      "'v':{'each':'{{item}}','url':'@v'},'h':{'jobs':{'d':{'url':'@d'}}}}}}}");
}

START_TEST(every_job_is_found_by_the_name_in_its_record)
{
	static const char *const names[] = {"a", "g", "b", "f", "f[0]", "p", "p[0]", "p[1]", "p[2]",
		"u", "u[0]", "u[1]", "c[0]", "c[1]", "v[0]", "v[1]", "v[0][0]", "v[1][0]",
		"v[1][1]", "h[0]", "h[1]", "d[0]", "d[1]"};
	char memory[JOB_NAME_MAX];

	begin_all();
	for (size_t i = 0; i < countof(names); i++) {
		const struct job *job = graph_find(graph->graph, text_from(names[i]));
		struct text name;

		ck_assert_msg(job, "no %s", names[i]);
		name = job_name(job, memory);
		ck_assert_msg(text_is(name, names[i]), "%s is %.*s", names[i], TEXT_ARGS(name));
		/* No two have the same. */
		for (size_t k = 0; k < i; k++)
			ck_assert_ptr_ne(job, graph_find(graph->graph, text_from(names[k])));
	}
	end();
}
END_TEST

START_TEST(what_is_no_name_of_a_job_is_not_found)
{
	static const char *const names[] = {"", "n", "[0]", "a[0]", "b[0]", "g[0]", "p[3]",
		"p[0][0]", "p[", "p[]", "p[0", "p0]", "p[0]x", "p[0].", "p[-1]", "p[+1]", "p[ 1]",
		"p[1 ]", "p[0x1]", "p[99999999999]", "p[4294967296]", "p[18446744073709551616]",
		"p[a]", "u[2]", "c", "c[2]", "c[0][0]", "v", "v[0][1]", "v[0][0][0]", "v[2][0]",
		"h", "d", "item", "input", "a "};
	char deep[3 * 2 * PLAN_DEPTH_MAX + 2] = "p";

	begin_all();
	for (size_t i = 0; i < countof(names); i++)
		ck_assert_msg(!graph_find(graph->graph, text_from(names[i])), "%s", names[i]);
	/* More numbers than fan-outs can nest. */
	for (size_t size = 1; size + 3 < sizeof(deep); size += 3)
		memcpy(deep + size, "[0]", 3);
	ck_assert_ptr_null(graph_find(graph->graph, text_from(deep)));
	end();
}
END_TEST

START_TEST(a_child_is_found_from_its_making_to_its_end)
{
	begin("{'jobs':{'p':{'each':[0,1,2],'concurrency':1,'url':'@{{item}}'}}}");
	ck_assert_ptr_nonnull(graph_find(graph->graph, TEXT("p[0]")));
	ck_assert_ptr_null(graph_find(graph->graph, TEXT("p[1]")));
	ck_assert(!graph_cancel_job(graph->graph, TEXT("p[1]")));
	world_play("0:200");
	ck_assert_ptr_null(graph_find(graph->graph, TEXT("p[0]")));
	ck_assert_ptr_nonnull(graph_find(graph->graph, TEXT("p[1]")));
	world_play("1:200 2:200");
	ck_assert(graph->done);
	end();
}
END_TEST

/* The longest id there may be, in as many fan-outs as there may be. */
START_TEST(the_longest_name_fits)
{
	struct buffer out, name;
	int depth = 31;

	buffer_init(&out, SIZE_MAX);
	buffer_init(&name, SIZE_MAX);
	buffer_append_literal(&out, "{'jobs':{");
	for (int i = 0; i < depth - 1; i++)
		buffer_printf(&out, "'g%d':{'each':[0],'jobs':{", i);
	buffer_printf(&out, "'%064d':{'each':[0],'url':'@x'}", 1);
	for (int i = 0; i < depth - 1; i++)
		buffer_append_literal(&out, "}}");
	buffer_append(&out, "}}", sizeof("}}"));
	buffer_printf(&name, "%064d", 1);
	for (int i = 0; i < depth; i++)
		buffer_append_literal(&name, "[0]");
	buffer_append_byte(&name, '\0');
	begin(out.data);
	ck_assert_ptr_nonnull(graph_find(graph->graph, text_from(name.data)));
	world_play("x:200");
	world_assert_fate(graph, name.data, "fulfilled");
	ck_assert(graph->done);
	end();
	buffer_deinit(&out);
	buffer_deinit(&name);
}
END_TEST

START_TEST(the_first_cause_is_named_as_it_is_seen_from_where_it_is_told)
{
	char memory[JOB_NAME_MAX];
	struct job *d;

	begin("{'jobs':{'u':{'each':{'in':[0,1],'mode':'all'},'jobs':{"
	      "'v':{'each':{'in':[0,1],'mode':'all'},'url':'@v{{item}}','dedupe':false},"
	      "'d':{'url':'@d','after':['v']}},'mode':'all'},'e':{'url':'@e','after':['u']},"
	      "'z':{'url':'@z'}}}");
	/* Itself. */
	d = world_job(graph, "d[0]");
	ck_assert(text_is(job_root_name(d, memory), "d[0]"));
	world_play("v1:500");
	world_assert_says(graph, "v[0][1]/reason/code=HTTP_STATUS v[0]/reason/job=v[0][1] "
				 "u[0]/reason/job=v[0] u/reason/job=u[0] e/reason/job=u "
				 "e/reason/root=v[0][1]");
	d = world_job(graph, "e");
	ck_assert(text_is(job_root_name(d, memory), "v[0][1]"));
	end();
}
END_TEST

UNIT_MAIN("job/name", &every_job_is_found_by_the_name_in_its_record,
	&what_is_no_name_of_a_job_is_not_found, &a_child_is_found_from_its_making_to_its_end,
	&the_longest_name_fits, &the_first_cause_is_named_as_it_is_seen_from_where_it_is_told)
