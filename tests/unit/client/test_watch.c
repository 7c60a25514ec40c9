/* SPDX-License-Identifier: MIT */
#include "client/cli/watch.h"

#include <stdio.h>

#include "proto/document.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

static struct plan *watch_plan(const char *document)
{
	struct plan_errors errors;
	struct plan *plan = NULL;
	struct buffer json;
	int r;

	buffer_init(&json, 65536);
	for (; *document; document++)
		buffer_append_byte(&json, *document == '\'' ? '"' : *document);
	plan_errors_init(&errors);
	r = document_parse(buffer_text(&json), &document_limits_default, &plan, &errors);
	ck_assert_msg(r == 0, "%.*s", TEXT_ARGS(errors.n ? errors.errors[0].message : TEXT("?")));
	plan_errors_deinit(&errors);
	buffer_deinit(&json);
	return plan;
}

static void watch_settled(struct watch *watch, const char *job, uint64_t now_ns)
{
	struct render_record record = {.job = text_from(job)};

	watch_take(watch, &record, now_ns);
}

static void watch_settled_group(struct watch *watch, const char *job)
{
	struct render_record record = {.job = text_from(job), .is_group = true};

	watch_take(watch, &record, 0);
}

/* The names of what is under way, a blank behind each. */
static void watch_expect(const struct watch *watch, const char *wanted)
{
	struct frame frame;
	struct buffer names;

	watch_frame(watch, 5 * NS_PER_S, 24, 80, &frame);
	buffer_init(&names, 4096);
	for (uint32_t i = 0; i < frame.n_lines; i++)
		buffer_printf(&names, "%.*s ", TEXT_ARGS(frame.lines[i].name));
	buffer_append_byte(&names, '\0');
	ck_assert_str_eq(names.data, wanted);
	buffer_deinit(&names);
}

START_TEST(counts_without_a_plan)
{
	struct render_record rejected = {.job = TEXT("b"), .is_rejected = true};
	struct frame frame;
	struct watch watch;

	watch_init(&watch, NULL, NS_PER_S);
	watch_settled(&watch, "a", 0);
	watch_take(&watch, &rejected, 0);
	watch_settled_group(&watch, "g");
	watch_frame(&watch, 3 * NS_PER_S, 24, 80, &frame);
	ck_assert_uint_eq(frame.settled, 2);
	ck_assert_uint_eq(frame.rejected, 1);
	ck_assert_uint_eq(frame.n_lines, 0);
	ck_assert(!frame.has_running);
	ck_assert_uint_eq(frame.age_ns, 2 * NS_PER_S);
	watch_deinit(&watch);
}
END_TEST

START_TEST(a_job_begins_when_all_it_waits_for_has_settled)
{
	struct plan *plan = watch_plan("{'jobs':{'a':{'url':'http://x'},'b':{'url':'http://x'},"
				       "'c':{'url':'http://x','after':['a','b']}}}");
	struct frame frame;
	struct watch watch;

	watch_init(&watch, plan, 0);
	watch_expect(&watch, "a b ");
	watch_settled(&watch, "a", NS_PER_S);
	watch_expect(&watch, "b ");
	watch_settled(&watch, "b", 2 * NS_PER_S);
	watch_expect(&watch, "c ");
	watch_frame(&watch, 5 * NS_PER_S, 24, 80, &frame);
	ck_assert_uint_eq(frame.lines[0].age_ns, 3 * NS_PER_S);
	ck_assert_uint_eq(frame.running, 1);
	watch_settled(&watch, "c", 0);
	/* Twice is once. */
	watch_settled(&watch, "c", 0);
	watch_expect(&watch, "");
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(the_first_of_any_is_enough)
{
	struct plan *plan = watch_plan("{'jobs':{'a':{'url':'http://x'},'b':{'url':'http://x'},"
				       "'c':{'url':'http://x','after':['a','b'],'needs':'any'}}}");
	struct watch watch;

	watch_init(&watch, plan, 0);
	watch_settled(&watch, "a", 0);
	watch_expect(&watch, "b c ");
	watch_settled(&watch, "b", 0);
	watch_expect(&watch, "c ");
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(a_group_holds_back_what_is_in_it)
{
	struct plan *plan = watch_plan("{'jobs':{'a':{'url':'http://x'},'g':{'after':['a'],'jobs':{"
				       "'b':{'url':'http://x'},'h':{'jobs':{'c':{'url':'http://x'},"
				       "'d':{'url':'http://x','after':['b']}}}}},"
				       "'e':{'url':'http://x','after':['g']}}}");
	struct watch watch;

	watch_init(&watch, plan, 0);
	watch_expect(&watch, "a ");
	watch_settled(&watch, "a", 0);
	watch_expect(&watch, "b c ");
	watch_settled(&watch, "b", 0);
	watch_expect(&watch, "c d ");
	watch_settled(&watch, "c", 0);
	watch_settled(&watch, "d", 0);
	watch_settled_group(&watch, "h");
	watch_expect(&watch, "");
	watch_settled_group(&watch, "g");
	watch_expect(&watch, "e ");
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(a_fan_out_is_one_line_with_counts)
{
	struct plan *plan = watch_plan("{'jobs':{'a':{'url':'http://x'},"
				       "'p':{'each':'{{a}}','url':'http://x/{{item}}'},"
				       "'q':{'each':[1,2],'jobs':{'r':{'url':'http://x'}}}}}");
	struct render_record rejected = {.job = TEXT("r[1]"), .is_rejected = true};
	struct frame frame;
	struct watch watch;

	watch_init(&watch, plan, 0);
	watch_expect(&watch, "a q ");
	watch_settled(&watch, "a", 0);
	watch_expect(&watch, "p q ");
	watch_settled(&watch, "p[0]", 0);
	watch_settled(&watch, "r[0]", 0);
	watch_settled_group(&watch, "q[0]");
	watch_take(&watch, &rejected, 0);
	watch_frame(&watch, 0, 24, 80, &frame);
	ck_assert_uint_eq(frame.settled, 4);
	ck_assert_uint_eq(frame.lines[0].settled, 1);
	ck_assert_uint_eq(frame.lines[1].settled, 2);
	ck_assert_uint_eq(frame.lines[1].rejected, 1);
	ck_assert(frame.lines[1].has_counts);
	watch_settled_group(&watch, "p");
	watch_settled_group(&watch, "q");
	watch_expect(&watch, "");
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(more_than_there_are_lines_are_told_by_origin)
{
	struct plan *plan;
	struct buffer json;
	struct watch watch;
	struct frame frame;

	buffer_init(&json, 65536);
	buffer_append_literal(&json, "{'jobs':[");
	for (int i = 0; i < 30; i++)
		buffer_printf(&json, "{'url':'http://%s/%d'},", i % 3 ? "busy" : "calm:81", i);
	buffer_append_literal(&json, "{'url':'http://lone?x'}]}");
	buffer_append_byte(&json, '\0');
	plan = watch_plan(json.data);
	buffer_deinit(&json);
	watch_init(&watch, plan, 0);
	watch_expect(&watch, "http://busy http://calm:81 http://lone ");
	watch_frame(&watch, 0, 5, 80, &frame);
	ck_assert_uint_eq(frame.n_lines, 2);
	ck_assert_uint_eq(frame.lines[0].running, 20);
	ck_assert_uint_eq(frame.n_more, 1);
	watch_frame(&watch, 0, 0, 80, &frame);
	ck_assert_uint_eq(frame.n_lines, 0);
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(names_nobody_knows_do_no_harm)
{
	struct plan *plan = watch_plan("{'jobs':{'a':{'url':'http://x'}}}");
	struct watch watch;

	watch_init(&watch, plan, 0);
	watch_settled(&watch, "z", 0);
	watch_settled(&watch, "a[0][1", 0);
	watch_settled(&watch, "", 0);
	ck_assert_uint_eq(watch.n_settled, 3);
	watch_deinit(&watch);
	plan_free(plan);
	plan = watch_plan("{'jobs':{}}");
	watch_init(&watch, plan, 0);
	watch_expect(&watch, "");
	watch_deinit(&watch);
	plan_free(plan);
}
END_TEST

START_TEST(the_total_follows_what_fan_outs_make)
{
	static const struct {
		const char *job;
		uint32_t total;
	} cases[] = {
		{"a", 3},
		/* Five there must be, of which the document has told one. */
		{"b[4]", 7},
		{"b[0]", 7},
		{"c[1][0]", 7},
		{"c[0][0]", 8},
	};
	struct plan *plan = watch_plan(
		"{'jobs':{'a':{'url':'http://x'},'b':{'each':'{{a}}','url':'http://x'},"
		"'g':{'each':[1,2],'jobs':{'c':{'each':[1],'url':'http://x'}}}}}");
	struct watch watch;

	watch_init(&watch, plan, 0);
	ck_assert_uint_eq(watch_total(&watch), 0);
	watch.n_jobs = 3;
	for (size_t i = 0; i < countof(cases); i++) {
		watch_settled(&watch, cases[i].job, 0);
		ck_assert_uint_eq(watch_total(&watch), cases[i].total);
		ck_assert_uint_ge(watch_total(&watch), watch.n_settled);
	}
	watch_deinit(&watch);
	plan_free(plan);
	/* Without a plan it is at least what has settled. */
	watch_init(&watch, NULL, 0);
	watch.n_jobs = 1;
	watch_settled(&watch, "b[0]", 0);
	watch_settled(&watch, "b[1]", 0);
	ck_assert_uint_eq(watch_total(&watch), 2);
	watch_deinit(&watch);
}
END_TEST

UNIT_MAIN("client/watch", &counts_without_a_plan, &a_job_begins_when_all_it_waits_for_has_settled,
	&the_first_of_any_is_enough, &a_group_holds_back_what_is_in_it,
	&a_fan_out_is_one_line_with_counts, &more_than_there_are_lines_are_told_by_origin,
	&names_nobody_knows_do_no_harm,
	&the_total_follows_what_fan_outs_make)
