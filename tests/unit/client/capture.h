/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a piece of code writes to a standard descriptor.
 */

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "util/buffer.h"

struct capture {
	FILE *file;
	int fd;
	/* What stood there before. */
	int saved;
};

static inline struct capture capture_begin(int fd)
{
	struct capture capture = {.file = tmpfile(), .fd = fd, .saved = dup(fd)};

	ck_assert_ptr_nonnull(capture.file);
	ck_assert_int_ge(capture.saved, 0);
	ck_assert_int_eq(dup2(fileno(capture.file), fd), fd);
	return capture;
}

/* Terminated; the caller's to deinit. */
static inline struct buffer capture_end(struct capture *capture)
{
	struct buffer text;

	dup2(capture->saved, capture->fd);
	close(capture->saved);
	rewind(capture->file);
	buffer_init(&text, SIZE_MAX / 4);
	ck_assert(buffer_reserve(&text, 65536));
	text.size = fread(text.data, 1, 65535, capture->file);
	text.data[text.size] = '\0';
	fclose(capture->file);
	return text;
}
