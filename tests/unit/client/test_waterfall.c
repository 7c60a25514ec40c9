/* SPDX-License-Identifier: MIT */
#include "client/cli/clean.h"
#include "client/cli/render/waterfall_lane.h"
#include "client/cli/render/waterfall_row.h"
#include "tests/unit/client/golden.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

/* The sample graph drawn; the caller's to deinit. */
static struct buffer draw(const struct render_options *how, const struct plan *plan)
{
	struct render_options options = *how;
	struct render *render;
	struct buffer drawn;
	struct sink sink;

	sink_init(&sink, -1, SINK_RAW);
	options.sink = &sink;
	options.plan = plan;
	render = render_waterfall_new(&options);
	sample_settle_all(render);
	render_free(render);
	drawn = sink.buffer;
	buffer_init(&sink.buffer, SIZE_MAX / 4);
	sink_deinit(&sink);
	return drawn;
}

static struct text take_line(struct text *rest)
{
	struct text line = {rest->data, text_find(*rest, '\n')};

	*rest = text_from_at(*rest, line.size + 1);
	return line;
}

static bool has(const struct buffer *drawn, const char *text)
{
	return memmem(drawn->data, drawn->size, text, strlen(text)) != NULL;
}

START_TEST(draws_a_lane_per_job)
{
	static const struct {
		const char *name;
		struct render_options options;
		bool has_plan;
	} cases[] = {
		{"waterfall_80_ascii", {.columns = 80, .ascii = true}, true},
		{"waterfall_80", {.columns = 80}, true},
		{"waterfall_80_color", {.columns = 80, .color = true}, true},
		{"waterfall_160", {.columns = 160}, true},
		/* Without a plan, groups are not known, but for what ids tell. */
		{"waterfall_100_no_plan", {.columns = 0, .ascii = true}, false},
		/* As if it were 60 wide. */
		{"waterfall_60_ascii", {.columns = 20, .ascii = true}, true},
	};
	struct plan *plan = sample_plan();

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer drawn = draw(&cases[i].options, cases[i].has_plan ? plan : NULL);

		golden_expect(cases[i].name, buffer_text(&drawn));
		buffer_deinit(&drawn);
	}
	plan_free(plan);
}
END_TEST

START_TEST(fits_any_terminal)
{
	struct plan *plan = sample_plan();

	for (uint32_t columns = 60; columns <= 1200; columns += 1 + columns / 40) {
		struct render_options options = {.columns = columns, .ascii = columns % 2};
		struct buffer drawn = draw(&options, plan);
		struct text rest = buffer_text(&drawn);

		while (rest.size > 0)
			ck_assert_uint_le(clean_width(take_line(&rest)), columns);
		buffer_deinit(&drawn);
	}
	plan_free(plan);
}
END_TEST

START_TEST(colours_only_repeat_glyphs)
{
	struct plan *plan = sample_plan();
	struct buffer plain = draw(&(struct render_options){.columns = 80}, plan);
	struct buffer colored = draw(&(struct render_options){.columns = 80, .color = true}, plan);
	struct buffer stripped;

	buffer_init(&stripped, SIZE_MAX / 4);
	for (size_t i = 0; i < colored.size; i++) {
		if (colored.data[i] == '\x1b') {
			while (colored.data[i] != 'm')
				i++;
			continue;
		}
		buffer_append_byte(&stripped, colored.data[i]);
	}
	ck_assert_uint_lt(stripped.size, colored.size);
	ck_assert(text_equal(buffer_text(&stripped), buffer_text(&plain)));
	buffer_deinit(&stripped);
	buffer_deinit(&plain);
	buffer_deinit(&colored);
	plan_free(plan);
}
END_TEST

START_TEST(is_ascii_where_asked)
{
	struct plan *plan = sample_plan();
	struct buffer drawn = draw(&(struct render_options){.ascii = true}, plan);

	for (size_t i = 0; i < drawn.size; i++)
		ck_assert_msg((unsigned char)drawn.data[i] < 0x80, "byte %zu is not ASCII", i);
	buffer_deinit(&drawn);
	plan_free(plan);
}
END_TEST

START_TEST(trusts_no_text_of_others)
{
	/* An id with ESC, a wide character and a letter of two bytes; a name; a code. */
	static const struct render_record record = {
		.job = TEXT_INIT(
			"a_long_name_that_begins_as_others_do\x1b[31m\n\xe5\xad\x97\xc3\xa9[17]"),
		.json = TEXT_INIT("{\"reason\":{\"code\":\"\\u001b[2J\\u5b57\"},"
				  "\"time\":{\"start\":1,\"end\":1e99}}"),
		.is_rejected = true,
	};
	static const struct render_end end = {
		TEXT_INIT("{\"graph\":\"\\u001b]0;x\\u0007\\u5b57\",\"wall_ms\":5}")};
	struct render *render;
	struct sink sink;
	struct text rest;

	sink_init(&sink, -1, SINK_RAW);
	render = render_waterfall_new(&(struct render_options){.sink = &sink, .columns = 80});
	render_record(render, &record);
	render_finish(render, &end);
	render_free(render);
	rest = buffer_text(&sink.buffer);
	while (rest.size > 0) {
		struct text line = take_line(&rest);

		ck_assert_uint_le(clean_width(line), 80);
		for (size_t i = 0; i < line.size; i++)
			ck_assert_msg((unsigned char)line.data[i] >= ' ' && line.data[i] != 0x7f,
				"a control character in %.*s", TEXT_ARGS(line));
	}
	/* What tells ids apart is kept. */
	ck_assert(has(&sink.buffer, "a_long_nam…1m???[17] "));
	ck_assert(has(&sink.buffer, " ?[2J? "));
	ck_assert(has(&sink.buffer, "?]0;x?\xe5\xad\x97: fulfilled in 5.0 ms\n"));
	sink_deinit(&sink);
}
END_TEST

START_TEST(draws_what_there_is)
{
	static const struct render_end lost = {{NULL, 0}};
	static const struct render_end empty = {TEXT_INIT(
		"{\"status\":\"rejected\",\"wall_ms\":0,\"reason\":{\"code\":\"ALL_REJECTED\"}}")};
	struct render *render;
	struct sink sink;

	sink_init(&sink, -1, SINK_RAW);
	render = render_waterfall_new(&(struct render_options){.sink = &sink, .ascii = true});
	render_finish(render, &lost);
	sample_expect(&sink, "graph: the connection was lost\n\n");
	render_free(render);
	render = render_waterfall_new(&(struct render_options){.sink = &sink, .ascii = true});
	render_finish(render, &empty);
	sample_expect(&sink, "graph: rejected in 0.0 ms, ALL_REJECTED\n\n");
	render_free(render);
	/* A job that took no time, in a graph that took none. */
	render = render_waterfall_new(
		&(struct render_options){.sink = &sink, .ascii = true, .columns = 60});
	render_record(render, &sample_empty);
	render_finish(render, &lost);
	sample_expect(&sink, "graph: the connection was lost\n\n"
			     "        0\n"
			     "        +----------------------------------------\n"
			     "  empty                                           204 0.0 ms\n\n");
	render_free(render);
	sink_deinit(&sink);
}
END_TEST

/* A fan-out of `n` children, the i-th taking i ms. */
static uint32_t count_rows(uint32_t n, bool *ret_is_folded)
{
	struct plan *plan = sample_plan();
	struct waterfall_rows rows;
	struct timeline timeline;

	timeline_init(&timeline, plan);
	for (uint32_t i = 0; i <= n; i++) {
		char id[32] = "posts", json[128];
		struct render_record record = {.index = 5, .is_group = i == n};

		if (i < n)
			snprintf(id, sizeof(id), "posts[%u]", i);
		snprintf(json, sizeof(json), "{\"time\":{\"start\":0,\"end\":%u}}", i);
		record.job = text_from(id);
		record.json = text_from(json);
		timeline_add(&timeline, &record);
	}
	timeline_finish(&timeline, &(struct render_end){{NULL, 0}});
	ck_assert(waterfall_rows_make(&timeline, &rows));
	ck_assert(rows.rows[0].job->is_group);
	ck_assert_uint_eq(rows.rows[1].depth, 1);
	*ret_is_folded = rows.rows[rows.n - 1].job == NULL;
	timeline_deinit(&timeline);
	plan_free(plan);
	return rows.n;
}

START_TEST(folds_large_fan_outs)
{
	bool is_folded;

	ck_assert_uint_eq(count_rows(WATERFALL_CHILDREN, &is_folded), 1 + WATERFALL_CHILDREN);
	ck_assert(!is_folded);
	ck_assert_uint_eq(count_rows(WATERFALL_CHILDREN + 1, &is_folded), 2 + WATERFALL_SLOWEST);
	ck_assert(is_folded);
	ck_assert_uint_eq(count_rows(3000, &is_folded), 2 + WATERFALL_SLOWEST);
	ck_assert(is_folded);
}
END_TEST

START_TEST(shows_short_steps_before_long_waits)
{
	static const struct timeline_piece pieces[] = {
		{TIMELINE_WAIT, 0, {0, 990}},
		{TIMELINE_CONNECT, 0, {990, 993}},
		{TIMELINE_BODY, 0, {993, 998}},
	};
	static const struct timeline_job job = {
		.pieces = pieces, .n_pieces = 3, .whole = {990, 998}};
	struct lane lane = {.n = 2};
	uint32_t used = 0;

	lane_paint(&lane, &job, 1000, &used);
	ck_assert_uint_eq(lane.cells[0], LANE_PHASE + TIMELINE_WAIT);
	ck_assert_uint_eq(lane.cells[1], LANE_PHASE + TIMELINE_BODY);
	ck_assert_uint_eq(
		used, 1u << (LANE_PHASE + TIMELINE_WAIT) | 1u << (LANE_PHASE + TIMELINE_BODY));
	/* More cells than time: none is left out. */
	lane.n = LANE_CELLS_MAX;
	lane_paint(&lane, &job, 998, &used);
	ck_assert_uint_eq(lane.cells[LANE_CELLS_MAX - 1], LANE_PHASE + TIMELINE_BODY);
}
END_TEST

START_TEST(each_glyph_is_one_of_a_kind)
{
	for (unsigned i = LANE_EMPTY; i < LANE_GLYPHS; i++) {
		enum lane_glyph glyph = (enum lane_glyph)i;

		ck_assert_uint_eq(strlen(lane_glyph_text(glyph, true)), 1);
		ck_assert_uint_eq(clean_width(text_from(lane_glyph_text(glyph, false))), 1);
		for (unsigned j = LANE_EMPTY; j < i; j++) {
			ck_assert_str_ne(lane_glyph_text(glyph, true),
				lane_glyph_text((enum lane_glyph)j, true));
			ck_assert_str_ne(lane_glyph_text(glyph, false),
				lane_glyph_text((enum lane_glyph)j, false));
		}
	}
}
END_TEST

UNIT_MAIN("client/waterfall", &draws_a_lane_per_job, &fits_any_terminal,
	&colours_only_repeat_glyphs, &is_ascii_where_asked, &trusts_no_text_of_others,
	&draws_what_there_is, &folds_large_fan_outs, &shows_short_steps_before_long_waits,
	&each_glyph_is_one_of_a_kind)
