/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(what_is_not_served_yet_is_refused)
{
	static const char *const keys[] = {"body_fd", "fd", "auth", "proxy"};
	static const struct refusal values[] = {
		{"'redirects':10", FAULT_GRAPH_VALUE, "/redirects",
			"not supported by this version"},
		{"'redirects':-1", FAULT_GRAPH_VALUE, "/redirects", "whole number"},
		{"'redirects':'0'", FAULT_GRAPH_TYPE, "/redirects", "a number, not a string"},
		{"'decode':true", FAULT_GRAPH_VALUE, "/decode", "not supported by this version"},
		{"'decode':0", FAULT_GRAPH_TYPE, "/decode", "a boolean"},
		{"'http':'2'", FAULT_GRAPH_VALUE, "/http", "not supported by this version"},
		{"'output':'stream'", FAULT_GRAPH_VALUE, "/output",
			"not supported by this version"},
		{"'output':'file'", FAULT_GRAPH_VALUE, "/output", "not supported by this version"},
	};

	for (size_t i = 0; i < countof(keys); i++) {
		struct refusal wanted = {NULL, FAULT_GRAPH_KEY, NULL, NULL};
		char json[64], at[64], message[128];

		snprintf(json, sizeof(json), "'%s':1", keys[i]);
		snprintf(at, sizeof(at), "/%s", keys[i]);
		snprintf(message, sizeof(message), "\"%s\" is not supported by this version",
			keys[i]);
		wanted.json = json;
		wanted.at = at;
		wanted.message = message;
		document_job_refusals(&wanted, 1);
	}
	document_job_refusals(values, countof(values));
}
END_TEST

START_TEST(checks_the_method)
{
	static const struct refusal cases[] = {
		{"'method':'CONNECT'", FAULT_GRAPH_VALUE, "/method", "CONNECT"},
		{"'method':''", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':'GET /'", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':'{{b}}'", FAULT_GRAPH_VALUE, "/method", "no method"},
		{"'method':1", FAULT_GRAPH_TYPE, "/method", "a string"},
	};
	struct plan *plan = document_plan_of_job("'method':'get'");

	document_assert_text(plan->jobs[0].spec->method, "get");
	plan_free(plan);
	document_job_refusals(cases, countof(cases));
	plan_free(document_plan_of_job("'method':'GET','body':'x'"));
}
END_TEST

START_TEST(a_job_has_one_body_at_most)
{
	static const struct refusal cases[] = {
		{"'json':1,'body':'x'", FAULT_GRAPH_KEY, "/body", "one of"},
		{"'form':{},'json':1", FAULT_GRAPH_KEY, "/json", "one of"},
		{"'body':'x','body_base64':''", FAULT_GRAPH_KEY, "/body_base64", "one of"},
		{"'body_base64':'','form':{}", FAULT_GRAPH_KEY, "/form", "one of"},
		{"'body':1", FAULT_GRAPH_TYPE, "/body", "a string"},
		{"'body_base64':1", FAULT_GRAPH_TYPE, "/body_base64", "a string"},
	};
	struct plan *plan;

	document_job_refusals(cases, countof(cases));
	plan = document_plan_of_job("'json':null");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_JSON);
	ck_assert(yyjson_is_null(plan->jobs[0].spec->body_value));
	plan_free(plan);
	plan = document_plan_of_job("'body':''");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_TEXT);
	ck_assert_ptr_nonnull(plan->jobs[0].spec->body_text.data);
	plan_free(plan);
	plan = document_plan_of_job("'form':{}");
	ck_assert_uint_eq(plan->jobs[0].spec->body, PLAN_BODY_FORM);
	plan_free(plan);
}
END_TEST

/* "`dedupe` `true`" */
START_TEST(a_flight_is_shared_unless_the_job_says_no)
{
	static const struct refusal bad[] = {
		{"'dedupe':1", FAULT_GRAPH_TYPE, "/dedupe", "a boolean, not a number"},
	};
	struct plan *plan = document_plan_of_job("'dedupe':false");

	ck_assert(!plan->jobs[0].spec->dedupe && plan->jobs[1].spec->dedupe);
	plan_free(plan);
	plan = document_plan_of_job("'dedupe':true");
	ck_assert(plan->jobs[0].spec->dedupe);
	plan_free(plan);
	document_job_refusals(bad, countof(bad));
}
END_TEST

UNIT_MAIN("proto/document_request", &what_is_not_served_yet_is_refused, &checks_the_method,
	&a_job_has_one_body_at_most, &a_flight_is_shared_unless_the_job_says_no)
