/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines that end in CR LF (RFC 9112 2.2), cut from bytes that come in any pieces. Stricter than
 * the RFC asks for: a bare LF ends no line, a bare CR stands in none, and none is folded.
 */

#include <stddef.h>

#include "util/buffer.h"
#include "util/text.h"

enum crlf_result {
	/* All of *rest was taken, and there is no LF yet. */
	CRLF_PART,
	CRLF_WHOLE,
	/* With what was taken, the line has more than `max` bytes. */
	CRLF_TOO_LONG,
	CRLF_NO_MEMORY,
};

/* Takes bytes off *rest up to an LF. A whole line, its LF included, is a view of *rest, or of
 * `part` where it came in pieces: valid until the next call. `part` is empty at the start. */
enum crlf_result crlf_take(
	struct buffer *part, struct text *rest, size_t max, struct text *ret_line);

/* NULL, or what is wrong with a line that ends in LF. */
const char *crlf_check(struct text line);
