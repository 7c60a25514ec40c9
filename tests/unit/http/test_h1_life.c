/* SPDX-License-Identifier: MIT */

/*
 * http/h1 over time: ends of the connection, limits, sinks that stop, bodies received elsewhere,
 * memory. What one response may say is in test_h1.c.
 */

#include "http/h1.h"

#include <malloc.h>

#include "tests/unit/http/reading.h"

#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH  OK "Content-Length: 5\r\n\r\n"

START_TEST(knows_a_response_cut_short)
{
	static const char *const responses[] = {LENGTH "hello", CHUNKED "5\r\nhello\r\n0\r\n\r\n",
		CHUNKED "0;a=b\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx"};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(responses); i++) {
		for (size_t cut = 0; cut < strlen(responses[i]); cut++) {
			reading_begin(&reading, false);
			reading_feed(&reading, (struct text){responses[i], cut});
			ck_assert_int_eq(reading.result, H1_MORE);
			ck_assert(h1_has_begun(reading.h1) == (cut > 0));
			reading_end(&reading);
			ck_assert_msg(reading.result == H1_FAULT, "%s to %zu", responses[i], cut);
			ck_assert_int_eq(
				reading.fault.kind, cut > 0 ? H1_FAULT_TRUNCATED : H1_FAULT_EMPTY);
		}
	}
	reading_deinit(&reading);
}
END_TEST

/* 2^63-1 bytes are announced: nothing is set aside for them, and the end is too early. */
START_TEST(believes_no_length)
{
	struct reading reading;

	reading_init(&reading);
	reading_begin(&reading, false);
	reading_run(&reading, TEXT(OK "Content-Length: 9223372036854775807\r\n\r\nhello"), 1000);
	ck_assert_int_eq(reading.result, H1_MORE);
	ck_assert_uint_eq(h1_body_left(reading.h1), (uint64_t)INT64_MAX - 5);
	reading_end(&reading);
	ck_assert_int_eq(reading.fault.kind, H1_FAULT_TRUNCATED);
	reading_deinit(&reading);
}
END_TEST

/* `head`, then fields of `size` bytes in all, and the empty line. */
static void test_append_head(struct buffer *out, const char *head, size_t n, size_t size)
{
	buffer_clear(out);
	buffer_append_text(out, text_from(head));
	for (size_t i = 0; i < n; i++) {
		size_t end = out->size + size;

		buffer_append_literal(out, "a: ");
		while (out->size < end - 2)
			buffer_append_byte(out, 'b');
		buffer_append_literal(out, "\r\n");
	}
	buffer_append_literal(out, "\r\n");
	ck_assert(!out->failed);
}

START_TEST(bounds_the_head)
{
	static const struct {
		size_t n;
		size_t size;
		bool ok;
	} cases[] = {
		/* Always: 64 KiB, and 100 fields. */
		{100, 650, true},
		{1, 64 * 1024, true},
		{100, 5, true},
		/* Up to 1000 fields and 256 KiB, the status line (17 bytes) and the end included.
		 */
		{1000, 5, true},
		{1001, 5, false},
		{1, 256 * 1024 - 19, true},
		{1, 256 * 1024 - 18, false},
		{2, 200 * 1024, false},
	};
	static const size_t pieces[] = {SIZE_MAX / 2, 1000, 8192};
	struct reading reading;
	struct buffer bytes;

	reading_init(&reading);
	buffer_init(&bytes, 1024 * 1024);
	for (size_t i = 0; i < countof(cases) * countof(pieces); i++) {
		size_t at = i / countof(pieces);

		test_append_head(&bytes, OK, cases[at].n, cases[at].size);
		reading_begin(&reading, true);
		reading_run(&reading, buffer_text(&bytes), pieces[i % countof(pieces)]);
		if (cases[at].ok) {
			ck_assert_msg(reading.result == H1_DONE, "case %zu", at);
			ck_assert_uint_eq(reading.head.n_headers, cases[at].n);
			ck_assert_uint_eq(reading.headers[0].value.size, cases[at].size - 5);
		} else {
			ck_assert_msg(reading.result == H1_FAULT, "case %zu", at);
			ck_assert_int_eq(reading.fault.kind, H1_FAULT_HEADERS_TOO_LARGE);
		}
	}
	buffer_deinit(&bytes);
	reading_deinit(&reading);
}
END_TEST

/* Feeds `piece` until there is a result, which comes before `max` bytes. */
static void test_flood(struct reading *reading, const char *begin, const char *piece, size_t max)
{
	reading_begin(reading, false);
	reading_feed(reading, text_from(begin));
	while (reading->result == H1_MORE) {
		reading_feed(reading, text_from(piece));
		ck_assert_msg(reading->used <= max, "%s", piece);
	}
	ck_assert_int_eq(reading->result, H1_FAULT);
}

START_TEST(bounds_what_never_ends)
{
	static const struct {
		const char *begin;
		const char *piece;
		size_t max;
		enum h1_fault_kind kind;
	} cases[] = {
		{"HTTP/1.1 200 ", "endless", 300000, H1_FAULT_HEADERS_TOO_LARGE},
		{OK, "endless", 300000, H1_FAULT_HEADERS_TOO_LARGE},
		{OK "a: ", "endless", 300000, H1_FAULT_HEADERS_TOO_LARGE},
		{OK, "a: b\r\n", 10000, H1_FAULT_HEADERS_TOO_LARGE},
		{"", "HTTP/1.1 100 Continue\r\n\r\n", 51 * 25, H1_FAULT_HEADERS_TOO_LARGE},
		{"",
			"HTTP/1.1 103 "
			"E\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:\r\n"
			"k:\r\nl:\r\nm:\r\nn:\r\no:\r\np:\r\nq:\r\nr:\r\ns:\r\nt:\r\nu:\r\nv:"
			"\r\n\r\n",
			10000, H1_FAULT_HEADERS_TOO_LARGE},
		{CHUNKED, "0", 20000, H1_FAULT_PARSE},
		{CHUNKED "1;", "extension;", 20000, H1_FAULT_PARSE},
		{CHUNKED "1\r\nx\r\n1;a=\"", "quoted", 20000, H1_FAULT_PARSE},
		{CHUNKED "0\r\n", "a: b\r\n", 10000, H1_FAULT_HEADERS_TOO_LARGE},
		{CHUNKED "0\r\na: ", "endless", 300000, H1_FAULT_HEADERS_TOO_LARGE},
	};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(cases); i++) {
		test_flood(&reading, cases[i].begin, cases[i].piece, cases[i].max);
		ck_assert_msg(
			reading.fault.kind == cases[i].kind, "case %zu: %s", i, reading.fault.why);
	}
	reading_deinit(&reading);
}
END_TEST

START_TEST(skips_fifty_interim_responses)
{
	struct reading reading;

	reading_init(&reading);
	reading_begin(&reading, false);
	for (int i = 0; i < 50; i++)
		reading_feed(&reading, TEXT("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));
	ck_assert(h1_has_begun(reading.h1) && !h1_has_head(reading.h1));
	reading_feed(&reading, TEXT(LENGTH "hello"));
	ck_assert_int_eq(reading.result, H1_DONE);
	ck_assert_uint_eq(reading.head.n_headers, 1);
	reading_deinit(&reading);
}
END_TEST

/* See the table: `fields` as there, all of `size` bytes. */
static void test_run_heads(struct reading *reading, const size_t fields[4], size_t size)
{
	struct buffer bytes;

	buffer_init(&bytes, 1024 * 1024);
	reading_begin(reading, false);
	test_append_head(&bytes, "HTTP/1.1 103 Early Hints\r\n", fields[1], size);
	for (size_t i = 0; i < fields[0]; i++)
		reading_run(reading, buffer_text(&bytes), bytes.size);
	test_append_head(&bytes, OK "Transfer-Encoding: chunked\r\n", fields[2], size);
	reading_run(reading, buffer_text(&bytes), bytes.size);
	test_append_head(&bytes, "0\r\n", fields[3], size);
	reading_run(reading, buffer_text(&bytes), bytes.size);
	buffer_deinit(&bytes);
}

START_TEST(counts_all_heads_together)
{
	static const struct {
		/* 1xx responses, fields of each, fields of the final one, trailers. */
		size_t fields[4];
		size_t size;
		bool ok;
	} cases[] = {
		{{1, 300, 399, 300}, 5, true},
		{{1, 300, 399, 301}, 5, false},
		{{4, 200, 199, 0}, 5, true},
		{{4, 200, 200, 0}, 5, false},
		{{5, 200, 0, 0}, 5, false},
		/* 256 KiB are 262144. */
		{{4, 10, 10, 10}, 4300, true},
		{{5, 10, 1, 1}, 5300, false},
		{{1, 20, 30, 1}, 5300, false},
		{{1, 20, 20, 10}, 5300, false},
		{{1, 1, 1, 0}, 130900, true},
		{{1, 1, 1, 0}, 131100, false},
		{{19, 1, 1, 1}, 12000, true},
		{{20, 1, 1, 1}, 12000, false},
	};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(cases); i++) {
		test_run_heads(&reading, cases[i].fields, cases[i].size);
		ck_assert_msg((reading.result == H1_DONE) == cases[i].ok, "case %zu", i);
		if (!cases[i].ok)
			ck_assert_int_eq(reading.fault.kind, H1_FAULT_HEADERS_TOO_LARGE);
	}
	reading_deinit(&reading);
}
END_TEST

/* A small head that comes whole is bounded by what came before it, too. */
START_TEST(counts_small_heads_after_a_large_one)
{
	const size_t interim = strlen("HTTP/1.1 103 Early Hints\r\n\r\n");
	const size_t final = strlen(OK "Content-Length: 0\r\n\r\n");
	struct reading reading;
	struct buffer bytes;

	reading_init(&reading);
	buffer_init(&bytes, 1024 * 1024);
	for (size_t extra = 0; extra < 2; extra++) {
		test_append_head(&bytes, "HTTP/1.1 103 Early Hints\r\n", 1,
			256 * 1024 - interim - final + extra);
		reading_begin(&reading, false);
		reading_run(&reading, buffer_text(&bytes), bytes.size);
		reading_run(&reading, TEXT(OK "Content-Length: 0\r\n\r\n"), 1000);
		ck_assert_int_eq(reading.result, extra ? H1_FAULT : H1_DONE);
	}
	buffer_deinit(&bytes);
	reading_deinit(&reading);
}
END_TEST

START_TEST(stops_when_the_sink_does)
{
	static const struct {
		const char *bytes;
		unsigned stop_at;
	} cases[] = {
		{LENGTH "hello", 1},
		{LENGTH "hello", 2},
		{OK "\r\nhello", 1},
		{OK "\r\nhello", 2},
		{OK "Content-Length: 0\r\n\r\n", 1},
		{CHUNKED "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 1},
		{CHUNKED "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 2},
		{CHUNKED "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 3},
	};
	struct reading reading;

	reading_init(&reading);
	for (size_t i = 0; i < countof(cases); i++) {
		reading.stop_at = cases[i].stop_at;
		reading_begin(&reading, false);
		reading_run(&reading, text_from(cases[i].bytes), 1000);
		ck_assert_msg(reading.result == H1_STOPPED, "case %zu", i);
		ck_assert_uint_eq(reading.n_heads + reading.n_bodies, cases[i].stop_at);
	}
	/* And reads the next as ever. */
	reading.stop_at = 0;
	reading_begin(&reading, false);
	reading_run(&reading, TEXT(CHUNKED "5\r\nhello\r\n0\r\n\r\n"), 1000);
	ck_assert_int_eq(reading.result, H1_DONE);
	reading_deinit(&reading);
}
END_TEST

START_TEST(counts_a_body_received_elsewhere)
{
	struct reading reading;

	reading_init(&reading);
	reading_begin(&reading, false);
	ck_assert_uint_eq(h1_body_left(reading.h1), 0);
	ck_assert(!h1_body_is_plain(reading.h1));
	reading_feed(&reading, TEXT(OK "Content-Length: 100\r\n\r\nhello"));
	ck_assert(h1_body_is_plain(reading.h1));
	ck_assert_uint_eq(h1_body_left(reading.h1), 95);
	ck_assert_int_eq(h1_skip(reading.h1, 90), H1_MORE);
	ck_assert_int_eq(h1_skip(reading.h1, 0), H1_MORE);
	ck_assert_uint_eq(h1_body_left(reading.h1), 5);
	reading_feed(&reading, TEXT("12"));
	ck_assert_int_eq(h1_skip(reading.h1, 3), H1_DONE);
	ck_assert(h1_keeps_alive(reading.h1));
	ck_assert_uint_eq(h1_body_left(reading.h1), 0);
	ck_assert(!h1_body_is_plain(reading.h1));

	reading_begin(&reading, false);
	reading_feed(&reading, TEXT(OK "\r\n"));
	ck_assert(h1_body_is_plain(reading.h1));
	ck_assert_int_eq(h1_skip(reading.h1, UINT32_MAX), H1_MORE);
	ck_assert_uint_eq(h1_body_left(reading.h1), UINT64_MAX);
	reading_end(&reading);
	ck_assert_int_eq(reading.result, H1_DONE);

	reading_begin(&reading, false);
	reading_feed(&reading, TEXT(CHUNKED "5\r\nhel"));
	ck_assert(!h1_body_is_plain(reading.h1));
	ck_assert_uint_eq(h1_body_left(reading.h1), UINT64_MAX);
	reading_deinit(&reading);
}
END_TEST

/* Within on_head the sink may already ask where the body goes. */
static bool test_on_head_asks(struct h1_sink *sink, const struct response_head *head)
{
	struct reading *reading = container_of(sink, struct reading, sink);

	ck_assert(h1_has_head(reading->h1));
	ck_assert(h1_body_is_plain(reading->h1));
	ck_assert_uint_eq(h1_body_left(reading->h1), head->length);
	return reading_on_head(sink, head);
}

START_TEST(answers_within_on_head)
{
	struct reading reading;

	reading_init(&reading);
	reading.sink.on_head = test_on_head_asks;
	reading_begin(&reading, false);
	reading_run(&reading, TEXT(LENGTH "hello"), 1000);
	ck_assert_int_eq(reading.result, H1_DONE);
	reading_deinit(&reading);
}
END_TEST

START_TEST(allocates_nothing_in_the_steady_state)
{
	struct reading reading;
	struct mallinfo2 before;

	reading_init(&reading);
	for (int i = 0; i < 100; i++) {
		reading_begin(&reading, false);
		reading_run(
			&reading, TEXT(OK "a: b\r\nc: d\r\nContent-Length: 5\r\n\r\nhello"), 1000);
		ck_assert_int_eq(reading.result, H1_DONE);
		if (i == 0)
			before = mallinfo2();
	}
	ck_assert_uint_eq(mallinfo2().uordblks, before.uordblks);
	reading_deinit(&reading);
}
END_TEST

START_TEST(gives_memory_back_after_a_large_head)
{
	struct reading reading;
	struct mallinfo2 before;
	struct buffer bytes;

	buffer_init(&bytes, 1024 * 1024);
	test_append_head(&bytes, OK, 1000, 200);
	reading_init(&reading);
	before = mallinfo2();
	reading_begin(&reading, true);
	reading_run(&reading, buffer_text(&bytes), bytes.size);
	ck_assert_int_eq(reading.result, H1_DONE);
	reading_begin(&reading, true);
	ck_assert_uint_le(
		mallinfo2().uordblks + mallinfo2().hblkhd, before.uordblks + before.hblkhd + 8192);
	buffer_deinit(&bytes);
	reading_deinit(&reading);
}
END_TEST

UNIT_MAIN("http/h1_life", &knows_a_response_cut_short, &believes_no_length, &bounds_the_head,
	&bounds_what_never_ends, &skips_fifty_interim_responses, &counts_all_heads_together,
	&counts_small_heads_after_a_large_one, &stops_when_the_sink_does,
	&counts_a_body_received_elsewhere, &answers_within_on_head,
	&allocates_nothing_in_the_steady_state, &gives_memory_back_after_a_large_head)
