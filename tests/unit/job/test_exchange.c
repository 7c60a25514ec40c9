/* SPDX-License-Identifier: MIT */
#include "job/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"
#include "util/container.h"

static struct exchange exchange;
static struct exchange_common common;
static size_t held;

/* As a rule 1 MiB of all bodies, 1000 bytes of this one. */
static void begin_with(const struct exchange_request *request, size_t held_max)
{
	struct exchange_request filled = *request;

	held = 0;
	/* As the slab gives it. */
	memset(&exchange, 0, sizeof(exchange));
	if (filled.body_bytes_max == 0)
		filled.body_bytes_max = 1000;
	exchange_common_init(&common, &held, held_max);
	ck_assert(exchange_init(&exchange, NULL));
	exchange_begin(&exchange, &common, &filled);
}

static void begin(const struct exchange_request *request)
{
	begin_with(request, 1024 * 1024);
}

static void end(void)
{
	exchange_end(&exchange);
	ck_assert_uint_eq(held, 0);
	exchange_deinit(&exchange);
	exchange_common_deinit(&common);
}

static enum exchange_result feed(const char *text)
{
	return exchange_feed(&exchange, text, strlen(text));
}

#define HEAD(lines) "HTTP/1.1 200 OK\r\n" lines "\r\n"

static const struct {
	const char *what, *bytes;
	bool is_head, ends;
	enum exchange_result result;
	enum fault_code code;
	bool is_clean;
	const char *body;
} responses[] = {
	{"length", HEAD("content-length: 3\r\n") "abc", .result = EXCHANGE_DONE, .is_clean = true,
		.body = "abc"},
	{"empty", HEAD("content-length: 0\r\n"), .result = EXCHANGE_DONE, .is_clean = true,
		.body = ""},
	{"chunks", HEAD("transfer-encoding: chunked\r\n") "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		.result = EXCHANGE_DONE, .is_clean = true, .body = "abc"},
	{"to a HEAD", HEAD("content-length: 3000\r\n"), .is_head = true, .result = EXCHANGE_DONE,
		.is_clean = true, .body = ""},
	{"204", "HTTP/1.1 204 No Content\r\n\r\n", .result = EXCHANGE_DONE, .is_clean = true,
		.body = ""},
	{"a 1xx before it",
		"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" HEAD("content-length: 1\r\n") "a",
		.result = EXCHANGE_DONE, .is_clean = true, .body = "a"},
	{"until the end", HEAD("") "abc", .ends = true, .result = EXCHANGE_DONE, .body = "abc"},
	{"said to be the last", HEAD("connection: close\r\ncontent-length: 1\r\n") "a",
		.result = EXCHANGE_DONE, .body = "a"},
	{"bytes beyond it", HEAD("content-length: 1\r\n") "ab", .result = EXCHANGE_DONE,
		.body = "a"},
	{"a body that goes on", HEAD("content-length: 3\r\n") "ab", .result = EXCHANGE_MORE,
		.body = "ab"},
	{"a head that goes on", "HTTP/1.1 200", .result = EXCHANGE_MORE, .body = ""},
	{"none at all", "", .ends = true, .result = EXCHANGE_FAULT, .code = FAULT_EMPTY_REPLY},
	{"cut in its head", "HTTP/1.1 2", .ends = true, .result = EXCHANGE_FAULT,
		.code = FAULT_BODY_TRUNCATED},
	{"cut in its body", HEAD("content-length: 3\r\n") "ab", .ends = true,
		.result = EXCHANGE_FAULT, .code = FAULT_BODY_TRUNCATED},
	{"cut in a chunk", HEAD("transfer-encoding: chunked\r\n") "2\r\na", .ends = true,
		.result = EXCHANGE_FAULT, .code = FAULT_BODY_TRUNCATED},
	{"garbage", "SSH-2.0-OpenSSH\r\n", .result = EXCHANGE_FAULT, .code = FAULT_HTTP_PARSE},
	{"two lengths", HEAD("content-length: 3\r\ncontent-length: 4\r\n"),
		.result = EXCHANGE_FAULT, .code = FAULT_HTTP_FRAMING},
	{"length and chunks", HEAD("content-length: 3\r\ntransfer-encoding: chunked\r\n"),
		.result = EXCHANGE_FAULT, .code = FAULT_HTTP_FRAMING},
	{"a bad chunk", HEAD("transfer-encoding: chunked\r\n") "zz\r\n", .result = EXCHANGE_FAULT,
		.code = FAULT_HTTP_FRAMING},
	{"announced too large", HEAD("content-length: 1001\r\n"), .result = EXCHANGE_FAULT,
		.code = FAULT_BODY_TOO_LARGE},
	{"as large as may be announced", HEAD("content-length: 1000\r\n"), .result = EXCHANGE_MORE,
		.body = ""},
};

START_TEST(what_comes_of_a_response)
{
	for (size_t i = 0; i < countof(responses); i++) {
		/* Whole, and byte by byte. */
		for (int pieces = 0; pieces < 2; pieces++) {
			size_t size = strlen(responses[i].bytes), step = pieces ? 1 : size;
			enum exchange_result result = EXCHANGE_MORE;

			begin(&(struct exchange_request){.is_head = responses[i].is_head});
			ck_assert(!exchange_has_begun(&exchange));
			for (size_t at = 0; at < size && result == EXCHANGE_MORE; at += step)
				result = exchange_feed(&exchange, responses[i].bytes + at, step);
			if (result == EXCHANGE_MORE && responses[i].ends)
				result = exchange_feed_end(&exchange);
			ck_assert_msg(
				result == responses[i].result, "%s: %d", responses[i].what, result);
			ck_assert(exchange_has_begun(&exchange) == (size > 0));
			if (result == EXCHANGE_FAULT) {
				ck_assert_msg(exchange.fault.code == responses[i].code, "%s: %s",
					responses[i].what, fault_name(exchange.fault.code));
			} else {
				/* Byte by byte, what is beyond is never fed. */
				if (!pieces)
					ck_assert_msg(exchange.is_clean == responses[i].is_clean,
						"%s", responses[i].what);
				ck_assert_msg(
					text_is(buffer_text(&exchange.body), responses[i].body),
					"%s", responses[i].what);
				ck_assert_uint_eq(exchange.body_bytes, strlen(responses[i].body));
				ck_assert_uint_eq(held, strlen(responses[i].body));
			}
			end();
		}
	}
}
END_TEST

START_TEST(a_body_may_be_as_large_as_allowed_and_no_larger)
{
	static const struct {
		uint64_t max;
		size_t size;
		enum exchange_to to;
		bool fits;
	} cases[] = {
		{10, 10, EXCHANGE_KEEP, true},
		{10, 11, EXCHANGE_KEEP, false},
		{10, 10, EXCHANGE_DROP, true},
		{10, 11, EXCHANGE_DROP, false},
		{UINT64_MAX, 5000, EXCHANGE_DROP, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		enum exchange_result result = EXCHANGE_MORE;

		begin(&(struct exchange_request){
			.body_bytes_max = cases[i].max, .to = cases[i].to});
		ck_assert_int_eq(feed(HEAD("")), EXCHANGE_MORE);
		for (size_t n = 0; n < cases[i].size && result == EXCHANGE_MORE; n++)
			result = feed("x");
		if (cases[i].fits) {
			ck_assert_int_eq(result, EXCHANGE_MORE);
			ck_assert_int_eq(exchange_feed_end(&exchange), EXCHANGE_DONE);
			ck_assert_uint_eq(exchange.body_bytes, cases[i].size);
		} else {
			ck_assert_int_eq(result, EXCHANGE_FAULT);
			ck_assert_int_eq(exchange.fault.code, FAULT_BODY_TOO_LARGE);
		}
		end();
	}
}
END_TEST

START_TEST(a_discarded_body_takes_no_memory)
{
	begin(&(struct exchange_request){.to = EXCHANGE_DROP, .body_bytes_max = UINT64_MAX});
	ck_assert_int_eq(feed(HEAD("content-length: 100000000000\r\n") "abc"), EXCHANGE_MORE);
	ck_assert_uint_eq(exchange.body_bytes, 3);
	ck_assert_uint_eq(exchange.body.capacity, 0);
	ck_assert_uint_eq(held, 0);
	end();
}
END_TEST

START_TEST(a_peer_s_word_alone_takes_no_memory)
{
	begin(&(struct exchange_request){.body_bytes_max = UINT64_MAX});
	ck_assert_int_eq(feed(HEAD("content-length: 100000000000\r\n")), EXCHANGE_MORE);
	ck_assert_uint_le(exchange.body.capacity, 1024 * 1024);
	ck_assert_uint_eq(held, 0);
	end();
}
END_TEST

START_TEST(all_bodies_together_are_bounded)
{
	struct exchange other = {0};
	struct exchange_request request = {.body_bytes_max = 1000};

	begin_with(&request, 10);
	ck_assert(exchange_init(&other, NULL));
	exchange_begin(&other, &common, &request);
	ck_assert_int_eq(feed(HEAD("content-length: 7\r\n") "1234567"), EXCHANGE_DONE);
	ck_assert_uint_eq(held, 7);
	ck_assert_int_eq(
		exchange_feed(&other, HEAD("") "123", sizeof(HEAD("")) + 2), EXCHANGE_MORE);
	ck_assert_uint_eq(held, 10);
	ck_assert_int_eq(exchange_feed(&other, "4", 1), EXCHANGE_FAULT);
	ck_assert_int_eq(other.fault.code, FAULT_OVERLOADED);
	exchange_end(&other);
	ck_assert_uint_eq(held, 7);
	/* Ending twice gives back once. */
	exchange_end(&exchange);
	exchange_end(&exchange);
	ck_assert_uint_eq(held, 0);
	exchange_deinit(&other);
	end();
}
END_TEST

START_TEST(one_follows_another_without_a_trace)
{
	struct exchange_request request = {.body_bytes_max = 1000};

	begin(&request);
	ck_assert_int_eq(feed(HEAD("content-length: 3\r\nx: y\r\n") "abc"), EXCHANGE_DONE);
	exchange_end(&exchange);
	exchange_rest(&exchange);
	ck_assert(!exchange.has_head);
	ck_assert(!exchange.is_clean);
	ck_assert(!exchange_has_begun(&exchange));
	exchange_begin(&exchange, &common, &request);
	ck_assert_int_eq(
		feed("HTTP/1.0 404 Not Found\r\ncontent-length: 1\r\n\r\nz"), EXCHANGE_DONE);
	ck_assert_uint_eq(exchange.head.status, 404);
	ck_assert_uint_eq(exchange.head.version_minor, 0);
	ck_assert_uint_eq(exchange.head.n_headers, 1);
	ck_assert(text_is(exchange.head.reason, "Not Found"));
	ck_assert(text_is(buffer_text(&exchange.body), "z"));
	ck_assert(!exchange.is_clean);
	end();
}
END_TEST

START_TEST(the_body_s_memory_may_be_taken)
{
	char *body;

	begin(&(struct exchange_request){0});
	ck_assert_int_eq(feed(HEAD("content-length: 3\r\n") "abc"), EXCHANGE_DONE);
	body = buffer_take(&exchange.body);
	exchange_end(&exchange);
	ck_assert_uint_eq(held, 0);
	ck_assert_mem_eq(body, "abc", 3);
	free(body);
	end();
}
END_TEST

START_TEST(large_memory_is_not_kept)
{
	char *body = calloc(1, 100000);

	begin(&(struct exchange_request){.body_bytes_max = 100000});
	ck_assert_int_eq(feed(HEAD("content-length: 100000\r\n")), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_feed(&exchange, body, 100000), EXCHANGE_DONE);
	exchange_end(&exchange);
	ck_assert_uint_le(exchange.body.capacity, 8192);
	end();
	free(body);
}
END_TEST

START_TEST(so_much_of_a_body_nobody_wants_may_be_dropped)
{
	static const struct {
		const char *head;
		enum exchange_to to;
		uint64_t size;
	} cases[] = {
		{HEAD("content-length: 65537\r\n"), EXCHANGE_DROP, 65537},
		{HEAD("content-length: 65537\r\n") "x", EXCHANGE_DROP, 0},
		{HEAD("content-length: 65538\r\n") "x", EXCHANGE_DROP, 65537},
		{HEAD("content-length: 65537\r\n"), EXCHANGE_KEEP, 0},
		{HEAD(""), EXCHANGE_DROP, UINT64_MAX},
		{HEAD("transfer-encoding: chunked\r\n"), EXCHANGE_DROP, 0},
		{"HTTP/1.1 200", EXCHANGE_DROP, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(&(struct exchange_request){.body_bytes_max = UINT64_MAX, .to = cases[i].to});
		ck_assert_int_eq(feed(cases[i].head), EXCHANGE_MORE);
		ck_assert_msg(exchange_droppable(&exchange) == cases[i].size, "%s", cases[i].head);
		end();
	}
}
END_TEST

START_TEST(what_was_dropped_counts)
{
	begin(&(struct exchange_request){.body_bytes_max = UINT64_MAX, .to = EXCHANGE_DROP});
	ck_assert_int_eq(feed(HEAD("content-length: 100000\r\n")), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_skip(&exchange, 60000), EXCHANGE_MORE);
	ck_assert_int_eq(feed("x"), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_skip(&exchange, 39999), EXCHANGE_DONE);
	ck_assert_uint_eq(exchange.body_bytes, 100000);
	ck_assert(exchange.is_clean);
	end();

	begin(&(struct exchange_request){.body_bytes_max = 100, .to = EXCHANGE_DROP});
	ck_assert_int_eq(feed(HEAD("")), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_skip(&exchange, 100), EXCHANGE_MORE);
	ck_assert_int_eq(exchange_skip(&exchange, 1), EXCHANGE_FAULT);
	ck_assert_int_eq(exchange.fault.code, FAULT_BODY_TOO_LARGE);
	end();
}
END_TEST

START_TEST(a_long_body_is_known_as_long)
{
	static const struct {
		const char *head;
		bool is_long;
	} cases[] = {
		{HEAD("content-length: 65537\r\n"), true},
		{HEAD("content-length: 65536\r\n"), false},
		{HEAD(""), true},
		{HEAD("transfer-encoding: chunked\r\n"), true},
		{"HTTP/1.1 200", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(&(struct exchange_request){.body_bytes_max = 100000});
		ck_assert(!exchange_is_long(&exchange));
		ck_assert_int_eq(feed(cases[i].head), EXCHANGE_MORE);
		ck_assert_msg(exchange_is_long(&exchange) == cases[i].is_long, "%s", cases[i].head);
		end();
	}
	/* What is left counts. */
	begin(&(struct exchange_request){.body_bytes_max = 100000});
	ck_assert_int_eq(feed(HEAD("content-length: 65537\r\n") "x"), EXCHANGE_MORE);
	ck_assert(!exchange_is_long(&exchange));
	end();
}
END_TEST

/* A head that comes again has its headers for the record from the first time it did so. */
START_TEST(a_head_that_comes_again_is_written_once)
{
	static const char known[] = "{\"a\":\"1\",\"content-length\":\"0\"}";
	static const struct header h2_headers[] = {{TEXT_INIT("b"), TEXT_INIT("2")}};
	static const struct response_head h2_head = {
		.headers = h2_headers, .n_headers = 1, .status = 200, .version_major = 2};
	static const struct {
		/* NULL: by HTTP/2. */
		const char *first, *second;
		const char *json;
	} steps[] = {
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, ""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, known},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, known},
		{HEAD("A: 2\r\nContent-Length: 0\r\n"), NULL, ""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, ""},
		{"HTTP/1.1 200 OK\r\nA: 1\r\n", "Content-Length: 0\r\n\r\n", ""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, ""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, known},
		{NULL, NULL, ""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, known},
		{"HTTP/1.1 103 Early Hints\r\n\r\n" HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL,
			""},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, known},
		{HEAD("A: 2\r\nContent-Length: 1\r\nContent-Length: 1\r\n"), NULL, known},
		{HEAD("A: 1\r\nContent-Length: 0\r\n"), NULL, ""},
	};

	begin(&(struct exchange_request){.is_head = false});
	for (size_t i = 0; i < countof(steps); i++) {
		exchange_begin(&exchange, &common, &(struct exchange_request){.is_head = false});
		if (!steps[i].first)
			exchange_take_head(&exchange, &h2_head);
		else
			feed(steps[i].first);
		if (steps[i].second)
			feed(steps[i].second);
		ck_assert_msg(text_is(buffer_text(&exchange.headers_json), steps[i].json),
			"%zu: %.*s", i, TEXT_ARGS(buffer_text(&exchange.headers_json)));
	}
	end();
}
END_TEST

UNIT_MAIN("job/exchange", &a_head_that_comes_again_is_written_once, &what_comes_of_a_response,
	&a_body_may_be_as_large_as_allowed_and_no_larger, &a_discarded_body_takes_no_memory,
	&a_peer_s_word_alone_takes_no_memory, &all_bodies_together_are_bounded,
	&one_follows_another_without_a_trace, &the_body_s_memory_may_be_taken,
	&large_memory_is_not_kept, &so_much_of_a_body_nobody_wants_may_be_dropped,
	&what_was_dropped_counts, &a_long_body_is_known_as_long)
