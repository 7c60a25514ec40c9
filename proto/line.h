/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The wire: a line of compact JSON ended by LF, then, where the line has "payload": N, N raw
 * bytes (docs/PROTOCOL.md). This cuts messages from a stream of either direction; it does not
 * read the JSON itself, but for the payload member, which is the last one of its line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* The longest line, as of the contract. */
#define LINE_SIZE_MAX (64u * 1024 * 1024)

/* Collects bytes until a message is whole. */
struct line_reader {
	struct buffer bytes;
	/* Bytes of `bytes` already given out. */
	size_t used;
	/* Bytes after `used` known to hold no LF. */
	size_t scanned;
};

enum line_result {
	/* A line is in *ret_line, without its LF. */
	LINE_FOUND,
	/* More bytes are needed. */
	LINE_MORE,
	/* Longer than the bound. */
	LINE_TOO_LONG,
};

/* Allocates nothing. `size_max` bounds a line and a payload together. */
void line_reader_init(struct line_reader *reader, size_t size_max);
void line_reader_deinit(struct line_reader *reader);

/* Room for at least `size` more bytes: *ret_room of them at the pointer returned, to be received
 * into and then told by line_reader_filled(). Views given out are dead. NULL: no memory, or over
 * the bound. */
char *line_reader_room(struct line_reader *reader, size_t size, size_t *ret_room);
void line_reader_filled(struct line_reader *reader, size_t size);

/* Take bytes received elsewhere. False: no memory, or over the bound. */
bool line_reader_append(struct line_reader *reader, const char *data, size_t size);

/* The next line; the view stays until the next bytes are added. Empty lines are skipped. */
enum line_result line_reader_next(struct line_reader *reader, struct text *ret_line);

/* The `size` bytes that follow the line just given out: true, and the view; false where they are
 * not all there yet (the line must then be asked for again: line_reader_unread()). */
bool line_reader_payload(struct line_reader *reader, size_t size, struct text *ret_payload);
void line_reader_unread(struct line_reader *reader, struct text line);

/* Bytes that wait in it, behind the line just given out. */
size_t line_reader_left(const struct line_reader *reader);

/* True where nothing waits in it; its memory may then be given back. */
bool line_reader_is_empty(const struct line_reader *reader);
void line_reader_release(struct line_reader *reader);

/* True where the line ends in ,"payload":N} ; then N, and where that member's comma stands. */
bool line_find_payload(struct text line, size_t *ret_at, uint64_t *ret_size);

/* The N of a line that ends in ,"payload":N} ; 0 where it does not. */
uint64_t line_payload_size(struct text line);
