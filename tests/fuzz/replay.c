/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzz target over files, and over all files of directories: what was found once is a
 * test from then on, with any compiler. Fails where there was nothing to run.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define REPLAY_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define REPLAY_PATH_MAX 4096

static size_t replay_count;

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(REPLAY_SIZE_MAX);
	uint8_t *exact = NULL;
	size_t size = 0;

	if (file && data)
		size = fread(data, 1, REPLAY_SIZE_MAX, file);
	/* As large as the input and no larger, so that a sanitizer sees a read beyond it. */
	if (file && data)
		exact = malloc(size ? size : 1);
	if (!exact) {
		perror(path);
	} else {
		for (size_t i = 0; i < size; i++)
			exact[i] = data[i];
		LLVMFuzzerTestOneInput(exact, size);
		replay_count++;
	}
	free(data);
	if (file)
		fclose(file);
	if (!exact)
		return false;
	free(exact);
	return true;
}

static bool replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	char name[REPLAY_PATH_MAX];
	struct dirent *entry;
	bool ok = true;

	if (!directory) {
		perror(path);
		return false;
	}
	while (ok && (entry = readdir(directory))) {
		struct stat status;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (stat(name, &status) == 0 && S_ISREG(status.st_mode))
			ok = replay_file(name);
	}
	closedir(directory);
	return ok;
}

int main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) != 0) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		if (!(S_ISDIR(status.st_mode) ? replay_directory(argv[i]) : replay_file(argv[i])))
			return EXIT_FAILURE;
	}
	printf("%zu inputs\n", replay_count);
	return replay_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
