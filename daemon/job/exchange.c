/* SPDX-License-Identifier: MIT */
#include "job/exchange.h"

#include "job/exchange_private.h"
#include "proto/record_header.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * The body's way: off the wire, out of its framing (http/h1, or the stream's frames), out of its
 * codings (exchange_decode.c), under its limit, and to where it goes. Each step takes what it is
 * given; the one that can be slow, decoding, keeps what it has not come to and says so by
 * EXCHANGE_HELD, and so does a taker that is full. The attempt then receives no more, which the
 * origin feels, and comes back later.
 */

/* Beyond this many bytes to come, one large receive costs less than many small ones. */
#define EXCHANGE_LONG_BYTES (64 * 1024)

/* A body's memory kept for the next one; what is larger goes back. */
#define EXCHANGE_BODY_KEEP (8 * 1024)

/* As large as a body may be unless its job says otherwise. */
#define EXCHANGE_LARGE_BYTES (16 * 1024 * 1024)

/* A length that is announced is made room for at once up to here, and grown to as it comes
 * beyond: a peer's word alone takes no memory. */
#define EXCHANGE_RESERVE_MAX (256 * 1024)

/* Only small heads are known when they come again. */
#define EXCHANGE_HEADERS_JSON_MAX (8 * 1024)

static bool exchange_on_head(struct h1_sink *sink, const struct response_head *head);
static bool exchange_on_body(struct h1_sink *sink, const char *data, size_t size);

/* Memory. */

void exchange_common_init(struct exchange_common *common, size_t *held_bytes, size_t held_bytes_max)
{
	*common = (struct exchange_common){
		.held_bytes = held_bytes,
		.held_bytes_max = held_bytes_max,
	};
	buffer_init(&common->slice, 2 * DECODE_SLICE);
}

void exchange_common_deinit(struct exchange_common *common)
{
	common->spare = decode_free(common->spare);
	buffer_deinit(&common->slice);
}

bool exchange_init(struct exchange *exchange, const struct exchange_events *events)
{
	exchange->events = events;
	exchange->sink.on_head = exchange_on_head;
	exchange->sink.on_body = exchange_on_body;
	exchange->decode = NULL;
	exchange->own_held_bytes = 0;
	buffer_init(&exchange->body, SIZE_MAX);
	buffer_init(&exchange->coded, SIZE_MAX);
	buffer_init(&exchange->headers_json, EXCHANGE_HEADERS_JSON_MAX);
	exchange->h1 = h1_new();
	return exchange->h1;
}

void exchange_deinit(struct exchange *exchange)
{
	expect(!exchange->decode);
	h1_free(exchange->h1);
	buffer_deinit(&exchange->body);
	buffer_deinit(&exchange->coded);
	buffer_deinit(&exchange->headers_json);
}

static void exchange_reset(struct exchange *exchange)
{
	exchange->body_bytes = 0;
	exchange->coded_at = 0;
	exchange->has_head = false;
	exchange->has_more = false;
	exchange->is_full = false;
	exchange->is_complete = false;
	exchange->is_clean = false;
	exchange->fault.code = FAULT_NONE;
}

void exchange_rest(struct exchange *exchange)
{
	h1_begin(exchange->h1, &exchange->sink, false);
	exchange_reset(exchange);
}

void exchange_begin(struct exchange *exchange, struct exchange_common *common,
	const struct exchange_request *request)
{
	exchange_end(exchange);
	h1_begin(exchange->h1, &exchange->sink, request->is_head);
	exchange_reset(exchange);
	exchange->common = common;
	exchange->body_bytes_max = request->body_bytes_max;
	exchange->to = request->to;
	exchange->decodes = request->decodes;
}

void exchange_end(struct exchange *exchange)
{
	exchange_decode_end(exchange);
	buffer_reset(&exchange->body, EXCHANGE_BODY_KEEP);
	if (exchange->own_held_bytes == 0)
		return;
	*exchange->common->held_bytes -= exchange->own_held_bytes;
	exchange->own_held_bytes = 0;
}

/* What came. */

bool exchange_fail(struct exchange *exchange, enum fault_code code, const char *why)
{
	fault_set(&exchange->fault, code, "%s", why);
	return false;
}

static bool exchange_fail_size(struct exchange *exchange)
{
	fault_set(&exchange->fault, FAULT_BODY_TOO_LARGE, "the body is larger than %ju bytes",
		(uintmax_t)exchange->body_bytes_max);
	return false;
}

static bool exchange_start_body(struct exchange *exchange)
{
	const struct response_head *head = &exchange->head;
	uint64_t reserve = head->length;

	if (exchange->decodes && decode_is_needed(head->headers, head->n_headers))
		return exchange_decode_begin(exchange);
	if (head->framing != BODY_LENGTH)
		return true;
	if (head->length > exchange->body_bytes_max)
		return exchange_fail_size(exchange);
	if (reserve > EXCHANGE_RESERVE_MAX)
		reserve = EXCHANGE_RESERVE_MAX;
	if (exchange->to == EXCHANGE_KEEP && !buffer_reserve(&exchange->body, (size_t)reserve))
		return exchange_fail(exchange, FAULT_OVERLOADED, "no memory for the body");
	return true;
}

static bool exchange_on_head(struct h1_sink *sink, const struct response_head *head)
{
	struct exchange *exchange = container_of(sink, struct exchange, sink);

	exchange->head = *head;
	exchange->has_head = true;
	if (!head->is_again)
		buffer_clear(&exchange->headers_json);
	else if (exchange->headers_json.size == 0)
		record_header_append(&exchange->headers_json, head->headers, head->n_headers);
	if (exchange->events && !exchange->events->on_head(exchange))
		return false;
	return exchange_start_body(exchange);
}

bool exchange_may_hold(const struct exchange *exchange, size_t size)
{
	size_t max = exchange->common->held_bytes_max, held = *exchange->common->held_bytes;

	if (exchange->own_held_bytes + size > EXCHANGE_LARGE_BYTES)
		max -= max / 4;
	return held <= max && size <= max - held;
}

bool exchange_fail_room(struct exchange *exchange)
{
	return exchange_fail(
		exchange, FAULT_OVERLOADED, "the daemon holds as many bytes of bodies as it may");
}

bool exchange_hold(struct exchange *exchange, struct buffer *buffer, const char *data, size_t size)
{
	if (!exchange_may_hold(exchange, size))
		return exchange_fail_room(exchange);
	*exchange->common->held_bytes += size;
	exchange->own_held_bytes += size;
	buffer_append(buffer, data, size);
	if (buffer->failed)
		return exchange_fail(exchange, FAULT_OVERLOADED, "no memory for the body");
	return true;
}

bool exchange_take(struct exchange *exchange, const char *data, size_t size)
{
	exchange->body_bytes += size;
	if (exchange->body_bytes > exchange->body_bytes_max)
		return exchange_fail_size(exchange);
	switch (exchange->to) {
	case EXCHANGE_KEEP: return exchange_hold(exchange, &exchange->body, data, size);
	case EXCHANGE_DROP: return true;
	case EXCHANGE_GIVE: return exchange->events->on_piece(exchange, data, size);
	}
	unreachable("a body that goes elsewhere");
}

static bool exchange_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	struct exchange *exchange = container_of(sink, struct exchange, sink);

	if (exchange->decode)
		return exchange_decode(exchange, (struct text){data, size});
	return exchange_take(exchange, data, size);
}

/* What came of it. */

static enum exchange_result exchange_judge(struct exchange *exchange)
{
	if (exchange->fault.code != FAULT_NONE)
		return EXCHANGE_FAULT;
	if (exchange_has_work(exchange))
		return EXCHANGE_HELD;
	if (exchange->is_complete)
		return exchange_decode_finish(exchange) ? EXCHANGE_DONE : EXCHANGE_FAULT;
	return exchange->is_full ? EXCHANGE_HELD : EXCHANGE_MORE;
}

enum exchange_result exchange_go_on(struct exchange *exchange)
{
	if (exchange->fault.code == FAULT_NONE && exchange_has_work(exchange) && !exchange->is_full)
		exchange_decode_on(exchange);
	return exchange_judge(exchange);
}

/* What the parser says is wrong, as a fault. */
static void exchange_set_h1_fault(struct exchange *exchange)
{
	static const enum fault_code codes[] = {
		[H1_FAULT_PARSE] = FAULT_HTTP_PARSE,
		[H1_FAULT_FRAMING] = FAULT_HTTP_FRAMING,
		[H1_FAULT_HEADERS_TOO_LARGE] = FAULT_HEADERS_TOO_LARGE,
		[H1_FAULT_TRUNCATED] = FAULT_BODY_TRUNCATED,
		[H1_FAULT_EMPTY] = FAULT_EMPTY_REPLY,
		[H1_FAULT_MEMORY] = FAULT_OVERLOADED,
	};
	struct h1_fault fault = h1_fault(exchange->h1);

	fault_set(&exchange->fault, codes[fault.kind], "%s", fault.why);
}

static enum exchange_result exchange_heed(struct exchange *exchange, enum h1_result result)
{
	switch (result) {
	case H1_DONE: exchange->is_complete = true; break;
	case H1_FAULT: exchange_set_h1_fault(exchange); break;
	case H1_MORE:
	case H1_STOPPED: break;
	}
	return exchange_judge(exchange);
}

enum exchange_result exchange_feed(struct exchange *exchange, const char *data, size_t size)
{
	enum h1_result result;
	size_t used;

	/* Bytes behind a response that is not worked off yet. */
	if (exchange->is_complete) {
		exchange->is_clean = false;
		return exchange_judge(exchange);
	}
	result = h1_feed(exchange->h1, data, size, &used);
	if (result == H1_DONE)
		exchange->is_clean = used == size && h1_keeps_alive(exchange->h1);
	return exchange_heed(exchange, result);
}

enum exchange_result exchange_feed_end(struct exchange *exchange)
{
	exchange->is_clean = false;
	if (exchange->is_complete)
		return exchange_judge(exchange);
	return exchange_heed(exchange, h1_feed_end(exchange->h1));
}

enum exchange_result exchange_take_head(struct exchange *exchange, const struct response_head *head)
{
	exchange_on_head(&exchange->sink, head);
	return exchange_judge(exchange);
}

enum exchange_result exchange_take_body(struct exchange *exchange, const char *data, size_t size)
{
	exchange_on_body(&exchange->sink, data, size);
	return exchange_judge(exchange);
}

enum exchange_result exchange_take_end(struct exchange *exchange)
{
	exchange->is_complete = true;
	return exchange_judge(exchange);
}

/* Long bodies. */

uint64_t exchange_droppable(const struct exchange *exchange)
{
	if (exchange->to != EXCHANGE_DROP || exchange->decode || !exchange_is_long(exchange) ||
		!h1_body_is_plain(exchange->h1))
		return 0;
	return h1_body_left(exchange->h1);
}

enum exchange_result exchange_skip(struct exchange *exchange, size_t size)
{
	enum h1_result result;

	if (!exchange_take(exchange, NULL, size))
		return EXCHANGE_FAULT;
	result = h1_skip(exchange->h1, size);
	if (result == H1_DONE)
		exchange->is_clean = h1_keeps_alive(exchange->h1);
	return exchange_heed(exchange, result);
}

bool exchange_is_long(const struct exchange *exchange)
{
	return exchange->has_head && h1_body_left(exchange->h1) > EXCHANGE_LONG_BYTES;
}
