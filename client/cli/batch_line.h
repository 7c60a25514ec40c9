/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line of a batch: a URL, or a job as a JSON object. Pure.
 */

#include "proto/fault.h"
#include "util/buffer.h"
#include "util/text.h"

enum batch_line {
	/* Nothing to do: blank, or a comment that begins with '#'. */
	BATCH_LINE_NOTHING,
	BATCH_LINE_URL,
	BATCH_LINE_JOB,
	/* It cannot be put in a document: the fault says why. */
	BATCH_LINE_BAD,
};

/* What a line is; *line loses the white space around it. Whether the daemon takes it is its own to
 * say. */
enum batch_line batch_line_read(struct text *line, struct fault *ret_fault);

/* Appends a line that is a URL or a job as an element of "jobs". */
void batch_line_append(struct buffer *out, struct text line);
