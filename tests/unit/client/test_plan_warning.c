/* SPDX-License-Identifier: MIT */
#include "client/cli/render/plan.h"

#include "proto/json.h"
#include "tests/unit/client/plan_sample.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define A "'a':{'url':'http://x/'}"
#define B "'b':{'url':'http://x/{{a}}'}"

/* The warnings of a plan as "kind at", one behind the other. */
static void warning_expect(const char *jobs, const char *expected)
{
	struct buffer document, json, found;
	struct json_error error;
	yyjson_val *warning;
	yyjson_doc *doc;
	size_t i, n;

	buffer_init(&document, 1 << 20);
	buffer_init(&found, 1 << 20);
	buffer_printf(&document, "{'concurrency':8,'jobs':{%s}}", jobs);
	buffer_append_byte(&document, '\0');
	json = plan_sample_render(plan_render_json, document.data);
	json.size--;
	doc = json_read(buffer_text(&json), &error);
	ck_assert_ptr_nonnull(doc);
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "warnings"), i, n, warning)
	{
		struct text kind = json_string(yyjson_obj_get(warning, "kind"));
		struct text at = json_string(yyjson_obj_get(warning, "at"));

		ck_assert(json_string(yyjson_obj_get(warning, "message")).size > 0);
		buffer_printf(
			&found, "%s%.*s %.*s", i > 0 ? ", " : "", TEXT_ARGS(kind), TEXT_ARGS(at));
	}
	buffer_append_byte(&found, '\0');
	ck_assert_msg(strcmp(found.data, expected) == 0, "%s gave \"%s\"", jobs, found.data);
	yyjson_doc_free(doc);
	buffer_deinit(&found);
	buffer_deinit(&json);
	buffer_deinit(&document);
}

struct warning_case {
	const char *jobs, *expected;
};

static void warning_expect_all(const struct warning_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		warning_expect(cases[i].jobs, cases[i].expected);
}

START_TEST(an_after_that_lengthens_the_critical_path)
{
	static const struct warning_case cases[] = {
		{A ",'c':{'url':'http://x/','after':['a']}", "after_without_data /jobs/c/after"},
		{A ",'c':{'url':'http://x/{{a}}','after':['a']}", ""},
		/* Another chain is as long. */
		{A "," B ",'c':{'url':'http://x/','after':['a']}", ""},
		{"'a':{'url':'http://x/','method':'POST'},'c':{'url':'http://x/','after':['a']}",
			""},
		{A ",'c':{'url':'http://x/','after':['a'],'needs':'settled'}", ""},
		{"'g':{'jobs':{" A "," B "}},'c':{'url':'http://x/','after':['g']}",
			"after_without_data /jobs/c/after"},
		{A ",'g':{'after':['a'],'jobs':{'c':{'url':'http://x/'}}}",
			"after_without_data /jobs/g/after"},
	};

	warning_expect_all(cases, countof(cases));
}
END_TEST

START_TEST(a_reference_that_may_have_no_value)
{
	static const struct warning_case cases[] = {
		{A ",'c':{'url':'http://x/{{a}}','needs':'settled'}", "no_default /jobs/c/url"},
		{A ",'c':{'url':'http://x/','needs':'settled','headers':{'x':'{{a.status}}'}}",
			"no_default /jobs/c/headers"},
		{A ",'c':{'url':'http://x/{{a ?? none}}','needs':'settled'}", ""},
		{A ",'c':{'url':'http://x/{{a.outcome}}{{a.code}}','needs':'settled'}", ""},
		{A ",'c':{'url':'http://x/','when':{'a#/x':1},'needs':'settled'}", ""},
		{"'a':{'url':'http://x/','fallback':1},'c':{'url':'http://x/{{a}}',"
		 "'needs':'settled'}",
			""},
		{"'a':{'each':[1],'url':'http://x/'},'c':{'url':'http://x/{{a}}',"
		 "'needs':'settled'}",
			""},
		{"'g':{'mode':'any','jobs':{" A "}},'c':{'url':'http://x/{{g}}',"
		 "'needs':'settled'}",
			"no_default /jobs/c/url"},
		{"'a':{'url':'http://x/','fallback':1},'c':{'url':'http://x/{{a}}',"
		 "'needs':'any'}",
			"no_default /jobs/c/url"},
	};

	warning_expect_all(cases, countof(cases));
}
END_TEST

START_TEST(what_never_happens)
{
	static const struct warning_case cases[] = {
		{"'a':{'url':'http://x/','needs':'rejected'}", "never_runs /jobs/a/needs"},
		{A ",'c':{'url':'http://x/','needs':'rejected','after':['a']}", ""},
		{"'a':{'url':'http://x/','when':{'input#/x':1},'else':2}", ""},
	};

	warning_expect_all(cases, countof(cases));
}
END_TEST

START_TEST(limits_that_do_not_go_together)
{
	static const struct warning_case cases[] = {
		{"'a':{'url':'http://x/','timeout':1,'attempt_timeout':2}",
			"timeout_unused /jobs/a/attempt_timeout"},
		{"'a':{'url':'http://x/','timeout':1}", ""},
		{"'a':{'url':'http://x/','timeout':'2s','retry':{'attempts':4,'delay':'1s',"
		 "'jitter':'none','backoff':'fixed'}}",
			"timeout_before_retry /jobs/a/timeout"},
		{"'a':{'url':'http://x/','timeout':'4s','retry':{'attempts':4,'delay':'1s',"
		 "'jitter':'none','backoff':'fixed'}}",
			""},
		{"'a':{'url':'http://x/','retry':{'attempts':100,'delay':'9s','backoff':"
		 "'linear'}}",
			"timeout_before_retry /jobs/a/retry"},
		{"'a':{'each':[1,2],'concurrency':3,'url':'http://x/'}",
			"concurrency_unused /jobs/a/concurrency"},
		{"'a':{'each':{'in':[1,2],'concurrency':3},'url':'http://x/'}",
			"concurrency_unused /jobs/a/each/concurrency"},
		{"'a':{'each':[1,2],'concurrency':2,'url':'http://x/'}", ""},
		{"'a':{'each':'{{input}}','concurrency':9,'url':'http://x/'}",
			"concurrency_unused /jobs/a/concurrency"},
		{"'g':{'concurrency':2,'jobs':{'h':{'concurrency':3,'jobs':{" A "}}}}",
			"concurrency_unused /jobs/g/jobs/h/concurrency"},
		{"'g':{'concurrency':2,'jobs':{" A "}}", ""},
	};

	warning_expect_all(cases, countof(cases));
}
END_TEST

START_TEST(requests_that_do_not_do_what_they_seem_to)
{
	static const struct warning_case cases[] = {
		{"'a':{'url':'http://x/','method':'POST','retry':3}",
			"not_idempotent /jobs/a/retry"},
		{"'a':{'url':'http://x/','method':'PUT','retry':3}", ""},
		{"'a':{'url':'http://x/','method':'POST','retry':{'attempts':3,'unsafe':true}}",
			""},
		{"'a':{'url':'http://x/','method':'POST','retry':3,"
		 "'headers':{'Idempotency-Key':'1'}}",
			""},
		{"'a':{'url':'http://x/','omit':true}", "body_unused /jobs/a/omit"},
		{"'a':{'url':'http://x/','omit':true}," B, ""},
		{"'g':{'jobs':{'a':{'url':'http://x/','omit':true}}},"
		 "'c':{'url':'http://x/','json':'{{g}}'}",
			""},
	};

	warning_expect_all(cases, countof(cases));
}
END_TEST

START_TEST(there_is_a_bound)
{
	struct buffer jobs, expected;

	buffer_init(&jobs, 1 << 20);
	buffer_init(&expected, 1 << 20);
	for (int i = 0; i < 30; i++) {
		buffer_printf(
			&jobs, "%s'j%d':{'url':'http://x/','omit':true}", i > 0 ? "," : "", i);
		if (i < 20)
			buffer_printf(
				&expected, "%sbody_unused /jobs/j%d/omit", i > 0 ? ", " : "", i);
	}
	buffer_append_byte(&jobs, '\0');
	buffer_append_byte(&expected, '\0');
	warning_expect(jobs.data, expected.data);
	buffer_deinit(&jobs);
	buffer_deinit(&expected);
}
END_TEST

UNIT_MAIN("client/plan_warning", &an_after_that_lengthens_the_critical_path,
	&a_reference_that_may_have_no_value, &what_never_happens, &limits_that_do_not_go_together,
	&requests_that_do_not_do_what_they_seem_to, &there_is_a_bound)
