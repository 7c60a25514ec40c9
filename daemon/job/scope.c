/* SPDX-License-Identifier: MIT */
#include "job/scope.h"

#include <stdlib.h>

#include "job/graph.h"
#include "job/group.h"
#include "util/panic.h"

/*
 * The plan is flat and depth first, so what is inside a fan-out is one stretch of it, and a scope
 * is an array of as many jobs: the job of a place is found by subtraction. Who is outside is found
 * by going up from scope to scope, 32 of them at most. What is inside a fan-out of a fan-out has
 * its places in the outer array too, which are never used: that costs what such a document's text
 * does, and saves a table.
 */

bool scope_has(const struct scope *scope, uint32_t place)
{
	uint32_t region = scope->each ? scope->each->place : PLAN_NONE;

	return scope->graph->plan->jobs[place].region == region;
}

uint32_t scope_next(const struct scope *scope, uint32_t place)
{
	const struct plan_job *job = &scope->graph->plan->jobs[place];

	return job->kind == PLAN_EACH ? place + job->n_below + 1 : place + 1;
}

/* Its groups have no memory of their own before this. */
static bool scope_make_groups(struct scope *scope)
{
	uint32_t last = scope->first + scope->n_jobs;

	for (uint32_t i = scope->first; i < last; i = scope_next(scope, i)) {
		struct job *job = &scope->jobs[i - scope->first];

		if (job_plan(job)->kind == PLAN_LEAF)
			continue;
		job->group = group_new(scope->graph, job);
		if (!job->group)
			return false;
	}
	return true;
}

/* Each job is a child of something. */
static void scope_count(struct scope *scope)
{
	uint32_t last = scope->first + scope->n_jobs;
	struct graph *graph = scope->graph;

	/* Nothing but leaves: all are the graph's own. */
	if (graph->plan->n_leaves == graph->plan->n_jobs) {
		graph->group.n_open = graph->n_leaves = scope->n_busy = scope->n_jobs;
		return;
	}
	for (uint32_t i = scope->first; i < last; i = scope_next(scope, i)) {
		struct job *job = &scope->jobs[i - scope->first];

		job_parent(job)->n_open++;
		scope->n_busy++;
		if (job_plan(job)->kind == PLAN_LEAF)
			graph->n_leaves++;
	}
}

struct scope *scope_new(
	struct graph *graph, struct job *each, uint32_t item_index, yyjson_val *item)
{
	const struct plan *plan = graph->plan;
	uint32_t n_jobs = each ? job_plan(each)->n_below : plan->n_jobs;
	struct scope *scope = calloc(1, sizeof(*scope) + (size_t)n_jobs * sizeof(struct job));

	if (!scope)
		return NULL;
	scope->graph = graph;
	scope->each = each;
	scope->first = each ? each->place + 1 : 0;
	scope->n_jobs = n_jobs;
	scope->item_index = item_index;
	scope->item = item;
	list_init(&scope->link);
	list_init(&scope->spent_link);
	sweep_init(&scope->sweep);
	for (uint32_t i = scope->first; i < scope->first + n_jobs; i = scope_next(scope, i))
		job_init(&scope->jobs[i - scope->first], scope, i);
	if (plan->n_leaves < plan->n_jobs && !scope_make_groups(scope))
		return scope_free(scope);
	scope_count(scope);
	if (!each)
		return scope;
	list_push_back(&each->group->each.scopes, &scope->link);
	each->scope->n_busy++;
	graph->n_scopes++;
	graph->n_fresh++;
	return scope;
}

struct scope *scope_free(struct scope *scope)
{
	if (!scope)
		return NULL;
	list_remove(&scope->link);
	list_remove(&scope->spent_link);
	list_remove(&scope->sweep.link);
	for (uint32_t i = scope->first; i < scope->first + scope->n_jobs; i = scope_next(scope, i))
		job_deinit(&scope->jobs[i - scope->first]);
	free(scope);
	return NULL;
}

struct job *scope_job(const struct scope *scope, uint32_t place)
{
	while (!scope_has(scope, place)) {
		if (!scope->each)
			return NULL;
		scope = scope->each->scope;
	}
	return (struct job *)&scope->jobs[place - scope->first];
}

/* Walking. */

void scope_walk_init(struct scope_walk *walk, struct scope *scope, uint32_t place)
{
	const struct plan_job *jobs = scope->graph->plan->jobs;
	uint32_t each = jobs[place].region, n = 0;

	walk->place = place;
	for (uint32_t at = each; !scope_has(scope, at); at = jobs[at].region)
		n++;
	walk->n = n + 1;
	expect(walk->n <= PLAN_DEPTH_MAX);
	for (uint32_t i = walk->n; i > 0; i--, each = jobs[each].region) {
		walk->eaches[i - 1] = each;
		walk->scopes[i - 1] = NULL;
	}
}

/* The scope behind `at` (NULL: the first one) of the fan-out at that place in `scope`. */
static struct scope *scope_after(struct scope *scope, uint32_t place, struct scope *at)
{
	struct list *head = &scope->jobs[place - scope->first].group->each.scopes;
	struct list *next = at ? at->link.next : head->next;

	return next == head ? NULL : list_entry(next, struct scope, link);
}

struct scope *scope_walk_next(struct scope_walk *walk, struct scope *scope)
{
	uint32_t level = walk->n - 1;

	/* Where to go on: at the innermost level there is something on. */
	while (level > 0 && !walk->scopes[level - 1])
		level--;
	for (;;) {
		struct scope *outer = level > 0 ? walk->scopes[level - 1] : scope;
		struct scope *next = scope_after(outer, walk->eaches[level], walk->scopes[level]);

		walk->scopes[level] = next;
		if (next && level + 1 == walk->n)
			return next;
		if (next)
			level++;
		else if (level > 0)
			level--;
		else
			return NULL;
	}
}

/* Life in the graph. */

void scope_begin(struct scope *scope)
{
	while (!scope->has_begun && scope->each) {
		struct group *group = scope->each->group;

		scope->has_begun = true;
		expect(group->each.n_fresh > 0);
		group->each.n_fresh--;
		scope->graph->n_fresh--;
		each_kick(group);
		each_kick_starved(scope->graph);
		scope = scope->each->scope;
	}
}

void scope_leave(struct scope *scope)
{
	expect(scope->n_busy > 0);
	/* Its memory goes when nobody is in the middle of it. */
	if (--scope->n_busy > 0 || !scope->each)
		return;
	list_push_back(&scope->graph->spent, &scope->spent_link);
	graph_kick(scope->graph);
}
