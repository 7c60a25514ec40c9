/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"{\"job\":\"user\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\","              \
	"\"attempts\":1,\"value\":{\"status\":200,\"version\":\"1.1\","                            \
	"\"url\":\"http://api.local/users/1\",\"redirects\":0,\"headers\":{"                       \
	"\"content-type\":\"application/json\",\"x\":[\"a\",\"b\"]},\"bytes\":8"
#define TAIL "},\"time\":{\"start\":0.02,\"queue\":0.01,\"end\":10.26}}\n"

START_TEST(shows_bodies_as_asked)
{
	static const struct {
		enum render_body body;
		const char *line;
	} cases[] = {
		{RENDER_BODY_AUTO, HEAD ",\"body\":{\"id\":1}" TAIL},
		{RENDER_BODY_TEXT, HEAD ",\"body\":\"{\\\"id\\\":1}\"" TAIL},
		{RENDER_BODY_BASE64, HEAD ",\"body_base64\":\"eyJpZCI6MX0=\"" TAIL},
		{RENDER_BODY_NONE, HEAD TAIL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sink sink;
		struct render *render;

		sink_init(&sink, -1, SINK_RAW);
		render = render_jsonl_new(
			&(struct render_options){.sink = &sink, .body = cases[i].body});
		ck_assert_int_eq(render_record(render, &sample_user), 0);
		sample_expect(&sink, cases[i].line);
		render_finish(render, &sample_end);
		ck_assert_uint_eq(sink.buffer.size, 0);
		render_free(render);
		sink_deinit(&sink);
	}
}
END_TEST

START_TEST(tells_an_empty_body_from_none)
{
	struct sink sink;
	struct render *render;

	sink_init(&sink, -1, SINK_RAW);
	render = render_jsonl_new(&(struct render_options){.sink = &sink});
	render_record(render, &sample_empty);
	buffer_append_byte(&sink.buffer, '\0');
	ck_assert_ptr_nonnull(strstr(sink.buffer.data, "\"bytes\":0,\"body\":\"\"}"));
	buffer_clear(&sink.buffer);
	render_record(render, &sample_discarded);
	sample_expect(&sink, SAMPLE_DISCARDED "\n");
	render_record(render, &sample_audit);
	sample_expect(&sink, SAMPLE_AUDIT "\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(keeps_the_order_when_asked)
{
	struct sink sink;
	struct render *render;
	struct render_record second = sample_at(sample_audit, 1),
			     third = sample_at(sample_audit, 2);
	struct render_record sixth = sample_at(sample_discarded, 300);

	sink_init(&sink, -1, SINK_RAW);
	render = render_jsonl_new(&(struct render_options){
		.sink = &sink, .body = RENDER_BODY_NONE, .keep_order = true});
	render_record(render, &third);
	render_record(render, &second);
	ck_assert_uint_eq(sink.buffer.size, 0);
	render_record(render, &sample_user);
	sample_expect(&sink, SAMPLE_USER "\n" SAMPLE_AUDIT "\n" SAMPLE_AUDIT "\n");
	/* Those before it never come: at the end it is shown all the same. */
	render_record(render, &sixth);
	render_record(render, &sample_empty);
	sample_expect(&sink, SAMPLE_EMPTY "\n");
	render_finish(render, &sample_end);
	sample_expect(&sink, SAMPLE_DISCARDED "\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/jsonl", &shows_bodies_as_asked, &tells_an_empty_body_from_none,
	&keeps_the_order_when_asked)
