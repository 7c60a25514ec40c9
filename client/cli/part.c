/* SPDX-License-Identifier: MIT */
/*
 * The problem: a download that breaks off must leave nothing under the name of the whole, and,
 * whatever ends us, nothing else either.
 *
 * The idea: a file without a name (O_TMPFILE), which is gone with its last descriptor. When it is
 * whole it gets one by way of /proc (linkat(2)): the final one where nothing stands there yet, else
 * another for a moment, because only rename(2) replaces. Where the file system or the lack of /proc
 * forbids that, it has a name from the start, and only a signal that ends us at once leaves it.
 *
 * A file that is replaced hands on its mode; a new one follows the umask.
 */
#include "client/cli/part.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/file.h"

/* Names that may be taken by chance. */
#define PART_TRIES 16

/* What ".", a random word and ".part" leave of a name. */
#define PART_NAME_MAX (NAME_MAX - 16)

/* The directory of the path, and its last part. */
static size_t part_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* "dir/.name.word.part"; the caller's to free. NULL: no memory. */
static char *part_name(const char *path, const char *word)
{
	size_t directory = part_directory(path);
	const char *name = path + directory;
	size_t name_size = strlen(name);
	size_t room = directory + NAME_MAX + 2;
	char *made = malloc(room);

	if (!made)
		return NULL;
	if (name_size > PART_NAME_MAX)
		name_size = PART_NAME_MAX;
	snprintf(made, room, "%.*s.%.*s.%s.part", (int)directory, path, (int)name_size, name, word);
	return made;
}

static int part_open_unnamed(struct part *part)
{
	size_t size = part_directory(part->path);
	char *directory = size ? strndup(part->path, size) : strdup(".");

	if (!directory)
		return -ENOMEM;
	part->fd = access("/proc/self/fd", X_OK) < 0
			   ? -1
			   : open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	free(directory);
	return part->fd < 0 ? -EOPNOTSUPP : 0;
}

static int part_open_named(struct part *part)
{
	part->temporary = part_name(part->path, "XXXXXX");
	if (!part->temporary)
		return -ENOMEM;
	part->fd = mkostemps(part->temporary, (int)strlen(".part"), O_CLOEXEC);
	if (part->fd >= 0)
		return 0;
	free(part->temporary);
	part->temporary = NULL;
	return -errno;
}

/* Where a link leads, so that it stays one. */
static int part_resolve(struct part *part, const char *path)
{
	int r;

	*part = (struct part){.fd = -1};
	r = file_resolve(path, &part->path);
	if (r < 0)
		return r;
	/* A device would be replaced. */
	return file_is_place(part->path) ? -EINVAL : file_check(part->path);
}

int part_open(struct part *part, const char *path)
{
	int r = part_resolve(part, path);

	if (r == 0)
		r = part_open_unnamed(part);
	if (r == -EOPNOTSUPP)
		r = part_open_named(part);
	if (r < 0)
		part_drop(part);
	return r;
}

/* Gives a name to what has none: the final one (*ret_is_final), or another. */
static int part_link(struct part *part, bool *ret_is_final)
{
	char self[64];
	int r = -EEXIST;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", part->fd);
	*ret_is_final = linkat(AT_FDCWD, self, AT_FDCWD, part->path, AT_SYMLINK_FOLLOW) == 0;
	if (*ret_is_final)
		return 0;
	if (errno != EEXIST)
		return -errno;
	for (unsigned i = 0; i < PART_TRIES && r == -EEXIST; i++) {
		char word[16];
		unsigned value = i;

		/* A word that is not random is one that may be taken, no more. */
		if (getrandom(&value, sizeof(value), 0) < 0)
			value = i;
		snprintf(word, sizeof(word), "%06x", value & 0xffffff);
		free(part->temporary);
		part->temporary = part_name(part->path, word);
		if (!part->temporary)
			return -ENOMEM;
		r = linkat(AT_FDCWD, self, AT_FDCWD, part->temporary, AT_SYMLINK_FOLLOW) < 0
			    ? -errno
			    : 0;
	}
	if (r < 0) {
		/* It is somebody else's. */
		free(part->temporary);
		part->temporary = NULL;
	}
	return r;
}

int part_keep(struct part *part)
{
	bool is_final = false;
	int r = 0;

	if (fchmod(part->fd, file_mode(part->path)) < 0)
		r = -errno;
	if (r == 0 && !part->temporary)
		r = part_link(part, &is_final);
	if (r == 0 && !is_final && rename(part->temporary, part->path) < 0)
		r = -errno;
	if (r == 0) {
		free(part->temporary);
		part->temporary = NULL;
	}
	if (close(part->fd) < 0 && r == 0)
		r = -errno;
	part->fd = -1;
	part_drop(part);
	return r;
}

void part_drop(struct part *part)
{
	if (part->temporary)
		unlink(part->temporary);
	if (part->fd >= 0)
		close(part->fd);
	free(part->temporary);
	free(part->path);
	*part = (struct part){.fd = -1};
}
