/* SPDX-License-Identifier: MIT */
#include "http/decode_private.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "util/panic.h"

/*
 * gzip (RFC 1952) and deflate, which is the zlib format (RFC 1950) by RFC 9110 and bare deflate
 * (RFC 1951) by some servers. The first byte tells them apart: in a zlib header its low half is 8
 * and its high bit is clear; a bare stream that begins so would be a stored block with a bit set
 * in its padding, which no encoder makes.
 */

/* inflateInit2(): the window's bits; negative without a header, 16 more for gzip. */
#define DECODE_ZLIB_WRAPPED MAX_WBITS
#define DECODE_ZLIB_RAW     (-MAX_WBITS)
#define DECODE_ZLIB_GZIP    (MAX_WBITS + 16)

#define DECODE_ZLIB_MEMBER 0x1f

struct decode_zlib {
	z_stream stream;
	/* deflate only: the first byte has come. */
	bool has_form;
};

static void *decode_zlib_allocate(void *opaque, unsigned n, unsigned size)
{
	return reallocarray(NULL, n, size);
}

static void decode_zlib_release(void *opaque, void *memory)
{
	free(memory);
}

static bool decode_zlib_open(struct decode_layer *layer, int window_bits)
{
	struct decode_zlib *zlib = layer->state;

	if (!zlib) {
		zlib = calloc(1, sizeof(*zlib));
		if (!zlib)
			return false;
		zlib->stream.zalloc = decode_zlib_allocate;
		zlib->stream.zfree = decode_zlib_release;
		if (inflateInit2(&zlib->stream, window_bits) != Z_OK) {
			free(zlib);
			return false;
		}
		layer->state = zlib;
	}
	expect(inflateReset2(&zlib->stream, window_bits) == Z_OK);
	zlib->has_form = false;
	return true;
}

static bool decode_gzip_open(struct decode_layer *layer)
{
	return decode_zlib_open(layer, DECODE_ZLIB_GZIP);
}

static bool decode_deflate_open(struct decode_layer *layer)
{
	return decode_zlib_open(layer, DECODE_ZLIB_WRAPPED);
}

static void decode_zlib_close(struct decode_layer *layer)
{
	struct decode_zlib *zlib = layer->state;

	inflateEnd(&zlib->stream);
	free(zlib);
	layer->state = NULL;
}

/* One call of inflate(), and what it came to. */
static int decode_zlib_inflate(struct decode_zlib *zlib, struct decode_span *span)
{
	z_stream *stream = &zlib->stream;
	unsigned in_size = span->in_size < UINT_MAX ? (unsigned)span->in_size : UINT_MAX;
	unsigned out_size = span->out_size < UINT_MAX ? (unsigned)span->out_size : UINT_MAX;
	int result;

	/* zlib's own const depends on how it was configured. */
	stream->next_in = (Bytef *)(uintptr_t)span->in;
	stream->avail_in = in_size;
	stream->next_out = (Bytef *)span->out;
	stream->avail_out = out_size;
	result = inflate(stream, Z_NO_FLUSH);
	decode_span_advance(span, in_size - stream->avail_in, out_size - stream->avail_out);
	return result;
}

static enum decode_fault_kind decode_zlib_step(struct decode_layer *layer, struct decode_span *span)
{
	struct decode_zlib *zlib = layer->state;

	do {
		int result = decode_zlib_inflate(zlib, span);

		layer->is_complete = result == Z_STREAM_END;
		switch (result) {
		case Z_OK: break;
		case Z_STREAM_END:
		/* Nothing to do without more input, or more room. */
		case Z_BUF_ERROR: return DECODE_FAULT_NONE;
		case Z_MEM_ERROR: return DECODE_FAULT_MEMORY;
		case Z_NEED_DICT:
			return decode_layer_corrupt(layer, "it wants a dictionary that nobody has");
		default:
			return decode_layer_corrupt(layer,
				zlib->stream.msg ? zlib->stream.msg : "the data is not valid");
		}
	} while (span->in_size > 0 && span->out_size > 0);
	return DECODE_FAULT_NONE;
}

/* Behind the end of a member: the next one (RFC 1952 2.2), or what must not be there. */
static enum decode_fault_kind decode_gzip_step(struct decode_layer *layer, struct decode_span *span)
{
	struct decode_zlib *zlib = layer->state;
	enum decode_fault_kind fault = DECODE_FAULT_NONE;

	do {
		if (layer->is_complete) {
			if (*span->in != DECODE_ZLIB_MEMBER)
				return decode_layer_corrupt(layer, "bytes follow its end");
			expect(inflateReset(&zlib->stream) == Z_OK);
			layer->is_complete = false;
		}
		fault = decode_zlib_step(layer, span);
	} while (!fault && span->in_size > 0 && span->out_size > 0);
	return fault;
}

static enum decode_fault_kind decode_deflate_step(
	struct decode_layer *layer, struct decode_span *span)
{
	struct decode_zlib *zlib = layer->state;

	if (layer->is_complete)
		return decode_layer_corrupt(layer, "bytes follow its end");
	if (!zlib->has_form && span->in_size > 0) {
		if ((*span->in & 0x8f) != Z_DEFLATED)
			expect(inflateReset2(&zlib->stream, DECODE_ZLIB_RAW) == Z_OK);
		zlib->has_form = true;
	}
	return decode_zlib_step(layer, span);
}

const struct decode_coding decode_gzip = {
	.name = "gzip",
	.open = decode_gzip_open,
	.step = decode_gzip_step,
	.close = decode_zlib_close,
	.is_small = true,
};

const struct decode_coding decode_deflate = {
	.name = "deflate",
	.open = decode_deflate_open,
	.step = decode_deflate_step,
	.close = decode_zlib_close,
	.is_small = true,
};
