/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One making of a part of the document: all of it (the root scope), or what is inside a fan-out,
 * for one item. A scope has the jobs of its region, in the plan's order; jobs of a fan-out inside
 * it have scopes of their own.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "job/job.h"

struct scope {
	struct graph *graph;
	/* The fan-out whose child this is; NULL: the root. */
	struct job *each;
	/* Among the scopes of its fan-out's region, in all the graph; and among those to be swept. */
	struct list link, sweep_link;
	/* In plan->jobs: the place of jobs[0]. */
	uint32_t first, n_jobs;
	/* The item's place, and its value. */
	uint32_t item_index;
	yyjson_val *item;
	/* Jobs that have not settled, and attempts that are not gone: nobody refers to it at 0. */
	uint32_t n_busy;
	/* Where its sweep has come to, and why it is swept. */
	uint32_t sweep_next, sweep_last;
	struct job *jobs;
};

/* The job at that place in the plan, as it is seen from `scope`: in it, or in one around it. NULL:
 * the place is in a fan-out that `scope` is not in. */
struct job *scope_job(const struct scope *scope, uint32_t place);

/* Its item, or that of the scope around it; NULL at the root. */
const struct scope *scope_with_item(const struct scope *scope);
