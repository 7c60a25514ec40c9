/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One response being read: head, body, limits. Bytes in; the attempt asks what came of them.
 * Embedded in an attempt, which keeps its memory for the next one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/h1.h"
#include "proto/fault.h"
#include "util/buffer.h"

enum exchange_result {
	EXCHANGE_MORE,
	/* The response is complete and proven so by its framing. */
	EXCHANGE_DONE,
	/* exchange->fault. */
	EXCHANGE_FAULT,
};

struct exchange {
	struct h1_sink sink;
	/* Owned. */
	struct h1 *h1;
	struct response_head head;
	/* The body, unless discarded. */
	struct buffer body;
	/* Bytes of body so far, and how many there may be. */
	uint64_t body_bytes, body_bytes_max;
	/* What all bodies in memory come to, and may come to. */
	size_t *held_bytes;
	size_t held_bytes_max;
	/* Of which this one's. */
	size_t own_held_bytes;
	struct fault fault;
	bool has_head;
	bool discards;
	/* After EXCHANGE_DONE: true where the connection holds nothing doubtful. */
	bool is_clean;
};

struct exchange_request {
	uint64_t body_bytes_max;
	size_t *held_bytes;
	size_t held_bytes_max;
	bool is_head;
	bool discards;
};

/* False: no memory. */
bool exchange_init(struct exchange *exchange);
void exchange_deinit(struct exchange *exchange);

/* A request is about to be sent. */
void exchange_begin(struct exchange *exchange, const struct exchange_request *request);

/* Nothing was sent yet: what the exchange before it left is forgotten. */
void exchange_rest(struct exchange *exchange);

/* Its body's memory is given back, or was taken. */
void exchange_end(struct exchange *exchange);

enum exchange_result exchange_feed(struct exchange *exchange, const char *data, size_t size);

/* The peer has closed. */
enum exchange_result exchange_feed_end(struct exchange *exchange);

/* True once a byte of the response has come. */
static inline bool exchange_has_begun(const struct exchange *exchange)
{
	return h1_has_begun(exchange->h1);
}

/* True where so much of the body is still to come that it is better received in large pieces. */
bool exchange_is_long(const struct exchange *exchange);

/* How many bytes of a long body may be received unseen, by exchange_skip(): UINT64_MAX is all until
 * the end, 0 none. */
uint64_t exchange_droppable(const struct exchange *exchange);

/* So many of them were. */
enum exchange_result exchange_skip(struct exchange *exchange, size_t size);
