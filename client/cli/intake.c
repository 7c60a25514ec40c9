/* SPDX-License-Identifier: MIT */
#include "client/cli/intake.h"

#include <errno.h>
#include <unistd.h>

#define INTAKE_PIECE_SIZE (64u * 1024)

void intake_init(struct intake *intake, int fd)
{
	*intake = (struct intake){.fd = fd};
	buffer_init(&intake->bytes, INTAKE_LINE_MAX + 2 * INTAKE_PIECE_SIZE);
}

void intake_deinit(struct intake *intake)
{
	buffer_deinit(&intake->bytes);
}

/* The line of `size` bytes, whose end, if it has one, is one more. */
static enum intake_result intake_give(
	struct intake *intake, size_t size, size_t end, struct text *ret_line)
{
	struct text rest = text_from_at(buffer_text(&intake->bytes), intake->used);

	*ret_line = (struct text){rest.data, size};
	intake->used += size + end;
	intake->scanned = 0;
	if (intake->is_skipping) {
		/* It was told when it became too long. */
		intake->is_skipping = false;
		return INTAKE_MORE;
	}
	intake->n_lines++;
	return INTAKE_LINE;
}

/* What is left without a line's end: INTAKE_MORE, unless it is too long. */
static enum intake_result intake_wait(struct intake *intake)
{
	size_t size = intake->bytes.size - intake->used;

	intake->scanned = size;
	if (intake->is_skipping) {
		intake->used = intake->bytes.size;
		intake->scanned = 0;
	} else if (size > INTAKE_LINE_MAX) {
		intake->used = intake->bytes.size;
		intake->scanned = 0;
		intake->is_skipping = true;
		intake->n_lines++;
		return INTAKE_TOO_LONG;
	}
	return INTAKE_MORE;
}

static enum intake_result intake_end(struct intake *intake, struct text *ret_line)
{
	size_t size = intake->bytes.size - intake->used;

	/* The last line may have no end. */
	if (size == 0 || intake->is_skipping || intake->error)
		return INTAKE_END;
	return intake_give(intake, size, 0, ret_line);
}

enum intake_result intake_next(struct intake *intake, struct text *ret_line)
{
	enum intake_result result;

	/* Twice where the end of a line that was too long comes first. */
	for (unsigned i = 0; i < 2; i++) {
		struct text rest = {NULL, 0};
		size_t size = 0;

		if (intake->bytes.size > intake->used) {
			rest = text_from_at(buffer_text(&intake->bytes), intake->used);
			size = intake->scanned +
			       text_find(text_from_at(rest, intake->scanned), '\n');
		}
		if (size >= rest.size)
			return intake->is_ended ? intake_end(intake, ret_line)
						: intake_wait(intake);
		result = intake_give(intake, size, 1, ret_line);
		if (result == INTAKE_LINE)
			return result;
	}
	return INTAKE_MORE;
}

void intake_read(struct intake *intake)
{
	struct buffer *bytes = &intake->bytes;
	ssize_t size;

	if (intake->used > 0) {
		memmove(bytes->data, bytes->data + intake->used, bytes->size - intake->used);
		bytes->size -= intake->used;
		intake->used = 0;
	}
	if (!buffer_reserve(bytes, INTAKE_PIECE_SIZE)) {
		intake->error = -ENOMEM;
		intake->is_ended = true;
		return;
	}
	size = read(intake->fd, bytes->data + bytes->size, INTAKE_PIECE_SIZE);
	if (size > 0) {
		bytes->size += (size_t)size;
	} else if (size == 0) {
		intake->is_ended = true;
	} else if (errno != EINTR && errno != EAGAIN) {
		intake->error = -errno;
		intake->is_ended = true;
	}
}
