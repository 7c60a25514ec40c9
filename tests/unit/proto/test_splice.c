/* SPDX-License-Identifier: MIT */
#include "proto/record.h"

#include <stdio.h>
#include <yyjson.h>

#include "tests/unit/unit.h"
#include "util/container.h"

#define HEAD "{\"job\":\"a\",\"status\":\"fulfilled\",\"value\":{\"status\":200,\"headers\":{"
#define TAIL "},\"time\":{\"end\":1}}"

static void expect_spliced(const char *record, struct text body, struct text type,
	enum record_body how, const char *wanted)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, 1 << 20);
	ok = record_splice(&out, text_from(record), body, type, how);
	ck_assert(!out.failed);
	ck_assert_msg(text_is(buffer_text(&out), wanted), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&out)), wanted);
	ck_assert_int_eq(ok, strcmp(record, wanted) != 0);
	buffer_deinit(&out);
}

START_TEST(shows_a_body_as_what_it_is)
{
	static const struct {
		struct text type, body;
		enum record_body how;
		const char *wanted;
	} cases[] = {
		{TEXT_INIT("application/json"), TEXT_INIT("{\"id\":1}"), RECORD_BODY_AUTO,
			",\"body\":{\"id\":1}"},
		{TEXT_INIT("application/json; charset=utf-8"), TEXT_INIT("[9007199254740993]"),
			RECORD_BODY_AUTO, ",\"body\":[9007199254740993]"},
		{TEXT_INIT("Application/Problem+JSON "), TEXT_INIT("1e999"), RECORD_BODY_AUTO,
			",\"body\":1e999"},
		{TEXT_INIT("text/json"), TEXT_INIT("null"), RECORD_BODY_AUTO, ",\"body\":null"},
		{TEXT_INIT("application/json"),
			TEXT_INIT("{\n \"a b\": [1, 2],\r\n\t\"c\\\"\\n\": \" \"\n}\n"),
			RECORD_BODY_AUTO, ",\"body\":{\"a b\":[1,2],\"c\\\"\\n\":\" \"}"},
		{TEXT_INIT("application/json"), TEXT_INIT("{ \"a\": 1.0 }"), RECORD_BODY_AUTO,
			",\"body\":{ \"a\": 1.0 }"},
		{TEXT_INIT("application/json"), TEXT_INIT("{\"id\":}"), RECORD_BODY_AUTO,
			",\"body\":\"{\\\"id\\\":}\""},
		{TEXT_INIT("application/json"), TEXT_INIT(""), RECORD_BODY_AUTO, ",\"body\":\"\""},
		{TEXT_INIT("application/json"), TEXT_INIT("1"), RECORD_BODY_TEXT,
			",\"body\":\"1\""},
		{TEXT_INIT("application/json"), TEXT_INIT("1"), RECORD_BODY_BASE64,
			",\"body_base64\":\"MQ==\""},
		{TEXT_INIT("application/jsonp"), TEXT_INIT("1"), RECORD_BODY_AUTO,
			",\"body\":\"1\""},
		{TEXT_INIT("x+json"), TEXT_INIT("1"), RECORD_BODY_AUTO, ",\"body\":\"1\""},
		{TEXT_INIT(""), TEXT_INIT("1"), RECORD_BODY_AUTO, ",\"body\":\"1\""},
		{TEXT_INIT("text/plain"), TEXT_INIT("a\nb"), RECORD_BODY_AUTO,
			",\"body\":\"a\\nb\""},
		{TEXT_INIT("text/plain"), TEXT_INIT("\xff\x00\x01"), RECORD_BODY_AUTO,
			",\"body_base64\":\"/wAB\""},
		{TEXT_INIT("text/plain"), TEXT_INIT("a\xff"), RECORD_BODY_TEXT,
			",\"body\":\"a\xef\xbf\xbd\""},
		{TEXT_INIT("text/plain"), TEXT_INIT("ab"), RECORD_BODY_BASE64,
			",\"body_base64\":\"YWI=\""},
		{TEXT_INIT("text/plain"), TEXT_INIT(""), RECORD_BODY_BASE64,
			",\"body_base64\":\"\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char wanted[400];

		snprintf(wanted, sizeof(wanted), HEAD "},\"bytes\":8%s" TAIL, cases[i].wanted);
		expect_spliced(HEAD "},\"bytes\":8" TAIL, cases[i].body, cases[i].type,
			cases[i].how, wanted);
	}
}
END_TEST

START_TEST(finds_the_content_type_in_the_record)
{
	static const struct {
		const char *headers, *wanted;
	} cases[] = {
		{"\"content-type\":\"application/json\"", "{}"},
		{"\"a\":\"1\",\"content-type\":\"application/json\"", "{}"},
		{"\"content-type\":[\"application/json\",\"text/plain\"]", "{}"},
		{"\"content-type\":[\"text/plain\",\"application/json\"]", "\"{}\""},
		{"\"x-content-type\":\"application/json\"", "\"{}\""},
		{"\"x\":\",\\\"content-type\\\":\\\"application/json\\\"\"", "\"{}\""},
		{"", "\"{}\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char record[400], wanted[400];

		snprintf(record, sizeof(record), HEAD "%s},\"bytes\":2" TAIL, cases[i].headers);
		snprintf(wanted, sizeof(wanted), HEAD "%s},\"bytes\":2,\"body\":%s" TAIL,
			cases[i].headers, cases[i].wanted);
		expect_spliced(
			record, TEXT("{}"), (struct text){NULL, 0}, RECORD_BODY_AUTO, wanted);
	}
}
END_TEST

START_TEST(is_not_misled_by_headers_called_bytes)
{
	expect_spliced(HEAD
		"\"bytes\":\"7\",\"x\":\",\\\"bytes\\\":8\",\"accept-ranges\":\"bytes\"},"
		"\"bytes\":2" TAIL,
		TEXT("hi"), TEXT("text/plain"), RECORD_BODY_AUTO,
		HEAD "\"bytes\":\"7\",\"x\":\",\\\"bytes\\\":8\",\"accept-ranges\":\"bytes\"},"
		     "\"bytes\":2,\"body\":\"hi\"" TAIL);
}
END_TEST

START_TEST(puts_the_body_of_a_rejection_into_its_response)
{
	expect_spliced(
		"{\"job\":\"a\",\"status\":\"rejected\",\"reason\":{\"code\":\"HTTP_STATUS\","
		"\"response\":{\"status\":503,\"headers\":{},\"bytes\":2}},\"time\":{}}",
		TEXT("no"), TEXT(""), RECORD_BODY_AUTO,
		"{\"job\":\"a\",\"status\":\"rejected\",\"reason\":{\"code\":\"HTTP_STATUS\","
		"\"response\":{\"status\":503,\"headers\":{},\"bytes\":2,\"body\":\"no\"}},"
		"\"time\":{}}");
	expect_spliced("{\"value\":{\"bytes\":2}}", TEXT("no"), TEXT(""), RECORD_BODY_AUTO,
		"{\"value\":{\"bytes\":2,\"body\":\"no\"}}");
}
END_TEST

#define CAUSE                                                                                      \
	",\"cause\":{\"code\":\"HTTP_STATUS\",\"response\":{\"status\":503,\"headers\":{"          \
	"\"content-type\":\"text/plain\"},\"bytes\":9}},\"time\":{\"end\":1}}"

START_TEST(takes_the_body_of_a_fallback_for_json_whatever_its_cause_says)
{
	static const struct {
		enum record_body how;
		const char *body, *wanted;
	} cases[] = {
		{RECORD_BODY_AUTO, "{\"theme\":\"light\"}", ",\"body\":{\"theme\":\"light\"}"},
		{RECORD_BODY_AUTO, "null", ",\"body\":null"},
		{RECORD_BODY_AUTO, "\"a\\nb\"", ",\"body\":\"a\\nb\""},
		{RECORD_BODY_TEXT, "[1]", ",\"body\":\"[1]\""},
		{RECORD_BODY_BASE64, "[1]", ",\"body_base64\":\"WzFd\""},
		/* No daemon says this. */
		{RECORD_BODY_AUTO, "no JSON", ",\"body\":\"no JSON\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char wanted[400];

		snprintf(wanted, sizeof(wanted),
			"{\"job\":\"a\",\"via\":\"fallback\",\"value\":{\"bytes\":8%s}" CAUSE,
			cases[i].wanted);
		expect_spliced("{\"job\":\"a\",\"via\":\"fallback\",\"value\":{\"bytes\":8}" CAUSE,
			text_from(cases[i].body), (struct text){NULL, 0}, cases[i].how, wanted);
		expect_spliced("{\"job\":\"a\",\"via\":\"fallback\",\"value\":{\"bytes\":8}" CAUSE,
			text_from(cases[i].body), TEXT("text/plain"), cases[i].how, wanted);
	}
	expect_spliced("{\"via\":\"skipped\",\"value\":{\"bytes\":4},\"time\":{}}", TEXT("null"),
		(struct text){NULL, 0}, RECORD_BODY_AUTO,
		"{\"via\":\"skipped\",\"value\":{\"bytes\":4,\"body\":null},\"time\":{}}");
}
END_TEST

START_TEST(finds_no_content_type_behind_the_place)
{
	expect_spliced(HEAD "},\"bytes\":2},\"later\":{\"content-type\":\"application/json\"}}",
		TEXT("{}"), (struct text){NULL, 0}, RECORD_BODY_AUTO,
		HEAD "},\"bytes\":2,\"body\":\"{}\"},"
		     "\"later\":{\"content-type\":\"application/json\"}}");
}
END_TEST

START_TEST(is_not_misled_by_headers_called_via_and_cause)
{
	expect_spliced(HEAD "\"via\":\"fallback\",\"cause\":\"{\",\"x\":\",\\\"cause\\\":{\"},"
			    "\"bytes\":2" TAIL,
		TEXT("hi"), TEXT(""), RECORD_BODY_AUTO,
		HEAD "\"via\":\"fallback\",\"cause\":\"{\",\"x\":\",\\\"cause\\\":{\"},"
		     "\"bytes\":2,\"body\":\"hi\"" TAIL);
}
END_TEST

START_TEST(copies_a_record_that_has_no_place_for_a_body)
{
	static const char *const records[] = {
		"{\"job\":\"a\",\"status\":\"rejected\",\"reason\":{\"code\":\"CANCELLED\"}}",
		"{\"job\":\"g\",\"group\":true,\"via\":\"fallback\",\"value\":{\"jobs\":1}" CAUSE,
		"{\"job\":\"g\",\"group\":true,\"status\":\"fulfilled\",\"value\":{\"winner\":"
		"\"w\","
		"\"jobs\":2,\"fulfilled\":1,\"rejected\":1},\"time\":{\"body\":0}}",
		"{\"bytes\":\"many\"}",
		"{\"bytes\":8.5}",
		"{\"bytes\":8",
		"\"bytes\":7",
		"{}",
		"",
	};

	for (size_t i = 0; i < countof(records); i++)
		expect_spliced(
			records[i], TEXT("body"), TEXT("text/plain"), RECORD_BODY_AUTO, records[i]);
}
END_TEST

START_TEST(takes_a_body_larger_than_the_stack)
{
	static char body[200000];
	struct buffer out;
	yyjson_doc *doc;

	memset(body, ' ', sizeof(body));
	memcpy(body, "[\n", 2);
	memcpy(body + sizeof(body) - 4, "1.50", 4);
	body[sizeof(body) - 1] = ']';
	buffer_init(&out, 1 << 20);
	ck_assert(record_splice(&out, TEXT("{\"value\":{\"bytes\":200000}}"),
		(struct text){body, sizeof(body)}, TEXT("application/json"), RECORD_BODY_AUTO));
	ck_assert(text_is(buffer_text(&out), "{\"value\":{\"bytes\":200000,\"body\":[1.5]}}"));

	buffer_clear(&out);
	memset(body, '"', sizeof(body));
	ck_assert(record_splice(&out, TEXT("{\"value\":{\"bytes\":200000}}"),
		(struct text){body, sizeof(body)}, TEXT(""), RECORD_BODY_AUTO));
	doc = yyjson_read(out.data, out.size, 0);
	ck_assert_uint_eq(yyjson_get_len(yyjson_ptr_get(yyjson_doc_get_root(doc), "/value/body")),
		sizeof(body));
	yyjson_doc_free(doc);
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("proto/splice", &shows_a_body_as_what_it_is, &finds_the_content_type_in_the_record,
	&is_not_misled_by_headers_called_bytes, &puts_the_body_of_a_rejection_into_its_response,
	&takes_the_body_of_a_fallback_for_json_whatever_its_cause_says,
	&finds_no_content_type_behind_the_place, &is_not_misled_by_headers_called_via_and_cause,
	&copies_a_record_that_has_no_place_for_a_body, &takes_a_body_larger_than_the_stack)
