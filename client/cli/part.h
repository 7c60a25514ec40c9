/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file that somebody else writes, and that has its name when it is whole: until then it has none,
 * or one that says that it is a part (".NAME.XXXXXX.part" beside it).
 *
 *   part_open -> (written) -> part_keep or part_drop
 */

struct part {
	/* Open for writing; -1: there is none. */
	int fd;
	/* Where it is to stand, links followed. */
	char *path;
	/* The name that it has by now; NULL: none. */
	char *temporary;
};

/* Makes it for the file at `path`, which may be there: -EISDIR, -EINVAL where it is no regular one.
 * 0; -errno, and nothing was made. */
int part_open(struct part *part, const char *path);

/* It is whole: what stood under its name is replaced. 0; -errno, and it is dropped. */
int part_keep(struct part *part);

/* It is gone, and what stood under its name is as it was. Also of one that is kept or dropped. */
void part_drop(struct part *part);
