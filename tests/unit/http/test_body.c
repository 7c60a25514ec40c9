/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include "util/container.h"

#include "tests/unit/unit.h"

#define TEST_HEADERS_MAX 4

struct test_case {
	uint16_t status;
	uint8_t version_minor;
	bool is_head;
	/* Pairs of name and value, up to a NULL. */
	const char *headers[2 * TEST_HEADERS_MAX];
};

static struct body_head test_head(const struct test_case *from, struct header *headers)
{
	struct body_head head = {
		.headers = headers,
		.status = from->status,
		.version_minor = from->version_minor,
		.is_head = from->is_head,
	};

	for (size_t i = 0; i < TEST_HEADERS_MAX && from->headers[2 * i]; i++)
		headers[head.n_headers++] = (struct header){
			text_from(from->headers[2 * i]), text_from(from->headers[2 * i + 1])};
	return head;
}

#define CL "content-length"
#define TE "transfer-encoding"

START_TEST(decides_framing)
{
	static const struct {
		struct test_case head;
		enum body_framing framing;
		uint64_t length;
	} cases[] = {
		{{200, 1, false, {CL, "5"}}, BODY_LENGTH, 5},
		{{200, 0, false, {CL, "5"}}, BODY_LENGTH, 5},
		{{200, 1, false, {CL, "0005"}}, BODY_LENGTH, 5},
		{{200, 1, false, {CL, "9223372036854775807"}}, BODY_LENGTH, INT64_MAX},
		{{200, 1, false, {CL, "0"}}, BODY_NONE, 0},
		{{200, 1, false, {TE, "chunked"}}, BODY_CHUNKED, 0},
		{{200, 1, false, {TE, "Chunked"}}, BODY_CHUNKED, 0},
		{{200, 1, false, {NULL}}, BODY_CLOSE, 0},
		{{200, 0, false, {NULL}}, BODY_CLOSE, 0},
		{{999, 1, false, {NULL}}, BODY_CLOSE, 0},
		{{205, 1, false, {CL, "0"}}, BODY_NONE, 0},
		/* None, whatever the head says (RFC 9112 6.3 (1)). */
		{{200, 1, true, {CL, "5"}}, BODY_NONE, 0},
		{{200, 1, true, {TE, "chunked"}}, BODY_NONE, 0},
		{{200, 1, true, {NULL}}, BODY_NONE, 0},
		{{204, 1, false, {CL, "5"}}, BODY_NONE, 0},
		{{204, 1, false, {NULL}}, BODY_NONE, 0},
		{{304, 1, false, {CL, "5"}}, BODY_NONE, 0},
		{{304, 1, false, {NULL}}, BODY_NONE, 0},
		{{100, 1, false, {NULL}}, BODY_NONE, 0},
		{{199, 1, false, {CL, "5"}}, BODY_NONE, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header headers[TEST_HEADERS_MAX];
		struct body_head head = test_head(&cases[i].head, headers);
		enum body_framing framing;
		uint64_t length;

		ck_assert_msg(!body_decide(&head, &framing, &length), "case %zu", i);
		ck_assert_msg(framing == cases[i].framing, "case %zu", i);
		ck_assert_msg(length == cases[i].length, "case %zu", i);
	}
}
END_TEST

START_TEST(refuses_what_can_be_read_in_two_ways)
{
	static const struct test_case cases[] = {
		/* Content-Length. */
		{200, 1, false, {CL, "5", CL, "6"}},
		{200, 1, false, {CL, "5", CL, "5"}},
		{200, 1, false, {CL, "5, 5"}},
		{200, 1, false, {CL, "5 5"}},
		{200, 1, false, {CL, ""}},
		{200, 1, false, {CL, "-5"}},
		{200, 1, false, {CL, "+5"}},
		{200, 1, false, {CL, "0x5"}},
		{200, 1, false, {CL, "5abc"}},
		{200, 1, false, {CL, "5.0"}},
		{200, 1, false, {CL, "5;"}},
		{200, 1, false, {CL, "9223372036854775808"}},
		{200, 1, false, {CL, "18446744073709551621"}},
		{200, 1, false, {CL, "1111111111111111111111111111111111111111"}},
		/* Both. */
		{200, 1, false, {CL, "5", TE, "chunked"}},
		{200, 1, false, {TE, "chunked", CL, "5"}},
		{200, 1, false, {TE, "identity", CL, "5"}},
		/* Transfer-Encoding. */
		{200, 0, false, {TE, "chunked"}},
		{200, 1, false, {TE, "chunked", TE, "chunked"}},
		{200, 1, false, {TE, "gzip", TE, "chunked"}},
		{200, 1, false, {TE, "chunked, chunked"}},
		{200, 1, false, {TE, "chunked, gzip"}},
		{200, 1, false, {TE, "gzip, chunked"}},
		{200, 1, false, {TE, "chunked, identity"}},
		{200, 1, false, {TE, "identity"}},
		{200, 1, false, {TE, "gzip"}},
		{200, 1, false, {TE, "xchunked"}},
		{200, 1, false, {TE, "chunkedx"}},
		{200, 1, false, {TE, "\013chunked"}},
		{200, 1, false, {TE, "chunked;q=1"}},
		{200, 1, false, {TE, "\"chunked\""}},
		{200, 1, false, {TE, "chunked,"}},
		{200, 1, false, {TE, ",chunked"}},
		{200, 1, false, {TE, ""}},
		/* Also where there is no body to read. */
		{200, 1, true, {CL, "5", TE, "chunked"}},
		{204, 1, false, {CL, "5", CL, "6"}},
		{304, 1, false, {TE, "gzip"}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header headers[TEST_HEADERS_MAX];
		struct body_head head = test_head(&cases[i], headers);
		enum body_framing framing;
		uint64_t length;

		ck_assert_msg(body_decide(&head, &framing, &length) != NULL, "case %zu", i);
	}
}
END_TEST

#define CO "connection"

START_TEST(keeps_connections_alive)
{
	static const struct {
		struct test_case head;
		bool keeps;
	} cases[] = {
		{{200, 1, false, {NULL}}, true},
		{{200, 1, false, {CO, "keep-alive"}}, true},
		{{200, 1, false, {CO, "upgrade"}}, true},
		{{200, 1, false, {CO, ""}}, true},
		{{200, 1, false, {CO, "close"}}, false},
		{{200, 1, false, {CO, "Close"}}, false},
		{{200, 1, false, {CO, "keep-alive, close"}}, false},
		{{200, 1, false, {CO, "keep-alive", CO, "close"}}, false},
		{{200, 1, false, {CO, "close", CO, "keep-alive"}}, false},
		{{200, 0, false, {NULL}}, false},
		{{200, 0, false, {CO, "Keep-Alive"}}, true},
		{{200, 0, false, {CO, "x", CO, "keep-alive"}}, true},
		{{200, 0, false, {CO, "keep-alive", CO, "close"}}, false},
		{{200, 0, false, {"keep-alive", "timeout=5"}}, false},
		{{200, 0, false, {"proxy-connection", "keep-alive"}}, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header headers[TEST_HEADERS_MAX];
		struct body_head head = test_head(&cases[i].head, headers);

		ck_assert_msg(body_keeps_alive(&head) == cases[i].keeps, "case %zu", i);
	}
}
END_TEST

UNIT_MAIN("http/body", &decides_framing, &refuses_what_can_be_read_in_two_ways,
	&keeps_connections_alive)
