/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The chain of bounds a request must have a place in: the daemon's, its graph's, its origin's.
 * All or none: a job that is refused by one waits in that one's queue and holds nothing of the
 * others, so bounds can neither deadlock nor block who does not need them.
 *
 * Queues are in the order in which jobs became ready, also for those who come from another queue.
 */

#include "util/bound.h"

#define CLAIM_BOUNDS_MAX 3

struct job;

/* Places held. */
struct claim {
	struct bound *bounds[CLAIM_BOUNDS_MAX];
	uint32_t n;
};

/* One place more; the bound must have room. */
void claim_take(struct claim *claim, struct bound *bound);

/* Gives back all; bounds that somebody waits for go to `freed`. */
void claim_release(struct claim *claim, struct list *freed);

/* The job waits for a place in the bound, behind those who were ready before it. */
void budget_wait(struct bound *bound, struct job *job);

/* The next one who waits, taken out; NULL: nobody, or no room. */
struct job *budget_next(struct bound *bound);

/* It has room again though nobody gave a place back. */
void budget_freed(struct bound *bound, struct list *freed);
