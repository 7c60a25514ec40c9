/* SPDX-License-Identifier: MIT */
#include "client/cli/refusal.h"

#include "client/cli/exit.h"
#include "tests/unit/client/capture.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(says_a_line_for_each_error)
{
	static const struct {
		const char *json;
		int status;
		const char *lines;
	} cases[] = {
		{"{\"errors\":[{\"code\":\"GRAPH_CYCLE\",\"at\":\"/jobs/a\",\"message\":\"a -> b "
		 "-> a\"},{\"code\":\"GRAPH_SYNTAX\",\"at\":\"\",\"message\":\"no\\u001b\"}]}",
			EXIT_REFUSED,
			"settle: GRAPH_CYCLE at /jobs/a: a -> b -> a\nsettle: GRAPH_SYNTAX: no?\n"},
		{"{\"errors\":[{\"code\":\"QUOTA\",\"at\":\"\",\"message\":\"full\"}]}",
			EXIT_POLICY, "settle: QUOTA: full\n"},
		{"{\"errors\":[{\"code\":\"POLICY_HOST\",\"at\":\"/x\",\"message\":\"m\"}]}",
			EXIT_POLICY, "settle: POLICY_HOST at /x: m\n"},
		{"{\"errors\":[{\"code\":\"QUOTA\",\"message\":\"q\"},{\"code\":\"GRAPH_KEY\","
		 "\"message\":\"k\"}]}",
			EXIT_REFUSED, "settle: QUOTA: q\nsettle: GRAPH_KEY: k\n"},
		{"{}", EXIT_REFUSED, "settle: the graph was refused\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct capture capture = capture_begin(STDERR_FILENO);
		int status = refusal_tell(text_from(cases[i].json), NULL);
		struct buffer lines = capture_end(&capture);

		ck_assert_int_eq(status, cases[i].status);
		ck_assert_str_eq(lines.data, cases[i].lines);
		buffer_deinit(&lines);
	}
}
END_TEST

START_TEST(names_the_option_and_the_url_of_a_document_that_was_made)
{
	static const char *const urls[] = {"a", "http://b c/"};
	static const struct refusal_source source = {urls, countof(urls)};
	static const struct {
		const char *at, *line;
	} cases[] = {
		{"/defaults/proxy", "settle: option --proxy: C: m\n"},
		{"/jobs/0/proxy", "settle: option --proxy: C: m\n"},
		{"/defaults/tls/ca", "settle: option --cacert: C: m\n"},
		{"/defaults/tls/cert", "settle: option --cert: C: m\n"},
		{"/defaults/tls/pin/0", "settle: option --pinnedpubkey: C: m\n"},
		{"/defaults/resolve/h:1/0", "settle: option --resolve: C: m\n"},
		{"/defaults/method", "settle: option --request: C: m\n"},
		{"/defaults/headers/Host", "settle: C: m\n"},
		{"/jobs/1/url", "settle: http://b c/: C: m\n"},
		{"/jobs/1", "settle: http://b c/: C: m\n"},
		{"/jobs/2/url", "settle: C at /jobs/2/url: m\n"},
		{"/jobs/x/url", "settle: C at /jobs/x/url: m\n"},
		{"/jobs/99999999999999999999999/url",
			"settle: C at /jobs/99999999999999999999999/url: m\n"},
		{"/defaults/proxyx", "settle: C at /defaults/proxyx: m\n"},
		{"", "settle: C: m\n"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct capture capture = capture_begin(STDERR_FILENO);
		struct buffer json, lines;

		buffer_init(&json, 1024);
		buffer_printf(&json,
			"{\"errors\":[{\"code\":\"C\",\"at\":\"%s\",\"message\":\"m\"}]}",
			cases[i].at);
		ck_assert_int_eq(refusal_tell(buffer_text(&json), &source), EXIT_REFUSED);
		lines = capture_end(&capture);
		ck_assert_str_eq(lines.data, cases[i].line);
		buffer_deinit(&lines);
		buffer_deinit(&json);
	}
}
END_TEST

START_TEST(writes_errors_as_the_daemon_does)
{
	struct buffer out;

	buffer_init(&out, 65536);
	ck_assert_int_eq(
		refusal_check(TEXT("{\"jobs\":{\"a\":{\"url\":\"http://x\"}}}"), NULL, &out), 0);
	ck_assert_uint_eq(out.size, 0);
	ck_assert_int_eq(refusal_check(TEXT("{\"jobs\":{\"a\":{\"url\":\"http://x\","
					    "\"after\":[\"a\"]}}}"),
				 NULL, &out),
		EXIT_REFUSED);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, "{\"errors\":[{\"code\":\"GRAPH_CYCLE\",\"at\":\"/jobs/a\","
				   "\"message\":\"a -> a\"}]}");
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/refusal", &says_a_line_for_each_error,
	&names_the_option_and_the_url_of_a_document_that_was_made,
	&writes_errors_as_the_daemon_does)
