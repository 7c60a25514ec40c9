/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is written to stderr between begin and end, for the tests of what writes there.
 */

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct stderr_capture {
	FILE *file;
	int saved;
	char text[8192];
};

static inline void stderr_capture_begin(struct stderr_capture *capture)
{
	capture->file = tmpfile();
	ck_assert_ptr_nonnull(capture->file);
	fflush(stderr);
	capture->saved = dup(STDERR_FILENO);
	ck_assert_int_ge(capture->saved, 0);
	ck_assert_int_ge(dup2(fileno(capture->file), STDERR_FILENO), 0);
}

static inline void stderr_capture_end(struct stderr_capture *capture)
{
	size_t size;

	fflush(stderr);
	ck_assert_int_ge(dup2(capture->saved, STDERR_FILENO), 0);
	close(capture->saved);
	rewind(capture->file);
	size = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
	capture->text[size] = '\0';
	fclose(capture->file);
}
