/* SPDX-License-Identifier: MIT */
#include "job/value.h"

#include "job/outcome.h"
#include "proto/reference.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* Job "b" refers to all that "a" has, so that all of it is kept. */
#define DOCUMENT                                                                                   \
	"{'input':{'n':9007199254740993,'s':'x y','z':null,'t':true,'l':[1, 2],'a/b':{'~':'t'}},"  \
	"'jobs':{'a':{'url':'@a'},'b':{'url':'@b','needs':'settled',"                              \
	"'json':['{{a}}','{{a.headers.x}}','{{a.status}}']}}}"

#define RESPONSE(status, body)                                                                     \
	"HTTP/1.1 " status "\r\nETag: \"e\"\r\nX-Two: one\r\nX-Two: two\r\n"                       \
	"Connection: close\r\n\r\n" body

struct value_case {
	const char *reference;
	/* As text and as JSON; NULL: it is missing, and why. */
	const char *text, *json;
	enum fault_code why;
};

static bool find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	ck_assert_uint_eq(uid, 1000);
	if (!text_is(name, "KEY") || !text_is(host, "good.example"))
		return false;
	*ret_value = TEXT("hush");
	return true;
}

static void begin(void)
{
	struct scheduler_options options = world_options();

	options.secrets = (struct secret_source){find_secret, NULL};
	world_begin_with(&options, BOUND_NONE);
}

static void check_value(struct graph *graph, const struct value_case *wanted)
{
	struct reference reference;
	struct buffer text, json;
	struct value value;

	ck_assert_msg(reference_is_whole(text_from(wanted->reference), &reference), "%s",
		wanted->reference);
	value_of(graph->root, &reference, TEXT("good.example"), &value);
	if (!wanted->text) {
		ck_assert_msg(value.kind == VALUE_MISSING, "%s has a value", wanted->reference);
		ck_assert_msg(value.why == wanted->why, "%s: %s", wanted->reference,
			fault_name(value.why));
		return;
	}
	ck_assert_msg(
		value.kind != VALUE_MISSING, "%s: %s", wanted->reference, fault_name(value.why));
	buffer_init(&text, SIZE_MAX);
	buffer_init(&json, SIZE_MAX);
	value_append_text(&text, &value);
	value_append_json(&json, &value);
	ck_assert_msg(text_is(buffer_text(&text), wanted->text), "%s as text: %.*s",
		wanted->reference, TEXT_ARGS(buffer_text(&text)));
	ck_assert_msg(text_is(buffer_text(&json), wanted->json), "%s as JSON: %.*s",
		wanted->reference, TEXT_ARGS(buffer_text(&json)));
	buffer_deinit(&text);
	buffer_deinit(&json);
}

static void check_values(const char *response, const struct value_case *cases, size_t n)
{
	struct world_graph *graph;

	begin();
	graph = world_hold(DOCUMENT, response);
	for (size_t i = 0; i < n; i++)
		check_value(graph->graph, &cases[i]);
	world_give_up(graph);
	world_end();
}

START_TEST(what_references_stand_for)
{
	static const struct value_case cases[] = {
		{"{{input#/n}}", "9007199254740993", "9007199254740993", 0},
		{"{{input#/s}}", "x y", "\"x y\"", 0},
		{"{{input#/z}}", "null", "null", 0},
		{"{{input#/t}}", "true", "true", 0},
		{"{{input#/l}}", "[1,2]", "[1,2]", 0},
		{"{{input#/l/1}}", "2", "2", 0},
		{"{{input#/l/2}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{input#/l/-}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{input#/l/01}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{input#/a~1b/~0}}", "t", "\"t\"", 0},
		{"{{input#/a%7E1b/%7E0}}", "t", "\"t\"", 0},
		{"{{input#/none}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{input#/s/x}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a}}", "{\"id\": 9007199254740993, \"l\": [ ]}",
			"{\"id\":9007199254740993,\"l\":[]}", 0},
		{"{{a#/id}}", "9007199254740993", "9007199254740993", 0},
		{"{{a#/l}}", "[]", "[]", 0},
		{"{{a#}}", "{\"id\":9007199254740993,\"l\":[]}",
			"{\"id\":9007199254740993,\"l\":[]}", 0},
		{"{{a#/none}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a.status}}", "200", "200", 0},
		{"{{a.outcome}}", "fulfilled", "\"fulfilled\"", 0},
		{"{{a.code}}", "", "\"\"", 0},
		{"{{a.url}}", "http://192.0.2.1/a", "\"http://192.0.2.1/a\"", 0},
		{"{{a.headers.etag}}", "\"e\"", "\"\\\"e\\\"\"", 0},
		{"{{a.headers.ETag}}", "\"e\"", "\"\\\"e\\\"\"", 0},
		{"{{a.headers.x-two}}", "one", "\"one\"", 0},
		{"{{a.headers.none}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{secret.KEY}}", "hush", "\"hush\"", 0},
		{"{{secret.OTHER}}", NULL, NULL, FAULT_SECRET_UNKNOWN},
	};

	check_values(RESPONSE("200 OK", "{\"id\": 9007199254740993, \"l\": [ ]}"), cases,
		countof(cases));
}
END_TEST

START_TEST(a_body_that_is_not_json_is_text)
{
	static const struct value_case cases[] = {
		{"{{a}}", "no \"json\"", "\"no \\\"json\\\"\"", 0},
		{"{{a#/x}}", NULL, NULL, FAULT_REF_NOT_JSON},
		{"{{a.status}}", "200", "200", 0},
	};

	check_values(RESPONSE("200 OK", "no \"json\""), cases, countof(cases));
}
END_TEST

START_TEST(an_empty_body_is_empty_text)
{
	static const struct value_case cases[] = {
		{"{{a}}", "", "\"\"", 0},
		{"{{a#/x}}", NULL, NULL, FAULT_REF_NOT_JSON},
	};

	check_values(RESPONSE("204 No Content", ""), cases, countof(cases));
}
END_TEST

START_TEST(a_present_null_is_a_value)
{
	static const struct value_case cases[] = {
		{"{{a}}", "null", "null", 0},
		{"{{a#}}", "null", "null", 0},
		{"{{a#/x}}", NULL, NULL, FAULT_REF_MISSING},
	};

	check_values(RESPONSE("200 OK", "null"), cases, countof(cases));
}
END_TEST

START_TEST(what_is_not_utf8_becomes_so_in_json_alone)
{
	static const struct value_case cases[] = {
		{"{{a}}", "\xff", "\"\xef\xbf\xbd\"", 0},
	};

	check_values(RESPONSE("200 OK", "\xff"), cases, countof(cases));
}
END_TEST

START_TEST(an_http_status_that_rejects_has_a_response)
{
	static const struct value_case cases[] = {
		{"{{a}}", "{\"e\":1}", "{\"e\":1}", 0},
		{"{{a#/e}}", "1", "1", 0},
		{"{{a.status}}", "404", "404", 0},
		{"{{a.outcome}}", "rejected", "\"rejected\"", 0},
		{"{{a.code}}", "HTTP_STATUS", "\"HTTP_STATUS\"", 0},
		{"{{a.url}}", "http://192.0.2.1/a", "\"http://192.0.2.1/a\"", 0},
		{"{{a.headers.etag}}", "\"e\"", "\"\\\"e\\\"\"", 0},
	};

	check_values(RESPONSE("404 Not Found", "{\"e\":1}"), cases, countof(cases));
}
END_TEST

START_TEST(who_was_never_answered_has_an_outcome_and_a_code_alone)
{
	static const struct value_case cases[] = {
		{"{{a}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a#/e}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a.status}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a.url}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a.headers.etag}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{a.outcome}}", "rejected", "\"rejected\"", 0},
		{"{{a.code}}", "CONNECT_REFUSED", "\"CONNECT_REFUSED\"", 0},
	};

	check_values(NULL, cases, countof(cases));
}
END_TEST

START_TEST(without_an_input_all_of_it_is_missing)
{
	static const struct value_case cases[] = {
		{"{{input}}", NULL, NULL, FAULT_REF_MISSING},
		{"{{input#/x}}", NULL, NULL, FAULT_REF_MISSING},
	};
	struct world_graph *graph;

	begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	for (size_t i = 0; i < countof(cases); i++)
		check_value(graph->graph, &cases[i]);
	world_give_up(graph);
	world_end();
}
END_TEST

START_TEST(what_was_lost_for_lack_of_memory_is_no_missing_value)
{
	struct world_graph *graph;
	struct value value;
	struct reference reference;
	struct fault fault;
	struct job *a;

	begin();
	graph = world_hold(DOCUMENT, RESPONSE("200 OK", "{}"));
	a = world_job(graph, "a");
	job_forget(a);
	ck_assert(reference_is_whole(TEXT("{{a#/x ?? 1}}"), &reference));
	value_of(graph->graph->root, &reference, TEXT("h"), &value);
	ck_assert_int_eq(value.why, FAULT_OVERLOADED);
	/* A default is for what is not there. */
	ck_assert(!value_takes_default(&value, &reference));
	value_fault(&value, &reference, &fault);
	ck_assert_int_eq(fault.code, FAULT_OVERLOADED);
	world_give_up(graph);
	world_end();
}
END_TEST

START_TEST(a_secret_goes_to_its_host_alone)
{
	static const struct {
		struct text host;
		bool found;
	} cases[] = {
		{TEXT_INIT("good.example"), true},
		{TEXT_INIT("evil.example"), false},
		{{NULL, 0}, false},
	};
	struct world_graph *graph;
	struct reference reference;

	begin();
	graph = world_submit("{'jobs':{'a':{'url':'@a'}}}");
	ck_assert(reference_is_whole(TEXT("{{secret.KEY}}"), &reference));
	for (size_t i = 0; i < countof(cases); i++) {
		struct value value;

		value_of(graph->graph->root, &reference, cases[i].host, &value);
		ck_assert((value.kind == VALUE_TEXT) == cases[i].found);
		if (!cases[i].found)
			ck_assert_int_eq(value.why, FAULT_SECRET_UNKNOWN);
	}
	world_give_up(graph);
	world_end();
}
END_TEST

START_TEST(defaults_are_json_where_they_parse)
{
	static const struct {
		const char *fallback, *json;
	} cases[] = {
		{"1", "1"},
		{"9007199254740993", "9007199254740993"},
		{"null", "null"},
		{"true", "true"},
		{"\"x\"", "\"x\""},
		{"{\"a\": [1, 2]}", "{\"a\":[1,2]}"},
		{"x", "\"x\""},
		{"", "\"\""},
		{"01", "\"01\""},
		{"say \"hi\"", "\"say \\\"hi\\\"\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, SIZE_MAX);
		value_append_default(&out, text_from(cases[i].fallback));
		ck_assert_msg(text_is(buffer_text(&out), cases[i].json), "%s gave %.*s",
			cases[i].fallback, TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(a_fault_names_the_reference)
{
	static const struct {
		const char *reference;
		enum fault_code why;
		const char *says;
	} cases[] = {
		{"{{a#/x/y}}", FAULT_REF_MISSING, "a has no value at /x/y"},
		{"{{input#/x}}", FAULT_REF_MISSING, "input has no value at /x"},
		{"{{a.headers.etag}}", FAULT_REF_MISSING, "a has no value at etag"},
		{"{{a#/x}}", FAULT_REF_NOT_JSON, "the body of a is not JSON"},
		{"{{secret.KEY}}", FAULT_SECRET_UNKNOWN, "KEY"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct value value = {.kind = VALUE_MISSING, .why = cases[i].why};
		struct reference reference;
		struct fault fault;

		ck_assert(reference_is_whole(text_from(cases[i].reference), &reference));
		value_fault(&value, &reference, &fault);
		ck_assert_int_eq(fault.code, cases[i].why);
		ck_assert_msg(strstr(fault.message, cases[i].says), "%s", fault.message);
	}
}
END_TEST

UNIT_MAIN("job/value", &what_references_stand_for, &a_body_that_is_not_json_is_text,
	&an_empty_body_is_empty_text, &a_present_null_is_a_value,
	&what_is_not_utf8_becomes_so_in_json_alone, &an_http_status_that_rejects_has_a_response,
	&who_was_never_answered_has_an_outcome_and_a_code_alone,
	&without_an_input_all_of_it_is_missing,
	&what_was_lost_for_lack_of_memory_is_no_missing_value, &a_secret_goes_to_its_host_alone,
	&defaults_are_json_where_they_parse, &a_fault_names_the_reference)
