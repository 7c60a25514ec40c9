/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What http/decode and its codings share. A coding is a row of functions around one library's
 * stream; a layer is one such stream in a body's chain.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/decode.h"

struct decode_coding;

/* Bytes to be read and room to be written to; both advance. */
struct decode_span {
	const char *in;
	size_t in_size;
	char *out;
	size_t out_size;
};

struct decode_layer {
	const struct decode_coding *coding;
	/* A stream of `owner`, which may be the coding of a body before; NULL: none. */
	void *state;
	const struct decode_coding *owner;
	/* Owned: room for what the layer before this one gives; NULL until needed, and in the first
	 * layer. */
	char *between;
	/* The part of `between` that is still to be read. */
	size_t between_at, between_end;
	/* Bytes given, and how many there may be. */
	uint64_t bytes, bytes_max;
	/* Static: why a step failed. */
	const char *why;
	/* True from the first byte on: open() has been called for this body. */
	bool has_begun;
	/* True exactly when the stream may end here: the coding's to say. */
	bool is_complete;
	/* True exactly when the last step filled its room and the stream goes on: there may be
	 * more. */
	bool holds_output;
};

struct decode_coding {
	const char *name;
	/* A new stream begins, in a new state, or in layer->state where there is one: it is of
	 * this coding. False: no memory. */
	bool (*open)(struct decode_layer *layer);
	/* Takes from span->in and gives to span->out (room for at least one byte) until one of them
	 * is used up, or the stream is complete. span->in may be empty, to get what is held; not
	 * so where the stream is complete: then bytes follow it. DECODE_FAULT_NONE; or what is
	 * wrong, for DECODE_FAULT_CORRUPT with layer->why. */
	enum decode_fault_kind (*step)(struct decode_layer *layer, struct decode_span *span);
	/* Frees layer->state. NULL: the coding has none. */
	void (*close)(struct decode_layer *layer);
	/* The state is small enough to be kept while nothing is decoded. */
	bool is_small;
};

extern const struct decode_coding decode_gzip;
extern const struct decode_coding decode_deflate;
extern const struct decode_coding decode_br;
extern const struct decode_coding decode_zstd;

/* Inline helpers. */

static inline void decode_span_advance(struct decode_span *span, size_t n_in, size_t n_out)
{
	span->in += n_in;
	span->in_size -= n_in;
	span->out += n_out;
	span->out_size -= n_out;
}

static inline enum decode_fault_kind decode_layer_corrupt(
	struct decode_layer *layer, const char *why)
{
	layer->why = why;
	return DECODE_FAULT_CORRUPT;
}
