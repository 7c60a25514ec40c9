/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the jobs of a plan stand in the document it was made of. A plan does not keep that,
 * because a daemon has no use for it.
 */

#include "proto/plan.h"
#include "util/arena.h"
#include "util/buffer.h"

struct source {
	/* The job's object; a fan-out and its child share one. Borrowed from the plan. */
	yyjson_val *value;
	/* Its place among the jobs beside it, from 0 on. */
	uint32_t ordinal;
};

/* One for each job of the plan, in the arena given; NULL: no memory. */
struct source *source_collect(const struct plan *plan, struct arena *arena);

/* Appends the JSON pointer of the job at `index`: "/jobs/mirror/jobs/eu", "/jobs/0". */
void source_append_pointer(
	struct buffer *out, const struct plan *plan, const struct source *sources, uint32_t index);
