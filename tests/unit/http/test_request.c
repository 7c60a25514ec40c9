/* SPDX-License-Identifier: MIT */
#include "http/request.h"

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

UNIT_MAIN("http/request", &writes_a_get, &says_how_long_the_body_is, &knows_methods,
	&remembers_that_memory_ended)
