/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Files the user names: read whole, and written so that no half of one ever stands under its name.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "util/buffer.h"
#include "util/text.h"

/* Appends all of it; "-" is stdin. 0 or -errno (-EFBIG: beyond the buffer's bound). */
int file_read(const char *path, struct buffer *out);

/* The descriptor of ours that the path is another name of (/dev/stdout, /dev/fd/5): what it stands
 * for is not opened anew, nor replaced, whatever it is. -1: it is none. */
int file_descriptor(const char *path);

/* A descriptor of its own for what that one stands for: 0 or more; -EBADF where it is none that we
 * were given. */
int file_duplicate(int fd);

/* Where a path leads: links at its end are followed, to a file that is not there yet, too, but no
 * further than to a name of a descriptor of ours. 0, and *ret_path is the caller's to free; -errno,
 * -ELOOP where they lead nowhere. */
int file_resolve(const char *path, char **ret_path);

/* True where a path that is resolved is a name of a descriptor of ours, or of what is neither file
 * nor directory: it is written to, and not replaced. */
bool file_is_place(const char *path);

/* May a file be made, or replaced, at a path that is resolved? 0; -errno, -EISDIR, or -EACCES where
 * the one there, or its directory, is not to be written to. */
int file_check(const char *path);

/* Makes the directories that a path leads through. 0 or -errno. */
int file_make_directories(const char *path);

/* Writes `head` and `body` to a temporary file beside `path`, and renames it. A path that is a
 * link is followed, one that is no regular file (a device, a pipe) or is a descriptor is written
 * to. 0 or -errno. */
int file_save(const char *path, struct text head, struct text body);

/* Writes all of it, however long that takes. 0 or -errno. */
int file_write(int fd, struct text text);

/* The mode of a file that is to stand there: that of the one that does, else what the umask leaves.
 * A file from mkostemp(3) is 0600. */
mode_t file_mode(const char *path);

/* The last part of a URL's path, as -O wants it; data == NULL where it is empty or unsafe to use
 * as the name of a file. A view into the URL. */
struct text file_name_from_url(struct text url);
