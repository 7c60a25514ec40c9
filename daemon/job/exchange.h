/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One response being read: head, body, codings, limits. What comes goes in, as bytes of HTTP/1 or
 * as what a stream of HTTP/2 told; the attempt asks what came of it. Embedded in an attempt,
 * which keeps its memory for the next one.
 *
 *   exchange_begin()
 *   exchange_feed() ...                                   HTTP/1
 *   exchange_take_head(), _take_body() ..., _take_end()   HTTP/2
 *   exchange_go_on()                                      after EXCHANGE_HELD, in a later turn
 *   exchange_end()
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/decode.h"
#include "http/h1.h"
#include "proto/fault.h"
#include "util/buffer.h"

struct exchange;

enum exchange_result {
	EXCHANGE_MORE,
	/* What has come is not worked off yet, or who takes it is full: nothing more for now. */
	EXCHANGE_HELD,
	/* The response is complete and proven so by its framing and its codings. */
	EXCHANGE_DONE,
	/* exchange->fault. */
	EXCHANGE_FAULT,
};

/* Where the body goes. */
enum exchange_to {
	/* Into exchange->body. */
	EXCHANGE_KEEP,
	EXCHANGE_DROP,
	/* To on_piece. */
	EXCHANGE_GIVE,
};

struct exchange_events {
	/* The head has come: it may now be said where the body goes, how large it may be, and
	 * whether it is decoded (`to`, `body_bytes_max`, `decodes`). False: exchange->fault. */
	bool (*on_head)(struct exchange *exchange);
	/* EXCHANGE_GIVE: the next bytes of the body, decoded; the view is good until this returns.
	 * False: exchange->fault. */
	bool (*on_piece)(struct exchange *exchange, const char *data, size_t size);
};

/* What all exchanges of a scheduler share. */
struct exchange_common {
	/* What all bodies in memory come to, and may come to. */
	size_t *held_bytes;
	size_t held_bytes_max;
	/* What one slice was decoded to. */
	struct buffer slice;
	/* A decoder nobody uses; NULL: none. */
	struct decode *spare;
};

struct exchange {
	struct h1_sink sink;
	const struct exchange_events *events;
	struct exchange_common *common;
	/* Owned. */
	struct h1 *h1;
	struct response_head head;
	/* Its headers as a record shows them; empty: they are not made yet. A head that comes again
	 * has them from the one before. */
	struct buffer headers_json;
	/* The body, where it is kept. */
	struct buffer body;
	/* Bytes of body so far, decoded, and how many there may be. */
	uint64_t body_bytes, body_bytes_max;
	/* NULL: nothing is to be decoded. What has come and is not decoded yet. */
	struct decode *decode;
	struct buffer coded;
	size_t coded_at;
	/* What it has of all bodies' bytes. */
	size_t own_held_bytes;
	struct fault fault;
	enum exchange_to to;
	bool has_head;
	/* Codings are taken off. */
	bool decodes;
	/* The decoder has more to give, also without further bytes. */
	bool has_more;
	/* Who takes the body is full: set by the attempt. */
	bool is_full;
	/* All of the response has come. */
	bool is_complete;
	/* After EXCHANGE_DONE: true where the connection holds nothing doubtful. */
	bool is_clean;
};

struct exchange_request {
	uint64_t body_bytes_max;
	enum exchange_to to;
	bool is_head;
	bool decodes;
};

/* `held_bytes` is borrowed. */
void exchange_common_init(
	struct exchange_common *common, size_t *held_bytes, size_t held_bytes_max);
void exchange_common_deinit(struct exchange_common *common);

/* `events` may be NULL: then nothing is asked, and nothing given. False: no memory. */
bool exchange_init(struct exchange *exchange, const struct exchange_events *events);
void exchange_deinit(struct exchange *exchange);

/* A request is about to be sent. `common` is borrowed. */
void exchange_begin(struct exchange *exchange, struct exchange_common *common,
	const struct exchange_request *request);

/* Nothing was sent yet: what the exchange before it left is forgotten. */
void exchange_rest(struct exchange *exchange);

/* Its body's memory is given back, or was taken. */
void exchange_end(struct exchange *exchange);

/* HTTP/1: bytes from the connection. */
enum exchange_result exchange_feed(struct exchange *exchange, const char *data, size_t size);

/* HTTP/1: the peer has closed. */
enum exchange_result exchange_feed_end(struct exchange *exchange);

/* HTTP/2: the head (borrowed until exchange_end()), the next bytes of the body, its end. */
enum exchange_result exchange_take_head(
	struct exchange *exchange, const struct response_head *head);
enum exchange_result exchange_take_body(struct exchange *exchange, const char *data, size_t size);
enum exchange_result exchange_take_end(struct exchange *exchange);

/* Works off a slice of what is held. */
enum exchange_result exchange_go_on(struct exchange *exchange);

/* True where all bodies together leave room for so many bytes more. A large body leaves a quarter
 * to small ones. */
bool exchange_may_hold(const struct exchange *exchange, size_t size);

/* There is none: sets exchange->fault; false. */
bool exchange_fail_room(struct exchange *exchange);

/* True once a byte of the response has come. */
static inline bool exchange_has_begun(const struct exchange *exchange)
{
	return exchange->has_head || h1_has_begun(exchange->h1);
}

/* True where bytes wait to be decoded: exchange_go_on() has something to do. */
static inline bool exchange_has_work(const struct exchange *exchange)
{
	return exchange->has_more || exchange->coded_at < exchange->coded.size;
}

/* True where so much of the body is still to come that it is better received in large pieces. */
bool exchange_is_long(const struct exchange *exchange);

/* How many bytes of a long body may be received unseen, by exchange_skip(): UINT64_MAX is all until
 * the end, 0 none. */
uint64_t exchange_droppable(const struct exchange *exchange);

/* So many of them were. */
enum exchange_result exchange_skip(struct exchange *exchange, size_t size);
