/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The jobs of a timeline as people read them: each instance of a fan-out of groups together.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/timeline.h"

/* Groups and fan-outs around a job, each with an item, and itself. */
#define TIMELINE_DEPTHS (2 * PLAN_DEPTH_MAX + 2)

/* A job, and where it stands: what is in a group or a fan-out right behind it. */
struct timeline_entry {
	const struct timeline_job *job;
	struct text key;
	/* What is around it: below TIMELINE_DEPTHS. */
	uint32_t depth;
	/* True exactly when it is a fan-out's child. */
	bool is_child;
};

/* One for each job, in that order. In the arena; NULL: no memory. */
struct timeline_entry *timeline_order(const struct timeline *timeline, struct arena *arena);
