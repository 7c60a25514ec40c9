/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The body of a group or a fan-out: made of its children's, where somebody refers to it.
 */

#include <stdbool.h>

#include "util/buffer.h"

struct group;

/* Appends JSON: the winner's body; else an object of a group's children by their ids, an array of
 * a fan-out's. null for a child that was rejected. Nothing where nobody needs it; `failed` also
 * where a child's body could not be kept. All children have settled. */
void children_append(struct buffer *out, const struct group *group);

/* What was appended so: also a winner's empty body is one. data == NULL: there is none. */
struct text children_text(const struct group *group, const struct buffer *out);

/* True where that is a JSON value rather than bytes that may be one, as a winner's are. */
bool children_are_value(const struct group *group);
