/* SPDX-License-Identifier: MIT */
/*
 * What all pictures of a plan have in common: nodes depth first, groups around them, then edges.
 */
#include "client/cli/render/plan_private.h"

#include "util/panic.h"

void plan_picture_indent(struct buffer *out, uint32_t depth)
{
	buffer_printf(out, "%*s", (int)(4 * (depth + 1)), "");
}

static void plan_picture_nodes(
	struct buffer *out, const struct plan_view *view, const struct plan_picture *picture)
{
	const struct plan *plan = view->plan;
	/* Behind the last job of each group that is open. */
	uint32_t ends[PLAN_DEPTH_MAX];
	uint32_t depth = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		while (depth > 0 && ends[depth - 1] == i)
			picture->close(out, --depth);
		if (plan_view_is_child(plan, i))
			continue;
		if (plan_view_inner(plan, i)->kind == PLAN_LEAF || plan_view_is_empty(plan, i)) {
			picture->node(out, view, i, depth);
			continue;
		}
		expect(depth < PLAN_DEPTH_MAX);
		picture->open(out, view, i, depth);
		ends[depth++] = i + 1 + plan->jobs[i].n_below;
	}
	while (depth > 0)
		picture->close(out, --depth);
}

void plan_picture_draw(
	struct buffer *out, const struct plan_view *view, const struct plan_picture *picture)
{
	plan_picture_nodes(out, view, picture);
	for (uint32_t i = 0; i < view->plan->n_jobs; i++) {
		const struct plan_job *job = &view->plan->jobs[i];

		for (uint32_t k = 0; k < job->n_dependencies; k++)
			picture->edge(out, view, i, job->first_dependency + k);
	}
}

/* True where the leaf is the node, or in it. */
static bool plan_picture_holds(const struct plan *plan, uint32_t at, uint32_t leaf)
{
	return at <= leaf && leaf <= at + plan->jobs[at].n_below;
}

bool plan_picture_is_critical(const struct plan_view *view, uint32_t to, uint32_t edge)
{
	uint32_t level = view->levels[to];

	/* On each level there is one leaf of the path. */
	return level > 0 && level < view->n_path &&
	       plan_picture_holds(view->plan, to, view->path[level]) &&
	       plan_picture_holds(
		       view->plan, view->plan->dependencies[edge], view->path[level - 1]);
}
