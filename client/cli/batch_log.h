/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A batch's joblog, in the columns of GNU parallel's: written as the lines settle, and read again
 * to skip those that were done. Seq is the line from 1 on, and Command its text.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/option.h"
#include "client/cli/sink.h"
#include "util/text.h"

struct batch_log {
	struct sink sink;
	/* NULL: none is written. */
	const char *path;
	/* By line: a sum of the text of one that was done; 0: it was not. */
	uint64_t *done;
	uint64_t n_done;
};

/* A line that has settled. */
struct batch_log_row {
	uint64_t line;
	struct text command;
	/* The record, without its body, of a graph that was submitted then. */
	struct text json;
	uint64_t submitted_unix_ns;
	bool is_rejected;
};

/* Reads --resume-from and opens --joblog; a file that is both goes on behind its last line. 0;
 * EXIT_LOCAL_IO, which was said. Either way the caller's to close. */
int batch_log_open(struct batch_log *log, const struct options *options);
void batch_log_close(struct batch_log *log);

/* Was this line done, by what was resumed from? */
bool batch_log_has(const struct batch_log *log, uint64_t line, struct text command);

void batch_log_append(struct batch_log *log, const struct batch_log_row *row);

/* Writes what waits. 0, or -errno. */
int batch_log_flush(struct batch_log *log);
