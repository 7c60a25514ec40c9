/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why one job of a plan waits for another: because it says so, or because something of it refers
 * to the other, and what.
 */

#include <stdint.h>

#include "proto/plan.h"

enum why {
	WHY_AFTER = 1,
	WHY_URL = 2,
	WHY_HEADERS = 4,
	WHY_QUERY = 8,
	WHY_FORM = 16,
	WHY_JSON = 32,
	WHY_BODY = 64,
};

#define WHY_BITS 7

/* "after", "url" … of the bit 1 << i. */
const char *why_name(unsigned i);

/* The bits of enum why for each dependency of each job, beside plan->dependencies. The array
 * lies in the arena given; NULL: no memory. */
uint8_t *why_collect(const struct plan *plan, struct arena *arena);
