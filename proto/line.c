/* SPDX-License-Identifier: MIT */
/*
 * The problem: messages arrive in pieces of any size, many in one piece or one in many, and
 * most are a few hundred bytes. They should be read without being copied or scanned twice.
 *
 * The idea: one buffer, received into at its end and given out from its front as views. A view
 * lives until the next bytes are asked for; only then is what was given out dropped, and what is
 * left (seldom more than a part of a message) moved to the front. How far a line was searched in
 * vain is kept, so that a line that comes byte by byte costs no more than one that comes whole.
 *
 * Invariant: used + scanned <= bytes.size. The buffer's own bound is LINE_SLACK above the one
 * for a message, so that a message at its bound can still be received in pieces of that size.
 * Moving costs no more than was given out before, or there would be no room at all: in sum it is
 * linear in what was received.
 */
#include "proto/line.h"

#include "util/panic.h"

/* What a receiver may ask for at once while a message is at its bound. */
#define LINE_SLACK (256u * 1024)

size_t line_reader_left(const struct line_reader *reader)
{
	return reader->bytes.size - reader->used;
}

static size_t line_reader_bound(const struct line_reader *reader)
{
	return reader->bytes.size_max - LINE_SLACK;
}

void line_reader_init(struct line_reader *reader, size_t size_max)
{
	expect(size_max <= SIZE_MAX - LINE_SLACK);

	*reader = (struct line_reader){0};
	buffer_init(&reader->bytes, size_max + LINE_SLACK);
}

void line_reader_deinit(struct line_reader *reader)
{
	buffer_deinit(&reader->bytes);
	*reader = (struct line_reader){0};
}

/* Drops what was given out. */
static void line_reader_compact(struct line_reader *reader)
{
	size_t left = line_reader_left(reader);

	if (reader->used == 0)
		return;
	if (left > 0)
		memmove(reader->bytes.data, reader->bytes.data + reader->used, left);
	reader->bytes.size = left;
	reader->used = 0;
}

char *line_reader_room(struct line_reader *reader, size_t size, size_t *ret_room)
{
	struct buffer *bytes = &reader->bytes;

	if (bytes->capacity - bytes->size < size || line_reader_left(reader) == 0) {
		bool is_cheap = reader->used >= line_reader_left(reader);

		if (is_cheap || bytes->size_max - bytes->size < size)
			line_reader_compact(reader);
	}
	if (bytes->size_max - bytes->size < size || !buffer_reserve(bytes, size))
		return NULL;
	*ret_room = bytes->capacity - bytes->size;
	return bytes->data + bytes->size;
}

void line_reader_filled(struct line_reader *reader, size_t size)
{
	expect(size <= reader->bytes.capacity - reader->bytes.size);

	reader->bytes.size += size;
}

bool line_reader_append(struct line_reader *reader, const char *data, size_t size)
{
	size_t room;
	char *at;

	if (size == 0)
		return true;
	at = line_reader_room(reader, size, &room);
	if (!at)
		return false;
	memcpy(at, data, size);
	line_reader_filled(reader, size);
	return true;
}

enum line_result line_reader_next(struct line_reader *reader, struct text *ret_line)
{
	size_t left = line_reader_left(reader);

	while (left > 0) {
		const char *line = reader->bytes.data + reader->used;
		const char *end = memchr(line + reader->scanned, '\n', left - reader->scanned);
		size_t size;

		if (!end) {
			reader->scanned = left;
			break;
		}
		size = (size_t)(end - line);
		if (size > line_reader_bound(reader))
			return LINE_TOO_LONG;
		reader->used += size + 1;
		reader->scanned = 0;
		if (size > 0) {
			*ret_line = (struct text){line, size};
			return LINE_FOUND;
		}
		left = line_reader_left(reader);
	}
	return left > line_reader_bound(reader) ? LINE_TOO_LONG : LINE_MORE;
}

bool line_reader_payload(struct line_reader *reader, size_t size, struct text *ret_payload)
{
	expect(reader->scanned == 0);

	if (line_reader_left(reader) < size)
		return false;
	*ret_payload = (struct text){reader->bytes.data + reader->used, size};
	reader->used += size;
	return true;
}

void line_reader_unread(struct line_reader *reader, struct text line)
{
	size_t at = (size_t)(line.data - reader->bytes.data);

	expect(at + line.size < reader->bytes.size);
	expect(at + line.size + 1 == reader->used);

	reader->used = at;
	reader->scanned = line.size;
}

bool line_reader_is_empty(const struct line_reader *reader)
{
	return line_reader_left(reader) == 0;
}

void line_reader_release(struct line_reader *reader)
{
	expect(line_reader_is_empty(reader));

	buffer_reset(&reader->bytes, 0);
	reader->used = 0;
	reader->scanned = 0;
}

bool line_find_payload(struct text line, size_t *ret_at, uint64_t *ret_size)
{
	struct text key = TEXT(",\"payload\":");
	struct text digits;
	size_t at;

	if (line.size < key.size + 2 || line.data[line.size - 1] != '}')
		return false;
	at = line.size - 1;
	while (at > key.size && line.data[at - 1] >= '0' && line.data[at - 1] <= '9')
		at--;
	digits = (struct text){line.data + at, line.size - 1 - at};
	if (digits.size == 0 || (digits.size > 1 && digits.data[0] == '0'))
		return false;
	if (memcmp(digits.data - key.size, key.data, key.size) != 0)
		return false;
	*ret_at = at - key.size;
	/* What does not fit is more than anybody has: the reader's bound refuses it. */
	if (!text_to_u64(digits, UINT64_MAX, ret_size))
		*ret_size = UINT64_MAX;
	return true;
}

uint64_t line_payload_size(struct text line)
{
	uint64_t size;
	size_t at;

	return line_find_payload(line, &at, &size) ? size : 0;
}
