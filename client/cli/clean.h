/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text of others made fit to be shown: control characters from upstream (C0, DEL, C1, and what is
 * not UTF-8) never reach a terminal raw.
 */

#include "util/buffer.h"
#include "util/text.h"

/* For one line or one cell: each of them, line ends too, becomes '?'. */
void clean_line(struct buffer *out, struct text text);

/* For a whole body, in cat -v's notation: "^[", "^?", "\x9b". Tab, LF and CR LF stay. */
void clean_body(struct buffer *out, struct text text);

/* For JSON text, which has no raw C0 but white space: DEL and C1, which only stand in strings,
 * become "\u007f" and so on. What is shown is the same JSON. */
void clean_json(struct buffer *out, struct text text);

/* Characters (not bytes) of UTF-8 text: how wide it is, but for wide ones. */
size_t clean_width(struct text text);

/* The first `width` characters. */
struct text clean_cut(struct text text, size_t width);
