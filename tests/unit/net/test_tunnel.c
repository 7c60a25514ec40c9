/* SPDX-License-Identifier: MIT */
#include "net/tunnel.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct route route = {
	.host = TEXT_INIT("a.example"),
	.port = 443,
	.proxy_host = TEXT_INIT("proxy.example"),
	.proxy_port = 3128,
};

static struct fault fault;

/* The same with each cut. */
static enum tunnel_result feed(struct tunnel *tunnel, const char *text, size_t step)
{
	enum tunnel_result result = TUNNEL_MORE;
	size_t size = strlen(text);

	for (size_t at = 0; at < size && result != TUNNEL_FAULT; at += step)
		result =
			tunnel_feed(tunnel, text + at, size - at < step ? size - at : step, &fault);
	return result;
}

START_TEST(asks_for_the_origin)
{
	static const struct {
		const char *host, *credentials, *expected;
	} cases[] = {
		{"a.example", NULL,
			"CONNECT a.example:8443 HTTP/1.1\r\nhost: a.example:8443\r\n\r\n"},
		{"2001:db8::1", NULL,
			"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nhost: [2001:db8::1]:8443\r\n\r\n"},
		{"192.0.2.1", "Aladdin:open sesame",
			"CONNECT 192.0.2.1:8443 HTTP/1.1\r\nhost: 192.0.2.1:8443\r\n"
			"proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"},
		{"b", "",
			"CONNECT b:8443 HTTP/1.1\r\nhost: b:8443\r\n"
			"proxy-authorization: Basic \r\n\r\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route other = route;
		struct tunnel *tunnel;

		other.port = 8443;
		other.host = text_from(cases[i].host);
		if (cases[i].credentials)
			other.proxy_credentials = text_from(cases[i].credentials);
		tunnel = tunnel_new(&other);
		ck_assert_msg(text_is(tunnel_request(tunnel), cases[i].expected), "%.*s",
			TEXT_ARGS(tunnel_request(tunnel)));
		tunnel_free(tunnel);
	}
}
END_TEST

START_TEST(what_the_proxy_answers)
{
	static const struct {
		const char *text;
		enum fault_code code;
		const char *message;
	} cases[] = {
		{"HTTP/1.1 200 Connection established\r\n\r\n", FAULT_NONE, ""},
		{"HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n", FAULT_NONE, ""},
		{"HTTP/1.1 204 OK\r\n\r\n", FAULT_NONE, ""},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", FAULT_NONE, ""},
		/* What it says of a body holds for none (RFC 9110 9.3.6). */
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", FAULT_NONE, ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FAULT_NONE, ""},
		{"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n", FAULT_PROXY_AUTH,
			"proxy proxy.example:3128: 407 Who are you"},
		{"HTTP/1.1 403\r\n\r\n", FAULT_PROXY_REFUSED, "proxy proxy.example:3128: 403"},
		{"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", FAULT_PROXY_REFUSED,
			"proxy proxy.example:3128: 302 Found"},
		{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno!", FAULT_PROXY_REFUSED,
			"proxy proxy.example:3128: 502 Bad Gateway"},
		{"HTTP/1.1 200 OK\r\n\r\n\x16", FAULT_PROXY_REFUSED,
			"proxy proxy.example:3128: bytes before TLS began"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", FAULT_PROXY_REFUSED,
			"proxy proxy.example:3128: bytes before TLS began"},
		{"SSH-2.0-OpenSSH_9.2\r\n", FAULT_PROXY_REFUSED, NULL},
		{"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", FAULT_PROXY_REFUSED, NULL},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", FAULT_PROXY_REFUSED, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step < 200; step++) {
			struct tunnel *tunnel = tunnel_new(&route);
			enum tunnel_result result = feed(tunnel, cases[i].text, step);

			if (cases[i].code == FAULT_NONE) {
				ck_assert_msg(result == TUNNEL_DONE, "%s", cases[i].text);
				ck_assert(tunnel_is_done(tunnel));
			} else {
				ck_assert_msg(result == TUNNEL_FAULT, "%s", cases[i].text);
				ck_assert_msg(fault.code == cases[i].code, "%s", cases[i].text);
				if (cases[i].message)
					ck_assert_str_eq(fault.message, cases[i].message);
			}
			tunnel_free(tunnel);
		}
	}
}
END_TEST

START_TEST(half_an_answer_is_none)
{
	struct tunnel *tunnel = tunnel_new(&route);

	ck_assert_int_eq(feed(tunnel, "HTTP/1.1 200 OK\r\n", 100), TUNNEL_MORE);
	ck_assert(!tunnel_is_done(tunnel));
	tunnel_feed_end(tunnel, &fault);
	ck_assert_int_eq(fault.code, FAULT_PROXY_CONNECT);
	ck_assert_ptr_nonnull(strstr(fault.message, "proxy.example:3128"));
	tunnel_free(tunnel);
	ck_assert_ptr_null(tunnel_free(NULL));
}
END_TEST

START_TEST(an_endless_head_is_refused)
{
	struct tunnel *tunnel = tunnel_new(&route);
	enum tunnel_result result = feed(tunnel, "HTTP/1.1 200 OK\r\n", 100);

	for (int i = 0; i < 10000 && result == TUNNEL_MORE; i++)
		result = feed(tunnel,
			"x: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
			100);
	ck_assert_int_eq(result, TUNNEL_FAULT);
	ck_assert_int_eq(fault.code, FAULT_PROXY_REFUSED);
	tunnel_free(tunnel);
}
END_TEST

UNIT_MAIN("net/tunnel", &asks_for_the_origin, &what_the_proxy_answers, &half_an_answer_is_none,
	&an_endless_head_is_refused)
