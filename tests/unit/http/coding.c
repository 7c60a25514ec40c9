/* SPDX-License-Identifier: MIT */
#include "tests/unit/http/coding.h"

#include <check.h>
#include <zlib.h>
#ifdef DECODE_BROTLI
#include <brotli/encode.h>
#endif
#ifdef DECODE_ZSTD
#include <zstd.h>
#endif

const char *const coding_names[] = {
	"gzip",
	"deflate",
	"raw",
#ifdef DECODE_BROTLI
	"br",
#endif
#ifdef DECODE_ZSTD
	"zstd",
#endif
	NULL,
};

const char *coding_field(const char *name)
{
	return text_is(text_from(name), "raw") ? "deflate" : name;
}

static void coding_deflate(int window_bits, struct text plain, struct buffer *out)
{
	z_stream stream = {.next_in = NULL};
	size_t bound;

	ck_assert_int_eq(
		deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&stream, plain.size);
	ck_assert(buffer_reserve(out, bound));
	stream.next_in = (Bytef *)(uintptr_t)plain.data;
	stream.avail_in = (unsigned)plain.size;
	stream.next_out = (Bytef *)out->data + out->size;
	stream.avail_out = (unsigned)bound;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out->size += stream.total_out;
	deflateEnd(&stream);
}

#ifdef DECODE_BROTLI
static void coding_brotli(struct text plain, struct buffer *out)
{
	size_t size = BrotliEncoderMaxCompressedSize(plain.size) + 16;

	ck_assert(buffer_reserve(out, size));
	ck_assert(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, plain.size,
		(const uint8_t *)plain.data, &size, (uint8_t *)out->data + out->size));
	out->size += size;
}
#endif

#ifdef DECODE_ZSTD
static void coding_zstd(struct text plain, struct buffer *out)
{
	size_t bound = ZSTD_compressBound(plain.size), size;
	ZSTD_CCtx *context = ZSTD_createCCtx();

	ck_assert(context && buffer_reserve(out, bound));
	ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
	size = ZSTD_compress2(context, out->data + out->size, bound, plain.data, plain.size);
	ck_assert(!ZSTD_isError(size));
	out->size += size;
	ZSTD_freeCCtx(context);
}
#endif

void coding_encode(const char *name, struct text plain, struct buffer *out)
{
	struct text text = text_from(name);

	if (text_is(text, "gzip"))
		coding_deflate(MAX_WBITS + 16, plain, out);
	else if (text_is(text, "deflate"))
		coding_deflate(MAX_WBITS, plain, out);
	else if (text_is(text, "raw"))
		coding_deflate(-MAX_WBITS, plain, out);
#ifdef DECODE_BROTLI
	else if (text_is(text, "br"))
		coding_brotli(plain, out);
#endif
#ifdef DECODE_ZSTD
	else if (text_is(text, "zstd"))
		coding_zstd(plain, out);
#endif
	else if (text_is(text, "identity"))
		buffer_append_text(out, plain);
	else
		ck_abort_msg("no coding %s", name);
}

void coding_fill(struct buffer *out, size_t size, uint32_t seed)
{
	static const char *const words[] = {
		"origin", "graph", "settle", "{\"id\":", "42,", " ", "\n", "null"};
	size_t end = out->size + size;
	uint32_t state = seed | 1;

	ck_assert(buffer_reserve(out, size + 16));
	while (out->size < end) {
		/* Numerical Recipes' generator: the same everywhere. */
		state = state * 1664525 + 1013904223;
		buffer_append_text(out, text_from(words[state >> 29]));
		if ((state >> 20) % 7 == 0)
			buffer_append_byte(out, (char)(state >> 12));
	}
	out->size = end;
}

static size_t coding_or_all(size_t n)
{
	return n ? n : SIZE_MAX;
}

/* What every call promises; asserted only where it does not hold, as libcheck keeps a record of
 * each assertion and there are millions. */
static void coding_check(
	enum decode_result result, size_t piece_size, size_t used, size_t given, size_t slice)
{
	if (used > piece_size)
		ck_abort_msg("%zu of %zu bytes were taken", used, piece_size);
	if (given > slice)
		ck_abort_msg("%zu bytes were given, beyond a slice of %zu", given, slice);
	if (result == DECODE_DONE)
		ck_abort_msg("a piece is never the end");
	if (result == DECODE_MORE_INPUT && used < piece_size)
		ck_abort_msg("%zu of %zu bytes were left", piece_size - used, piece_size);
}

/* One piece, until it is taken; false after a fault. */
static bool coding_feed(struct decode *decode, struct text piece, size_t slice, struct buffer *body)
{
	enum decode_result result;

	do {
		size_t before = body->size, used = SIZE_MAX;

		result = decode_feed(decode, piece, &used, body, slice);
		coding_check(result, piece.size, used, body->size - before, slice);
		piece = text_from_at(piece, used);
	} while (result == DECODE_MORE_OUTPUT);
	return result == DECODE_MORE_INPUT;
}

enum decode_result coding_read(struct decode *decode, const char *field, struct text coded,
	const struct coding_way *way, struct buffer *body)
{
	struct header header = {TEXT("content-encoding"), text_from(field)};
	size_t slice = way->slice ? way->slice : DECODE_SLICE;
	size_t n = coding_or_all(way->first ? way->first : way->piece);
	enum decode_result result = DECODE_MORE_INPUT;

	decode_begin(decode, &header, 1, way->bytes_max ? way->bytes_max : UINT64_MAX);
	while (coded.size > 0 && result == DECODE_MORE_INPUT) {
		struct text piece = {coded.data, n < coded.size ? n : coded.size};

		if (!coding_feed(decode, piece, slice, body))
			result = DECODE_FAULT;
		coded = text_from_at(coded, piece.size);
		n = coding_or_all(way->piece);
	}
	if (result == DECODE_MORE_INPUT)
		result = decode_end(decode);
	if (result == DECODE_FAULT) {
		ck_assert(decode_fault(decode).kind != DECODE_FAULT_NONE);
		ck_assert(decode_fault(decode).why[0] != '\0');
	} else {
		ck_assert_int_eq(result, DECODE_DONE);
		ck_assert(decode_fault(decode).kind == DECODE_FAULT_NONE);
	}
	if (way->bytes_max)
		ck_assert_uint_le(body->size, way->bytes_max + 1);
	return result;
}
