/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A checked graph as people and programs want to see it.
 */

#include "proto/plan.h"
#include "util/buffer.h"

/* For people: level by level, what waits for what and why, the critical path. 0 or -ENOMEM. */
int plan_render_text(struct buffer *out, const struct plan *plan);

/* One object on one line, see settle(1). 0 or -ENOMEM. */
int plan_render_json(struct buffer *out, const struct plan *plan);
