/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A graph's last word: counts, times, the critical path, and `return` filled in.
 */

#include "proto/record.h"
#include "util/buffer.h"

struct graph;

struct summary {
	struct record_summary record;
	/* Some of what the record's views point into; the rest is the graph's. */
	struct text *path;
	struct record_error *errors;
	struct buffer result;
};

/* Of a graph all of whose jobs have settled. Without memory, the path or `return` are left out. */
void summary_init(struct summary *summary, struct graph *graph);

/* Does not touch the graph, which may be gone. */
void summary_deinit(struct summary *summary);

/* What is known when the outcome is: status, reason, counts. Views into the graph. */
struct record_summary summary_of_decision(const struct graph *graph);
