/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The graph document that settle get and settle batch make of URLs and curl's options.
 */

#include "client/cli/option.h"
#include "util/buffer.h"

/* Appends it: a job for each operand, in their order. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was
 * said. */
int compose_document(const struct options *options, struct buffer *out);

/* The same without its jobs and its concurrency: what stands before the array of jobs. */
int compose_head(const struct options *options, struct buffer *out);

/* Appends a job that is a URL, which is UTF-8. */
void compose_append_job(struct buffer *out, struct text url);

/* Text as a document takes it where references may stand: "{{" becomes "\{{". */
void compose_append_escaped(struct buffer *out, struct text text);
