/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of compose have in common.
 */

#include "client/cli/option.h"
#include "util/buffer.h"

/* One -H, or one line of its file. */
struct compose_header {
	struct text name;
	/* data == NULL: the header is not to be sent ("Name:"). */
	struct text value;
};

struct compose {
	const struct options *options;
	struct buffer *out;
	/* struct compose_header, one behind the other. */
	struct buffer headers;
	/* The texts of files given by @FILE; views into them stay. */
	char **files;
	size_t n_files;
	/* For many graphs, each with a concurrency of its own. */
	bool is_head;
};

/* A member's name, behind a comma where it is not the first. */
void compose_key(struct buffer *out, const char *key);

/* A whole file, of headers or certificates: 0, and the buffer is the caller's; EXIT_LOCAL_IO,
 * which was said. */
int compose_read(const char *path, struct buffer *file);

/* Takes the headers of the options and writes them. 0; an exit status, which was said; -ENOMEM. */
int compose_headers(struct compose *compose);

/* True exactly when the user says that there is to be no content-type at all. */
bool compose_has_no_type(const struct compose *compose);
