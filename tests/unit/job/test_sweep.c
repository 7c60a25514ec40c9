/* SPDX-License-Identifier: MIT */
#include "job/sweep.h"

#include <stdlib.h>

#include "job/graph.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static struct world_graph *graph;

/* So many jobs that wait for "a", all in a group g. */
static void begin_many(int n)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(
		&out, "{'jobs':[{'id':'a','url':'@a'},{'id':'g','mode':'all','jobs':[");
	for (int i = 0; i < n; i++)
		buffer_printf(&out, "%s{'id':'j%d','url':'@j','after':['a']}", i ? "," : "", i);
	buffer_append(&out, "]}]}", sizeof("]}]}"));
	world_begin();
	graph = calloc(1, sizeof(*graph));
	graph->counts_only = n > 100;
	world_start(graph, out.data);
	buffer_deinit(&out);
	fake_run();
}

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

START_TEST(it_goes_through_so_many_and_says_how_many_more_it_could)
{
	struct group *g;
	struct sweep *sweep;

	begin_many(10);
	g = world_job(graph, "g")->group;
	sweep = &g->sweep;
	group_end(g, (struct group_end){GROUP_CANCELLED, FAULT_CANCELLED, RECORD_BY_CLIENT});
	ck_assert(list_is_linked(&sweep->link));
	ck_assert_uint_eq(graph->n_records, 0);
	ck_assert_uint_eq(sweep_run(sweep, 4), 0);
	ck_assert_uint_eq(graph->n_records, 4);
	ck_assert(!sweep_is_over(sweep));
	ck_assert_uint_eq(sweep_run(sweep, 0), 0);
	ck_assert_uint_eq(graph->n_records, 4);
	ck_assert_uint_eq(sweep_run(sweep, 10), 4);
	ck_assert_uint_eq(graph->n_records, 10);
	ck_assert(sweep_is_over(sweep));
	ck_assert(!list_is_linked(&sweep->link));
	fake_run();
	world_assert_order(graph, "j0 j1 j2 j3 j4 j5 j6 j7 j8 j9 g");
	end();
}
END_TEST

START_TEST(what_has_settled_is_passed_over)
{
	begin_many(4);
	graph_cancel_job(graph->graph, TEXT("j2"));
	fake_run();
	world_assert_order(graph, "j2 j0 j1 j3 g");
	world_assert_says(graph, "j2/reason/by=client j3/reason/by=fail_fast "
				 "g/reason/code=JOB_REJECTED g/reason/job=j2");
	end();
}
END_TEST

START_TEST(it_is_done_in_slices_and_waits_for_a_slow_reader)
{
	uint32_t n;

	begin_many(10000);
	graph_cancel_job(graph->graph, TEXT("g"));
	fake_pass(NS_PER_MS);
	n = graph->n_records;
	ck_assert_uint_gt(n, 1000);
	ck_assert_uint_lt(n, 5000);
	graph_pause(graph->graph, true);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(graph->n_records, n);
	graph_pause(graph->graph, false);
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, 10001);
	world_answer("/a", "200 OK", "");
	ck_assert(graph->done);
	end();
}
END_TEST

/* The inner one, begun first, is not done over; who comes first to a job counts. */
START_TEST(two_sweeps_of_one_job_settle_it_once)
{
	begin_many(10000);
	graph_cancel_job(graph->graph, TEXT("g"));
	fake_pass(NS_PER_MS);
	graph_cancel(graph->graph, RECORD_BY_SHUTDOWN);
	fake_pass(20 * NS_PER_MS);
	ck_assert_uint_eq(graph->n_records, 10002);
	ck_assert(graph->done);
	end();
}
END_TEST

START_TEST(each_kind_of_end_is_handed_on)
{
	static const struct world_case cases[] = {
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'jobs':{'b':{'url':'@b'},"
		 "'h':{'jobs':{'c':{'url':'@c'},'k':{'jobs':{'d':{'url':'@d'}}}}}}}}}",
			"a:500",
			"a=HTTP_STATUS b=DEPENDENCY_REJECTED c=DEPENDENCY_REJECTED "
			"d=DEPENDENCY_REJECTED k=DEPENDENCY_REJECTED h=DEPENDENCY_REJECTED "
			"g=DEPENDENCY_REJECTED",
			"d/reason/job=a k/reason/job=a d/reason/root=a"},
		{"{'jobs':{'a':{'url':'@a'},'g':{'after':['a'],'needs':'rejected','else':1,'jobs':{"
		 "'b':{'url':'@b'},'h':{'jobs':{'c':{'url':'@c','else':2},"
		 "'k':{'jobs':{'d':{'url':'@d'}}}}}}}}}",
			"a:200", "a b/skipped c/skipped d/skipped k/skipped h/skipped g/skipped",
			"c/value/bytes=1 d/value/bytes=4"},
		{"{'mode':'all','jobs':{'a':{'url':'@a'},'g':{'jobs':{'b':{'url':'@b'},"
		 "'h':{'after':['a'],'jobs':{'c':{'url':'@c'},'k':{'jobs':{"
		 "'d':{'url':'@d'}}}}}}}}}",
			"a:500",
			"a=HTTP_STATUS b=CANCELLED/fail_fast c=CANCELLED/fail_fast "
			"d=CANCELLED/fail_fast k=CANCELLED/fail_fast h=CANCELLED/fail_fast "
			"g=CANCELLED/fail_fast",
			"d/reason/job=- ./reason/job=a"},
	};

	world_check_cases(cases, countof(cases));
}
END_TEST

/* In a flight that is shared, each is on the wire. */
START_TEST(a_slow_reader_s_end_clears_the_wire_at_once_shared_or_not)
{
	static const char *const documents[] = {
		"{'jobs':{'a':{'url':'@a'}}}",
		"{'jobs':{'a':{'url':'@a'},'b':{'url':'@a'}}}",
		"{'jobs':{'g':{'jobs':{'a':{'url':'@a'},'b':{'url':'@a'},'c':{'url':'@a'}}}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		int fd;

		begin(documents[i]);
		fd = world_fd("/a");
		graph_pause(graph->graph, true);
		graph_cancel(graph->graph, RECORD_BY_CLIENT);
		fake_run();
		ck_assert_msg(!fake_is_open(fd), "still on the wire: %s", documents[i]);
		end();
	}
}
END_TEST

UNIT_MAIN("job/sweep", &it_goes_through_so_many_and_says_how_many_more_it_could,
	&what_has_settled_is_passed_over, &it_is_done_in_slices_and_waits_for_a_slow_reader,
	&two_sweeps_of_one_job_settle_it_once, &each_kind_of_end_is_handed_on,
	&a_slow_reader_s_end_clears_the_wire_at_once_shared_or_not)
