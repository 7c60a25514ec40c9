/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

#define TITLES "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

static struct render *begin(struct sink *sink, const struct plan *plan)
{
	sink_init(sink, -1, SINK_RAW);
	return render_joblog_new(&(struct render_options){
		.sink = sink, .plan = plan, .submitted_unix_ns = UINT64_C(1700000000123456789)});
}

START_TEST(has_a_line_for_each_leaf)
{
	static const struct {
		const char *job, *line;
	} cases[] = {
		{"gone", "11\tapi.local\t1700000000.123\t0.000\t0\t4\t0\t0\thttp://api.local/"
			 "gone\n"},
		{"us", "5\tus.local\t1700000000.123\t0.009\t0\t0\t1\t15\thttp://us.local/x\n"},
		{"user",
			"1\tapi.local\t1700000000.123\t0.012\t0\t5\t0\t0\thttp://api.local/user\n"},
		{"posts[7]", "6\tapi.local\t1700000000.136\t0.008\t0\t6\t1\t0\thttp://api.local/"
			     "posts/7\n"},
		{"posts", ""},
		/* The wait for a place is no part of it. */
		{"audit", "10\tapi.local\t1700000000.168\t0.015\t0\t5\t0\t0\thttp://api.local/"
			  "audit\n"},
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);
	size_t at = 0;

	render_finish(render, &sample_end);
	sample_expect(&sink, TITLES);
	for (size_t i = 0; i < countof(sample_settled); i++) {
		if (at == countof(cases) || strcmp(sample_settled[i].job, cases[at].job) != 0)
			continue;
		sample_settle(render, &sample_settled[i]);
		sample_expect(&sink, cases[at++].line);
	}
	ck_assert_uint_eq(at, countof(cases));
	render_free(render);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(names_the_job_where_there_is_no_url)
{
	struct sink sink;
	struct render *render = begin(&sink, NULL);
	struct render_record record = sample_audit;

	record.job = TEXT("a\tb\nc");
	render_record(render, &record);
	sample_expect(&sink, TITLES "3\t:\t1700000000.123\t0.000\t0\t0\t1\t0\ta?b?c\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(names_the_child_that_was_never_sent)
{
	static const struct render_record record = {
		.job = TEXT_INIT("posts[3]"),
		.json = TEXT_INIT("{\"reason\":{\"code\":\"CANCELLED\"}}"),
		.index = 5,
		.is_rejected = true,
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);

	render_record(render, &record);
	sample_expect(&sink, TITLES "6\t:\t1700000000.123\t0.000\t0\t0\t1\t15\tposts[3]\n");
	render_free(render);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

UNIT_MAIN("client/joblog", &has_a_line_for_each_leaf, &names_the_job_where_there_is_no_url,
	&names_the_child_that_was_never_sent)
