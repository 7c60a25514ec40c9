/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

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

UNIT_MAIN("client/partition", &parts_bodies_from_reasons, &shows_what_is_no_text_by_base64,
	&shows_a_deep_body_as_a_string)
