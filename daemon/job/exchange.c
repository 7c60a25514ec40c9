/* SPDX-License-Identifier: MIT */
#include "job/exchange.h"

#include "util/container.h"

/* Beyond this many bytes to come, one large receive costs less than many small ones. */
#define EXCHANGE_LONG_BYTES (64 * 1024)

/* A body's memory kept for the next one; what is larger goes back. */
#define EXCHANGE_BODY_KEEP (8 * 1024)

/* As large as a body may be unless its job says otherwise. */
#define EXCHANGE_LARGE_BYTES (16 * 1024 * 1024)

/* A length that is announced is made room for at once up to here, and grown to as it comes
 * beyond: a peer's word alone takes no memory. */
#define EXCHANGE_RESERVE_MAX (256 * 1024)

static bool exchange_on_head(struct h1_sink *sink, const struct response_head *head);
static bool exchange_on_body(struct h1_sink *sink, const char *data, size_t size);

bool exchange_init(struct exchange *exchange)
{
	exchange->sink.on_head = exchange_on_head;
	exchange->sink.on_body = exchange_on_body;
	buffer_init(&exchange->body, SIZE_MAX);
	exchange->h1 = h1_new();
	return exchange->h1;
}

void exchange_deinit(struct exchange *exchange)
{
	h1_free(exchange->h1);
	buffer_deinit(&exchange->body);
}

void exchange_rest(struct exchange *exchange)
{
	h1_begin(exchange->h1, &exchange->sink, false);
	exchange->body_bytes = 0;
	exchange->has_head = false;
	exchange->is_clean = false;
}

void exchange_begin(struct exchange *exchange, const struct exchange_request *request)
{
	h1_begin(exchange->h1, &exchange->sink, request->is_head);
	exchange->body_bytes = 0;
	exchange->body_bytes_max = request->body_bytes_max;
	exchange->held_bytes = request->held_bytes;
	exchange->held_bytes_max = request->held_bytes_max;
	exchange->discards = request->discards;
	exchange->has_head = false;
	exchange->is_clean = false;
	exchange->fault.code = FAULT_NONE;
}

void exchange_end(struct exchange *exchange)
{
	buffer_reset(&exchange->body, EXCHANGE_BODY_KEEP);
	if (exchange->own_held_bytes == 0)
		return;
	*exchange->held_bytes -= exchange->own_held_bytes;
	exchange->own_held_bytes = 0;
}

static bool exchange_fail(struct exchange *exchange, enum fault_code code, const char *why)
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

static bool exchange_on_head(struct h1_sink *sink, const struct response_head *head)
{
	struct exchange *exchange = container_of(sink, struct exchange, sink);
	uint64_t reserve = head->length;

	exchange->head = *head;
	exchange->has_head = true;
	if (head->framing != BODY_LENGTH)
		return true;
	if (head->length > exchange->body_bytes_max)
		return exchange_fail_size(exchange);
	if (reserve > EXCHANGE_RESERVE_MAX)
		reserve = EXCHANGE_RESERVE_MAX;
	if (!exchange->discards && !buffer_reserve(&exchange->body, (size_t)reserve))
		return exchange_fail(exchange, FAULT_OVERLOADED, "no memory for the body");
	return true;
}

/* True where there is room for so many bytes more. A large body leaves a quarter to small ones. */
static bool exchange_may_hold(const struct exchange *exchange, size_t size)
{
	size_t max = exchange->held_bytes_max, held = *exchange->held_bytes;

	if (exchange->own_held_bytes + size > EXCHANGE_LARGE_BYTES)
		max -= max / 4;
	return held <= max && size <= max - held;
}

static bool exchange_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	struct exchange *exchange = container_of(sink, struct exchange, sink);

	exchange->body_bytes += size;
	if (exchange->body_bytes > exchange->body_bytes_max)
		return exchange_fail_size(exchange);
	if (exchange->discards)
		return true;
	if (!exchange_may_hold(exchange, size))
		return exchange_fail(exchange, FAULT_OVERLOADED,
			"the daemon holds as many bytes of bodies as it may");
	*exchange->held_bytes += size;
	exchange->own_held_bytes += size;
	buffer_append(&exchange->body, data, size);
	if (exchange->body.failed)
		return exchange_fail(exchange, FAULT_OVERLOADED, "no memory for the body");
	return true;
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

static enum exchange_result exchange_result(struct exchange *exchange, enum h1_result result)
{
	switch (result) {
	case H1_MORE: return EXCHANGE_MORE;
	case H1_DONE: return EXCHANGE_DONE;
	case H1_STOPPED: return EXCHANGE_FAULT;
	case H1_FAULT: exchange_set_h1_fault(exchange); return EXCHANGE_FAULT;
	}
	return EXCHANGE_FAULT;
}

enum exchange_result exchange_feed(struct exchange *exchange, const char *data, size_t size)
{
	size_t used;
	enum h1_result result = h1_feed(exchange->h1, data, size, &used);

	if (result == H1_DONE)
		exchange->is_clean = used == size && h1_keeps_alive(exchange->h1);
	return exchange_result(exchange, result);
}

enum exchange_result exchange_feed_end(struct exchange *exchange)
{
	return exchange_result(exchange, h1_feed_end(exchange->h1));
}

uint64_t exchange_droppable(const struct exchange *exchange)
{
	if (!exchange->discards || !exchange_is_long(exchange) || !h1_body_is_plain(exchange->h1))
		return 0;
	return h1_body_left(exchange->h1);
}

enum exchange_result exchange_skip(struct exchange *exchange, size_t size)
{
	enum h1_result result;

	exchange->body_bytes += size;
	if (exchange->body_bytes > exchange->body_bytes_max) {
		exchange_fail_size(exchange);
		return EXCHANGE_FAULT;
	}
	result = h1_skip(exchange->h1, size);
	if (result == H1_DONE)
		exchange->is_clean = h1_keeps_alive(exchange->h1);
	return exchange_result(exchange, result);
}

bool exchange_is_long(const struct exchange *exchange)
{
	return exchange->has_head && h1_body_left(exchange->h1) > EXCHANGE_LONG_BYTES;
}
