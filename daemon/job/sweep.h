/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was decided early ends before all its jobs have settled: they are gone through, a slice a
 * tick, and each gets its record. What is on the wire is not left to that: it is aborted at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

struct group;
struct scope;

struct sweep {
	/* In the graph's list. */
	struct list link;
	/* Places `next` to `last` of it are still to be looked at; `group` says why. */
	struct scope *scope;
	const struct group *group;
	uint32_t next, last;
};

static inline void sweep_init(struct sweep *sweep)
{
	list_init(&sweep->link);
}

/* All of the scope's jobs from `first` on, before `last`, are to be gone through. */
void sweep_start(struct sweep *sweep, struct scope *scope, const struct group *group,
	uint32_t first, uint32_t last);

/* The next `n` jobs at most. Returns how many are left of `n`. */
uint32_t sweep_run(struct sweep *sweep, uint32_t n);

/* True where it has come to its end. */
static inline bool sweep_is_over(const struct sweep *sweep)
{
	return sweep->next >= sweep->last;
}
