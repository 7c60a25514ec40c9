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

#define TIMELINE_BODY_MAX 512

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

#define TIMELINE_PHASES (TIMELINE_OTHER + 1)

struct timeline_piece {
	enum timeline_phase phase;
	/* The attempt it belongs to, from 0 on. */
	uint32_t attempt;
	struct timeline_span span;
};

struct timeline_job {
	/* All texts are in the timeline's arena; data == NULL: none. The URL is that of the
	 * response, or as the plan has it. Code, by and message are those of the reason, or of the
	 * cause that a fallback covers. */
	struct text id, url, method, via, of, code, by, message, remote, stopped;
	/* The first TIMELINE_BODY_MAX bytes of the body, of a rejected job at least. */
	struct text body;
	/* The record's JSON object, without its body. */
	struct text json;
	uint32_t index;
	bool has_item;
	uint32_t item;
	bool is_group, is_rejected, is_skipped, is_cancelled;
	/* On the critical path. */
	bool is_critical;
	/* The URL is the plan's, and has references in it. */
	bool url_is_template;
	uint16_t status;
	uint32_t attempts;
	uint64_t bytes;
	bool reused;
	/* From when it was ready until it had settled: a wait stands before it. */
	struct timeline_span whole;
	/* In the order of time, none overlapping another, from 0 to the end of the whole. */
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

/* "wait", "queue" … "first byte" … "other". */
const char *timeline_phase_name(enum timeline_phase phase);

/* The plan, which may be NULL, is borrowed. */
void timeline_init(struct timeline *timeline, const struct plan *plan);
void timeline_deinit(struct timeline *timeline);

/* Keeps a copy of what it needs; its job is jobs[n_jobs - 1]. Without memory the job is left out,
 * and no_memory is set. */
void timeline_add(struct timeline *timeline, const struct render_record *record);

/* All have been added. */
void timeline_finish(struct timeline *timeline, const struct render_end *end);
