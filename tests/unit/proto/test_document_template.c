/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(a_reference_is_a_dependency_and_keeps_what_it_wants)
{
	static const struct {
		const char *json;
		uint8_t keep;
	} cases[] = {
		{"'query':{'x':'{{b}}'}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"'query':{'x':['y','{{b#/z}}']}", PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME},
		{"'headers':{'x':'{{b.headers.etag}}'}", PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME},
		{"'headers':{'x':'y {{b.status}}'}", PLAN_KEEP_OUTCOME},
		{"'form':{'x':'{{b.outcome}}'}", PLAN_KEEP_OUTCOME},
		{"'body':'{{b.code}}'", PLAN_KEEP_OUTCOME},
		{"'json':'{{b.url}}'", PLAN_KEEP_OUTCOME},
		{"'json':'{{b.url}}{{b.headers.x}}{{b}}'",
			PLAN_KEEP_OUTCOME | PLAN_KEEP_HEADERS | PLAN_KEEP_BODY},
		{"'after':['b']", 0},
		{"'after':['b','b']", 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].json);

		ck_assert_uint_eq(plan->n_edges, 1);
		ck_assert_uint_eq(plan->jobs[0].n_dependencies, 1);
		ck_assert_uint_eq(plan->jobs[1].n_dependents, 1);
		ck_assert_msg(plan->jobs[1].keep == cases[i].keep, "%s", cases[i].json);
		plan_free(plan);
	}
}
END_TEST

START_TEST(other_strings_are_left_alone)
{
	static const char *const cases[] = {
		"'body':'\\\\{{nobody}}'",
		"'json':'{{input#/x}}'",
		"'headers':{'authorization':'Bearer {{secret.API}}'}",
		"'body_base64':'e3thfX0='",
		"'query':{'x':'{{input ?? {{}}'}",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i]);

		ck_assert_uint_eq(plan->n_edges, 0);
		plan_free(plan);
	}
	plan_free(document_plan("{'name':'{{x}}','jobs':{}}"));
}
END_TEST

START_TEST(refuses_references_where_they_have_no_meaning)
{
	static const struct refusal cases[] = {
		{"'body':'{{item}}'", FAULT_GRAPH_VALUE, "/body", "fan-out"},
		{"'body':'{{item#/x}}'", FAULT_GRAPH_VALUE, "/body", "fan-out"},
		{"'json':['{{index}}']", FAULT_GRAPH_VALUE, "/json/0", "fan-out"},
		{"'body':'{{secret.X}}'", FAULT_GRAPH_VALUE, "/body", "header"},
		{"'query':{'q':'{{secret.X}}'}", FAULT_GRAPH_VALUE, "/query/q", "header"},
		{"'json':'{{secret.X}}'", FAULT_GRAPH_VALUE, "/json", "header"},
		{"'form':{'q':'{{secret.X}}'}", FAULT_GRAPH_VALUE, "/form/q", "header"},
		{"'headers':{'x':'{{b | raw}}'}", FAULT_GRAPH_VALUE, "/headers/x", "raw"},
		{"'headers':{'x':'{{secret.A | raw}}'}", FAULT_GRAPH_VALUE, "/headers/x", "raw"},
		{"'body':'{{b | uppercase}}'", FAULT_GRAPH_VALUE, "/body", "raw"},
		{"'body':'{{b'", FAULT_GRAPH_VALUE, "/body", "not closed"},
		{"'body':'{{b#x}}'", FAULT_GRAPH_VALUE, "/body", "begins with '/'"},
		{"'body':'{{bb}}'", FAULT_GRAPH_UNKNOWN_JOB, "/body",
			"there is no job \"bb\"; did you mean \"b\"?"},
		{"'after':['c']", FAULT_GRAPH_UNKNOWN_JOB, "/after/0", "no job \"c\""},
		{"'after':['b','x.y']", FAULT_GRAPH_VALUE, "/after/1", "no id"},
		{"'after':['b',7]", FAULT_GRAPH_TYPE, "/after/1", "a string"},
		{"'after':'b'", FAULT_GRAPH_TYPE, "/after", "an array of ids, not a string"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

static void check_url(const char *url, const struct refusal *wanted)
{
	char json[512];

	snprintf(json, sizeof(json), "{'jobs':{'a':{'url':'%s'},'b':{'url':'http://h/'}}}", url);
	if (wanted)
		document_refusal(json, wanted);
	else
		plan_free(document_plan(json));
}

START_TEST(refuses_bad_urls)
{
	static const char *const bad[] = {"", "x", "/path", "ftp://h/", "http://", "http:///x",
		"http://u@h/", "http://h:0/", "http://h:65536/", "http://h/a b", "http://1.2.3/",
		"//h/x", "http://h/\\n"};
	static const struct refusal wanted = {NULL, FAULT_URL_INVALID, "/jobs/a/url", ""};

	for (size_t i = 0; i < countof(bad); i++)
		check_url(bad[i], &wanted);
}
END_TEST

START_TEST(every_url_is_checked_behind_a_good_one)
{
	/* The origin was right before: only what follows is looked at. */
	static const char *const bad[] = {"http://h/a b", "http://h/\\u007f", "http://h\\\\@e/",
		"http://h@e/", "http://h:x/"};

	plan_free(document_plan("{'jobs':[{'url':'http://h/a'},{'url':'http://h/b?c=%20#d'},"
				"{'url':'http://h/\xc3\xbc'},{'url':'HTTP://H/x'},"
				"{'url':'http://h'},{'url':'http://h?x'}]}"));
	for (size_t i = 0; i < countof(bad); i++) {
		struct refusal wanted = {NULL, FAULT_URL_INVALID, "/jobs/1/url", ""};
		char json[256];

		snprintf(
			json, sizeof(json), "{'jobs':[{'url':'http://h/a'},{'url':'%s'}]}", bad[i]);
		document_refusal(json, &wanted);
	}
}
END_TEST

START_TEST(a_reference_stands_behind_the_authority_of_a_url)
{
	static const char *const good[] = {"{{b}}", "{{b#/next ?? http://h/}}", "{{b | raw}}",
		"http://h/{{b}}", "http://h/x?y={{b}}&z={{b}}", "http://h?{{b}}", "http://h#{{b}}",
		"https://h:443/{{input#/x}}/{{b}}"};
	static const char *const bad[] = {"{{b}}/x", "{{b}}://h/", "http://{{b}}/", "http://{{b}}",
		"http://h:{{b}}/", "http://h{{b}}/", "http://u:{{b}}@h/", "/x/{{b}}", "x{{b}}",
		"http:/{{b}}", "{{b}}{{b}}", " {{b}}", "http:x://{{b}}/"};
	static const struct refusal wanted = {
		NULL, FAULT_GRAPH_VALUE, "/jobs/a/url", "behind scheme, host and port"};

	for (size_t i = 0; i < countof(good); i++)
		check_url(good[i], NULL);
	for (size_t i = 0; i < countof(bad); i++)
		check_url(bad[i], &wanted);
}
END_TEST

START_TEST(a_url_without_references_is_checked_even_if_braces_are_escaped)
{
	static const struct refusal wanted = {NULL, FAULT_URL_INVALID, "/jobs/a/url", ""};

	check_url("http://h h/\\\\{{b}}", &wanted);
	check_url("\\\\{{b}}", &wanted);
}
END_TEST

START_TEST(a_url_says_whether_it_is_a_template)
{
	struct plan *plan =
		document_plan("{'jobs':{'a':{'url':'http://h/{{b}}'},'b':{'url':'http://h/#x'}}}");

	ck_assert(plan->jobs[0].url_is_template);
	ck_assert(!plan->jobs[1].url_is_template);
	document_assert_text(plan->jobs[0].url, "http://h/{{b}}");
	document_assert_text(plan->jobs[1].url, "http://h/#x");
	plan_free(plan);
}
END_TEST

START_TEST(refuses_a_url_that_is_no_string)
{
	static const struct refusal cases[] = {
		{"{'jobs':{'a':{'url':7}}}", FAULT_GRAPH_TYPE, "/jobs/a/url", "a string"},
		{"{'jobs':{'a':{'url':null}}}", FAULT_GRAPH_TYPE, "/jobs/a/url", "not null"},
		{"{'jobs':{'a':{'url':'{{a b}}'}}}", FAULT_GRAPH_VALUE, "/jobs/a/url", "id"},
		{"{'jobs':{'a':{'url':'http://h/{{b}}'}}}", FAULT_GRAPH_UNKNOWN_JOB, "/jobs/a/url",
			"no job \"b\""},
	};

	document_refusals(cases, countof(cases));
}
END_TEST

UNIT_MAIN("proto/document_template", &a_reference_is_a_dependency_and_keeps_what_it_wants,
	&other_strings_are_left_alone, &refuses_references_where_they_have_no_meaning,
	&refuses_bad_urls, &every_url_is_checked_behind_a_good_one,
	&a_reference_stands_behind_the_authority_of_a_url,
	&a_url_without_references_is_checked_even_if_braces_are_escaped,
	&a_url_says_whether_it_is_a_template, &refuses_a_url_that_is_no_string)
