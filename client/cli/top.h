/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A daemon's status as a picture for people: pure, two samples in, text out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* Graphs that are shown at most. */
#define TOP_GRAPHS_MAX 100

struct top_graph {
	uint64_t number;
	/* A view into the status; data == NULL: it has no name. */
	struct text name;
	/* Whose it is, where the daemon told it. */
	uint64_t uid;
	bool has_uid;
	uint64_t jobs, settled, in_flight, age_ms;
};

struct top_sample {
	/* A view into the status. */
	struct text server;
	bool is_draining;
	uint64_t uptime_ms, sessions, graphs, in_flight, resolving, body_bytes;
	/* Since the daemon began. */
	uint64_t jobs, attempts, dialled, reused;
	uint64_t open, idle;
	struct top_graph listed[TOP_GRAPHS_MAX];
	uint32_t n_listed;
};

/* How it is drawn. */
struct top_view {
	/* Of the terminal; 0: as many as it takes. */
	uint32_t rows, columns;
};

struct yyjson_val;

/* Reads a status object; what is not there is 0. The sample's texts are views into `status`. */
void top_read(struct top_sample *sample, struct yyjson_val *status);

/* Appends the picture, each line with its end, and returns the number of lines. Rates are over the
 * time between the samples; `before` NULL: there are none. */
uint32_t top_append(struct buffer *out, const struct top_sample *now,
	const struct top_sample *before, const struct top_view *view);
