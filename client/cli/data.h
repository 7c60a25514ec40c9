/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The body that curl's options -d, --data-* and --json make.
 */

#include <stdbool.h>

#include "client/cli/option.h"
#include "util/buffer.h"

/* True where there is such an option. */
bool data_is_given(const struct options *options);

/* The file that is the whole body (one --data-binary @FILE, and nothing beside it), opened to be
 * read, where it is a regular one: *ret_fd is the caller's; -1: there is none. 0; EXIT_LOCAL_IO,
 * which was said. */
int data_open(const struct options *options, int *ret_fd);

/* Appends the body, all of them joined as curl joins them. 0; EXIT_USAGE or EXIT_LOCAL_IO, which
 * was said. */
int data_collect(const struct options *options, struct buffer *out);

/* RFC 3986 section 2.3: all but what is unreserved is percent-encoded. */
void data_append_percent(struct buffer *out, struct text text);
