/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An endless input of requests, each line one, run over one session: lines in, records out, and
 * no more in memory than what is under way.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/batch_log.h"
#include "client/cli/render/render.h"
#include "client/cli/session.h"
#include "util/text.h"

struct batch_options {
	/* Borrowed. */
	struct session *session;
	struct render *render;
	/* The render where it is TAP's, which has a point for a refused line; else NULL. */
	struct render *tap;
	struct sink *sink;
	struct batch_log *log;
	/* What stands before the jobs of each graph: compose_head(). */
	struct text head;
	/* The input; the caller's. */
	int fd;
	/* Requests under way at most. */
	uint32_t window;
	bool keep_order;
	bool summary_is_shown;
};

/* Returns the exit status. Everything was written, and what went wrong was said. */
int batch_run(const struct batch_options *options);
