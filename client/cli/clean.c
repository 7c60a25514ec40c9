/* SPDX-License-Identifier: MIT */
/*
 * A body is somebody else's text, and a terminal obeys some of it: ESC sequences move the cursor,
 * set the title, or answer as if the user had typed. C1 (U+0080 to U+009F, in UTF-8 C2 80 to
 * C2 9F) does the same in one character, and a stray byte 9B does in an 8 bit terminal, so that
 * what is not UTF-8 is shown by number.
 */
#include "client/cli/clean.h"

#include <stdbool.h>

enum clean_kind {
	CLEAN_PLAIN,
	/* A byte below 0x20, or DEL. */
	CLEAN_C0,
	/* Two bytes, U+0080 to U+009F. */
	CLEAN_C1,
	/* One byte that is not UTF-8. */
	CLEAN_STRAY,
};

/* The bytes of the character that begins at `at`: how many, and what it is. */
static size_t clean_next(struct text text, size_t at, enum clean_kind *ret_kind)
{
	unsigned char lead = (unsigned char)text.data[at];
	size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	*ret_kind = lead < 0x20 || lead == 0x7f ? CLEAN_C0 : CLEAN_PLAIN;
	if (size == 1)
		return 1;
	if (size > text.size - at || !text_is_utf8((struct text){text.data + at, size})) {
		*ret_kind = CLEAN_STRAY;
		return 1;
	}
	if (lead == 0xc2 && (unsigned char)text.data[at + 1] < 0xa0)
		*ret_kind = CLEAN_C1;
	return size;
}

void clean_line(struct buffer *out, struct text text)
{
	enum clean_kind kind;
	size_t size;

	for (size_t at = 0; at < text.size; at += size) {
		size = clean_next(text, at, &kind);
		if (kind == CLEAN_PLAIN)
			buffer_append(out, text.data + at, size);
		else
			buffer_append_byte(out, '?');
	}
}

static bool clean_is_layout(struct text text, size_t at)
{
	char c = text.data[at];

	return c == '\n' || c == '\t' ||
	       (c == '\r' && at + 1 < text.size && text.data[at + 1] == '\n');
}

void clean_body(struct buffer *out, struct text text)
{
	enum clean_kind kind;
	size_t size;

	for (size_t at = 0; at < text.size; at += size) {
		unsigned char c = (unsigned char)text.data[at];

		size = clean_next(text, at, &kind);
		switch (kind) {
		case CLEAN_PLAIN: buffer_append(out, text.data + at, size); break;
		case CLEAN_C0:
			if (clean_is_layout(text, at))
				buffer_append_byte(out, (char)c);
			else
				buffer_printf(out, "^%c", c ^ 0x40);
			break;
		case CLEAN_C1:
			buffer_printf(out, "\\u%04x", (unsigned char)text.data[at + 1]);
			break;
		case CLEAN_STRAY: buffer_printf(out, "\\x%02x", c); break;
		}
	}
}

void clean_json(struct buffer *out, struct text text)
{
	enum clean_kind kind;
	size_t size;

	for (size_t at = 0; at < text.size; at += size) {
		size = clean_next(text, at, &kind);
		if (kind == CLEAN_C1)
			buffer_printf(out, "\\u%04x", (unsigned char)text.data[at + 1]);
		else if (text.data[at] == 0x7f)
			buffer_append_literal(out, "\\u007f");
		else if (kind == CLEAN_STRAY)
			buffer_append_literal(out, "\\ufffd");
		else
			buffer_append(out, text.data + at, size);
	}
}

/* A byte that continues a character. */
static bool clean_continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t clean_width(struct text text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.size; i++)
		width += !clean_continues(text.data[i]);
	return width;
}

struct text clean_cut(struct text text, size_t width)
{
	size_t at = 0;

	while (at < text.size && (width > 0 || clean_continues(text.data[at]))) {
		width -= !clean_continues(text.data[at]);
		at++;
	}
	return (struct text){text.data, at};
}
