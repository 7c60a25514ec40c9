/* SPDX-License-Identifier: MIT */
#include "client/cli/render/plan_private.h"

#include <errno.h>

#include "client/cli/render/why.h"

bool plan_view_is_child(const struct plan *plan, uint32_t at)
{
	uint32_t parent = plan->jobs[at].parent;

	return parent != PLAN_NONE && plan->jobs[parent].kind == PLAN_EACH;
}

const struct plan_job *plan_view_inner(const struct plan *plan, uint32_t at)
{
	return &plan->jobs[plan->jobs[at].kind == PLAN_EACH ? at + 1 : at];
}

uint32_t plan_view_parent(const struct plan *plan, uint32_t at)
{
	uint32_t parent = plan->jobs[at].parent;

	if (parent != PLAN_NONE && plan_view_is_child(plan, parent))
		parent = plan->jobs[parent].parent;
	return parent;
}

uint32_t plan_view_chain(const struct plan *plan, uint32_t at, uint32_t *chain)
{
	uint32_t n = 0;

	for (uint32_t up = plan_view_parent(plan, at); up != PLAN_NONE && n < PLAN_DEPTH_MAX;
		up = plan_view_parent(plan, up))
		chain[n++] = up;
	for (uint32_t i = 0; i < n / 2; i++) {
		uint32_t swapped = chain[i];

		chain[i] = chain[n - 1 - i];
		chain[n - 1 - i] = swapped;
	}
	return n;
}

uint32_t plan_view_leaves(const struct plan *plan, uint32_t at)
{
	uint32_t n = 0;

	for (uint32_t i = at; i <= at + plan->jobs[at].n_below; i++)
		n += plan->jobs[i].kind == PLAN_LEAF;
	return n;
}

bool plan_view_is_empty(const struct plan *plan, uint32_t at)
{
	const struct plan_job *inner = plan_view_inner(plan, at);

	return inner->kind == PLAN_GROUP && inner->n_below == 0;
}

struct text plan_view_method(const struct plan_spec *spec)
{
	if (spec->method.data)
		return spec->method;
	return spec->body == PLAN_BODY_NONE ? TEXT("GET") : TEXT("POST");
}

const char *plan_view_mode(enum plan_mode mode)
{
	switch (mode) {
	case PLAN_SETTLED: return "settled";
	case PLAN_ALL: return "all";
	case PLAN_ANY: return "any";
	case PLAN_RACE: break;
	}
	return "race";
}

const char *plan_view_needs(enum plan_needs needs)
{
	switch (needs) {
	case PLAN_NEEDS_FULFILLED: return "fulfilled";
	case PLAN_NEEDS_SETTLED: return "settled";
	case PLAN_NEEDS_REJECTED: return "rejected";
	case PLAN_NEEDS_ANY: break;
	}
	return "any";
}

/* True for what stands in a level with a line of its own. */
static bool plan_view_is_shown(const struct plan *plan, uint32_t at)
{
	return !plan_view_is_child(plan, at) &&
	       (plan_view_inner(plan, at)->kind == PLAN_LEAF || plan_view_is_empty(plan, at));
}

/* Sorts by counting. */
static int plan_view_order(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	uint32_t *next = arena_alloc_array(&view->arena, (size_t)view->n_levels + 1, sizeof(*next));

	view->order =
		arena_alloc_array(&view->arena, (size_t)plan->n_jobs + 1, sizeof(*view->order));
	view->starts =
		arena_alloc_array(&view->arena, (size_t)view->n_levels + 1, sizeof(*view->starts));
	if (!next || !view->order || !view->starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_jobs; i++)
		view->starts[view->levels[i] + 1] += plan_view_is_shown(plan, i);
	for (uint32_t i = 0; i < view->n_levels; i++) {
		view->starts[i + 1] += view->starts[i];
		next[i] = view->starts[i];
	}
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		if (plan_view_is_shown(plan, i))
			view->order[next[view->levels[i]]++] = i;
	}
	return 0;
}

static int plan_view_path(struct plan_view *view)
{
	const struct plan *plan = view->plan;

	view->is_critical = arena_alloc_array(&view->arena, (size_t)plan->n_jobs + 1, sizeof(bool));
	if (!view->is_critical ||
		plan_longest_path(plan, &view->arena, &view->path, &view->n_path) < 0)
		return -ENOMEM;
	/* A single job is no chain. */
	for (uint32_t i = 0; i < view->n_path && view->n_path > 1; i++) {
		uint32_t at = view->path[i];

		view->is_critical[at] = true;
		if (plan_view_is_child(plan, at))
			view->is_critical[plan->jobs[at].parent] = true;
	}
	return 0;
}

int plan_view_init(struct plan_view *view, const struct plan *plan)
{
	int r;

	*view = (struct plan_view){.plan = plan};
	arena_init(&view->arena, SIZE_MAX / 4);
	view->levels = plan_levels(plan, &view->arena, &view->n_levels);
	view->sources = source_collect(plan, &view->arena);
	if (!view->levels || !view->sources)
		return -ENOMEM;
	view->reasons = why_collect(plan, view->sources, &view->arena);
	if (!view->reasons)
		return -ENOMEM;
	r = plan_view_path(view);
	if (r == 0)
		r = plan_view_order(view);
	return r == 0 ? plan_warning_collect(view) : r;
}

void plan_view_deinit(struct plan_view *view)
{
	arena_deinit(&view->arena);
}
