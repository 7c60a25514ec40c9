/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A directory of a test's own, and files in it.
 */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define SCRATCH_PATH_MAX 200

struct scratch {
	char directory[64];
	char path[SCRATCH_PATH_MAX];
};

static inline void scratch_make(struct scratch *scratch)
{
	(void)snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/settled-unit-XXXXXX");
	ck_assert(mkdtemp(scratch->directory) != NULL);
}

/* The path of a name in it, until the next call. */
static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
	(void)snprintf(scratch->path, sizeof(scratch->path), "%s/%s", scratch->directory, name);
	return scratch->path;
}

static inline const char *scratch_write(
	struct scratch *scratch, const char *name, const void *data, size_t size)
{
	FILE *file = fopen(scratch_path(scratch, name), "we");

	ck_assert_msg(file != NULL, "%s", scratch->path);
	ck_assert(fwrite(data, 1, size, file) == size);
	ck_assert(fclose(file) == 0);
	return scratch->path;
}

static inline void scratch_make_directory(struct scratch *scratch, const char *name)
{
	ck_assert(mkdir(scratch_path(scratch, name), 0700) == 0);
}

/* Removes it with its files and their directories, one level deep. */
static inline void scratch_remove(struct scratch *scratch)
{
	char inner[2 * SCRATCH_PATH_MAX], outer[SCRATCH_PATH_MAX];
	struct dirent *entry, *child;
	DIR *top = opendir(scratch->directory), *sub;

	ck_assert(top != NULL);
	while ((entry = readdir(top))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		(void)snprintf(
			outer, sizeof(outer), "%.60s/%.130s", scratch->directory, entry->d_name);
		sub = entry->d_type == DT_DIR ? opendir(outer) : NULL;
		while (sub && (child = readdir(sub))) {
			(void)snprintf(inner, sizeof(inner), "%s/%.180s", outer, child->d_name);
			(void)unlink(inner);
		}
		if (sub)
			(void)closedir(sub);
		ck_assert(remove(outer) == 0);
	}
	(void)closedir(top);
	ck_assert(rmdir(scratch->directory) == 0);
}
