/* SPDX-License-Identifier: MIT */
#include "job/outcome.h"

#include <stdlib.h>

#include "job/scheduler.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* Whose bodies they are counted among. */
static struct scheduler scheduler;

static const struct header headers[] = {
	{TEXT_INIT("etag"), TEXT_INIT("\"x\"")},
	{TEXT_INIT("empty"), TEXT_INIT("")},
};

/* A fulfilled job's record. */
static struct record fulfilled(void)
{
	return (struct record){
		.via = RECORD_VIA_NETWORK,
		.response =
			{
				.status = 201,
				.url = TEXT("http://h/x"),
				.headers = headers,
				.n_headers = countof(headers),
			},
	};
}

START_TEST(keeps_what_is_asked_for_and_no_more)
{
	static const struct {
		uint8_t keep;
		bool body, headers;
	} cases[] = {
		{PLAN_KEEP_OUTCOME, false, false},
		{PLAN_KEEP_BODY, true, false},
		{PLAN_KEEP_HEADERS, false, true},
		{PLAN_KEEP_BODY | PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME, true, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct record record = fulfilled();
		struct outcome *outcome = outcome_new(&record, TEXT("{}"), cases[i].keep);

		ck_assert_int_eq(outcome->code, FAULT_NONE);
		ck_assert_uint_eq(outcome->status, 201);
		ck_assert(text_is(outcome->url, "http://h/x"));
		ck_assert((outcome->body.data != NULL) == cases[i].body);
		ck_assert_uint_eq(outcome->n_headers, cases[i].headers ? 2 : 0);
		if (cases[i].headers) {
			ck_assert(text_is(outcome->headers[0].name, "etag"));
			ck_assert(text_is(outcome->headers[0].value, "\"x\""));
			ck_assert(text_is(outcome->headers[1].name, "empty"));
			ck_assert(text_is(outcome->headers[1].value, ""));
		}
		outcome_drop(&scheduler, &outcome);
	}
}
END_TEST

START_TEST(is_a_copy)
{
	struct record record = fulfilled();
	char *body = strdup("[1]"), *url = strdup("http://h/y");
	struct outcome *outcome;

	record.response.url = text_from(url);
	outcome = outcome_new(&record, text_from(body), PLAN_KEEP_BODY);
	memset(body, 'x', 3);
	memset(url, 'x', 3);
	free(body);
	free(url);
	ck_assert(text_is(outcome->body, "[1]"));
	ck_assert(text_is(outcome->url, "http://h/y"));
	outcome_drop(&scheduler, &outcome);
}
END_TEST

START_TEST(an_empty_body_is_a_body_and_none_is_none)
{
	struct record record = fulfilled();
	struct outcome *outcome = outcome_new(&record, TEXT(""), PLAN_KEEP_BODY);

	ck_assert_ptr_nonnull(outcome->body.data);
	ck_assert_uint_eq(outcome->body.size, 0);
	outcome_drop(&scheduler, &outcome);
	outcome = outcome_new(&record, (struct text){NULL, 0}, PLAN_KEEP_BODY);
	ck_assert_ptr_null(outcome->body.data);
	ck_assert_ptr_null(outcome_json(outcome));
	outcome_drop(&scheduler, &outcome);
}
END_TEST

START_TEST(a_rejected_one_has_a_response_only_where_its_status_is_the_reason)
{
	static const struct {
		enum fault_code code;
		/* The record's, and what others see of it. */
		uint16_t status, seen;
	} cases[] = {
		{FAULT_HTTP_STATUS, 503, 503},
		{FAULT_CONNECT_REFUSED, 0, 0},
		/* The record shows it, but it is not what was asked for. */
		{FAULT_REDIRECT_LIMIT, 302, 0},
		{FAULT_REDIRECT_INVALID, 302, 0},
		{FAULT_REDIRECT_BLOCKED, 302, 0},
		{FAULT_PROXY_AUTH, 407, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault = {.code = cases[i].code};
		struct record record = fulfilled();
		struct outcome *outcome;

		record.via = RECORD_VIA_NONE;
		record.reason.fault = &fault;
		record.response.status = cases[i].status;
		outcome = outcome_new(&record, TEXT("sorry"), PLAN_KEEP_BODY | PLAN_KEEP_HEADERS);
		ck_assert_int_eq(outcome->code, cases[i].code);
		ck_assert_uint_eq(outcome->status, cases[i].seen);
		ck_assert((outcome->url.data != NULL) == (cases[i].seen != 0));
		ck_assert((outcome->body.data != NULL) == (cases[i].seen != 0));
		ck_assert_uint_eq(outcome->n_headers, cases[i].seen ? 2 : 0);
		outcome_drop(&scheduler, &outcome);
	}
}
END_TEST

START_TEST(json_is_read_once_and_is_what_parses)
{
	static const struct {
		const char *body;
		/* NULL: it is not JSON. */
		const char *json;
	} cases[] = {
		{"{\"a\": 9007199254740993}", "{\"a\":9007199254740993}"},
		{" 1 ", "1"},
		{"null", "null"},
		{"\"text\"", "\"text\""},
		{"", NULL},
		{"{", NULL},
		{"text", NULL},
		{"1 2", NULL},
		{"\xff", NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct record record = fulfilled();
		struct outcome *outcome =
			outcome_new(&record, text_from(cases[i].body), PLAN_KEEP_BODY);
		yyjson_val *json = outcome_json(outcome);
		struct buffer out;

		ck_assert_msg((json != NULL) == (cases[i].json != NULL), "%s", cases[i].body);
		ck_assert_ptr_eq(outcome_json(outcome), json);
		ck_assert(!outcome->json_lost);
		if (json) {
			buffer_init(&out, SIZE_MAX);
			json_append_value(&out, json);
			ck_assert(text_is(buffer_text(&out), cases[i].json));
			buffer_deinit(&out);
		}
		/* The text stays as it came. */
		ck_assert(text_is(outcome->body, cases[i].body));
		outcome_drop(&scheduler, &outcome);
	}
}
END_TEST

START_TEST(dropping_nothing_does_nothing)
{
	struct outcome *outcome = NULL;

	outcome_drop(&scheduler, &outcome);
}
END_TEST

UNIT_MAIN("job/outcome", &keeps_what_is_asked_for_and_no_more, &is_a_copy,
	&an_empty_body_is_a_body_and_none_is_none,
	&a_rejected_one_has_a_response_only_where_its_status_is_the_reason,
	&json_is_read_once_and_is_what_parses, &dropping_nothing_does_nothing)
