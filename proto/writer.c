/* SPDX-License-Identifier: MIT */
/*
 * Nearly every string has no special byte (a quote, a backslash, a control character, beyond
 * ASCII): it is copied by sixteen bytes, and looked at as a whole. One that has is taken eight
 * bytes at a time, up to the first that is special. An escape makes a byte up to six; the five more
 * come from `slack`, and where that runs out more is reserved. A string that could not be finished
 * leaves the writer failed but sound: what was reserved for the rest is still there.
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

typedef signed char writer_block __attribute__((vector_size(16)));

/* Bytes that are not zero where one of the block's is special: those beyond ASCII are negative. */
static inline writer_block writer_block_specials(writer_block block)
{
	return (block < 0x20) | (block == '"') | (block == '\\');
}

static inline writer_block writer_copy_block(char *to, const char *from)
{
	writer_block block;

	memcpy(&block, from, sizeof(block));
	memcpy(to, &block, sizeof(block));
	return writer_block_specials(block);
}

/* The same of 8 to 16 bytes: the first and the last eight make one block. */
static inline writer_block writer_copy_short(char *to, const char *from, size_t n)
{
	size_t half = sizeof(writer_block) / 2;
	uint64_t halves[2];
	writer_block block;

	memcpy(&halves[0], from, half);
	memcpy(&halves[1], from + n - half, half);
	memcpy(to, &halves[0], half);
	memcpy(to + n - half, &halves[1], half);
	memcpy(&block, halves, sizeof(block));
	return writer_block_specials(block);
}

/* Copies at least eight bytes; true where none of them is special. */
static inline bool writer_copy(char *to, const char *from, size_t n)
{
	writer_block specials;
	uint64_t halves[2];

	if (n <= sizeof(writer_block)) {
		specials = writer_copy_short(to, from, n);
	} else {
		/* The last block may overlap the one before. */
		size_t last = n - sizeof(writer_block);

		specials = writer_copy_block(to + last, from + last);
		for (size_t at = 0; at < last; at += sizeof(writer_block))
			specials |= writer_copy_block(to + at, from + at);
	}
	memcpy(halves, &specials, sizeof(halves));
	return (halves[0] | halves[1]) == 0;
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

/* Strings of less than eight bytes, and those with a special one. */
static __attribute__((noinline)) void writer_escaped_by_words(
	struct writer *writer, struct text text)
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

void writer_escaped(struct writer *writer, struct text text)
{
	if (text.size >= 8 && writer_copy(writer->at, text.data, text.size))
		writer->at += text.size;
	else
		writer_escaped_by_words(writer, text);
}
