/* SPDX-License-Identifier: MIT */
#include "http/decode_private.h"

#include <brotli/decode.h>
#include <stdlib.h>

/*
 * br (RFC 7932). Its window is up to 16 MiB, and the library fills it before it gives anything:
 * a few bytes can make it write 16 MiB into its own memory, where the bound on what comes out
 * does not see them. But the library asks for no more window than the next power of two above
 * what has come out plus what the next part of the stream says it will make (that is, in versions
 * 1.0.0 to 1.1.0 at least, what it does unless told otherwise). So whoever asks for more than twice
 * the bound has announced a body beyond it, and is refused before the memory is there. All else
 * that the library allocates is smaller than the least bound below.
 */

/* The largest of its tables has 1.2 MiB. */
#define DECODE_BROTLI_TABLE_MAX ((size_t)2 * 1024 * 1024)
/* What stands behind the window, with room for other versions' ideas. */
#define DECODE_BROTLI_SLACK ((size_t)4096)

struct decode_brotli {
	BrotliDecoderState *decoder;
	/* The most that one allocation may be. */
	size_t allocation_max;
	/* True once one was larger. */
	bool was_refused;
};

static void *decode_brotli_allocate(void *opaque, size_t size)
{
	struct decode_brotli *brotli = opaque;

	if (size <= brotli->allocation_max)
		return malloc(size);
	brotli->was_refused = true;
	return NULL;
}

static void decode_brotli_release(void *opaque, void *memory)
{
	free(memory);
}

static size_t decode_brotli_allocation_max(uint64_t bytes_max)
{
	if (bytes_max > SIZE_MAX / 4)
		return SIZE_MAX;
	if (2 * bytes_max < DECODE_BROTLI_TABLE_MAX)
		return DECODE_BROTLI_TABLE_MAX + DECODE_BROTLI_SLACK;
	return 2 * (size_t)bytes_max + DECODE_BROTLI_SLACK;
}

static void decode_brotli_close(struct decode_layer *layer)
{
	struct decode_brotli *brotli = layer->state;

	BrotliDecoderDestroyInstance(brotli->decoder);
	free(brotli);
	layer->state = NULL;
}

/* The library's decoder serves one stream only. */
static bool decode_brotli_open(struct decode_layer *layer)
{
	struct decode_brotli *brotli;

	if (layer->state)
		decode_brotli_close(layer);
	brotli = calloc(1, sizeof(*brotli));
	if (!brotli)
		return false;
	brotli->allocation_max = decode_brotli_allocation_max(layer->bytes_max);
	brotli->decoder =
		BrotliDecoderCreateInstance(decode_brotli_allocate, decode_brotli_release, brotli);
	if (!brotli->decoder) {
		free(brotli);
		return false;
	}
	layer->state = brotli;
	return true;
}

static enum decode_fault_kind decode_brotli_fail(struct decode_layer *layer)
{
	struct decode_brotli *brotli = layer->state;
	BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(brotli->decoder);

	if (brotli->was_refused)
		return DECODE_FAULT_TOO_LARGE;
	if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
		code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return DECODE_FAULT_MEMORY;
	return decode_layer_corrupt(layer, "the data is not valid");
}

static enum decode_fault_kind decode_brotli_step(
	struct decode_layer *layer, struct decode_span *span)
{
	struct decode_brotli *brotli = layer->state;
	size_t in_size = span->in_size, out_size = span->out_size;
	const uint8_t *in = (const uint8_t *)span->in;
	uint8_t *out = (uint8_t *)span->out;
	BrotliDecoderResult result;

	if (layer->is_complete)
		return decode_layer_corrupt(layer, "bytes follow its end");
	result = BrotliDecoderDecompressStream(
		brotli->decoder, &in_size, &in, &out_size, &out, NULL);
	decode_span_advance(span, span->in_size - in_size, span->out_size - out_size);
	if (result == BROTLI_DECODER_RESULT_ERROR)
		return decode_brotli_fail(layer);
	layer->is_complete = result == BROTLI_DECODER_RESULT_SUCCESS;
	return DECODE_FAULT_NONE;
}

const struct decode_coding decode_br = {
	.name = "br",
	.open = decode_brotli_open,
	.step = decode_brotli_step,
	.close = decode_brotli_close,
};
