/* SPDX-License-Identifier: MIT */
#include "client/cli/render/report_private.h"

#include "tests/unit/client/sample_graph.h"
#include "tests/unit/unit.h"

static void row_add(struct timeline *timeline, const char *job, uint32_t index, const char *rest)
{
	char json[512];

	snprintf(json, sizeof(json), "{\"job\":\"%s\",\"index\":%u,\"attempts\":1,%s}", job, index,
		rest);
	timeline_add(timeline, &(struct render_record){.job = text_from(job),
				       .index = index,
				       .json = text_from(json),
				       .is_rejected = strstr(rest, "reason") != NULL});
}

/* Rows as "name@depth" or "+folded@depth". */
static void row_expect(const struct report_page *page, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 1 << 20);
	for (uint32_t i = 0; i < page->rows.n; i++) {
		const struct report_row *row = &page->rows.rows[i];

		if (i > 0)
			buffer_append_byte(&out, ' ');
		if (row->job)
			buffer_append_text(&out, row->job->id);
		else
			buffer_printf(&out, "+%u", row->n_folded);
		buffer_printf(&out, "@%u", row->depth);
	}
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, expected);
	buffer_deinit(&out);
}

START_TEST(instances_stand_together)
{
	struct plan *plan = sample_plan();
	struct report_page page = {.width_us = 1000};
	struct timeline timeline;

	timeline_init(&timeline, plan);
	row_add(&timeline, "badge[0]", 8, "\"time\":{}");
	row_add(&timeline, "profile[1]", 7, "\"time\":{}");
	row_add(&timeline, "author", 6, "\"time\":{}");
	row_add(&timeline, "author[1]", 6, "\"time\":{}");
	row_add(&timeline, "profile[0]", 7, "\"time\":{}");
	row_add(&timeline, "author[0]", 6, "\"time\":{}");
	row_add(&timeline, "eu", 3, "\"time\":{}");
	row_add(&timeline, "user", 0, "\"time\":{}");
	row_add(&timeline, "mirror", 2, "\"time\":{}");
	timeline_finish(&timeline, &(struct render_end){{NULL, 0}});
	page.timeline = &timeline;
	ck_assert(report_rows_make(&page, &timeline.arena));
	row_expect(&page, "user@0 mirror@0 eu@1 author@0 author[0]@1 profile[0]@2 badge[0]@2 "
			  "author[1]@1 profile[1]@2");
	timeline_deinit(&timeline);
	plan_free(plan);
}
END_TEST

START_TEST(what_is_in_a_folded_instance_is_folded_too)
{
	struct plan *plan = sample_plan();
	struct report_page page = {.width_us = 1000};
	struct timeline timeline;
	char job[32];

	timeline_init(&timeline, plan);
	for (uint32_t i = 0; i < REPORT_CHILDREN_MAX + 3; i++) {
		snprintf(job, sizeof(job), "author[%u]", i);
		row_add(&timeline, job, 6, "\"time\":{}");
		snprintf(job, sizeof(job), "profile[%u]", i);
		row_add(&timeline, job, 7, "\"time\":{}");
	}
	row_add(&timeline, "audit", 9, "\"time\":{}");
	timeline_finish(&timeline, &(struct render_end){{NULL, 0}});
	page.timeline = &timeline;
	ck_assert(report_rows_make(&page, &timeline.arena));
	ck_assert_uint_eq(page.rows.n, 2 * REPORT_CHILDREN_MAX + 2);
	ck_assert_uint_eq(page.rows.n_folded, 6);
	ck_assert_ptr_null(page.rows.rows[page.rows.n - 2].job);
	ck_assert_uint_eq(page.rows.rows[page.rows.n - 2].n_folded, 6);
	ck_assert_uint_eq(page.rows.rows[page.rows.n - 2].depth, 1);
	ck_assert(text_is(page.rows.rows[page.rows.n - 1].job->id, "audit"));
	timeline_deinit(&timeline);
	plan_free(plan);
}
END_TEST

START_TEST(there_is_a_bound_for_the_page)
{
	struct report_page page = {.width_us = 1000};
	struct timeline timeline;
	char job[32];

	timeline_init(&timeline, NULL);
	for (uint32_t i = 0; i < REPORT_ROWS_MAX + 5; i++) {
		snprintf(job, sizeof(job), "j%u", i);
		row_add(&timeline, job, i, "\"time\":{}");
	}
	timeline_finish(&timeline, &(struct render_end){{NULL, 0}});
	page.timeline = &timeline;
	ck_assert(report_rows_make(&page, &timeline.arena));
	ck_assert_uint_eq(page.rows.n, REPORT_ROWS_MAX + 1);
	ck_assert_uint_eq(page.rows.rows[REPORT_ROWS_MAX].n_folded, 5);
	timeline_deinit(&timeline);
}
END_TEST

START_TEST(knows_the_slowest_and_the_path)
{
	struct report_page page = {.width_us = 100000};
	struct timeline timeline;

	timeline_init(&timeline, NULL);
	row_add(&timeline, "quick", 0, "\"time\":{\"start\":0,\"end\":1}");
	row_add(&timeline, "slow", 1, "\"time\":{\"start\":1,\"first_byte\":60,\"end\":61}");
	row_add(&timeline, "slower", 2, "\"time\":{\"start\":0,\"first_byte\":70,\"end\":70}");
	row_add(&timeline, "cut", 3,
		"\"reason\":{\"code\":\"CANCELLED\"},\"time\":{\"start\":0,\"end\":90}");
	timeline_finish(
		&timeline, &(struct render_end){TEXT("{\"critical_path\":[\"quick\",\"slow\"]}")});
	page.timeline = &timeline;
	ck_assert(report_rows_make(&page, &timeline.arena));
	ck_assert_uint_eq(page.n_slowest, 2);
	ck_assert_uint_eq(page.slowest[0], 2);
	ck_assert_uint_eq(page.slowest[1], 1);
	ck_assert(page.rows.rows[1].is_slow && !page.rows.rows[0].is_slow);
	ck_assert_uint_eq(page.n_path, 2);
	ck_assert(text_is(page.path[0]->id, "quick"));
	ck_assert(text_is(page.path[1]->id, "slow"));
	timeline_deinit(&timeline);
}
END_TEST

START_TEST(records_have_a_bound_and_failed_ones_come_first)
{
	static char rest[1 << 20];
	struct report_page page = {.width_us = 1000};
	struct timeline timeline;

	timeline_init(&timeline, NULL);
	memset(rest, ' ', sizeof(rest) - 1);
	for (uint32_t i = 0; i < 20; i++) {
		const char *kind = i == 19 ? "{\"reason\":{}}" : "{}";
		char job[8];

		snprintf(job, sizeof(job), "j%u", i);
		memcpy(rest, kind, strlen(kind));
		timeline_add(&timeline, &(struct render_record){.job = text_from(job),
						.index = i,
						.json = {rest, sizeof(rest) - 1},
						.is_rejected = i == 19});
	}
	timeline_finish(&timeline, &(struct render_end){{NULL, 0}});
	page.timeline = &timeline;
	ck_assert(report_rows_make(&page, &timeline.arena));
	ck_assert(page.rows.rows[19].has_detail);
	ck_assert(page.rows.rows[0].has_detail);
	ck_assert(!page.rows.rows[18].has_detail);
	ck_assert_uint_eq(page.rows.n_without_detail, 4);
	timeline_deinit(&timeline);
}
END_TEST

UNIT_MAIN("client/report_row", &instances_stand_together,
	&what_is_in_a_folded_instance_is_folded_too, &there_is_a_bound_for_the_page,
	&knows_the_slowest_and_the_path, &records_have_a_bound_and_failed_ones_come_first)
