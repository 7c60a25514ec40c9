/* SPDX-License-Identifier: MIT */
#include "tests/unit/net/fake_file.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/net/fake_ring_private.h"
#include "tests/unit/unit.h"

static int fake_file_new(enum ring_file_kind kind)
{
	int fd = fake_descriptor(0);

	fake_fd(fd)->file = (struct ring_file){.kind = kind, .can_read = true, .can_write = true};
	return fd;
}

int fake_file(const char *text)
{
	int fd = fake_file_new(RING_FILE_REGULAR);

	fake_change(fd, text);
	fake_fd(fd)->file.size = strlen(text);
	return fd;
}

int fake_pipe(void)
{
	int fd = fake_file_new(RING_FILE_PIPE);

	fake_fd(fd)->file.can_write = false;
	return fd;
}

int fake_odd(void)
{
	return fake_file_new(RING_FILE_OTHER);
}

struct ring_file *fake_look(int fd)
{
	return &fake_fd(fd)->file;
}

struct text fake_content(int fd)
{
	return buffer_text(&fake_fd(fd)->content);
}

void fake_change(int fd, const char *text)
{
	struct buffer *content = &fake_fd(fd)->content;

	buffer_clear(content);
	buffer_append(content, text, strlen(text));
}

void fake_feed(int fd, const char *text)
{
	struct fake_flight *flight = fake_find(FAKE_READ, fd);
	size_t size = strlen(text);

	ck_assert_msg(flight, "nobody reads the pipe %d", fd);
	ck_assert_uint_le(size, flight->size);
	memcpy(flight->room, text, size);
	fake_complete(FAKE_READ, fd, (int)size);
}

int fake_file_result(const struct fake_fd *fd, const struct fake_flight *flight)
{
	uint64_t left = fd->content.size > flight->offset ? fd->content.size - flight->offset : 0;

	if (fd->file.kind != RING_FILE_REGULAR)
		return -EAGAIN;
	switch (flight->kind) {
	case FAKE_READ: return (int)(left < flight->size ? left : flight->size);
	case FAKE_WRITE: return (int)flight->size;
	default: return 0;
	}
}

/* So long, with zeros where nothing was written. */
static void fake_file_resize(struct fake_fd *fd, uint64_t size)
{
	while (fd->content.size < size)
		buffer_append_byte(&fd->content, '\0');
	fd->content.size = size;
	fd->file.size = size;
}

void fake_file_do(struct fake_fd *fd, const struct fake_flight *flight, int result)
{
	uint64_t end = flight->offset + (uint64_t)(result > 0 ? result : 0);

	if (fd->file.kind != RING_FILE_REGULAR || result < 0)
		return;
	switch (flight->kind) {
	case FAKE_READ:
		ck_assert_uint_le(end, result > 0 ? fd->content.size : end);
		if (result > 0)
			memcpy(flight->room, fd->content.data + flight->offset, (size_t)result);
		break;
	case FAKE_WRITE:
		if (end > fd->content.size)
			fake_file_resize(fd, end);
		if (result > 0)
			memcpy(fd->content.data + flight->offset, flight->data, (size_t)result);
		break;
	default: fake_file_resize(fd, flight->offset); break;
	}
}

/* ring/ring.h */

int ring_look(struct ring *ring, int fd, struct ring_file *ret_file)
{
	(void)ring;
	ck_assert(fake_fd(fd)->is_open);
	*ret_file = fake_fd(fd)->file;
	return 0;
}

void ring_read(struct ring *ring, struct op *op, int fd, void *data, size_t size, uint64_t offset,
	op_callback on_complete)
{
	struct fake_flight *flight = fake_start(FAKE_READ, op, fd, on_complete);

	(void)ring;
	ck_assert_uint_gt(size, 0);
	ck_assert_msg((offset == RING_HERE) == (fake_fd(fd)->file.kind != RING_FILE_REGULAR),
		"a pipe has no offsets, and a file is read at one");
	flight->room = data;
	flight->size = size;
	flight->offset = offset;
}

void ring_write(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	uint64_t offset, op_callback on_complete)
{
	struct fake_flight *flight = fake_start(FAKE_WRITE, op, fd, on_complete);

	(void)ring;
	ck_assert_uint_gt(size, 0);
	flight->data = data;
	flight->size = size;
	flight->offset = offset;
}

void ring_truncate(struct ring *ring, struct op *op, int fd, uint64_t size, op_callback on_complete)
{
	(void)ring;
	fake_start(FAKE_TRUNCATE, op, fd, on_complete)->offset = size;
}
