/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writing JSON into a buffer by pointer: the room is asked for once, then nothing is checked but
 * what an escape takes more. For what is written a hundred thousand times a second; everything
 * else uses proto/json.h.
 *
 *   writer_begin(&writer, out, size)   `size`: all that is written if nothing is escaped
 *   ...
 *   writer_end(&writer)                takes effect, or nothing does and the buffer has failed
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* The longest number. */
#define WRITER_NUMBER_MAX 20

struct writer {
	struct buffer *out;
	/* The next byte; between out->data + out->size and + reserved. */
	char *at;
	size_t reserved;
	/* Of `reserved`, what is there for escapes. */
	size_t slack;
	/* True exactly when there was no room for an escape. */
	bool failed;
};

/* "00" to "99". */
extern const char writer_pairs[201];

/* False, and nothing may be written, where the buffer has not that room. */
bool writer_begin(struct writer *writer, struct buffer *out, size_t size);

void writer_end(struct writer *writer);

/* The inside of a JSON string. Each byte that is not part of well-formed UTF-8 is U+FFFD. */
void writer_escaped(struct writer *writer, struct text text);

/* Inline helpers. */

static inline void writer_byte(struct writer *writer, char byte)
{
	*writer->at++ = byte;
}

/* Bytes as they are. */
static inline void writer_text(struct writer *writer, struct text text)
{
	if (text.size > 0)
		memcpy(writer->at, text.data, text.size);
	writer->at += text.size;
}

#define writer_literal(writer, literal)                                                            \
	(memcpy((writer)->at, literal, sizeof(literal) - 1),                                       \
		(void)((writer)->at += sizeof(literal) - 1))

static inline void writer_string(struct writer *writer, struct text text)
{
	writer_byte(writer, '"');
	writer_escaped(writer, text);
	writer_byte(writer, '"');
}

/* A whole number: counted first, so that its digits are written where they stay. */
static inline void writer_u64(struct writer *writer, uint64_t value)
{
	uint64_t bound = 10;
	size_t n = 1;
	char *at;

	while (n < 20 && value >= bound) {
		bound *= 10;
		n++;
	}
	at = writer->at + n;
	writer->at = at;
	while (value >= 100) {
		at -= 2;
		memcpy(at, writer_pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(at - 2, writer_pairs + value * 2, 2);
	else
		at[-1] = (char)('0' + value);
}

/* Milliseconds with at most three decimals, no trailing zeros: 0, 0.02, 12.1. */
static inline void writer_ms(struct writer *writer, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);
	unsigned fraction = (unsigned)us;

	if (us < 1000) {
		writer_byte(writer, '0');
	} else {
		writer_u64(writer, us / 1000);
		fraction = (unsigned)(us % 1000);
	}
	if (fraction == 0)
		return;
	writer->at[0] = '.';
	writer->at[1] = (char)('0' + fraction / 100);
	memcpy(writer->at + 2, writer_pairs + fraction % 100 * 2, 2);
	writer->at += fraction % 10 ? 4 : fraction % 100 ? 3 : 2;
}
