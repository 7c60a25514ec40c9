/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/unit.h"

START_TEST(is_one_object_in_the_documents_order)
{
	struct sink sink;
	struct render *render;

	sink_init(&sink, -1, SINK_RAW);
	render = render_json_new(&(struct render_options){.sink = &sink, .body = RENDER_BODY_NONE});
	render_record(render, &sample_audit);
	render_record(render, &sample_user);
	render_record(render, &sample_profile);
	ck_assert_uint_eq(sink.buffer.size, 0);
	render_finish(render, &sample_end);
	sample_expect(&sink, "{\"summary\":" SAMPLE_SUMMARY ",\"jobs\":{\"user\":" SAMPLE_USER
			     ",\"profile\":" SAMPLE_PROFILE ",\"audit\":" SAMPLE_AUDIT "}}\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(has_no_summary_where_the_connection_broke)
{
	struct sink sink;
	struct render *render;

	sink_init(&sink, -1, SINK_RAW);
	render = render_json_new(&(struct render_options){.sink = &sink});
	render_record(render, &sample_audit);
	render_finish(render, &(struct render_end){{NULL, 0}});
	sample_expect(&sink, "{\"summary\":null,\"jobs\":{\"audit\":" SAMPLE_AUDIT "}}\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/json", &is_one_object_in_the_documents_order,
	&has_no_summary_where_the_connection_broke)
