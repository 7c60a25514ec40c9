/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Content codings (RFC 9110 8.4) taken off a response's body: gzip (x-gzip), deflate, br, zstd,
 * in up to three layers. Bytes in, bytes out; no descriptor, no clock.
 *
 *   decode_begin(decode, headers, n_headers, max_body);
 *   for each piece of the body:
 *           do {
 *                   result = decode_feed(decode, piece, &used, out, DECODE_SLICE);
 *                   piece = text_from_at(piece, used);
 *           } while (result == DECODE_MORE_OUTPUT);      or again in another turn of the loop
 *   at its end: decode_end(decode);
 *
 * One object serves one body after another and keeps the memory it can use again; decode_rest()
 * gives most of it back while nothing is to be decoded.
 *
 * What is strict: a stream that ends early or is followed by anything is corrupt, for a body must
 * be what its sender proved it to be. Members of gzip may follow each other (RFC 1952 2.2), and so
 * may frames of zstd (RFC 8878 3.1); a body of no bytes is fine whatever the codings (so HEAD, 204
 * and 304, which have none, need no care). What is lenient: deflate may come without the zlib
 * header that RFC 9110 8.4.1.2 wants, because all browsers take it.
 *
 * Limits: a call gives at most `out_max` bytes, and does as much work as that in between two
 * layers, so that no bomb holds the loop; a body of more than `bytes_max` bytes is too large, and
 * so is what lies between two layers and is much larger than that. Memory of a layer: 48 KiB of
 * gzip and deflate; zstd 8 MiB and 400 KiB (its window: RFC 9659); br 16 MiB and 3 MiB, the
 * former being twice `bytes_max` (2 MiB at least) where that is less; 16 KiB between two layers.
 * br alone fills its window before it gives anything: a call may do 16 MiB of that, ten
 * milliseconds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/header.h"
#include "util/buffer.h"
#include "util/text.h"

#define DECODE_LAYERS_MAX 3

/* A good `out_max`: some 100 microseconds of work. */
#define DECODE_SLICE ((size_t)64 * 1024)

struct decode;

enum decode_result {
	/* All was taken and all that it makes was given. */
	DECODE_MORE_INPUT,
	/* The slice is full (or that much was done without output): call again with the rest of the
	 * input, be it empty. */
	DECODE_MORE_OUTPUT,
	/* decode_end() only: the body is complete. */
	DECODE_DONE,
	/* See decode_fault(). */
	DECODE_FAULT,
};

/* Why a body cannot be decoded. Each is a reason code of proto/fault.def by name, so that this
 * layer need not know that table. */
enum decode_fault_kind {
	DECODE_FAULT_NONE,
	DECODE_FAULT_UNSUPPORTED, /* ENCODING_UNSUPPORTED */
	DECODE_FAULT_CORRUPT,     /* ENCODING_CORRUPT */
	DECODE_FAULT_TOO_LARGE,   /* BODY_TOO_LARGE */
	DECODE_FAULT_MEMORY,      /* OVERLOADED */
};

struct decode_fault {
	enum decode_fault_kind kind;
	/* One sentence without a full stop: "gzip: incorrect data check". It may hold bytes of a
	 * header's value. Of the decode, until its next decode_begin(). */
	const char *why;
};

/* The value of Accept-Encoding for what is built in: "gzip, deflate, br, zstd". Not to be sent
 * with a Range (Fetch standard 4.6): a part of a coded body cannot be decoded. */
struct text decode_accept(void);

/* The whole line of a request that says so. */
struct text decode_accept_line(void);

/* True where a Content-Encoding names a coding other than identity: without one, no object is
 * needed. Names of headers are lower case. */
bool decode_is_needed(const struct header *headers, uint32_t n_headers);

/* NULL where there is no memory. */
struct decode *decode_new(void);

/* Takes NULL, returns NULL. */
struct decode *decode_free(struct decode *decode);

/* A body follows, with the codings of all fields Content-Encoding among `headers` (borrowed for
 * the call); without one it is given as it came. `bytes_max` is the most that may come out,
 * UINT64_MAX: any number. What is wrong with the codings is told at the first byte, since without
 * one nothing is. */
void decode_begin(struct decode *decode, const struct header *headers, uint32_t n_headers,
	uint64_t bytes_max);

/* Takes bytes of the body and appends to `out` what they make, at most `out_max` (> 0) bytes.
 * *ret_used is how many were taken: all of them unless the result is DECODE_MORE_OUTPUT or
 * DECODE_FAULT. `out` must have room for `out_max` below its bound: no room is no memory. Too
 * large a body is told when at most one byte too many is in `out`. After DECODE_FAULT comes
 * decode_begin(). */
enum decode_result decode_feed(struct decode *decode, struct text in, size_t *ret_used,
	struct buffer *out, size_t out_max);

/* The body has ended; the last decode_feed(), if there was one, said DECODE_MORE_INPUT.
 * DECODE_DONE, or DECODE_FAULT where a stream is not complete. */
enum decode_result decode_end(struct decode *decode);

/* What is wrong with the body so far; DECODE_FAULT_NONE where nothing is. */
struct decode_fault decode_fault(const struct decode *decode);

/* Nothing is to be decoded for a while: all memory but some 50 KiB a layer goes back, and what
 * was begun is given up. */
void decode_rest(struct decode *decode);
