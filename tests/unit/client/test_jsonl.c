/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/client/sample_graph.h"
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

/* The names of the records written since the last call, blanks between. */
static void expect_jobs(struct sink *sink, const char *wanted)
{
	static const char sign[] = "{\"job\":\"";
	struct text rest = buffer_text(&sink->buffer);
	struct buffer got;

	buffer_init(&got, 65536);
	while (rest.size > 0) {
		struct text name = text_from_at(rest, sizeof(sign) - 1);

		ck_assert(text_starts_with(rest, text_from(sign)));
		if (got.size > 0)
			buffer_append_byte(&got, ' ');
		buffer_append(&got, name.data, text_find(name, '"'));
		rest = text_from_at(rest, text_find(rest, '\n') + 1);
	}
	ck_assert_msg(text_is(buffer_text(&got), wanted), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&got)), wanted);
	buffer_deinit(&got);
	buffer_clear(&sink->buffer);
}

#define IN_ORDER                                                                                   \
	"user config mirror eu us posts posts[0] posts[1] posts[2] posts[3] posts[4] posts[5] "    \
	"posts[6] posts[7] posts[8] posts[9] posts[10] posts[11] author author[0] author[1] "      \
	"profile[0] profile[1] badge[0] badge[1] audit gone"

static struct render *begin_ordered(struct sink *sink, const struct plan *plan)
{
	sink_init(sink, -1, SINK_RAW);
	return render_jsonl_new(&(struct render_options){
		.sink = sink, .body = RENDER_BODY_NONE, .keep_order = true, .plan = plan});
}

START_TEST(keeps_the_order_of_groups_and_fan_outs)
{
	struct plan *plan = sample_plan();
	struct sink sink;

	for (int has_plan = 0; has_plan < 2; has_plan++) {
		struct render *render = begin_ordered(&sink, has_plan ? plan : NULL);

		sample_settle_all(render);
		expect_jobs(&sink, IN_ORDER);
		render_free(render);
		sink_deinit(&sink);
	}
	plan_free(plan);
}
END_TEST

/* Settles those of the sample graph that are named, in that order. */
static void settle_some(struct render *render, const char *names)
{
	while (*names) {
		size_t size = strcspn(names, " ");
		bool is_found = false;

		for (size_t i = 0; i < countof(sample_settled); i++) {
			if (!text_is((struct text){names, size}, sample_settled[i].job))
				continue;
			sample_settle(render, &sample_settled[i]);
			is_found = true;
		}
		ck_assert_msg(is_found, "no %s", names);
		names += size + (names[size] == ' ');
	}
}

START_TEST(shows_a_fan_out_when_all_before_it_is_out)
{
	/* What settles, and what is shown then. */
	static const char *const steps[][2] = {
		{"user", "user"},
		/* A group stands before its children, but settles behind them. */
		{"config eu", "config"},
		{"mirror", "mirror eu"},
		/* Nobody knows how many there will be. */
		{"posts[1] us", "us"},
		{"badge[0] profile[0] author[0] author", ""},
		{"audit", ""},
		/* Its record says that there are twelve. */
		{"posts[11] posts[10] posts[2] posts[3] posts[4] posts[5] posts[6] posts[7]", ""},
		{"posts posts[0] posts[8]", ""},
		{"posts[9]", "posts posts[0] posts[1] posts[2] posts[3] posts[4] posts[5] posts[6] "
			     "posts[7] posts[8] posts[9] posts[10] posts[11]"},
		/* Of another one, two leaves are missing; the group in it is no leaf. */
		{"profile[1] author[1]", ""},
		{"badge[1]",
			"author author[0] author[1] profile[0] profile[1] badge[0] badge[1] audit"},
		{"gone", "gone"},
	};
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin_ordered(&sink, plan);

	for (size_t i = 0; i < countof(steps); i++) {
		settle_some(render, steps[i][0]);
		expect_jobs(&sink, steps[i][1]);
	}
	render_finish(render, &sample_graph_end);
	ck_assert_uint_eq(sink.buffer.size, 0);
	render_free(render);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

START_TEST(goes_on_behind_a_fan_out_without_children)
{
	static const struct sample_settled skipped = {"posts", 5, true, false,
		"\"group\":true,\"status\":\"fulfilled\",\"via\":\"skipped\",\"value\":{"
		"\"bytes\":4},\"time\":{}",
		"null"};
	static const struct sample_settled refused = {"author", 6, true, true,
		"\"group\":true,\"status\":\"rejected\",\"reason\":{\"code\":"
		"\"EACH_NOT_ARRAY\"},\"time\":{}",
		NULL};
	struct plan *plan = sample_plan();
	struct sink sink;
	struct render *render = begin_ordered(&sink, plan);

	settle_some(render, "audit gone mirror eu us user config");
	expect_jobs(&sink, "user config mirror eu us");
	sample_settle(render, &skipped);
	expect_jobs(&sink, "posts");
	sample_settle(render, &refused);
	expect_jobs(&sink, "author audit gone");
	render_finish(render, &sample_graph_end);
	render_free(render);
	sink_deinit(&sink);
	plan_free(plan);
}
END_TEST

UNIT_MAIN("client/jsonl", &shows_bodies_as_asked, &tells_an_empty_body_from_none,
	&keeps_the_order_when_asked, &keeps_the_order_of_groups_and_fan_outs,
	&shows_a_fan_out_when_all_before_it_is_out, &goes_on_behind_a_fan_out_without_children)
