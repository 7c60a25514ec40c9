/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A checked graph as people and programs want to see it: settle(1), "FORMATS". What stands in the
 * document is shown without control characters.
 */

#include "proto/plan.h"
#include "util/buffer.h"

/* For people, in lines of at most PLAN_COLUMNS: level by level, what waits for what and why, the
 * critical path, and what to think about. 0 or -ENOMEM, as the others. */
#define PLAN_COLUMNS 80
int plan_render_text(struct buffer *out, const struct plan *plan);

/* One object on one line. */
int plan_render_json(struct buffer *out, const struct plan *plan);

/* A flowchart for Mermaid, groups as subgraphs. */
int plan_render_mermaid(struct buffer *out, const struct plan *plan);

/* A digraph for Graphviz, groups as clusters. */
int plan_render_dot(struct buffer *out, const struct plan *plan);
