/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why one job of a plan waits for another: because it says so, or because something of it refers
 * to the other, and what.
 */

#include <stdint.h>

#include "client/cli/render/source.h"
#include "proto/plan.h"
#include "proto/reference.h"

enum why {
	WHY_AFTER = 1,
	WHY_URL = 2,
	WHY_HEADERS = 4,
	WHY_QUERY = 8,
	WHY_FORM = 16,
	WHY_JSON = 32,
	WHY_BODY = 64,
	WHY_WHEN = 128,
	WHY_EACH = 256,
};

#define WHY_BITS 9

/* "after", "url" … of the bit 1 << i: the job's key. */
const char *why_name(unsigned i);

/* Told of everything that makes a job depend on the job of that id. `reference`: NULL where it is
 * an `after`. */
typedef void (*why_see)(
	void *context, enum why why, struct text id, const struct reference *reference);

/* Tells what the job at `index` refers to. Of a fan-out that is what its child does, too; so a
 * fan-out's child has nothing to tell. */
void why_visit(const struct plan *plan, const struct source *sources, uint32_t index, why_see see,
	void *context);

/* The bits of enum why for each dependency of each job, beside plan->dependencies. The array
 * lies in the arena given; NULL: no memory. */
uint16_t *why_collect(const struct plan *plan, const struct source *sources, struct arena *arena);
