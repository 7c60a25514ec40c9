/* SPDX-License-Identifier: MIT */
#include "client/cli/frame.h"

#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

static void frame_expect(const struct frame *frame, uint32_t n_lines, const char *wanted)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_uint_eq(frame_append(&out, frame), n_lines);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, wanted);
	buffer_deinit(&out);
}

START_TEST(tells_how_far_it_is)
{
	static const struct {
		struct frame frame;
		const char *text;
	} cases[] = {
		{{0}, "0 settled, 0.0 s\n"},
		{{.jobs = 40, .settled = 12, .age_ns = 1250 * NS_PER_MS},
			"12 of 40 settled, 1.2 s\n"},
		{{.jobs = 40,
			 .settled = 12,
			 .rejected = 3,
			 .running = 8,
			 .has_running = true,
			 .cancelled = true,
			 .age_ns = 90 * NS_PER_S},
			"12 of 40 settled, 3 rejected, 8 under way, cancelled, 90.0 s\n"},
		/* A fan-out has more than its document says. */
		{{.jobs = 2, .settled = 12}, "12 settled, 0.0 s\n"},
		{{.jobs = 40, .settled = 12, .running = 8}, "12 of 40 settled, 0.0 s\n"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		frame_expect(&cases[i].frame, 1, cases[i].text);
}
END_TEST

START_TEST(draws_a_line_for_each)
{
	struct frame frame = {
		.jobs = 6,
		.settled = 1,
		.running = 2,
		.has_running = true,
		.lines =
			{
				{.name = TEXT("user"),
					.what = TEXT("http://api.local/users/1"),
					.age_ns = 250 * NS_PER_MS},
				{.name = TEXT("profiles"),
					.what = TEXT("http://api.local/p"),
					.settled = 12,
					.rejected = 1,
					.has_counts = true,
					.age_ns = 12 * NS_PER_S},
				{.name = TEXT("http://x"), .running = 3, .has_counts = true},
			},
		.n_lines = 3,
		.n_more = 1,
		.more = "origin",
	};

	frame_expect(&frame, 5,
		"1 of 6 settled, 2 under way, 0.0 s\n"
		"  user      0.2 s  http://api.local/users/1\n"
		"  profiles  12.0 s  12 settled, 1 rejected  http://api.local/p\n"
		"  http://x  0.0 s  3 under way\n"
		"  and 1 more origin\n");
	frame.n_more = 2;
	frame.n_lines = 0;
	frame_expect(&frame, 2, "1 of 6 settled, 2 under way, 0.0 s\n  and 2 more origins\n");
}
END_TEST

START_TEST(is_no_wider_than_the_terminal)
{
	struct frame frame = {
		.lines = {{.name = TEXT("\xc3\xa4\xc3\xa4"),
			.what = TEXT("http://api.local/users/1")}},
		.n_lines = 1,
		.columns = 16,
	};

	frame_expect(&frame, 2, "0 settled, 0.0\n  \xc3\xa4\xc3\xa4  0.0 s  ht\n");
}
END_TEST

START_TEST(is_clean_whatever_it_quotes)
{
	struct frame frame = {
		.lines = {{.name = TEXT("a\x1b[31m"), .what = TEXT("x\n\xc2\x9by\r")}},
		.n_lines = 1,
	};

	frame_expect(&frame, 2, "0 settled, 0.0 s\n  a?[31m  0.0 s  x??y?\n");
}
END_TEST

START_TEST(leaves_room_for_what_else_is_there)
{
	static const uint32_t cases[][2] = {
		{0, 0}, {1, 0}, {3, 0}, {4, 1}, {24, 21}, {1000, FRAME_LINES_MAX}};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_uint_eq(frame_room(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(is_json_for_programs)
{
	struct frame frame = {
		.jobs = 6,
		.settled = 2,
		.rejected = 1,
		.running = 3,
		.has_running = true,
		.cancelled = true,
		.age_ns = 1234567890,
	};
	struct buffer out;

	buffer_init(&out, 4096);
	frame_append_json(&out, &frame);
	buffer_append_literal(&out, "\n");
	frame_append_json(&out, &(struct frame){0});
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data,
		"{\"elapsed_ms\":1234,\"jobs\":6,\"settled\":2,\"rejected\":1,\"under_way\":3,"
		"\"cancelled\":true}\n"
		"{\"elapsed_ms\":0,\"settled\":0,\"rejected\":0}");
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/frame", &tells_how_far_it_is, &draws_a_line_for_each,
	&is_no_wider_than_the_terminal, &is_clean_whatever_it_quotes,
	&leaves_room_for_what_else_is_there, &is_json_for_programs)
