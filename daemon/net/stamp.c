/* SPDX-License-Identifier: MIT */
#include "net/stamp.h"

#include <sys/stat.h>

static bool stamp_time_is(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool stamp_is(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       stamp_time_is(a->modified, b->modified) && stamp_time_is(a->changed, b->changed);
}

bool stamp_update(struct stamp *stamp, const char *path)
{
	struct stamp now = {0};
	struct stat status;

	if (stat(path, &status) == 0) {
		now = (struct stamp){
			.device = status.st_dev,
			.inode = status.st_ino,
			.size = status.st_size,
			.modified = status.st_mtim,
			/* A file that was moved here keeps its mtime, not this. */
			.changed = status.st_ctim,
		};
	}
	if (stamp_is(stamp, &now))
		return false;
	*stamp = now;
	return true;
}
