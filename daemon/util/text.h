/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A view of characters somebody else owns. Not terminated. The empty view has size 0 and any
 * pointer; "no text" is data == NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *data;
	size_t size;
};

/* printf("%.*s", TEXT_ARGS(view)) */
#define TEXT_ARGS(view) (int)(view).size, (view).data

/* A view of a string literal. */
#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* As TEXT(), for static initialisers. */
#define TEXT_INIT(literal)                                                                         \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

/* ASCII only: headers and hosts know no locale. */
bool text_equal_nocase(struct text a, struct text b);

/* A whole decimal number, digits only, no sign, no space. False where it is none or over `max`. */
bool text_to_u64(struct text text, uint64_t max, uint64_t *ret_value);

/* A duration: seconds ("2", "0.25") or a number with a unit (ms s m h). False where it is none,
 * negative, or over ten years. At most nine digits of a fraction count. */
bool text_to_duration(struct text text, uint64_t *ret_ns);

/* A size: bytes ("4096"), or a whole number with k, m or g (1024s). False where it is none. */
bool text_to_size(struct text text, uint64_t *ret_bytes);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool text_is_utf8(struct text text);

/* Inline helpers. */

static inline struct text text_from(const char *string)
{
	return (struct text){string, strlen(string)};
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool text_is(struct text text, const char *string)
{
	return text_equal(text, text_from(string));
}

static inline bool text_starts_with(struct text text, struct text prefix)
{
	return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

/* The view from `at` on, `at` bounded by its size. */
static inline struct text text_from_at(struct text text, size_t at)
{
	size_t cut = at < text.size ? at : text.size;

	/* Of no text nothing is left, either: not even 0 may be added to NULL. */
	return (struct text){text.data ? text.data + cut : NULL, text.size - cut};
}

/* Where `byte` first stands, or the text's size. */
static inline size_t text_find(struct text text, char byte)
{
	const char *hit = text.size ? memchr(text.data, byte, text.size) : NULL;

	return hit ? (size_t)(hit - text.data) : text.size;
}

static inline char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
