/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

START_TEST(parts_bodies_from_reasons)
{
	struct sink sink;
	struct render *render;

	sink_init(&sink, -1, SINK_RAW);
	render = render_partition_new(&(struct render_options){.sink = &sink});
	render_record(render, &sample_audit);
	render_record(render, &sample_discarded);
	render_record(render, &sample_empty);
	render_record(render, &sample_user);
	render_finish(render, &sample_end);
	sample_expect(&sink,
		"{\"fulfilled\":{\"user\":{\"id\":1},\"empty\":\"\",\"gone\":null},"
		"\"rejected\":{\"audit\":{\"code\":\"DEPENDENCY_REJECTED\","
		"\"message\":\"profile was rejected\",\"job\":\"profile\",\"root\":\"profile\"}}}"
		"\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(shows_what_is_no_text_by_base64)
{
	struct sink sink;
	struct render *render;
	struct render_record record = sample_user;

	record.body = TEXT("\xff\xfe");
	sink_init(&sink, -1, SINK_RAW);
	render = render_partition_new(&(struct render_options){.sink = &sink});
	render_record(render, &record);
	render_finish(render, &sample_end);
	sample_expect(
		&sink, "{\"fulfilled\":{\"user\":{\"body_base64\":\"//4=\"}},\"rejected\":{}}\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(shows_a_deep_body_as_a_string)
{
	struct sink sink;
	struct render *render;
	struct render_record record = sample_user;
	char body[401];

	memset(body, '[', 200);
	memset(body + 200, ']', 200);
	body[400] = '\0';
	record.body = text_from(body);
	sink_init(&sink, -1, SINK_RAW);
	render = render_partition_new(&(struct render_options){.sink = &sink});
	render_record(render, &record);
	render_finish(render, &sample_end);
	buffer_append_byte(&sink.buffer, '\0');
	ck_assert_ptr_nonnull(strstr(sink.buffer.data, "\"user\":\"[[[["));
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(lists_what_a_group_was_made_of)
{
	static const struct sample_settled settled[] = {
		{"covered", 3, true, false,
			"\"group\":true,\"status\":\"fulfilled\",\"via\":\"fallback\",\"value\":{"
			"\"bytes\":3},\"cause\":{\"code\":\"GROUP_TIMEOUT\"},\"time\":{}",
			"[1]"},
		{"late", 4, true, true,
			"\"group\":true,\"status\":\"rejected\",\"reason\":{\"code\":"
			"\"GROUP_TIMEOUT\"},\"time\":{}",
			NULL},
		{"x[10]", 2, false, false, SAMPLE_VALUE("/10") "\"time\":{}", "ten"},
		{"x[9]", 2, false, false, SAMPLE_VALUE("/9") "\"time\":{}", "nine"},
		{"x", 2, true, false, SAMPLE_GROUP("2", "2", "0", "") "\"time\":{}", NULL},
		/* A rejection that does not say why. */
		{"odd", 5, false, true, "\"status\":\"rejected\",\"time\":{}", NULL},
	};
	struct sink sink;
	struct render *render;

	sink_init(&sink, -1, SINK_RAW);
	render = render_partition_new(&(struct render_options){.sink = &sink});
	for (size_t i = 0; i < countof(settled); i++)
		sample_settle(render, &settled[i]);
	render_finish(render, &sample_end);
	sample_expect(&sink,
		"{\"fulfilled\":{\"x[9]\":\"nine\",\"x[10]\":\"ten\",\"covered\":[1]},"
		"\"rejected\":{\"late\":{\"code\":\"GROUP_TIMEOUT\"},\"odd\":null}}\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/partition", &parts_bodies_from_reasons, &shows_what_is_no_text_by_base64,
	&shows_a_deep_body_as_a_string, &lists_what_a_group_was_made_of)
