/* SPDX-License-Identifier: MIT */
#include "client/cli/render/phrase.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(knows_what_is_registered)
{
	static const struct {
		uint64_t status;
		const char *phrase;
	} cases[] = {
		{100, "Continue"},
		{200, "OK"},
		{418, NULL},
		{422, "Unprocessable Content"},
		{511, "Network Authentication Required"},
		{299, NULL},
		{0, NULL},
		{65736, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text phrase = phrase_registered(cases[i].status);

		if (cases[i].phrase)
			ck_assert(text_is(phrase, cases[i].phrase));
		else
			ck_assert_ptr_null(phrase.data);
	}
}
END_TEST

/* Of a record with that response and that reason. */
static void expect_line(const char *response, const char *message, const char *wanted)
{
	struct json_error error;
	struct buffer record, out;
	yyjson_doc *doc;
	yyjson_val *root;

	buffer_init(&record, 4096);
	buffer_init(&out, 4096);
	buffer_printf(&record, "{\"value\":%s,\"reason\":{\"code\":\"%s\",\"message\":\"%s\"}}",
		response, message ? "HTTP_STATUS" : "OTHER", message ? message : "404 Not It");
	doc = json_read(buffer_text(&record), &error);
	ck_assert_ptr_nonnull(doc);
	root = yyjson_doc_get_root(doc);
	phrase_append(&out, root, yyjson_obj_get(root, "value"));
	ck_assert_msg(text_is(buffer_text(&out), wanted), "%.*s", TEXT_ARGS(buffer_text(&out)));
	yyjson_doc_free(doc);
	buffer_deinit(&out);
	buffer_deinit(&record);
}

START_TEST(makes_status_lines)
{
	static const struct {
		const char *response, *message, *line;
	} cases[] = {
		{"{\"status\":200,\"version\":\"1.1\"}", NULL, "HTTP/1.1 200 OK"},
		{"{\"status\":404,\"version\":\"1.0\"}", NULL, "HTTP/1.0 404 Not Found"},
		{"{\"status\":404,\"version\":\"1.1\"}", "404 Gone Fishing",
			"HTTP/1.1 404 Gone Fishing"},
		{"{\"status\":404,\"version\":\"1.1\"}", "404 a\\u001bb", "HTTP/1.1 404 a?b"},
		{"{\"status\":404,\"version\":\"1.1\"}", "404", "HTTP/1.1 404 Not Found"},
		{"{\"status\":404,\"version\":\"1.1\"}", "404 ", "HTTP/1.1 404 Not Found"},
		{"{\"status\":404,\"version\":\"1.1\"}", "503 Sorry", "HTTP/1.1 404 Not Found"},
		{"{\"status\":299,\"version\":\"1.1\"}", NULL, "HTTP/1.1 299"},
		{"{\"status\":200,\"version\":\"2\"}", NULL, "HTTP/2 200"},
		{"{\"status\":404,\"version\":\"2\"}", "404 Not Found", "HTTP/2 404"},
		{"{\"status\":200}", NULL, "HTTP/1.1 200 OK"},
		{"{\"version\":\"1.1\"}", NULL, ""},
		{"null", NULL, ""},
	};

	for (size_t i = 0; i < countof(cases); i++)
		expect_line(cases[i].response, cases[i].message, cases[i].line);
}
END_TEST

START_TEST(tells_of_redirects)
{
	static const char response[] =
		"{\"url\":\"https://c/\",\"version\":\"2\",\"hops\":["
		"{\"status\":301,\"url\":\"http://a/\"},{\"status\":307,\"url\":\"https://b/\"}]}";
	static const struct {
		const char *line, *target;
	} hops[] = {
		{"HTTP/1.1 301 Moved Permanently", "https://b/"},
		{"HTTP/2 307", "https://c/"},
	};
	struct json_error error;
	yyjson_doc *doc = json_read(TEXT(response), &error);
	yyjson_val *root = yyjson_doc_get_root(doc);

	for (size_t i = 0; i < countof(hops); i++) {
		struct buffer out;

		buffer_init(&out, 4096);
		phrase_append_hop(&out, root, yyjson_arr_get(yyjson_obj_get(root, "hops"), i));
		ck_assert(text_is(buffer_text(&out), hops[i].line));
		ck_assert(text_is(phrase_hop_target(root, i), hops[i].target));
		buffer_deinit(&out);
	}
	yyjson_doc_free(doc);
}
END_TEST

UNIT_MAIN("client/phrase", &knows_what_is_registered, &makes_status_lines, &tells_of_redirects)
