/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What curl's users expect of settle get: bodies, on stdout or in files, heads before them where
 * asked for, a line on stderr for what was rejected, and what -w and -v show behind it. In front
 * of another format it takes the bodies that go to files out of the records.
 */

#include "client/cli/output.h"
#include "client/cli/render/render.h"

struct content_options {
	/* By index of the job: its URL, and where its body goes. Borrowed. */
	const char *const *urls;
	struct output *outputs;
	size_t n_urls;
	/* The head before the body. */
	bool include_head;
	/* The head alone: the method is HEAD. */
	bool is_head;
	/* No body on stdout for a status that is rejected. */
	bool fail;
	/* What is shown behind a body (writeout.h); data == NULL: nothing. */
	struct text write_out;
	/* The exchange on stderr. */
	bool verbose;
	/* The format that shows the records, or NULL: bodies go to the sink. Becomes ours. */
	struct render *records;
};

/* NULL where there is no memory. */
struct render *render_content_new(
	const struct render_options *options, const struct content_options *content);

/* A record's response as HTTP shows it: status line, headers, empty line, each ended by CR LF, and
 * before it the same of each redirect, with what the record has of it. Nothing where there was no
 * response. */
void content_append_head(struct buffer *out, struct text record);
