/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/unit.h"

START_TEST(is_the_return_value_alone)
{
	static const struct {
		struct text summary;
		const char *line;
	} cases[] = {
		{TEXT_INIT(SAMPLE_SUMMARY), "{\"n\":9007199254740993}\n"},
		{TEXT_INIT("{\"return\":\"text\"}"), "\"text\"\n"},
		{TEXT_INIT("{}"), "null\n"},
		{{NULL, 0}, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sink sink;
		struct render *render;
		struct render_end end = {cases[i].summary};

		sink_init(&sink, -1, SINK_RAW);
		render = render_result_new(&(struct render_options){.sink = &sink});
		render_record(render, &sample_user);
		render_finish(render, &end);
		sample_expect(&sink, cases[i].line);
		render_free(render);
		sink_deinit(&sink);
	}
}
END_TEST

UNIT_MAIN("client/render_result", &is_the_return_value_alone)
