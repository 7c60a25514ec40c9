/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a graph is doing, as its client can tell: from the plan, which says who waits for whom, and
 * from the records, which say who has settled. A job is under way from when all that it waits for
 * has settled; whether it then waits for a place in a bound is the daemon's knowledge alone.
 *
 * Without a plan there are only counts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/frame.h"
#include "client/cli/render/render.h"
#include "proto/plan.h"

struct watch_job;

struct watch {
	/* Borrowed; NULL: none. */
	const struct plan *plan;
	/* One for each of the plan's; NULL: no memory, or no plan. */
	struct watch_job *jobs;
	/* Places of jobs whose turn to begin has come. */
	uint32_t *stack;
	uint64_t start_ns;
	/* Leaves, those of a fan-out's child once. 0: not yet known. */
	uint32_t n_jobs;
	/* More than that, as far as is known: what fan-outs have made. */
	uint32_t n_more;
	uint32_t n_settled, n_rejected;
	/* Outside of fan-outs. */
	uint32_t n_running;
	bool is_cancelled;
};

/* `plan` may be NULL. */
void watch_init(struct watch *watch, const struct plan *plan, uint64_t now_ns);
void watch_deinit(struct watch *watch);

/* A record has come. Without a plan the time does not matter. */
void watch_take(struct watch *watch, const struct render_record *record, uint64_t now_ns);

/* Jobs known so far, never fewer than have settled; 0: not yet known. */
uint32_t watch_total(const struct watch *watch);

/* Fills a frame for a terminal of that many rows and columns; no rows: the counts alone. Its texts
 * are views into the plan. */
void watch_frame(const struct watch *watch, uint64_t now_ns, uint32_t rows, uint32_t columns,
	struct frame *ret_frame);
