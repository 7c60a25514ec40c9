/* SPDX-License-Identifier: MIT */
#include "util/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/panic.h"

#define BUFFER_CAPACITY_MIN 256

void buffer_init(struct buffer *buffer, size_t size_max)
{
	*buffer = (struct buffer){.size_max = size_max};
}

void buffer_deinit(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

bool buffer_reserve(struct buffer *buffer, size_t n)
{
	size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_CAPACITY_MIN;
	char *data;

	if (capacity > buffer->size_max)
		capacity = buffer->size_max;
	if (buffer->failed)
		return false;
	if (n > buffer->size_max - buffer->size)
		goto refused;
	if (n <= buffer->capacity - buffer->size)
		return true;
	while (capacity - buffer->size < n)
		capacity = capacity > buffer->size_max / 2 ? buffer->size_max : capacity * 2;
	data = realloc(buffer->data, capacity);
	if (!data)
		goto refused;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;

refused:
	buffer->failed = true;
	return false;
}

void buffer_reset(struct buffer *buffer, size_t keep)
{
	buffer_clear(buffer);
	if (buffer->capacity <= keep)
		return;
	free(buffer->data);
	buffer->data = NULL;
	buffer->capacity = 0;
}

char *buffer_take(struct buffer *buffer)
{
	char *data = buffer->data;

	buffer->data = NULL;
	buffer->size = 0;
	buffer->capacity = 0;
	return data;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	expect(size >= 0);
	if (!buffer_reserve(buffer, (size_t)size + 1))
		return;
	va_start(arguments, format);
	vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, arguments);
	va_end(arguments);
	buffer->size += (size_t)size;
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);

	/* A record has a dozen of them. */
	while (value >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value > 0 || at == sizeof(digits))
		digits[--at] = (char)('0' + value);
	buffer_append(buffer, digits + at, sizeof(digits) - at);
}
