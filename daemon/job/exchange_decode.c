/* SPDX-License-Identifier: MIT */
#include "job/exchange.h"

#include "job/exchange_private.h"

/*
 * Codings are taken off a slice at a time: a few bytes may become very many, and the loop has
 * others to serve. What a receive brought beyond the slice is kept, coded as it is, until the
 * attempt comes back for it; as nothing more is received meanwhile, that is never more than a few
 * receives' worth.
 *
 * A decoder has some 50 KiB a layer: it is made for a body that needs it, and the last one used
 * is kept for the next.
 */

/* Slices of one turn. */
#define EXCHANGE_SLICES 4

bool exchange_decode_begin(struct exchange *exchange)
{
	struct exchange_common *common = exchange->common;

	exchange->decode = common->spare ? common->spare : decode_new();
	common->spare = NULL;
	if (!exchange->decode)
		return exchange_fail(exchange, FAULT_OVERLOADED, "no memory to decode the body");
	decode_begin(exchange->decode, exchange->head.headers, exchange->head.n_headers,
		exchange->body_bytes_max);
	return true;
}

static bool exchange_decode_fail(struct exchange *exchange)
{
	static const enum fault_code codes[] = {
		[DECODE_FAULT_UNSUPPORTED] = FAULT_ENCODING_UNSUPPORTED,
		[DECODE_FAULT_CORRUPT] = FAULT_ENCODING_CORRUPT,
		[DECODE_FAULT_TOO_LARGE] = FAULT_BODY_TOO_LARGE,
		[DECODE_FAULT_MEMORY] = FAULT_OVERLOADED,
	};
	struct decode_fault fault = decode_fault(exchange->decode);

	exchange->has_more = false;
	return exchange_fail(exchange, codes[fault.kind], fault.why);
}

/* One slice; takes what it uses from the front of *inp. */
static bool exchange_decode_slice(struct exchange *exchange, struct text *inp)
{
	struct buffer *slice = &exchange->common->slice;
	enum decode_result result;
	size_t used;

	buffer_clear(slice);
	result = decode_feed(exchange->decode, *inp, &used, slice, DECODE_SLICE);
	*inp = text_from_at(*inp, used);
	exchange->has_more = result == DECODE_MORE_OUTPUT;
	if (slice->size > 0 && !exchange_take(exchange, slice->data, slice->size))
		return false;
	return result != DECODE_FAULT || exchange_decode_fail(exchange);
}

bool exchange_decode(struct exchange *exchange, struct text in)
{
	if (!exchange_has_work(exchange) && !exchange_decode_slice(exchange, &in))
		return false;
	return in.size == 0 || exchange_hold(exchange, &exchange->coded, in.data, in.size);
}

bool exchange_decode_on(struct exchange *exchange)
{
	struct buffer *coded = &exchange->coded;

	for (int i = 0; i < EXCHANGE_SLICES && exchange_has_work(exchange); i++) {
		struct text rest = text_from_at(buffer_text(coded), exchange->coded_at);

		if (!exchange_decode_slice(exchange, &rest))
			return false;
		exchange->coded_at = coded->size - rest.size;
		if (exchange->is_full)
			break;
	}
	if (exchange->coded_at < coded->size)
		return true;
	exchange->own_held_bytes -= coded->size;
	*exchange->common->held_bytes -= coded->size;
	buffer_reset(coded, 0);
	exchange->coded_at = 0;
	return true;
}

bool exchange_decode_finish(struct exchange *exchange)
{
	if (!exchange->decode || decode_end(exchange->decode) == DECODE_DONE)
		return true;
	return exchange_decode_fail(exchange);
}

void exchange_decode_end(struct exchange *exchange)
{
	struct exchange_common *common = exchange->common;

	buffer_reset(&exchange->coded, 0);
	if (!exchange->decode)
		return;
	decode_rest(exchange->decode);
	if (common->spare)
		decode_free(exchange->decode);
	else
		common->spare = exchange->decode;
	exchange->decode = NULL;
}
