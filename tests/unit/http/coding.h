/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bodies for http/decode: made by the libraries' own encoders, and read in pieces of any size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/decode.h"
#include "util/buffer.h"
#include "util/text.h"

/* All codings that are built in, and "raw", which is deflate without its header. Ends with
 * NULL. */
extern const char *const coding_names[];

/* As Content-Encoding has it: "raw" is "deflate". */
const char *coding_field(const char *name);

/* Appends `plain`, coded, to `out`; "identity" as well. Dies where it cannot. */
void coding_encode(const char *name, struct text plain, struct buffer *out);

/* Appends `size` bytes that are the same for the same seed: words, so that they compress. */
void coding_fill(struct buffer *out, size_t size, uint32_t seed);

/* How a body is read: 0 is all at once. */
struct coding_way {
	/* Bytes of the first piece, of all others, and of output a call. */
	size_t first;
	size_t piece;
	size_t slice;
	/* 0 is no bound. */
	uint64_t bytes_max;
};

/* Begins with one field Content-Encoding, reads all of `coded`, and its end where it comes that
 * far; appends to `body`. DECODE_DONE or DECODE_FAULT. Looks after what every call promises. */
enum decode_result coding_read(struct decode *decode, const char *field, struct text coded,
	const struct coding_way *way, struct buffer *body);
