/* SPDX-License-Identifier: MIT */
#include "http/decode_private.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/*
 * zstd (RFC 8878), with a window of at most 8 MiB, as RFC 9659 has it for the web.
 *
 * The library has a shortcut for a frame that is there as a whole, and takes it before it has
 * looked at the window; what it does with a frame would then depend on how the network cut it.
 * It also speaks formats older than the RFC, where it sees the first four bytes at once. So the
 * bytes in which a frame's header must end are handed over one by one: then there is no whole
 * frame and no old one, and any cut comes to the same. That costs a microsecond a frame.
 */

/* 8 MiB (RFC 9659 3). */
#define DECODE_ZSTD_WINDOW_LOG 23
/* RFC 8878 3.1.1: magic number and frame header. */
#define DECODE_ZSTD_HEADER_MAX 18
/* What is kept for the next body. */
#define DECODE_ZSTD_KEEP ((size_t)1024 * 1024)

struct decode_zstd {
	ZSTD_DCtx *context;
	/* Bytes to come, one by one, before the header has surely ended. */
	size_t header_left;
};

static void decode_zstd_close(struct decode_layer *layer)
{
	struct decode_zstd *zstd = layer->state;

	ZSTD_freeDCtx(zstd->context);
	free(zstd);
	layer->state = NULL;
}

static struct decode_zstd *decode_zstd_new(void)
{
	struct decode_zstd *zstd = calloc(1, sizeof(*zstd));

	if (!zstd)
		return NULL;
	zstd->context = ZSTD_createDCtx();
	if (!zstd->context || ZSTD_isError(ZSTD_DCtx_setParameter(zstd->context,
				      ZSTD_d_windowLogMax, DECODE_ZSTD_WINDOW_LOG))) {
		ZSTD_freeDCtx(zstd->context);
		free(zstd);
		return NULL;
	}
	return zstd;
}

static bool decode_zstd_open(struct decode_layer *layer)
{
	struct decode_zstd *zstd = layer->state;

	if (zstd && ZSTD_sizeof_DCtx(zstd->context) > DECODE_ZSTD_KEEP)
		decode_zstd_close(layer);
	if (!layer->state)
		layer->state = decode_zstd_new();
	zstd = layer->state;
	if (!zstd)
		return false;
	ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
	zstd->header_left = DECODE_ZSTD_HEADER_MAX;
	return true;
}

static enum decode_fault_kind decode_zstd_fail(struct decode_layer *layer, size_t result)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation: return DECODE_FAULT_MEMORY;
	case ZSTD_error_frameParameter_windowTooLarge:
		return decode_layer_corrupt(layer, "its window is larger than 8 MiB (RFC 9659)");
	case ZSTD_error_prefix_unknown:
		return decode_layer_corrupt(layer, "there is no frame where one should begin");
	case ZSTD_error_checksum_wrong:
		return decode_layer_corrupt(layer, "the checksum is another");
	case ZSTD_error_dictionary_wrong:
		return decode_layer_corrupt(layer, "it wants a dictionary that nobody has");
	default: return decode_layer_corrupt(layer, "the data is not valid");
	}
}

/* One call of the library; *ret_moves: something was taken or given. */
static enum decode_fault_kind decode_zstd_call(
	struct decode_layer *layer, struct decode_span *span, bool *ret_moves)
{
	struct decode_zstd *zstd = layer->state;
	ZSTD_inBuffer in = {span->in, span->in_size, 0};
	ZSTD_outBuffer out = {span->out, span->out_size, 0};
	size_t result;

	if (zstd->header_left > 0 && in.size > 1)
		in.size = 1;
	result = ZSTD_decompressStream(zstd->context, &out, &in);
	decode_span_advance(span, in.pos, out.pos);
	if (ZSTD_isError(result))
		return decode_zstd_fail(layer, result);
	layer->is_complete = result == 0;
	if (layer->is_complete)
		zstd->header_left = DECODE_ZSTD_HEADER_MAX;
	else if (zstd->header_left > 0)
		zstd->header_left -= in.pos;
	*ret_moves = in.pos > 0 || out.pos > 0;
	return DECODE_FAULT_NONE;
}

static enum decode_fault_kind decode_zstd_step(struct decode_layer *layer, struct decode_span *span)
{
	enum decode_fault_kind fault;
	bool moves = true;

	do {
		fault = decode_zstd_call(layer, span, &moves);
	} while (!fault && moves && span->in_size > 0 && span->out_size > 0);
	return fault;
}

const struct decode_coding decode_zstd = {
	.name = "zstd",
	.open = decode_zstd_open,
	.step = decode_zstd_step,
	.close = decode_zstd_close,
};
