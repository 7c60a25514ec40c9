/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/golden.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

static struct render *begin(struct sink *sink, const struct plan *plan)
{
	sink_init(sink, -1, SINK_RAW);
	return render_tap_new(&(struct render_options){.sink = sink, .plan = plan});
}

START_TEST(is_a_test_run)
{
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin(&sink, plan);

	sample_settle_all(render);
	golden_expect("tap", buffer_text(&sink.buffer));
	render_free(render);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(streams)
{
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_record(render, &sample_user);
	sample_expect(&sink, "TAP version 14\nok 1 - user # 200 in 10.2 ms\n");
	/* Without a plan every rejection counts. */
	render_record(render, &sample_profile);
	sample_expect(&sink, "not ok 2 - profile # 503 in 2.00 s\n"
			     "  ---\n"
			     "  code: \"HTTP_STATUS\"\n"
			     "  message: \"503 Service Unavailable\"\n"
			     "  status: 503\n"
			     "  url: \"http://api.local/p\"\n"
			     "  body: \"oops\"\n"
			     "  ...\n");
	render_finish(render, &sample_end);
	sample_expect(&sink, "1..2\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(fails_where_the_graph_was_rejected)
{
	static const struct render_end end = {
		TEXT_INIT("{\"graph\":\"g\",\"status\":\"rejected\",\"reason\":{\"code\":"
			  "\"GRAPH_TIMEOUT\",\"message\":\"too late\"}}")};
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_finish(render, &end);
	sample_expect(&sink, "TAP version 14\n"
			     "not ok 1 - g # the graph was rejected\n"
			     "  ---\n"
			     "  code: \"GRAPH_TIMEOUT\"\n"
			     "  message: \"too late\"\n"
			     "  ...\n"
			     "1..1\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(bails_out_where_the_connection_was_lost)
{
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_finish(render, &(struct render_end){{NULL, 0}});
	sample_expect(&sink, "TAP version 14\nBail out! The connection to the daemon was lost\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(counts_what_was_refused)
{
	static const struct render_end end = {TEXT_INIT("{\"status\":\"rejected\"}")};
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_tap_refuse(render, TEXT("line 7: URL_INVALID no\n#"));
	render_finish(render, &end);
	sample_expect(&sink, "TAP version 14\nnot ok 1 - line 7: URL_INVALID no?\\#\n1..1\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(tells_why_it_was_not_tried_again)
{
	static const struct render_record record = {
		.job = TEXT_INIT("a"),
		.json = TEXT_INIT("{\"attempts\":1,\"reason\":{\"code\":\"IDLE_TIMEOUT\","
				  "\"stopped\":\"budget\"}}"),
		.is_rejected = true,
	};
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_record(render, &record);
	sample_expect(&sink, "TAP version 14\nnot ok 1 - a # IDLE_TIMEOUT in 0.0 ms\n"
			     "  ---\n"
			     "  code: \"IDLE_TIMEOUT\"\n"
			     "  tries: \"1 attempt; not tried again: the origin's retry budget is "
			     "used up\"\n"
			     "  ...\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(escapes_what_would_be_a_directive)
{
	static const struct render_record record = {
		.job = TEXT_INIT("a # SKIP \\ \x1b[m\nok 9"),
		.json = TEXT_INIT("{\"via\":\"network\",\"value\":{\"status\":200}}"),
	};
	struct sink sink;
	struct render *render = begin(&sink, NULL);

	render_record(render, &record);
	sample_expect(&sink, "TAP version 14\nok 1 - a \\# SKIP \\\\ ?[m?ok 9 # 200 in 0.0 ms\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/tap", &is_a_test_run, &streams, &fails_where_the_graph_was_rejected,
	&bails_out_where_the_connection_was_lost, &counts_what_was_refused,
	&tells_why_it_was_not_tried_again, &escapes_what_would_be_a_directive)
