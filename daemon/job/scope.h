/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One making of a part of the document: all of it (the root scope), or what is inside a fan-out,
 * for one item. A scope has the jobs of its region, in the plan's order. The places of what is
 * inside a fan-out in it stay empty: that has scopes of its own.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "job/job.h"
#include "job/sweep.h"

struct scope {
	struct graph *graph;
	/* The fan-out whose child this is; NULL: the root. */
	struct job *each;
	/* Among the scopes of its fan-out, and among those to be freed. */
	struct list link, spent_link;
	struct sweep sweep;
	/* In plan->jobs: the place of jobs[0]. */
	uint32_t first, n_jobs;
	/* The item's place, and its value. */
	uint32_t item_index;
	yyjson_val *item;
	/* Jobs that have not settled, attempts that are not gone, and scopes inside of it: nobody
	 * refers to it at 0. */
	uint32_t n_busy;
	/* True exactly when one of its jobs has had its turn. */
	bool has_begun;
	struct job jobs[];
};

/* Of a whole graph (`each` NULL), or of one item. Nothing of it has begun. NULL: no memory. */
struct scope *scope_new(
	struct graph *graph, struct job *each, uint32_t item_index, yyjson_val *item);

/* All its jobs have settled, and no attempt is left; or nothing has begun. Takes NULL, returns
 * NULL. */
struct scope *scope_free(struct scope *scope);

/* The job at that place in the plan, as it is seen from `scope`: in it, or in one around it. NULL:
 * it is inside a fan-out that `scope` is not in. */
struct job *scope_job(const struct scope *scope, uint32_t place);

/* True where the job at that place is one of this scope's own. */
bool scope_has(const struct scope *scope, uint32_t place);

/* All scopes that have a job at that place and are inside of a given one. */
struct scope_walk {
	uint32_t place;
	/* The fan-outs between, the innermost one last; and where each one's list stands. */
	uint32_t eaches[PLAN_DEPTH_MAX];
	struct scope *scopes[PLAN_DEPTH_MAX];
	uint32_t n;
};

/* Begins behind the last one that was given out; NULL: there are no more. `scope` does not have the
 * place itself. None of them may be freed meanwhile. */
void scope_walk_init(struct scope_walk *walk, struct scope *scope, uint32_t place);
struct scope *scope_walk_next(struct scope_walk *walk, struct scope *scope);

/* One of its jobs has its turn. */
void scope_begin(struct scope *scope);

/* A job has settled, an attempt is gone, or a scope inside of it. */
void scope_leave(struct scope *scope);

/* The place behind that of a job of this scope, and behind what is inside it if it is a fan-out. */
uint32_t scope_next(const struct scope *scope, uint32_t place);
