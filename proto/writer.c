/* SPDX-License-Identifier: MIT */
/*
 * Strings are taken eight bytes at a time, up to the first that is special: a quote, a backslash,
 * a control character or beyond ASCII. An escape makes a byte up to six; the five more come from
 * `slack`, and where that runs out more is reserved. A string that could not be finished leaves
 * the writer failed but sound: what was reserved for the rest is still there.
 */
#include "proto/writer.h"

#include <endian.h>

#include "util/panic.h"

/* Escapes of an ordinary record: the quotes of an etag. */
#define WRITER_SLACK_FIRST 64
/* A string is copied by eight bytes, also where less are left. */
#define WRITER_BEYOND 8
/* The most an escape takes beyond the byte itself: \u001f. */
#define WRITER_ESCAPE_MORE 5

#define WRITER_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* clang-format off */
const char writer_pairs[201] = {
	"00010203040506070809"
	"10111213141516171819"
	"20212223242526272829"
	"30313233343536373839"
	"40414243444546474849"
	"50515253545556575859"
	"60616263646566676869"
	"70717273747576777879"
	"80818283848586878889"
	"90919293949596979899"};
/* clang-format on */

bool writer_begin(struct writer *writer, struct buffer *out, size_t size)
{
	size_t reserved = size + WRITER_SLACK_FIRST + WRITER_BEYOND;

	if (!buffer_reserve(out, reserved))
		return false;
	*writer = (struct writer){
		.out = out,
		.at = out->data + out->size,
		.reserved = reserved,
		.slack = WRITER_SLACK_FIRST,
	};
	return true;
}

void writer_end(struct writer *writer)
{
	size_t size = (size_t)(writer->at - writer->out->data);

	expect(size + WRITER_BEYOND <= writer->out->size + writer->reserved);

	if (writer->failed)
		writer->out->failed = true;
	else
		writer->out->size = size;
}

/* Makes sure of room for one escape. `left` bytes of the string are still to come. */
static bool writer_reserve_escape(struct writer *writer, size_t left)
{
	size_t used = (size_t)(writer->at - (writer->out->data + writer->out->size));
	size_t more = WRITER_SLACK_FIRST + left / 4;

	if (writer->slack >= WRITER_ESCAPE_MORE)
		return true;
	if (writer->failed || !buffer_reserve(writer->out, writer->reserved + more)) {
		writer->failed = true;
		return false;
	}
	writer->at = writer->out->data + writer->out->size + used;
	writer->reserved += more;
	writer->slack += more;
	return true;
}

/* Up to eight bytes as a number, the first one lowest; zeros above them. Nothing is read beyond
 * the text: four to seven are two fours that overlap, one to three are the first, middle, last. */
static inline uint64_t writer_load(const char *from, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)from;
	uint32_t first, last;
	uint64_t word;

	if (n >= 8) {
		memcpy(&word, from, 8);
		return le64toh(word);
	}
	if (n >= 4) {
		memcpy(&first, from, 4);
		memcpy(&last, from + n - 4, 4);
		return le32toh(first) | (uint64_t)le32toh(last) << (n - 4) * 8;
	}
	return bytes[0] | (uint64_t)bytes[n / 2] << n / 2 * 8 |
	       (uint64_t)bytes[n - 1] << (n - 1) * 8;
}

/* Bit 7 of each special byte, exact up to and with the first one: beyond it a borrow may have
 * set others ("Bit Twiddling Hacks", hasless and haszero). */
static inline uint64_t writer_specials(uint64_t word)
{
	uint64_t quote = word ^ WRITER_EACH('"');
	uint64_t backslash = word ^ WRITER_EACH('\\');
	uint64_t special = (word - WRITER_EACH(0x20)) | (quote - WRITER_EACH(1)) |
			   (backslash - WRITER_EACH(1)) | word;

	return special & WRITER_EACH(0x80);
}

/* A control character, a quote or a backslash. */
static void writer_escape(struct writer *writer, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	char letter = c < 0x20 ? letters[c] : (char)c;
	char *start = writer->at;

	writer_byte(writer, '\\');
	if (letter) {
		writer_byte(writer, letter);
	} else {
		writer_literal(writer, "u00");
		writer_byte(writer, digits[c >> 4]);
		writer_byte(writer, digits[c & 15]);
	}
	writer->slack -= (size_t)(writer->at - start) - 1;
}

/* The special byte at the start of `text`, and beyond ASCII what belongs to it. Returns how many
 * were taken. */
static size_t writer_special(struct writer *writer, struct text text)
{
	unsigned char lead = (unsigned char)text.data[0];
	size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	struct text sequence = {text.data, size};

	if (lead < 0x80) {
		writer_escape(writer, lead);
		return 1;
	}
	if (size <= text.size && text_is_utf8(sequence)) {
		writer_text(writer, sequence);
		return size;
	}
	writer_literal(writer, "\xef\xbf\xbd");
	writer->slack -= 2;
	return 1;
}

void writer_escaped(struct writer *writer, struct text text)
{
	const char *from = text.data;
	size_t left = text.size;

	while (left > 0) {
		size_t n = left < 8 ? left : 8;
		uint64_t word = writer_load(from, n);
		/* The zeros above look like control characters. */
		uint64_t specials = writer_specials(word) & UINT64_MAX >> (8 - n) * 8;
		uint64_t stored = htole64(word);

		memcpy(writer->at, &stored, 8);
		if (specials != 0) {
			n = (size_t)__builtin_ctzll(specials) / 8;
			writer->at += n;
			if (!writer_reserve_escape(writer, left - n))
				return;
			n += writer_special(writer, (struct text){from + n, left - n});
		} else {
			writer->at += n;
		}
		from += n;
		left -= n;
	}
}
