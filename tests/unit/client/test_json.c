/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/client/sample_graph.h"
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

START_TEST(has_a_fan_out_before_its_children)
{
	static const char *const order[] = {"\"user\":{", ",\"mirror\":{", ",\"eu\":{",
		",\"posts\":{", ",\"posts[0]\":{", ",\"posts[2]\":{", ",\"posts[10]\":{",
		",\"author\":{", ",\"author[0]\":{", ",\"profile[0]\":{", ",\"badge[1]\":{",
		",\"audit\":{"};
	struct sink sink;
	struct render *render;
	const char *at;

	sink_init(&sink, -1, SINK_RAW);
	render = render_json_new(&(struct render_options){.sink = &sink});
	sample_settle_all(render);
	buffer_append_byte(&sink.buffer, '\0');
	at = sink.buffer.data;
	for (size_t i = 0; i < countof(order); i++) {
		at = strstr(at, order[i]);
		ck_assert_msg(at != NULL, "no %s behind those before it", order[i]);
	}
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/json", &is_one_object_in_the_documents_order,
	&has_no_summary_where_the_connection_broke, &has_a_fan_out_before_its_children)
