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

	for (uint32_t i = scope->first; i < last; i = scope_next(scope, i)) {
		struct job *job = &scope->jobs[i - scope->first];

		job_parent(job)->n_open++;
		scope->n_busy++;
		if (job_plan(job)->kind == PLAN_LEAF)
			scope->graph->n_leaves++;
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
	if (!scope_make_groups(scope))
		return scope_free(scope);
	scope_count(scope);
	if (each)
		list_push_back(&graph->regions[job_plan(each)->spec->each->number], &scope->link);
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

bool scope_is_in(const struct scope *inner, const struct scope *outer)
{
	while (inner != outer && inner->each)
		inner = inner->each->scope;
	return inner == outer;
}

void scope_begin(struct scope *scope)
{
	while (!scope->has_begun && scope->each) {
		struct group *group = scope->each->group;

		scope->has_begun = true;
		expect(group->each.n_fresh > 0);
		group->each.n_fresh--;
		each_kick(group);
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
