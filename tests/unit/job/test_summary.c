/* SPDX-License-Identifier: MIT */
#include "job/summary.h"

#include "job/graph.h"
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

/* Answers after so many milliseconds. */
static void answer_after(unsigned ms, const char *target)
{
	fake_pass(ms * NS_PER_MS);
	world_answer(target, "200 OK", "");
}

START_TEST(the_critical_path_is_the_chain_that_released_the_last_one)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},'c':{'url':'@c','after':['a','b']},"
	      "'d':{'url':'@d','after':['c']},'x':{'url':'@x'}}}");
	answer_after(10, "/b");
	answer_after(10, "/a");
	answer_after(5, "/x");
	answer_after(10, "/c");
	answer_after(10, "/d");
	world_assert_done(graph, "/critical_path", "[\"a\",\"c\",\"d\"]");
	world_assert_done(graph, "/wall_ms", "45");
	/* a 20, b 10, x 25, c 15, d 10. */
	world_assert_done(graph, "/sum_ms", "80");
	world_assert_done(graph, "/speedup", "1.8");
	end();

	/* It ends where the last job settled, whoever that is. */
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']},'x':{'url':'@x'}}}");
	answer_after(1, "/a");
	answer_after(1, "/b");
	answer_after(1, "/x");
	world_assert_done(graph, "/critical_path", "[\"x\"]");
	end();
}
END_TEST

START_TEST(waits_for_slots_are_no_work)
{
	begin("{'concurrency':1,'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	answer_after(10, "/a");
	answer_after(20, "/b");
	world_assert_done(graph, "/wall_ms", "30");
	world_assert_done(graph, "/sum_ms", "30");
	world_assert_done(graph, "/speedup", "1.0");
	end();
}
END_TEST

START_TEST(shared_work_counts_for_each_as_long_as_it_shared)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@a'},'c':{'url':'@a'}}}");
	fake_pass(10 * NS_PER_MS);
	graph_cancel_job(graph->graph, TEXT("b"));
	answer_after(20, "/a");
	/* a 30, b 10, c 30. */
	world_assert_done(graph, "/sum_ms", "70");
	end();
}
END_TEST

START_TEST(rejected_and_cancelled_work_counts_as_far_as_it_went)
{
	begin("{'mode':'all','jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['a']}}}");
	fake_pass(10 * NS_PER_MS);
	world_answer("/b", "500 No", "");
	fake_pass(10 * NS_PER_MS);
	world_assert_done(graph, "/sum_ms", "20");
	world_assert_done(graph, "/jobs", "3");
	world_assert_done(graph, "/fulfilled", "0");
	world_assert_done(graph, "/rejected", "3");
	world_assert_done(graph, "/skipped", "0");
	end();
}
END_TEST

START_TEST(a_dependent_of_a_rejected_job_is_on_the_path_behind_it)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b','after':['a']}}}");
	world_answer("/a", "500 No", "");
	world_assert_done(graph, "/critical_path", "[\"a\",\"b\"]");
	end();
}
END_TEST

START_TEST(return_is_filled_and_what_is_missing_is_null)
{
	begin("{'input':{'n':9007199254740993},'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
	      "'c':{'url':'@c','after':['b']}},'return':{'whole':'{{a}}','part':'{{a#/x}}',"
	      "'none':'{{a#/none}}','default':'{{a#/none ?? 1}}','of b':'{{b}}',"
	      "'code':'{{b.code}}','of c':'{{c}}','status of c':'{{c.status}}',"
	      "'text':'<{{a#/x}}{{c}}>','n':'{{input#/n}}','plain':[1.50,null]}}");
	world_answer("/a", "200 OK", "{\"x\": \"y\"}");
	world_answer("/b", "500 No", "sorry");
	world_assert_done(graph, "/return",
		"{\"whole\":{\"x\":\"y\"},\"part\":\"y\",\"none\":null,\"default\":1,"
		"\"of b\":\"sorry\",\"code\":\"HTTP_STATUS\",\"of c\":null,\"status of c\":null,"
		"\"text\":\"<y>\",\"n\":9007199254740993,\"plain\":[1.50,null]}");
	end();
}
END_TEST

START_TEST(without_return_there_is_none)
{
	begin("{'jobs':{'a':{'url':'@a'}}}");
	world_answer("/a", "200 OK", "");
	world_assert_done(graph, "/return", "-");
	world_assert_done(graph, "/graph", "-");
	world_assert_done(graph, "/reason", "-");
	end();

	/* A null is one. */
	begin("{'jobs':{},'return':null}");
	world_assert_done(graph, "/return", "null");
	end();
}
END_TEST

START_TEST(return_of_an_ended_graph_has_what_there_is)
{
	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}},"
	      "'return':{'a':'{{a}}','b':'{{b}}','c':'{{b.code}}'}}");
	world_answer("/a", "200 OK", "1");
	graph_cancel(graph->graph, RECORD_BY_CLIENT);
	fake_pass(10 * NS_PER_MS);
	world_assert_decided(graph, "/return", "-");
	world_assert_done(graph, "/return", "{\"a\":1,\"b\":null,\"c\":\"CANCELLED\"}");
	end();
}
END_TEST

START_TEST(a_decision_tells_what_is_known_then)
{
	struct record_summary summary;

	begin("{'name':'n','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	world_answer("/a", "200 OK", "");
	fake_pass(7 * NS_PER_MS);
	summary = summary_of_decision(graph->graph);
	ck_assert(text_is(summary.graph, "n"));
	ck_assert_uint_eq(summary.jobs, 2);
	ck_assert_uint_eq(summary.fulfilled, 1);
	ck_assert_uint_eq(summary.wall_ns, 7 * NS_PER_MS);
	ck_assert(!summary.is_rejected);
	ck_assert_ptr_null(summary.reason.fault);
	ck_assert_ptr_null(summary.critical_path);
	ck_assert_ptr_null(summary.result.data);
	end();
}
END_TEST

START_TEST(numbers_stay_numbers_at_their_limits)
{
	static const struct {
		uint64_t wall_ns, sum_ns;
		const char *wall, *sum, *speedup;
	} cases[] = {
		{0, 0, "0", "0", "0.0"},
		{0, 1000000, "0", "1", "0.0"},
		{1, UINT64_MAX, "0", "18446744073709.552", "1844674407370955161.5"},
		{UINT64_MAX, UINT64_MAX, "18446744073709.552", "18446744073709.552", "1.0"},
		{3000000, 1000000, "3", "1", "0.3"},
		{1000000, 1949999, "1", "1.95", "1.9"},
		{1234567, 1000, "1.235", "0.001", "0.0"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct record_summary summary = {
			.jobs = UINT32_MAX,
			.fulfilled = UINT32_MAX,
			.rejected = UINT32_MAX,
			.skipped = UINT32_MAX,
			.wall_ns = cases[i].wall_ns,
			.sum_ns = cases[i].sum_ns,
		};
		struct json_error error;
		struct buffer out;
		yyjson_doc *doc;
		yyjson_val *root;

		buffer_init(&out, SIZE_MAX);
		record_append_summary(&out, &summary);
		doc = json_read(buffer_text(&out), &error);
		ck_assert_msg(doc, "%.*s", TEXT_ARGS(buffer_text(&out)));
		root = yyjson_doc_get_root(doc);
		ck_assert_msg(text_is(json_number(yyjson_obj_get(root, "wall_ms")), cases[i].wall),
			"%.*s", TEXT_ARGS(buffer_text(&out)));
		ck_assert_msg(text_is(json_number(yyjson_obj_get(root, "sum_ms")), cases[i].sum),
			"%.*s", TEXT_ARGS(buffer_text(&out)));
		ck_assert_msg(
			text_is(json_number(yyjson_obj_get(root, "speedup")), cases[i].speedup),
			"%.*s", TEXT_ARGS(buffer_text(&out)));
		ck_assert(text_is(json_number(yyjson_obj_get(root, "jobs")), "4294967295"));
		yyjson_doc_free(doc);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(it_outlives_its_graph)
{
	struct summary summary;

	begin("{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}},'return':'{{a}}'}");
	world_answer("/a", "200 OK", "[1, 2]");
	summary_init(&summary, graph->graph);
	ck_assert(text_is(summary.record.result, "[1,2]"));
	ck_assert_uint_eq(summary.record.n_critical_path, 1);
	world_give_up(graph);
	summary_deinit(&summary);
	world_end();
}
END_TEST

UNIT_MAIN("job/summary", &the_critical_path_is_the_chain_that_released_the_last_one,
	&waits_for_slots_are_no_work, &shared_work_counts_for_each_as_long_as_it_shared,
	&rejected_and_cancelled_work_counts_as_far_as_it_went,
	&a_dependent_of_a_rejected_job_is_on_the_path_behind_it,
	&return_is_filled_and_what_is_missing_is_null, &without_return_there_is_none,
	&return_of_an_ended_graph_has_what_there_is, &a_decision_tells_what_is_known_then,
	&numbers_stay_numbers_at_their_limits, &it_outlives_its_graph)
