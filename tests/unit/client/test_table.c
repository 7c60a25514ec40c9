/* SPDX-License-Identifier: MIT */
#include "tests/unit/client/sample.h"

#include "tests/unit/client/golden.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

static struct render *table_make(struct sink *sink, uint32_t columns, bool color)
{
	sink_init(sink, -1, SINK_RAW);
	return render_table_new(
		&(struct render_options){.sink = sink, .columns = columns, .color = color});
}

static void table_fill(struct render *render)
{
	render_record(render, &sample_audit);
	render_record(render, &sample_profile);
	render_record(render, &sample_user);
}

#define FOOT                                                                                       \
	"\n3 jobs: 1 fulfilled, 2 rejected, in 2.01 s (2.0 times as fast as one by one)\n"         \
	"critical path: user > profile\n"                                                          \
	"return: {\"n\":9007199254740993}\n"

START_TEST(is_as_wide_as_it_takes_without_a_terminal)
{
	struct sink sink;
	struct render *render = table_make(&sink, 0, false);

	table_fill(render);
	render_finish(render, &sample_end);
	sample_expect(&sink,
		"JOB      STATUS     HTTP    START     TIME  SIZE  DETAIL\n"
		"user     fulfilled   200   0.0 ms  10.2 ms     8  http://api.local/users/1\n"
		"profile  rejected    503  10.3 ms   2.00 s     4  HTTP_STATUS: 503 Service "
		"Unavailable\n"
		"audit    rejected      -        -        -     -  DEPENDENCY_REJECTED: profile "
		"was "
		"rejected\n" FOOT);
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(fits_the_terminal)
{
	struct sink sink;
	struct render *render = table_make(&sink, 80, false);
	struct render_record wide = sample_at(sample_user, 9);
	size_t width = 0;

	wide.job = TEXT("a_name_that_is_much_longer_than_a_fifth_of_the_line");
	table_fill(render);
	render_record(render, &wide);
	render_finish(render, &sample_end);
	for (size_t i = 0; i < sink.buffer.size; i++) {
		width = sink.buffer.data[i] == '\n' ? 0 : width + 1;
		ck_assert_uint_le(width, 80);
	}
	buffer_append_byte(&sink.buffer, '\0');
	ck_assert_ptr_nonnull(strstr(sink.buffer.data, "\na_name_that_i...  fulfilled "));
	ck_assert_ptr_nonnull(strstr(sink.buffer.data, " HTTP_STATUS: 503"));
	/* What the row has not room for stands behind the rows. */
	ck_assert_ptr_null(strstr(sink.buffer.data, "HTTP_STATUS: 503 Service Unavailable\n"
						    "audit"));
	ck_assert_ptr_nonnull(
		strstr(sink.buffer.data, "\n\nprofile: HTTP_STATUS: 503 Service Unavailable\n"
					 "\naudit: DEPENDENCY_REJECTED: profile was rejected\n\n"));
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(tells_so_many_rejections_in_full)
{
	struct sink sink;
	struct render *render = table_make(&sink, 80, false);

	for (uint32_t i = 0; i < 23; i++) {
		struct render_record record = sample_at(sample_audit, i);

		render_record(render, &record);
	}
	render_finish(render, &(struct render_end){{NULL, 0}});
	buffer_append_byte(&sink.buffer, '\0');
	ck_assert_ptr_nonnull(strstr(sink.buffer.data,
		"\naudit: DEPENDENCY_REJECTED: profile was rejected\n\nand 3 more rejected\n"));
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(colours_only_repeat_words)
{
	struct sink plain, colored;
	struct render *render = table_make(&plain, 0, false);
	struct buffer stripped;

	table_fill(render);
	render_finish(render, &sample_end);
	render_free(render);
	render = table_make(&colored, 0, true);
	table_fill(render);
	render_finish(render, &sample_end);
	render_free(render);
	buffer_init(&stripped, SIZE_MAX / 4);
	for (size_t i = 0; i < colored.buffer.size; i++) {
		if (colored.buffer.data[i] == '\x1b') {
			while (colored.buffer.data[i] != 'm')
				i++;
			continue;
		}
		buffer_append_byte(&stripped, colored.buffer.data[i]);
	}
	ck_assert_uint_lt(stripped.size, colored.buffer.size);
	ck_assert(text_equal(buffer_text(&stripped), buffer_text(&plain.buffer)));
	buffer_deinit(&stripped);
	sink_deinit(&plain);
	sink_deinit(&colored);
}
END_TEST

START_TEST(shows_no_control_characters)
{
	struct sink sink;
	struct render *render = table_make(&sink, 0, false);
	struct render_record record = sample_audit;

	record.json =
		TEXT("{\"reason\":{\"code\":\"X\",\"message\":\"\\u001b[31m\\n\\u009bx\\u001f\"}}");
	record.job = TEXT("a\x1b\n");
	render_record(render, &record);
	render_finish(render, &(struct render_end){{NULL, 0}});
	sample_expect(&sink, "JOB  STATUS    HTTP  START  TIME  SIZE  DETAIL\n"
			     "a??  rejected     -      -     -     -  X: ?[31m??x?\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(says_why_a_graph_was_rejected)
{
	struct sink sink;
	struct render *render = table_make(&sink, 0, false);
	struct render_end end = {TEXT("{\"status\":\"rejected\",\"jobs\":2,\"fulfilled\":0,"
				      "\"rejected\":2,\"wall_ms\":1,\"critical_path\":[],"
				      "\"reason\":{\"code\":\"JOB_REJECTED\",\"job\":\"a\"}}")};

	render_finish(render, &end);
	sample_expect(&sink, "JOB  STATUS  HTTP  START  TIME  SIZE  DETAIL\n\n"
			     "2 jobs: 0 fulfilled, 2 rejected, in 1.0 ms\n"
			     "graph: rejected, JOB_REJECTED of a\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

START_TEST(tells_what_groups_came_to)
{
	static const struct sample_settled more[] = {
		{"same", 11, false, false,
			"\"status\":\"fulfilled\",\"via\":\"dedupe\",\"of\":\"user\",\"attempts\":"
			"0,"
			"\"value\":{\"status\":200,\"url\":\"http://api.local/"
			"user\",\"headers\":{},"
			"\"bytes\":5},\"time\":{\"start\":1,\"end\":2}",
			"hello"},
		{"safe", 12, false, false,
			"\"status\":\"fulfilled\",\"via\":\"fallback\",\"attempts\":1,\"value\":{"
			"\"bytes\":2},\"cause\":{\"code\":\"HTTP_STATUS\",\"message\":\"503 "
			"Busy\"},"
			"\"time\":{\"start\":1,\"end\":2}",
			"{}"},
	};
	static const struct render_end end = {TEXT_INIT(
		"{\"status\":\"fulfilled\",\"winner\":\"eu\",\"jobs\":24,\"fulfilled\":21,"
		"\"rejected\":3,\"skipped\":1,\"wall_ms\":60.1}")};
	struct sink sink;
	struct render *render = table_make(&sink, 0, false);

	for (size_t i = 0; i < countof(more); i++)
		sample_settle(render, &more[i]);
	for (size_t i = 0; i < countof(sample_settled); i++)
		sample_settle(render, &sample_settled[i]);
	render_finish(render, &end);
	golden_expect("table", buffer_text(&sink.buffer));
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

UNIT_MAIN("client/table", &is_as_wide_as_it_takes_without_a_terminal, &fits_the_terminal,
	&tells_so_many_rejections_in_full, &colours_only_repeat_words, &shows_no_control_characters,
	&says_why_a_graph_was_rejected, &tells_what_groups_came_to)
