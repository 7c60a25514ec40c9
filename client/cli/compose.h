/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The graph document that settle get and settle batch make of URLs and curl's options.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/option.h"
#include "proto/plan.h"
#include "util/buffer.h"

/* No descriptor. */
#define COMPOSE_FD_NONE UINT32_MAX

/* What a URL of settle get has of its own. */
struct compose_job {
	/* As the user wrote it. */
	const char *url;
	/* The file of its -T, whose name goes behind a URL that ends in '/'; NULL: there is none;
	 * "-" and "." have no name. */
	const char *upload;
	/* Which descriptor its body is read from, and which one the response's is written to;
	 * COMPOSE_FD_NONE: none. */
	uint32_t body_fd, output_fd;
	enum plan_output output;
};

struct compose_request {
	const struct compose_job *jobs;
	size_t n_jobs;
	/* Which descriptor the body that all of them send is read from, in place of what
	 * data_collect() gathers; COMPOSE_FD_NONE: none. */
	uint32_t data_fd;
};

/* Appends it: a job for each URL, in their order. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was
 * said. */
int compose_document(
	const struct options *options, const struct compose_request *request, struct buffer *out);

/* The same without its jobs and its concurrency: what stands before the array of jobs. */
int compose_head(const struct options *options, struct buffer *out);

/* Appends a job that is a URL, which is UTF-8. */
void compose_append_job(struct buffer *out, struct text url);

/* Text as a document takes it where references may stand: "{{" becomes "\{{". */
void compose_append_escaped(struct buffer *out, struct text text);
