/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many of something there may be at once, and who waits for a place. Bounds nest: what needs
 * a place in several takes all or none, and waits in the queue of the one that refused it
 * (job/budget.c).
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"
#include "util/queue.h"

#define BOUND_NONE UINT32_MAX

struct bound {
	uint32_t limit;
	uint32_t used;
	/* True exactly while no place is given out, whatever the limit: a slow reader's graph, an
	 * origin that asked for a pause. */
	bool paused;
	/* In the order of job/budget. */
	struct queue waiting;
	/* True exactly where all who wait belong to one graph. */
	bool is_private;
	/* Among the bounds that have room for who waits. */
	struct list freed;
};

static inline void bound_init(struct bound *bound, uint32_t limit)
{
	*bound = (struct bound){.limit = limit};
	queue_init(&bound->waiting);
	list_init(&bound->freed);
}

static inline bool bound_has_room(const struct bound *bound)
{
	return !bound->paused && bound->used < bound->limit;
}

/* True where nobody uses it or waits for it. */
static inline bool bound_is_unused(const struct bound *bound)
{
	return bound->used == 0 && queue_is_empty(&bound->waiting);
}
