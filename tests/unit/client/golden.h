/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is drawn, compared with a file of golden/ byte by byte. SETTLE_GOLDEN=write in the
 * environment writes the files instead: look at what has changed before it is kept.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buffer.h"

static inline FILE *golden_open(const char *name, const char *mode)
{
	char path[1024];
	FILE *file;
	int n = snprintf(path, sizeof(path), "%s/%s.golden", GOLDEN_DIRECTORY, name);

	ck_assert_msg(n > 0 && (size_t)n < sizeof(path), "%s is too long", name);
	file = fopen(path, mode);
	ck_assert_msg(file != NULL, "cannot open %s", path);
	return file;
}

static inline void golden_expect(const char *name, struct text got)
{
	const char *how = getenv("SETTLE_GOLDEN");
	bool is_written = how && strcmp(how, "write") == 0;
	FILE *file = golden_open(name, is_written ? "w" : "r");
	struct buffer wanted;

	if (is_written) {
		ck_assert_uint_eq(fwrite(got.data, 1, got.size, file), got.size);
		fclose(file);
		return;
	}
	buffer_init(&wanted, 1 << 20);
	ck_assert(buffer_reserve(&wanted, 1 << 19));
	wanted.size = fread(wanted.data, 1, 1 << 19, file);
	fclose(file);
	ck_assert_msg(text_equal(got, buffer_text(&wanted)), "%s.golden: got\n%.*s\nwanted\n%.*s",
		name, TEXT_ARGS(got), TEXT_ARGS(buffer_text(&wanted)));
	buffer_deinit(&wanted);
}
