/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include <stdio.h>

#include "util/container.h"

#include "tests/unit/unit.h"

static struct buffer test_out;

/* A whole request to `input`, with one header of the job's own. */
static struct text test_request(const char *method, const char *input, const char *body)
{
	struct buffer text;
	struct url url;

	buffer_deinit(&test_out);
	buffer_init(&test_out, 10000);
	buffer_init(&text, 10000);
	ck_assert_int_eq(url_parse(text_from(input), &text, &url), URL_OK);
	request_begin(&test_out, text_from(method), &url);
	request_header(&test_out, TEXT("accept"), TEXT("*/*"));
	request_end(&test_out, text_from(method), text_from(body ? body : ""), body != NULL);
	buffer_deinit(&text);
	return buffer_text(&test_out);
}

START_TEST(writes_a_get)
{
	ck_assert(text_is(test_request("GET", "https://Host:8443/a?b#c", NULL),
		"GET /a?b HTTP/1.1\r\nHost: host:8443\r\naccept: */*\r\n\r\n"));
	ck_assert(text_is(test_request("HEAD", "http://[::1]:80", NULL),
		"HEAD / HTTP/1.1\r\nHost: [::1]\r\naccept: */*\r\n\r\n"));
}
END_TEST

START_TEST(says_how_long_the_body_is)
{
	static const struct {
		const char *method;
		const char *body;
		const char *end;
	} cases[] = {
		{"POST", "abc", "Content-Length: 3\r\n\r\nabc"},
		{"GET", "abc", "Content-Length: 3\r\n\r\nabc"},
		{"GET", "", "Content-Length: 0\r\n\r\n"},
		{"POST", "", "Content-Length: 0\r\n\r\n"},
		/* These methods are expected to have one (RFC 9110 8.6). */
		{"POST", NULL, "Content-Length: 0\r\n\r\n"},
		{"PUT", NULL, "Content-Length: 0\r\n\r\n"},
		{"PATCH", NULL, "Content-Length: 0\r\n\r\n"},
		{"GET", NULL, "\r\n"},
		{"DELETE", NULL, "\r\n"},
		{"post", NULL, "\r\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text text = test_request(cases[i].method, "http://h", cases[i].body);
		size_t head = strlen(cases[i].method) + strlen(" / HTTP/1.1\r\nHost: h\r\n"
							       "accept: */*\r\n");

		ck_assert_msg(text_is(text_from_at(text, head), cases[i].end), "case %zu: %.*s", i,
			TEXT_ARGS(text));
	}
}
END_TEST

/* RFC 9112 3.2.2 */
START_TEST(asks_a_proxy_in_absolute_form)
{
	struct buffer text;
	struct url url;

	buffer_deinit(&test_out);
	buffer_init(&test_out, 10000);
	buffer_init(&text, 10000);
	ck_assert_int_eq(url_parse(TEXT("HTTP://Host:8080?b#c"), &text, &url), URL_OK);
	request_begin_absolute(&test_out, TEXT("PURGE"), &url);
	ck_assert(text_is(buffer_text(&test_out),
		"PURGE http://host:8080/?b HTTP/1.1\r\nHost: host:8080\r\n"));
	buffer_deinit(&text);
}
END_TEST

START_TEST(leaves_a_body_to_be_sent_later)
{
	struct buffer out;

	buffer_init(&out, 100);
	request_end_length(&out, UINT64_MAX - 1);
	ck_assert(text_is(buffer_text(&out), "Content-Length: 18446744073709551614\r\n\r\n"));
	buffer_clear(&out);
	request_end_length(&out, 0);
	ck_assert(text_is(buffer_text(&out), "Content-Length: 0\r\n\r\n"));
	buffer_clear(&out);
	request_end_chunked(&out);
	ck_assert(text_is(buffer_text(&out), "Transfer-Encoding: chunked\r\n\r\n"));
	buffer_deinit(&out);
}
END_TEST

START_TEST(what_was_written_is_cut_into_the_same_parts)
{
	static const struct {
		const char *method, *url, *target, *authority;
		/* NULL: none. */
		const char *body;
		bool has_body;
	} cases[] = {
		{"GET", "https://h/a?b", "/a?b", "h", NULL, false},
		{"HEAD", "https://[::1]:8443", "/", "[::1]:8443", NULL, false},
		{"POST", "https://h", "/", "h", NULL, true},
		{"PUT", "https://h", "/", "h", "", true},
		{"GET", "https://h", "/", "h", "", true},
		{"P!", "https://h", "/", "h", "a\r\n\r\nb: c\r\n HTTP/1.1\r\nHost: x\r\n", true},
	};
	struct header_list headers = {NULL, 0, 0};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text request = test_request(cases[i].method, cases[i].url, cases[i].body);
		struct request_parts parts;

		ck_assert(request_cut(request, &headers, &parts));
		ck_assert_msg(text_is(parts.method, cases[i].method), "case %zu", i);
		ck_assert_msg(text_is(parts.target, cases[i].target), "case %zu", i);
		ck_assert_msg(text_is(parts.authority, cases[i].authority), "case %zu", i);
		ck_assert_msg(
			text_is(parts.body, cases[i].body ? cases[i].body : ""), "case %zu", i);
		ck_assert_msg(parts.has_body == cases[i].has_body, "case %zu", i);
		ck_assert_uint_eq(headers.n, 1);
		ck_assert(text_is(headers.items[0].name, "accept"));
		ck_assert(text_is(headers.items[0].value, "*/*"));
	}
	header_list_deinit(&headers);
}
END_TEST

START_TEST(headers_are_cut_in_their_order_and_without_ours)
{
	static const char *const values[] = {"", "a: b", ":", "\xc3\xbc, \"x\"", "c", "d"};
	struct header_list headers = {NULL, 0, 0};
	struct request_parts parts;
	struct buffer text, out;
	struct url url;
	char name[8];

	buffer_init(&text, 1000);
	buffer_init(&out, 100000);
	ck_assert_int_eq(url_parse(TEXT("https://h/"), &text, &url), URL_OK);
	for (size_t n = 0; n < 100; n += 33) {
		buffer_clear(&out);
		request_begin(&out, TEXT("GET"), &url);
		for (size_t i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "X-%zu", i);
			request_header(
				&out, text_from(name), text_from(values[i % countof(values)]));
		}
		request_end_chunked(&out);
		buffer_append_literal(&out, "not: cut\r\n");
		ck_assert(request_cut(buffer_text(&out), &headers, &parts));
		ck_assert_uint_eq(headers.n, n);
		for (size_t i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "X-%zu", i);
			ck_assert(text_is(headers.items[i].name, name));
			ck_assert(text_is(headers.items[i].value, values[i % countof(values)]));
		}
		ck_assert(parts.has_body && text_is(parts.body, "not: cut\r\n"));
	}
	header_list_deinit(&headers);
	buffer_deinit(&text);
	buffer_deinit(&out);
}
END_TEST

START_TEST(knows_methods)
{
	static const struct {
		const char *method;
		bool valid;
		bool safe;
		bool idempotent;
	} cases[] = {
		{"GET", true, true, true},
		{"HEAD", true, true, true},
		{"OPTIONS", true, true, true},
		{"TRACE", true, true, true},
		{"PUT", true, false, true},
		{"DELETE", true, false, true},
		{"POST", true, false, false},
		{"PATCH", true, false, false},
		{"PURGE", true, false, false},
		{"get", true, false, false},
		{"GETS", true, false, false},
		{"CONNECT", false, false, false},
		{"connect", false, false, false},
		{"", false, false, false},
		{"GET ", false, false, false},
		{"GET /\r\n", false, false, false},
		{"G\xc3\x8b", false, false, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text method = text_from(cases[i].method);

		ck_assert_msg(request_method_is_valid(method) == cases[i].valid, "case %zu", i);
		ck_assert_msg(request_method_is_safe(method) == cases[i].safe, "case %zu", i);
		ck_assert_msg(
			request_method_is_idempotent(method) == cases[i].idempotent, "case %zu", i);
	}
}
END_TEST

START_TEST(remembers_that_memory_ended)
{
	struct buffer out;

	buffer_init(&out, 300);
	for (int i = 0; i < 15; i++)
		request_header(&out, TEXT("accept"), TEXT("text/plain"));
	ck_assert(!out.failed);
	request_header(&out, TEXT("accept"), TEXT("text/plain"));
	ck_assert(out.failed);
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("http/request", &writes_a_get, &says_how_long_the_body_is, &asks_a_proxy_in_absolute_form,
	&leaves_a_body_to_be_sent_later, &what_was_written_is_cut_into_the_same_parts,
	&headers_are_cut_in_their_order_and_without_ours, &knows_methods,
	&remembers_that_memory_ended)
