/* SPDX-License-Identifier: MIT */
#include "client/cli/render/exchange.h"

#include "proto/document.h"
#include "tests/unit/client/sample.h"
#include "tests/unit/unit.h"

/* The exchange of the first job of a document. */
static void expect_exchange(const char *document, const char *record, const char *wanted)
{
	struct plan_errors errors;
	struct plan *plan;
	struct buffer out;

	plan_errors_init(&errors);
	ck_assert_int_eq(
		document_parse(text_from(document), &document_limits_default, &plan, &errors), 0);
	buffer_init(&out, 65536);
	exchange_append(&out, &plan->jobs[0], TEXT("a"), text_from(record));
	ck_assert_msg(text_is(buffer_text(&out), wanted), "got %.*s", TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
	plan_free(plan);
	plan_errors_deinit(&errors);
}

#define RESPONSE(members)                                                                          \
	"{\"job\":\"0\",\"index\":0,\"status\":\"fulfilled\",\"attempts\":1,\"value\":{"           \
	"\"status\":200,\"version\":\"2\"," members ",\"bytes\":3},\"time\":{\"start\":0,"         \
	"\"dns\":1,\"connect\":2,\"tls\":3.5,\"first_byte\":4,\"body\":5,\"end\":9},"              \
	"\"conn\":{\"reused\":false,\"remote\":\"127.0.0.1:443\"}}"

START_TEST(shows_both_sides_and_no_secrets)
{
	expect_exchange(
		"{\"jobs\":[{\"url\":\"https://h:8/p?q\",\"headers\":{"
		"\"Authorization\":\"Basic eA==\",\"Cookie\":\"a=b\",\"X-A\":\"\\\\{{y\"}}]}",
		RESPONSE("\"url\":\"https://h:8/p?q\",\"redirects\":0,\"headers\":{"
			 "\"set-cookie\":[\"c=d\",\"e=f\"],\"x-esc\":\"a\\u001b[31m\"}"),
		"* 127.0.0.1:443, a new connection: name 1 ms, connect 2 ms, TLS 3.5 ms\n"
		"> GET /p?q HTTP/2\n"
		"> host: h:8\n"
		"> user-agent: settled/" SETTLED_VERSION "\n"
		"> accept: */*\n"
		"> accept-encoding: [all it can decode]\n"
		"> Authorization: [masked]\n"
		"> Cookie: [masked]\n"
		"> X-A: {{y\n"
		">\n"
		"< HTTP/2 200\n"
		"< set-cookie: [masked]\n"
		"< set-cookie: [masked]\n"
		"< x-esc: a?[31m\n"
		"<\n"
		"* 3 bytes of body; first byte after 4 ms, the body took 5 ms\n");
}
END_TEST

START_TEST(follows_redirects_as_the_daemon_does)
{
	expect_exchange("{\"jobs\":[{\"url\":\"https://h/"
			"a\",\"decode\":false,\"headers\":{\"x-mine\":\"1\","
			"\"accept\":\"x/y\",\"user-agent\":\"u\",\"content-type\":\"t/u\"},"
			"\"body\":\"b\"}]}",
		RESPONSE("\"url\":\"https://other/c\",\"redirects\":2,\"hops\":[{\"status\":307,"
			 "\"url\":\"https://h/a\"},{\"status\":303,\"url\":\"https://h/b\"}],"
			 "\"headers\":{}"),
		"* 127.0.0.1:443, a new connection: name 1 ms, connect 2 ms, TLS 3.5 ms\n"
		"> POST /a HTTP/2\n> host: h\n> x-mine: 1\n> accept: x/y\n> user-agent: u\n"
		"> content-type: t/u\n>\n"
		"< HTTP/2 307\n* it redirects to https://h/b\n"
		"> POST /b HTTP/2\n> host: h\n> x-mine: 1\n> accept: x/y\n> user-agent: u\n"
		"> content-type: t/u\n>\n"
		"< HTTP/2 303\n* it redirects to https://other/c\n"
		"> GET /c HTTP/2\n> host: other\n> accept: x/y\n> user-agent: u\n>\n"
		"< HTTP/2 200\n<\n"
		"* 3 bytes of body; first byte after 4 ms, the body took 5 ms\n");
}
END_TEST

START_TEST(tells_why_there_was_no_answer)
{
	static const char document[] =
		"{\"jobs\":[{\"url\":\"http://h\",\"method\":\"PUT\",\"decode\":false}]}";

	expect_exchange(document,
		"{\"job\":\"0\",\"index\":0,\"status\":\"rejected\",\"attempts\":2,\"reason\":{"
		"\"code\":\"CONNECT_REFUSED\",\"message\":\"no\"},\"tries\":[{"
		"\"code\":\"HTTP_STATUS\",\"status\":503,\"backoff\":12.5},{"
		"\"code\":\"CONNECT_REFUSED\"}],\"time\":{}}",
		"* attempt 1: HTTP_STATUS 503; again after 12.5 ms\n"
		"> PUT / HTTP/1.1\n> host: h\n> user-agent: settled/" SETTLED_VERSION
		"\n> accept: */*\n>\n"
		"* CONNECT_REFUSED: no\n");
	/* What was never sent is not shown as if it had been. */
	expect_exchange(document,
		"{\"job\":\"0\",\"index\":0,\"status\":\"rejected\",\"attempts\":0,\"reason\":{"
		"\"code\":\"POLICY_HOST\",\"message\":\"no\"},\"time\":{}}",
		"* POLICY_HOST: no\n");
}
END_TEST

START_TEST(does_without_a_plan)
{
	struct buffer out;

	buffer_init(&out, 65536);
	exchange_append(&out, NULL, TEXT("http://h/x"), TEXT(SAMPLE_EMPTY));
	ck_assert(text_is(buffer_text(&out),
		"> GET /x HTTP/1.1\n> host: h\n> user-agent: settled/" SETTLED_VERSION
		"\n> accept: */*\n>\n"
		"< HTTP/1.1 204 No Content\n<\n* 0 bytes of body\n"));
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/exchange", &shows_both_sides_and_no_secrets,
	&follows_redirects_as_the_daemon_does, &tells_why_there_was_no_answer, &does_without_a_plan)
