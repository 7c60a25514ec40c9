/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a record stands in its document. A fan-out's child is named after it and the item's
 * number: posts[3]; inside a fan-out of a group so are the jobs of the group: profile[3]; and
 * nested x[0][1]. Records in input order are by index, and of one index a fan-out before its
 * children, those by item.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/plan.h"
#include "util/text.h"

/* "x" of "x[0][1]": the id that the document has. */
struct text place_base(struct text id);

/* "[0][1]" of "x[0][1]"; empty for a job that is made once. */
struct text place_items(struct text id);

/* Takes the first number off the items. False at their end, and where they are no items. */
bool place_next_item(struct text *items, uint32_t *ret_item);

/* The first `n` numbers of the items, as text. */
struct text place_first_items(struct text items, uint32_t n);

/* Of two records of one index, which stands before the other: below, equal to or above 0. */
int place_compare_items(struct text left, struct text right);

/* How many fan-outs are around the job; a fan-out is not around itself. */
uint32_t place_depth(const struct plan *plan, const struct plan_job *job);

/* The job that a record of this id is of: for "posts[3]" the child, for "posts" the fan-out
 * itself. NULL where the plan does not have it, or is NULL. */
const struct plan_job *place_find(const struct plan *plan, struct text id);

/* False where nobody minds that this job is rejected: it or what is around it is optional, or it
 * is a candidate in `any` or `race`. */
bool place_is_required(const struct plan *plan, const struct plan_job *job);
