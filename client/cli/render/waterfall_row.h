/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which jobs a waterfall shows, in which order, and how deep in groups and fan-outs they are.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/timeline.h"

/* A fan-out of more children than WATERFALL_CHILDREN shows the slowest few. */
#define WATERFALL_CHILDREN 8
#define WATERFALL_SLOWEST  5

struct waterfall_row {
	/* NULL: the row stands for children that are not shown. */
	const struct timeline_job *job;
	uint32_t depth;
	/* Of such a row. */
	uint32_t n_folded, n_folded_rejected;
};

struct waterfall_rows {
	struct waterfall_row *rows;
	uint32_t n;
};

/* The rows of a finished timeline, in its arena. False: no memory. */
bool waterfall_rows_make(struct timeline *timeline, struct waterfall_rows *ret_rows);
