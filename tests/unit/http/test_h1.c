/* SPDX-License-Identifier: MIT */
#include "http/h1.h"

#include "tests/unit/http/reading.h"

#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* A complete response, and what is in it. */
struct test_response {
	const char *bytes;
	bool is_head;
	enum body_framing framing;
	const char *body;
	bool keeps_alive;
	/* It ends where the connection does. */
	bool ends;
};

static const struct test_response test_responses[] = {
	{OK "Content-Length: 5\r\n\r\nhello", false, BODY_LENGTH, "hello", true, false},
	{OK "content-length:5\r\n\r\nhello", false, BODY_LENGTH, "hello", true, false},
	{OK "CONTENT-LENGTH: \t 5 \r\n\r\nhello", false, BODY_LENGTH, "hello", true, false},
	{OK "Content-Length: 0\r\n\r\n", false, BODY_NONE, "", true, false},
	{"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, BODY_NONE, "", true, false},
	{"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, BODY_NONE, "", true, false},
	{"HTTP/1.1 999 \xff\t!\r\nContent-Length: 0\r\n\r\n", false, BODY_NONE, "", true, false},
	{OK "\r\nto the end", false, BODY_CLOSE, "to the end", false, true},
	{OK "\r\n", false, BODY_CLOSE, "", false, true},
	{"HTTP/1.0 200 OK\r\n\r\nx", false, BODY_CLOSE, "x", false, true},
	/* Connections. */
	{OK "Connection: close\r\nContent-Length: 1\r\n\r\nx", false, BODY_LENGTH, "x", false,
		false},
	{OK "Connection: x,Close\r\nContent-Length: 1\r\n\r\nx", false, BODY_LENGTH, "x", false,
		false},
	{OK "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, BODY_CHUNKED,
		"", false, false},
	{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, BODY_LENGTH, "x", false, false},
	{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false,
		BODY_LENGTH, "x", true, false},
	{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx", false, BODY_CLOSE, "x", false, true},
	{OK "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\nx", false, BODY_LENGTH,
		"x", true, false},
	/* No body, whatever the head says. */
	{OK "Content-Length: 5\r\n\r\n", true, BODY_NONE, "", true, false},
	{OK "Transfer-Encoding: chunked\r\n\r\n", true, BODY_NONE, "", true, false},
	{OK "\r\n", true, BODY_NONE, "", true, false},
	{"HTTP/1.1 204 No Content\r\n\r\n", false, BODY_NONE, "", true, false},
	{"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, BODY_NONE, "", true, false},
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, BODY_NONE, "", true,
		false},
	{"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", false, BODY_NONE, "",
		true, false},
	/* Chunks. */
	{CHUNKED "5\r\nhello\r\n0\r\n\r\n", false, BODY_CHUNKED, "hello", true, false},
	{CHUNKED "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", false, BODY_CHUNKED, "hello", true, false},
	{CHUNKED "0005\r\nhello\r\n000\r\n\r\n", false, BODY_CHUNKED, "hello", true, false},
	{CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", false, BODY_CHUNKED,
		"01234567890123456789a", true, false},
	{CHUNKED "2\r\n\r\n\r\n0\r\n\r\n", false, BODY_CHUNKED, "\r\n", true, false},
	{OK "transfer-encoding:CHUNKED\r\n\r\n0\r\n\r\n", false, BODY_CHUNKED, "", true, false},
	/* Extensions (RFC 9112 7.1.1). */
	{CHUNKED "5;a\r\nhello\r\n0;b=c\r\n\r\n", false, BODY_CHUNKED, "hello", true, false},
	{CHUNKED "5;a=\"b \\\" ;c\";d=e\r\nhello\r\n0\r\n\r\n", false, BODY_CHUNKED, "hello", true,
		false},
	/* Trailers: no effect, whatever their names. */
	{CHUNKED "0\r\nDigest: x\r\n\r\n", false, BODY_CHUNKED, "", true, false},
	{CHUNKED "1\r\nx\r\n0\r\na:\r\nb: c \r\n\r\n", false, BODY_CHUNKED, "x", true, false},
	{CHUNKED "1\r\nx\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n", false,
		BODY_CHUNKED, "x", true, false},
	{CHUNKED "1\r\nx\r\n0\r\nConnection: close\r\nHost: y\r\n\r\n", false, BODY_CHUNKED, "x",
		true, false},
	/* 1xx before. */
	{"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", false, BODY_LENGTH, "x",
		true, false},
	{"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n"
	 "Content-Length: 300\r\n\r\nHTTP/1.1 199 ?\r\nConnection: close\r\n\r\n" OK
	 "Content-Length: 1\r\n\r\nx",
		false, BODY_LENGTH, "x", true, false},
	{"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\n", true, BODY_NONE, "", true,
		false},
};

static void test_check_response(struct reading *reading, const struct test_response *response)
{
	size_t size = strlen(response->bytes);

	ck_assert_msg(reading->result == H1_DONE, "%s: result %d, %s", response->bytes,
		(int)reading->result, reading->result == H1_FAULT ? reading->fault.why : "");
	ck_assert_msg(reading->n_heads == 1, "%s", response->bytes);
	ck_assert_msg(reading->head.framing == response->framing, "%s", response->bytes);
	ck_assert_msg(text_is(buffer_text(&reading->body), response->body), "%s", response->bytes);
	ck_assert_msg(reading->used == size, "%s: used %zu", response->bytes, reading->used);
	ck_assert_msg(h1_keeps_alive(reading->h1) == response->keeps_alive, "%s", response->bytes);
	ck_assert(h1_has_begun(reading->h1) && h1_has_head(reading->h1));
	ck_assert_uint_eq(h1_body_left(reading->h1), 0);
}

/* However it is cut. One h1 for all: what one response left must not reach the next. */
START_TEST(reads_complete_responses)
{
	static const size_t pieces[] = {SIZE_MAX / 2, 1, 2, 3, 7, 20};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(test_responses); i++) {
		const struct test_response *response = &test_responses[i];

		for (size_t j = 0; j < countof(pieces); j++) {
			reading_begin(&reading, response->is_head);
			ck_assert(!h1_has_begun(reading.h1) && !h1_has_head(reading.h1));
			reading_run(&reading, text_from(response->bytes), pieces[j]);
			if (response->ends && reading.result == H1_MORE)
				reading_end(&reading);
			test_check_response(&reading, response);
		}
	}
	reading_deinit(&reading);
}
END_TEST

static void test_read_whole(struct reading *reading, const struct test_response *response)
{
	reading_begin(reading, response->is_head);
	reading_run(reading, text_from(response->bytes), SIZE_MAX / 2);
	if (response->ends && reading->result == H1_MORE)
		reading_end(reading);
	test_check_response(reading, response);
}

/* A head that is the last one again is not parsed; what it is parsed to depends on nothing else
 * that one h1 has read before it. */
START_TEST(reads_a_response_again_after_any_other)
{
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(test_responses); i++) {
		for (size_t j = 0; j < countof(test_responses); j++) {
			test_read_whole(&reading, &test_responses[i]);
			test_read_whole(&reading, &test_responses[i]);
			test_read_whole(&reading, &test_responses[j]);
		}
	}
	reading_deinit(&reading);
}
END_TEST

/* The same head to another end: a body that is cut, a HEAD, a head that is one byte short or one
 * byte other, and one that took the memory of the last one. */
START_TEST(knows_a_head_by_all_its_bytes)
{
	const struct text known = TEXT(OK "Content-Length: 2\r\nA: b\r\n\r\n");
	struct reading reading;
	struct buffer bytes;

	buffer_init(&bytes, 64 * 1024);
	reading_init(&reading);
	for (size_t i = 0; i < known.size; i++) {
		reading_begin(&reading, false);
		reading_run(&reading, known, SIZE_MAX / 2);
		ck_assert_int_eq(reading.result, H1_MORE);
		ck_assert_uint_eq(h1_body_left(reading.h1), 2);

		reading_begin(&reading, true);
		reading_run(&reading, known, SIZE_MAX / 2);
		ck_assert_int_eq(reading.result, H1_DONE);
		ck_assert(reading.head.is_again);

		reading_begin(&reading, false);
		reading_feed(&reading, (struct text){known.data, i});
		ck_assert_uint_eq(reading.n_heads, 0);
		ck_assert_uint_eq(h1_body_left(reading.h1), 0);

		/* One digit or letter more is another length, another name or no head. */
		buffer_clear(&bytes);
		buffer_append_text(&bytes, known);
		bytes.data[i]++;
		reading_begin(&reading, false);
		reading.head.is_again = false;
		reading_run(&reading, buffer_text(&bytes), SIZE_MAX / 2);
		ck_assert(!reading.head.is_again);
		ck_assert(reading.result != H1_MORE || h1_body_left(reading.h1) != 2 ||
			  reading.head.status != 200 ||
			  !text_equal(reading.head.reason, TEXT("OK")) ||
			  !text_equal(reading.headers[1].name, TEXT("a")) ||
			  !text_equal(reading.headers[1].value, TEXT("b")));
	}
	reading_deinit(&reading);
	buffer_deinit(&bytes);
}
END_TEST

/* What follows is another's: it is left alone, and the connection's user has to see it. */
START_TEST(leaves_what_is_behind_a_response)
{
	static const char *const behind[] = {
		OK "Content-Length: 0\r\n\r\n", "\r\n", "x", "HTTP/1.1 408 Timeout\r\n\r\n"};
	struct reading reading;
	struct buffer bytes;

	reading_init(&reading);
	buffer_init(&bytes, 10000);
	for (size_t i = 0; i < countof(test_responses) * countof(behind); i++) {
		const struct test_response *response = &test_responses[i / countof(behind)];

		if (response->ends)
			continue;
		buffer_clear(&bytes);
		buffer_append_text(&bytes, text_from(response->bytes));
		buffer_append_text(&bytes, text_from(behind[i % countof(behind)]));
		reading_begin(&reading, response->is_head);
		reading_run(&reading, buffer_text(&bytes), bytes.size);
		test_check_response(&reading, response);
	}
	buffer_deinit(&bytes);
	reading_deinit(&reading);
}
END_TEST

START_TEST(tells_the_head)
{
	struct reading reading;

	reading_init(&reading);
	reading_begin(&reading, false);
	reading_run(&reading,
		TEXT("HTTP/1.0 404 Not Found \r\nX-A: one \t\r\nx-a:two\r\nEmpty:\r\n"
		     "Empty-Too:  \r\nContent-Length: 3\r\n\r\nabc"),
		1000);
	ck_assert_int_eq(reading.result, H1_DONE);
	ck_assert_uint_eq(reading.head.status, 404);
	ck_assert_uint_eq(reading.head.version_minor, 0);
	ck_assert(text_is(reading.head.reason, "Not Found"));
	ck_assert_uint_eq(reading.head.length, 3);
	ck_assert_uint_eq(reading.head.n_headers, 5);
	ck_assert(text_is(reading.headers[0].name, "x-a"));
	ck_assert(text_is(reading.headers[0].value, "one"));
	ck_assert(text_is(reading.headers[1].name, "x-a"));
	ck_assert(text_is(reading.headers[1].value, "two"));
	ck_assert(text_is(reading.headers[2].name, "empty"));
	ck_assert(text_is(reading.headers[2].value, ""));
	ck_assert_ptr_nonnull(reading.headers[2].value.data);
	ck_assert(text_is(reading.headers[3].name, "empty-too"));
	ck_assert(text_is(reading.headers[3].value, ""));
	ck_assert(text_is(reading.headers[4].name, "content-length"));
	reading_deinit(&reading);
}
END_TEST

/* A reply of about 300 bytes, cut at every place into two. */
static void test_every_split(struct text bytes, const char *body)
{
	struct reading reading;

	reading_init(&reading);
	for (size_t cut = 0; cut <= bytes.size; cut++) {
		reading_begin(&reading, false);
		reading_feed(&reading, (struct text){bytes.data, cut});
		if (reading.result == H1_MORE)
			reading_feed(&reading, text_from_at(bytes, cut));
		ck_assert_msg(reading.result == H1_DONE, "cut at %zu", cut);
		ck_assert_msg(reading.used == bytes.size, "cut at %zu", cut);
		ck_assert_msg(text_is(buffer_text(&reading.body), body), "cut at %zu", cut);
		ck_assert_msg(reading.head.n_headers == 6, "cut at %zu", cut);
		ck_assert_msg(text_is(reading.headers[2].value, "text/plain; charset=utf-8"),
			"cut at %zu", cut);
	}
	reading_deinit(&reading);
}

#define TEST_HEAD                                                                                  \
	OK "Server: origin/1.0\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"                         \
	   "Content-Type: text/plain; charset=utf-8\r\nETag: \"0123456789abcdef\"\r\n"             \
	   "Cache-Control: no-store\r\n"

START_TEST(does_not_care_where_it_is_cut)
{
	test_every_split(
		TEXT(TEST_HEAD "Content-Length: 78\r\n\r\n"
			       "a body of some length, which is to be told whole and in order "
			       "and nothing more"),
		"a body of some length, which is to be told whole and in order "
		"and nothing more");
	test_every_split(TEXT(TEST_HEAD "Transfer-Encoding: chunked\r\n\r\n"
					"1A;extension=\"quoted\"\r\nabcdefghijklmnopqrstuvwxyz\r\n"
					"10\r\n0123456789abcdef\r\n3\r\nend\r\n0\r\n"
					"Digest: sha-256=x\r\nOther: y\r\n\r\n"),
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefend");
}
END_TEST

/* Faults: the same for every cut. */
struct test_fault {
	const char *bytes;
	enum h1_fault_kind kind;
	bool is_head;
};

static void test_expect_faults(const struct test_fault *cases, size_t n)
{
	static const size_t pieces[] = {SIZE_MAX / 2, 1, 5};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < n * countof(pieces); i++) {
		const struct test_fault *fault = &cases[i / countof(pieces)];

		reading_begin(&reading, fault->is_head);
		reading_run(&reading, text_from(fault->bytes), pieces[i % countof(pieces)]);
		if (reading.result == H1_MORE)
			reading_end(&reading);
		ck_assert_msg(reading.result == H1_FAULT, "%s: result %d", fault->bytes,
			(int)reading.result);
		ck_assert_msg(reading.fault.kind == fault->kind, "%s: %s", fault->bytes,
			reading.fault.why);
	}
	reading_deinit(&reading);
}

START_TEST(refuses_what_is_not_http)
{
	static const struct test_fault cases[] = {
		/* Refused at once, or at the head's end: never taken for a body. */
		{"SSH-2.0-OpenSSH_9.2\r\n", H1_FAULT_PARSE, false},
		{"<html>", H1_FAULT_PARSE, false},
		{"\x15\x03\x01", H1_FAULT_PARSE, false},
		{"\r\n" OK "\r\n", H1_FAULT_PARSE, false},
		{" " OK "\r\n", H1_FAULT_PARSE, false},
		{"http/1.1 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/0.9 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/2.0 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/2 200\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.2 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.10 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1  200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1\t200 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 000 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 099 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 20 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 2000 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 -20 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 OK\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200 a\x01z\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200 a\x7fz\r\n\r\n", H1_FAULT_PARSE, false},
		/* A protocol nobody asked for. */
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
			H1_FAULT_PARSE, false},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n" OK "\r\n", H1_FAULT_PARSE, false},
		/* After a 1xx as before. */
		{"HTTP/1.1 100 Continue\r\n\r\nhello", H1_FAULT_PARSE, false},
		{"HTTP/1.1 100 Continue\r\n\r\n\r\n" OK "\r\n", H1_FAULT_PARSE, false},
	};

	test_expect_faults(cases, countof(cases));
}
END_TEST

START_TEST(refuses_malformed_fields)
{
	static const struct test_fault cases[] = {
		{OK " a: b\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\r\n c\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\r\n\tc\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a:\r\n b\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\r\n \r\n\r\n", H1_FAULT_PARSE, false},
		{OK "Content-Length: 5\r\n 6\r\n\r\nhello!", H1_FAULT_PARSE, false},
		{OK "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "Transfer-Encoding: chunked\r\n , gzip\r\n\r\n0\r\n\r\n", H1_FAULT_PARSE,
			false},
		{OK "a : b\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "Content-Length : 5\r\n\r\nhello", H1_FAULT_PARSE, false},
		{OK "Content-Length\t: 5\r\n\r\nhello", H1_FAULT_PARSE, false},
		{OK ": b\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a b: c\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a(b): c\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "\xc3\xbc: c\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a\x01: c\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "abc\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\x01\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\x7f\r\n\r\n", H1_FAULT_PARSE, false},
		/* Line ends. */
		{"HTTP/1.1 200 OK\nContent-Length: 0\n\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200\n\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200 OK\r\rContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200\r\rContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{"HTTP/1.1 200 OK\r\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\nContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\rContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a: b\r\r\nContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a:\nContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "a\nContent-Length: 0\r\n\r\n", H1_FAULT_PARSE, false},
		{OK "Content-Length: 0\r\n\n", H1_FAULT_PARSE, false},
		{OK "Content-Length: 0\n\r\n", H1_FAULT_PARSE, false},
		{OK "Content-Length: 0\r\n\r\r\n", H1_FAULT_PARSE, false},
	};
	struct reading reading;

	test_expect_faults(cases, countof(cases));

	reading_init(&reading);
	reading_begin(&reading, false);
	reading_run(&reading, TEXT(OK "a: b\0c\r\n\r\n"), 1000);
	ck_assert_int_eq(reading.result, H1_FAULT);
	reading_begin(&reading, false);
	reading_run(&reading, TEXT("HTTP/1.1 200 O\0K\r\n\r\n"), 1000);
	ck_assert_int_eq(reading.result, H1_FAULT);
	reading_deinit(&reading);
}
END_TEST

START_TEST(refuses_doubtful_framing)
{
	static const struct test_fault cases[] = {
		{OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", H1_FAULT_FRAMING,
			false},
		{OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 5, 5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 5 5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length:\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Content-Length: -5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: +5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 0x5\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 5abc\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 5.0\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 9223372036854775808\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 18446744073709551621\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Content-Length: 1111111111111111111111111111111111111111\r\n\r\n",
			H1_FAULT_FRAMING, false},
		{OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
			H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", H1_FAULT_FRAMING,
			true},
		{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING,
			false},
		{OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING,
			false},
		{OK "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: identity\r\n\r\nhello", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: chunk\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding:\r\n\r\n", H1_FAULT_FRAMING, false},
		/* llhttp does not take this for chunked, though it is. */
		{OK "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{OK "Transfer-Encoding: \013chunked\r\n\r\n0\r\n\r\n", H1_FAULT_PARSE, false},
		/* A 1xx cannot be read in two ways either. */
		{"HTTP/1.1 100 Continue\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" OK
		 "\r\n",
			H1_FAULT_FRAMING, false},
	};

	test_expect_faults(cases, countof(cases));
}
END_TEST

START_TEST(refuses_bad_chunks)
{
	static const struct test_fault cases[] = {
		{CHUNKED "xyz\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "-5\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "+5\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "0_5\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED " 5\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5 \r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\t\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5g\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5,a\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "8000000000000000\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\rhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\nhello0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\nhello\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\nhello\r0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\nhello!\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "6\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5\r\nhello\r\n\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		/* Extensions. */
		{CHUNKED "5;a\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5;a=\"b\rc\"\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5;a=\"b\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		{CHUNKED "5;a=\x01\r\nhello\r\n0\r\n\r\n", H1_FAULT_FRAMING, false},
		/* Trailers. */
		{CHUNKED "0\r\nabc\r\n\r\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\na : b\r\n\r\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\na: b\r\n c\r\n\r\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\na: b\n\r\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\na: b\x01\r\n\r\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\n\n", H1_FAULT_PARSE, false},
		{CHUNKED "0\r\nHTTP/1.1 200 OK\r\n\r\n", H1_FAULT_PARSE, false},
	};

	test_expect_faults(cases, countof(cases));
}
END_TEST

UNIT_MAIN("http/h1", &reads_complete_responses, &reads_a_response_again_after_any_other,
	&knows_a_head_by_all_its_bytes, &leaves_what_is_behind_a_response, &tells_the_head,
	&does_not_care_where_it_is_cut, &refuses_what_is_not_http, &refuses_malformed_fields,
	&refuses_doubtful_framing, &refuses_bad_chunks)
