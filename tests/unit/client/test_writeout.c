/* SPDX-License-Identifier: MIT */
#include "client/cli/render/writeout.h"

#include "proto/document.h"
#include "proto/json.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define RECORD                                                                                     \
	"{\"job\":\"0\",\"index\":0,\"status\":\"fulfilled\",\"via\":\"network\",\"attempts\":2,"  \
	"\"value\":{\"status\":204,\"version\":\"2\",\"url\":\"https://b/y\",\"redirects\":1,"     \
	"\"hops\":[{\"status\":303,\"url\":\"https://a/x\"}],\"headers\":{"                        \
	"\"content-type\":\"text/x\",\"set-cookie\":[\"a=1\",\"b=\\\"2\"]},\"bytes\":1000},"       \
	"\"time\":{\"start\":5,\"queue\":1,\"dns\":2,\"connect\":3.5,\"tls\":10,"                  \
	"\"first_byte\":20,\"body\":100.25,\"end\":255},"                                          \
	"\"conn\":{\"reused\":false,\"remote\":\"[::1]:443\"}}"

#define REDIRECT                                                                                   \
	"{\"job\":\"0\",\"index\":0,\"status\":\"fulfilled\",\"attempts\":1,\"value\":{"           \
	"\"status\":302,\"version\":\"1.1\",\"url\":\"http://a/x/y\",\"redirects\":0,"             \
	"\"headers\":{\"location\":\"../z?q\"},\"bytes\":0},\"time\":{\"start\":0,\"end\":1},"     \
	"\"conn\":{\"reused\":true,\"remote\":\"127.0.0.1:80\"}}"

#define REJECTED                                                                                   \
	"{\"job\":\"0\",\"index\":0,\"status\":\"rejected\",\"attempts\":1,\"reason\":{"           \
	"\"code\":\"CONNECT_REFUSED\",\"message\":\"127.0.0.1:1 refused\"},\"time\":{"             \
	"\"start\":0,\"end\":0.5}}"

static void expect_format(
	const char *record, const char *format, const char *out, const char *error)
{
	struct writeout writeout = {.format = text_from(format),
		.url = "a/x",
		.filename = "f",
		.record = text_from(record),
		.index = 3};
	struct buffer got, got_error;

	buffer_init(&got, 65536);
	buffer_init(&got_error, 65536);
	writeout_append(&got, &got_error, &writeout);
	ck_assert_msg(text_is(buffer_text(&got), out), "%s gave %.*s", format,
		TEXT_ARGS(buffer_text(&got)));
	ck_assert_msg(text_is(buffer_text(&got_error), error), "%s said %.*s", format,
		TEXT_ARGS(buffer_text(&got_error)));
	buffer_deinit(&got);
	buffer_deinit(&got_error);
}

START_TEST(knows_curls_variables)
{
	static const struct {
		const char *record, *format, *out;
	} cases[] = {
		{RECORD, "%{http_code} %{response_code} %{http_version}", "204 204 2"},
		{RECORD, "%{url} %{url_effective} %{scheme} %{urlnum}", "a/x https://b/y https 3"},
		{RECORD, "%{size_download} %{speed_download}", "1000 4000"},
		{RECORD, "%{time_queue} %{time_namelookup} %{time_connect} %{time_appconnect}",
			"0.001000 0.003000 0.006500 0.016500"},
		{RECORD, "%{time_pretransfer} %{time_starttransfer} %{time_total}",
			"0.016500 0.149750 0.250000"},
		{RECORD, "%{time_redirect} %{num_redirects} %{num_retries} %{num_connects}",
			"0.113250 1 1 1"},
		{RECORD, "%{remote_ip} %{remote_port} %{num_headers}", "::1 443 3"},
		{RECORD, "%{content_type} %header{Set-Cookie} %header{x}.", "text/x a=1 ."},
		{RECORD, "%{exitcode} %{errormsg}. %{filename_effective} %{redirect_url}.",
			"0 . f ."},
		{RECORD, "%{header_json}",
			"{\"content-type\":[\"text/x\"],\"set-cookie\":[\"a=1\",\"b=\\\"2\"]}"},
		{REDIRECT, "%{redirect_url} %{remote_ip} %{num_connects} %{time_appconnect}",
			"http://a/z?q 127.0.0.1 0 0.000000"},
		{REJECTED, "%{http_code} %{http_version} %{exitcode} %{errormsg}",
			"000 0 1 CONNECT_REFUSED: 127.0.0.1:1 refused"},
		{REJECTED, "%{remote_ip}.%{remote_port} %{size_download} %{filename_effective}.",
			".0 0 ."},
		{REJECTED, "%{url_effective} %{time_total} %{time_starttransfer}",
			"a/x 0.000500 0.000000"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		expect_format(cases[i].record, cases[i].format, cases[i].out, "");
}
END_TEST

START_TEST(takes_a_format_as_curl_does)
{
	static const struct {
		const char *format, *out, *error;
	} cases[] = {
		{"", "", ""},
		{"a\\n\\r\\t\\x\\", "a\n\r\t\\x\\", ""},
		{"100%% %x %", "100% %x %", ""},
		{"%{http_code", "%{http_code", ""},
		{"%header{x", "%header{x", ""},
		{"a%{nope}b", "ab", "settle: unknown --write-out variable: 'nope'\n"},
		{"%{stderr}x%{http_code}%{stdout}y", "y", "x204"},
		{"a%{onerror}b", "a", ""},
	};

	for (size_t i = 0; i < countof(cases); i++)
		expect_format(RECORD, cases[i].format, cases[i].out, cases[i].error);
	expect_format(REJECTED, "a%{onerror}b", "ab", "");
}
END_TEST

START_TEST(writes_all_of_them_as_json)
{
	struct writeout writeout = {
		.format = TEXT("%{json}"), .url = "a/\"x", .record = TEXT(REJECTED)};
	struct json_error error;
	struct buffer out, other;
	yyjson_val *root;
	yyjson_doc *doc;

	buffer_init(&out, 65536);
	buffer_init(&other, 65536);
	writeout_append(&out, &other, &writeout);
	doc = json_read(buffer_text(&out), &error);
	ck_assert_msg(doc != NULL, "%.*s", TEXT_ARGS(buffer_text(&out)));
	root = yyjson_doc_get_root(doc);
	ck_assert(text_is(json_number(yyjson_obj_get(root, "http_code")), "0"));
	ck_assert(text_is(json_string(yyjson_obj_get(root, "url")), "a/\"x"));
	ck_assert(text_is(json_number(yyjson_obj_get(root, "time_total")), "0.000500"));
	ck_assert(yyjson_is_null(yyjson_obj_get(root, "content_type")));
	yyjson_doc_free(doc);
	buffer_deinit(&out);
	buffer_deinit(&other);
}
END_TEST

START_TEST(knows_the_method_behind_redirects)
{
	static const struct {
		const char *job, *method;
	} cases[] = {
		{"\"body\":\"x\"", "GET"},
		{"\"method\":\"HEAD\"", "HEAD"},
		{"\"method\":\"PUT\"", "GET"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct writeout writeout = {
			.format = TEXT("%{method}"), .url = "a", .record = TEXT(RECORD)};
		struct buffer document, out;
		struct plan_errors errors;
		struct plan *plan;

		buffer_init(&document, 65536);
		buffer_init(&out, 65536);
		buffer_printf(&document, "{\"jobs\":[{\"url\":\"http://a/x\",%s}]}", cases[i].job);
		plan_errors_init(&errors);
		ck_assert_int_eq(document_parse(buffer_text(&document), &document_limits_default,
					 &plan, &errors),
			0);
		writeout.job = &plan->jobs[0];
		writeout_append(&out, &out, &writeout);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].method), "%s", cases[i].job);
		plan_free(plan);
		plan_errors_deinit(&errors);
		buffer_deinit(&document);
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("client/writeout", &knows_curls_variables, &takes_a_format_as_curl_does,
	&writes_all_of_them_as_json, &knows_the_method_behind_redirects)
