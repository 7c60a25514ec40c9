/* SPDX-License-Identifier: MIT */
#include "job/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "tests/unit/unit.h"
#include "util/container.h"

#define HEAD(lines) "HTTP/1.1 200 OK\r\n" lines "\r\n"

static struct exchange exchange;
static struct exchange_common common;
static size_t held;
/* What was given, and what the taker says: after so many bytes it is full. */
static struct buffer given;
static size_t room;

static bool on_head(struct exchange *at)
{
	return true;
}

static bool on_piece(struct exchange *at, const char *data, size_t size)
{
	buffer_append(&given, data, size);
	at->is_full = given.size >= room;
	return true;
}

static const struct exchange_events events = {.on_head = on_head, .on_piece = on_piece};

static void begin(enum exchange_to to, uint64_t max, bool decodes)
{
	struct exchange_request request = {.body_bytes_max = max, .to = to, .decodes = decodes};

	held = 0;
	room = SIZE_MAX;
	buffer_init(&given, SIZE_MAX / 4);
	memset(&exchange, 0, sizeof(exchange));
	exchange_common_init(&common, &held, 64 * 1024 * 1024);
	ck_assert(exchange_init(&exchange, &events));
	exchange_begin(&exchange, &common, &request);
}

static void end(void)
{
	exchange_end(&exchange);
	ck_assert_uint_eq(held, 0);
	ck_assert_ptr_null(exchange.decode);
	exchange_deinit(&exchange);
	exchange_common_deinit(&common);
	buffer_deinit(&given);
}

/* `n` times the byte, as gzip has it; to free(). */
static struct text gzip(char byte, size_t n)
{
	struct z_stream_s stream = {0};
	char *plain = malloc(n), *coded = malloc(n + 1000);

	memset(plain, byte, n);
	ck_assert_int_eq(
		deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (unsigned char *)plain;
	stream.avail_in = (unsigned)n;
	stream.next_out = (unsigned char *)coded;
	stream.avail_out = (unsigned)n + 1000;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	free(plain);
	return (struct text){coded, stream.total_out};
}

/* The response with that body, cut `cut` bytes short where its length says nothing of that. */
static enum exchange_result feed_response(const char *coding, struct text body, size_t cut)
{
	char head[200];
	int size = snprintf(head, sizeof(head),
		HEAD("content-encoding: %s\r\ncontent-length: %zu\r\n"), coding, body.size - cut);
	enum exchange_result result = exchange_feed(&exchange, head, (size_t)size);

	return result == EXCHANGE_MORE ? exchange_feed(&exchange, body.data, body.size - cut)
				       : result;
}

/* Goes on as often as needed; how often. */
static unsigned go_on(enum exchange_result *resultp)
{
	unsigned n = 0;

	for (; *resultp == EXCHANGE_HELD && !exchange.is_full; n++)
		*resultp = exchange_go_on(&exchange);
	return n;
}

START_TEST(what_comes_of_a_coding)
{
	static const struct {
		const char *coding;
		bool decodes;
		size_t cut;
		enum exchange_result result;
		enum fault_code code;
	} cases[] = {
		{"gzip", true, 0, EXCHANGE_DONE, FAULT_NONE},
		{"x-gzip", true, 0, EXCHANGE_DONE, FAULT_NONE},
		{"identity", true, 0, EXCHANGE_DONE, FAULT_NONE},
		{"gzip", false, 0, EXCHANGE_DONE, FAULT_NONE},
		{"gzip", true, 1, EXCHANGE_FAULT, FAULT_ENCODING_CORRUPT},
		{"deflate", true, 0, EXCHANGE_FAULT, FAULT_ENCODING_CORRUPT},
		{"rot13", true, 0, EXCHANGE_FAULT, FAULT_ENCODING_UNSUPPORTED},
		{"gzip, gzip, gzip, gzip", true, 0, EXCHANGE_FAULT, FAULT_ENCODING_UNSUPPORTED},
	};
	struct text body = gzip('x', 1000);

	for (size_t i = 0; i < countof(cases); i++) {
		bool is_decoded = cases[i].decodes && strcmp(cases[i].coding, "identity") != 0;
		enum exchange_result result;

		begin(EXCHANGE_KEEP, 100000, cases[i].decodes);
		result = feed_response(cases[i].coding, body, cases[i].cut);
		go_on(&result);
		ck_assert_msg(result == cases[i].result, "%s: %d", cases[i].coding, result);
		ck_assert_msg(exchange.fault.code == cases[i].code, "%s: %s", cases[i].coding,
			fault_name(exchange.fault.code));
		if (result == EXCHANGE_DONE) {
			ck_assert_uint_eq(exchange.body_bytes, is_decoded ? 1000 : body.size);
			ck_assert_uint_eq(exchange.body.size, exchange.body_bytes);
			ck_assert(exchange.is_clean);
		}
		end();
	}
	free((char *)body.data);
}
END_TEST

START_TEST(an_empty_body_is_fine_whatever_its_coding)
{
	static const char *const codings[] = {"gzip", "br", "rot13"};

	for (size_t i = 0; i < countof(codings); i++) {
		begin(EXCHANGE_KEEP, 1000, true);
		ck_assert_int_eq(feed_response(codings[i], (struct text){"", 0}, 0), EXCHANGE_DONE);
		end();
	}
}
END_TEST

START_TEST(a_bomb_is_worked_off_in_slices)
{
	struct text body = gzip('\0', 10 * 1024 * 1024);
	enum exchange_result result;

	begin(EXCHANGE_DROP, UINT64_MAX, true);
	result = feed_response("gzip", body, 0);
	/* One slice, however much there is. */
	ck_assert_int_eq(result, EXCHANGE_HELD);
	ck_assert_uint_le(exchange.body_bytes, DECODE_SLICE);
	ck_assert_uint_ge(go_on(&result), 30);
	ck_assert_int_eq(result, EXCHANGE_DONE);
	ck_assert_uint_eq(exchange.body_bytes, 10 * 1024 * 1024);
	ck_assert(exchange.is_clean);
	end();
	free((char *)body.data);
}
END_TEST

START_TEST(a_bomb_ends_at_the_limit_without_its_memory)
{
	struct text body = gzip('\0', 10 * 1024 * 1024);
	enum exchange_result result;

	begin(EXCHANGE_KEEP, 1024 * 1024, true);
	result = feed_response("gzip", body, 0);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_FAULT);
	ck_assert_int_eq(exchange.fault.code, FAULT_BODY_TOO_LARGE);
	ck_assert_uint_le(exchange.body.capacity, 2 * 1024 * 1024);
	end();
	free((char *)body.data);
}
END_TEST

START_TEST(what_comes_behind_a_held_response_makes_the_connection_doubtful)
{
	struct text body = gzip('\0', 1024 * 1024);
	enum exchange_result result;

	begin(EXCHANGE_DROP, UINT64_MAX, true);
	ck_assert_int_eq(feed_response("gzip", body, 0), EXCHANGE_HELD);
	ck_assert(exchange.is_complete);
	result = exchange_feed(&exchange, "HTTP/1.1 200 OK\r\n", 17);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_DONE);
	ck_assert_uint_eq(exchange.body_bytes, 1024 * 1024);
	ck_assert(!exchange.is_clean);
	end();
	free((char *)body.data);
}
END_TEST

START_TEST(a_taker_that_is_full_holds_it)
{
	struct text body = gzip('x', 1024 * 1024);
	enum exchange_result result;

	begin(EXCHANGE_GIVE, UINT64_MAX, true);
	room = 100000;
	result = feed_response("gzip", body, 0);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_HELD);
	ck_assert_uint_lt(given.size, 100000 + DECODE_SLICE);
	/* Asked again while it is full: nothing happens. */
	ck_assert_int_eq(exchange_go_on(&exchange), EXCHANGE_HELD);
	ck_assert_uint_lt(given.size, 100000 + DECODE_SLICE);
	room = SIZE_MAX;
	exchange.is_full = false;
	result = exchange_go_on(&exchange);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_DONE);
	ck_assert_uint_eq(given.size, 1024 * 1024);
	end();
	free((char *)body.data);
}
END_TEST

START_TEST(a_body_without_codings_is_held_by_its_taker_alone)
{
	begin(EXCHANGE_GIVE, UINT64_MAX, true);
	room = 3;
	ck_assert_int_eq(exchange_feed(&exchange, HEAD("content-length: 5\r\n") "abc",
				 sizeof(HEAD("content-length: 5\r\n")) + 2),
		EXCHANGE_HELD);
	/* What comes nevertheless is taken. */
	ck_assert_int_eq(exchange_feed(&exchange, "d", 1), EXCHANGE_HELD);
	exchange.is_full = false;
	ck_assert_int_eq(exchange_go_on(&exchange), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_feed(&exchange, "e", 1), EXCHANGE_DONE);
	ck_assert(text_is(buffer_text(&given), "abcde"));
	end();
}
END_TEST

START_TEST(a_stream_s_response_goes_the_same_way)
{
	static const struct header headers[] = {{TEXT_INIT("content-encoding"), TEXT_INIT("gzip")}};
	struct response_head head = {
		.headers = headers,
		.n_headers = 1,
		.status = 200,
		.version_major = 2,
		.framing = BODY_CHUNKED,
	};
	struct text body = gzip('x', 500000);
	enum exchange_result result;

	begin(EXCHANGE_KEEP, 1000000, true);
	ck_assert_int_eq(exchange_take_head(&exchange, &head), EXCHANGE_MORE);
	ck_assert(exchange_has_begun(&exchange));
	ck_assert_int_eq(exchange_take_body(&exchange, body.data, body.size), EXCHANGE_HELD);
	result = exchange_take_end(&exchange);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_DONE);
	ck_assert_uint_eq(exchange.body.size, 500000);
	end();

	begin(EXCHANGE_KEEP, 1000000, true);
	exchange_take_head(&exchange, &head);
	result = exchange_take_body(&exchange, body.data, body.size - 1);
	go_on(&result);
	ck_assert_int_eq(result, EXCHANGE_MORE);
	ck_assert_int_eq(exchange_take_end(&exchange), EXCHANGE_FAULT);
	ck_assert_int_eq(exchange.fault.code, FAULT_ENCODING_CORRUPT);
	end();
	free((char *)body.data);
}
END_TEST

UNIT_MAIN("job/exchange_decode", &what_comes_of_a_coding,
	&an_empty_body_is_fine_whatever_its_coding, &a_bomb_is_worked_off_in_slices,
	&a_bomb_ends_at_the_limit_without_its_memory,
	&what_comes_behind_a_held_response_makes_the_connection_doubtful,
	&a_taker_that_is_full_holds_it, &a_body_without_codings_is_held_by_its_taker_alone,
	&a_stream_s_response_goes_the_same_way)
