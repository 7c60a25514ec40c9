/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of compose have in common: client/cli/compose.c has the document, and each of
 * the others the keys of one matter.
 */

#include "client/cli/compose.h"
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
	/* What the URLs have of their own; of a batch NULL. */
	const struct compose_request *request;
	struct buffer *out;
	/* struct compose_header, one behind the other. */
	struct buffer headers;
	/* With -G, what goes behind the URLs. */
	struct buffer query;
	/* The texts of files given by @FILE, and what was made here; views into them stay. */
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

/* These take options and write what they say. 0; an exit status, which was said; -ENOMEM. */
int compose_headers(struct compose *compose);
int compose_tls(struct compose *compose);
int compose_resolve(struct compose *compose);

/* The proxy, where it is that of all URLs. */
int compose_proxy(struct compose *compose);

/* The proxy of one URL, where it is not that of all. */
int compose_proxy_for(struct compose *compose, struct text url);

/* True exactly when the user says that there is to be no content-type at all. */
bool compose_has_no_type(const struct compose *compose);

/* A job of get: its URL and what it has of its own. 0; an exit status, which was said. */
int compose_job(struct compose *compose, const struct compose_job *job);
