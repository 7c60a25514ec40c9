/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes that grow, up to a bound given at the start. A buffer that could not grow (the bound, or
 * no memory) remembers it in `failed`, and takes nothing more until it is cleared: a writer
 * writes all it has and asks once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/text.h"

struct buffer {
	char *data;
	size_t size;
	size_t capacity;
	size_t size_max;
	/* True exactly when an append was refused since the last clear. */
	bool failed;
};

/* Allocates nothing. */
void buffer_init(struct buffer *buffer, size_t size_max);

void buffer_deinit(struct buffer *buffer);

/* Room for `n` more bytes at data + size. False, and `failed`, where there is none. */
bool buffer_reserve(struct buffer *buffer, size_t n);

/* Empties it. Memory beyond `keep` bytes goes back. */
void buffer_reset(struct buffer *buffer, size_t keep);

/* The bytes become the caller's, to free(); the buffer is empty, without memory. */
char *buffer_take(struct buffer *buffer);

void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A whole number in decimal. */
void buffer_append_u64(struct buffer *buffer, uint64_t value);

/* Inline helpers. */

static inline void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

static inline struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){buffer->data, buffer->size};
}

static inline void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return;
	if (buffer->capacity - buffer->size < size || buffer->failed) {
		if (!buffer_reserve(buffer, size))
			return;
	}
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static inline void buffer_append_text(struct buffer *buffer, struct text text)
{
	buffer_append(buffer, text.data, text.size);
}

static inline void buffer_append_byte(struct buffer *buffer, char byte)
{
	buffer_append(buffer, &byte, 1);
}

#define buffer_append_literal(buffer, literal) buffer_append(buffer, literal, sizeof(literal) - 1)
