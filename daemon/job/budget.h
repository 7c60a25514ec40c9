/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The chain of bounds a request must have a place in: the daemon's, those of the graph and of the
 * groups it is in, its origin's, and those of descriptors that it has to have for itself. All or
 * none: a job that is refused by one waits in that one's queue and holds nothing of the others, so
 * bounds can neither deadlock nor block who does not need them.
 *
 * Who goes first: the higher priority; then, between graphs, who became ready in an earlier turn;
 * then the longest way that is still to go behind it; then the order in the document. In the
 * bound of one graph or group the way comes before the turn: what a graph makes of its own places
 * is nobody else's business, and so it is done sooner.
 */

#include "job/job.h"
#include "proto/plan.h"
#include "util/bound.h"

/* The daemon's, the graph's, a group's on each level, the origin's, and those of the file that it
 * writes and the pipe that it reads. */
#define CLAIM_BOUNDS_MAX (PLAN_DEPTH_MAX + 5)

/* Places held. */
struct claim {
	struct bound *bounds[CLAIM_BOUNDS_MAX];
	uint32_t n;
};

/* One place more; the bound must have room. */
void claim_take(struct claim *claim, struct bound *bound);

/* Gives back all; bounds that somebody waits for go to `freed`. */
void claim_release(struct claim *claim, struct list *freed);

/* True where the bound has no room; or others wait in it, behind whom who is new may have to stand:
 * then they are all tried in their order (budget_freed). Who has waited asks for room alone, or two
 * bounds could send it to and fro. */
static inline bool budget_refuses(const struct bound *bound, bool is_new)
{
	return !bound_has_room(bound) || (is_new && !queue_is_empty(&bound->waiting));
}

/* The job waits for a place in the bound. */
void budget_wait(struct bound *bound, struct job *job);

/* The next one who waits, taken out; NULL: nobody, or no room. */
struct job *budget_next(struct bound *bound);

/* It waits no longer. Nothing where it does not. */
void budget_leave(struct job *job);

/* It has room again though nobody gave a place back. */
void budget_freed(struct bound *bound, struct list *freed);

/* The order in which jobs of different graphs are served: for queue_push(). */
bool budget_is_before(const struct heap_node *a, const struct heap_node *b);
