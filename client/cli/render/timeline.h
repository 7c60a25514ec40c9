/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The records of a graph as something to draw: who waited, ran and ended when. Made of nothing but
 * the records, the summary and the plan; what waterfall, report, trace and HAR have in common.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/render.h"
#include "util/arena.h"
#include "util/text.h"

/* In us since the graph's acceptance. */
struct timeline_span {
	uint64_t from, to;
};

/* What a piece of a job's time was. */
enum timeline_phase {
	/* For dependencies: from 0 to `start`. */
	TIMELINE_WAIT,
	/* For a place in the bounds. */
	TIMELINE_QUEUE,
	TIMELINE_DNS,
	TIMELINE_CONNECT,
	TIMELINE_TLS,
	/* From the request to the first byte of the response. */
	TIMELINE_FIRST_BYTE,
	TIMELINE_BODY,
	/* Between two attempts. */
	TIMELINE_BACKOFF,
	/* What is left between the last piece known and the end. */
	TIMELINE_OTHER,
};

struct timeline_piece {
	enum timeline_phase phase;
	/* The attempt it belongs to, from 0 on. */
	uint32_t attempt;
	struct timeline_span span;
};

struct timeline_job {
	/* All texts are in the timeline's arena; data == NULL: none. */
	struct text id, url, method, via, of, code, by, message, remote;
	/* The first bytes of the body, of a rejected job at least. */
	struct text body;
	/* The record's JSON object, without its body. */
	struct text json;
	uint32_t index;
	bool has_item;
	uint32_t item;
	bool is_group, is_rejected, is_skipped, is_cancelled;
	/* On the critical path. */
	bool is_critical;
	uint16_t status;
	uint32_t attempts;
	uint64_t bytes;
	bool reused;
	struct timeline_span whole;
	/* In the order of time, none overlapping another. */
	const struct timeline_piece *pieces;
	uint32_t n_pieces;
};

struct timeline {
	struct arena arena;
	const struct plan *plan;
	/* Until timeline_finish() in the order of settling, then in input order: by index, and a
	 * fan-out before its children, those by item. */
	struct timeline_job *jobs;
	uint32_t n_jobs, room;
	/* Of the summary; name.data == NULL: none. */
	struct text name, code, message;
	bool is_rejected, has_summary;
	uint64_t wall_us, sum_us;
	uint32_t n_fulfilled, n_rejected, n_skipped;
	bool no_memory;
};

void timeline_init(struct timeline *timeline, const struct plan *plan);
void timeline_deinit(struct timeline *timeline);

/* Keeps a copy of what it needs. Without memory the job is left out, and no_memory is set. */
void timeline_add(struct timeline *timeline, const struct render_record *record);

/* All have been added. */
void timeline_finish(struct timeline *timeline, const struct render_end *end);
