/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a file was when it was looked at: enough to see that it is another one now, or has been
 * written to. Symbolic links are followed, as whoever reads the file does.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct stamp {
	/* All zero: the file was not there, or could not be looked at. */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Looks at the file; true exactly when it is not what *stamp says, which then says what it is. */
bool stamp_update(struct stamp *stamp, const char *path);
