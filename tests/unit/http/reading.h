/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A response read by one h1, and what it told: for the tests of http/h1.
 */

#include "http/h1.h"

#include "util/buffer.h"
#include "util/container.h"

#include "tests/unit/unit.h"

#define READING_HEADERS_MAX 1001

struct reading {
	struct h1_sink sink;
	struct h1 *h1;
	enum h1_result result;
	struct h1_fault fault;
	size_t used;
	struct buffer body;
	/* A copy; its views are good until the next reading. */
	struct response_head head;
	struct header headers[READING_HEADERS_MAX];
	unsigned n_heads;
	unsigned n_bodies;
	/* The call of the sink, counted from 1, that says stop; 0: none. */
	unsigned stop_at;
};

static inline bool reading_on_head(struct h1_sink *sink, const struct response_head *head)
{
	struct reading *reading = container_of(sink, struct reading, sink);

	ck_assert_uint_le(head->n_headers, READING_HEADERS_MAX);
	reading->head = *head;
	for (uint32_t i = 0; i < head->n_headers; i++)
		reading->headers[i] = head->headers[i];
	reading->n_heads++;
	return reading->stop_at != reading->n_heads;
}

static inline bool reading_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	struct reading *reading = container_of(sink, struct reading, sink);

	ck_assert_uint_gt(size, 0);
	ck_assert_uint_eq(reading->n_heads, 1);
	buffer_append(&reading->body, data, size);
	reading->n_bodies++;
	return reading->stop_at != 1 + reading->n_bodies;
}

static inline void reading_init(struct reading *reading)
{
	*reading = (struct reading){.sink = {reading_on_head, reading_on_body}};
	buffer_init(&reading->body, 1024 * 1024);
	reading->h1 = h1_new();
	ck_assert_ptr_nonnull(reading->h1);
}

static inline void reading_deinit(struct reading *reading)
{
	buffer_deinit(&reading->body);
	h1_free(reading->h1);
}

static inline void reading_begin(struct reading *reading, bool is_head)
{
	h1_begin(reading->h1, &reading->sink, is_head);
	buffer_clear(&reading->body);
	reading->result = H1_MORE;
	reading->used = 0;
	reading->n_heads = 0;
	reading->n_bodies = 0;
}

static inline void reading_feed(struct reading *reading, struct text piece)
{
	size_t used = SIZE_MAX;

	ck_assert_int_eq(reading->result, H1_MORE);
	reading->result = h1_feed(reading->h1, piece.data, piece.size, &used);
	ck_assert_uint_le(used, piece.size);
	reading->used += used;
	if (reading->result == H1_MORE)
		ck_assert_uint_eq(used, piece.size);
	if (reading->result == H1_FAULT)
		reading->fault = h1_fault(reading->h1);
}

static inline void reading_end(struct reading *reading)
{
	reading->result = h1_feed_end(reading->h1);
	if (reading->result == H1_FAULT)
		reading->fault = h1_fault(reading->h1);
}

/* All of `bytes` in pieces, up to a result; no end of the connection. */
static inline void reading_run(struct reading *reading, struct text bytes, size_t piece)
{
	for (size_t at = 0; at < bytes.size && reading->result == H1_MORE; at += piece) {
		struct text rest = text_from_at(bytes, at);

		if (rest.size > piece)
			rest.size = piece;
		reading_feed(reading, rest);
	}
}
