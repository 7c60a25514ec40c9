/* SPDX-License-Identifier: MIT */
#include "job/name.h"

#include <stdio.h>

#include "job/graph.h"
#include "util/panic.h"

/* The fan-outs a scope is in, the outermost one first. */
static uint32_t scope_chain(const struct scope *scope, const struct scope **chain)
{
	uint32_t n = 0;

	for (const struct scope *at = scope; at->each; at = at->each->scope)
		n++;
	expect(n <= PLAN_DEPTH_MAX);
	for (uint32_t i = n; i > 0; i--, scope = scope->each->scope)
		chain[i - 1] = scope;
	return n;
}

struct text job_name(const struct job *job, char *memory)
{
	const struct scope *chain[PLAN_DEPTH_MAX];
	struct text id = job_plan(job)->id;
	uint32_t n = scope_chain(job->scope, chain);
	size_t size = id.size;

	if (n == 0)
		return id;
	memcpy(memory, id.data, id.size);
	for (uint32_t i = 0; i < n; i++)
		size += (size_t)snprintf(
			memory + size, JOB_NAME_MAX - size, "[%u]", chain[i]->item_index);
	return (struct text){memory, size};
}

struct text job_root_name(const struct job *job, char *memory)
{
	const struct job *root;

	if (job->root == JOB_NONE)
		return job_name(job, memory);
	root = scope_job(job->scope, job->root);
	expect(root);
	if (root->group && root->group->root_name)
		return text_from(root->group->root_name);
	return job_name(root, memory);
}

/* "[3][0]": the numbers; how many, or PLAN_DEPTH_MAX + 1: it is something else. */
static uint32_t name_numbers(struct text text, uint32_t *numbers)
{
	uint32_t n = 0;
	uint64_t number;

	while (text.size > 0 && n < PLAN_DEPTH_MAX) {
		size_t end = text_find(text, ']');

		if (text.data[0] != '[' || end == text.size ||
			!text_to_u64((struct text){text.data + 1, end - 1}, UINT32_MAX, &number))
			return PLAN_DEPTH_MAX + 1;
		numbers[n++] = (uint32_t)number;
		text = text_from_at(text, end + 1);
	}
	return text.size == 0 ? n : PLAN_DEPTH_MAX + 1;
}

static struct scope *each_scope(const struct each *each, uint32_t number)
{
	list_each(link, &each->scopes) {
		struct scope *scope = list_entry(link, struct scope, link);

		if (scope->item_index == number)
			return scope;
	}
	return NULL;
}

/* The fan-outs around that place, the outermost one first. */
static uint32_t place_chain(const struct plan *plan, uint32_t place, uint32_t *chain)
{
	uint32_t n = 0;

	for (uint32_t at = plan->jobs[place].region; at != PLAN_NONE; at = plan->jobs[at].region)
		n++;
	for (uint32_t i = n; i > 0; i--)
		chain[i - 1] = place = plan->jobs[place].region;
	return n;
}

/* The job at that place in the children of those numbers. */
static struct job *graph_find_made(
	const struct graph *graph, uint32_t place, const uint32_t *numbers, uint32_t n)
{
	struct scope *scope = graph->root;
	uint32_t chain[PLAN_DEPTH_MAX];

	if (place_chain(graph->plan, place, chain) != n)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		scope = each_scope(&scope->jobs[chain[i] - scope->first].group->each, numbers[i]);
		if (!scope)
			return NULL;
	}
	return &scope->jobs[place - scope->first];
}

struct job *graph_find(const struct graph *graph, struct text name)
{
	size_t end = text_find(name, '[');
	const struct plan_job *plan = plan_find(graph->plan, (struct text){name.data, end});
	uint32_t numbers[PLAN_DEPTH_MAX];
	uint32_t n = name_numbers(text_from_at(name, end), numbers);
	struct job *job;
	uint32_t place;

	if (!plan || n > PLAN_DEPTH_MAX)
		return NULL;
	place = plan_index(graph->plan, plan);
	job = graph_find_made(graph, place, numbers, n);
	/* With one number more, a fan-out's child. */
	if (!job && plan->kind == PLAN_EACH)
		job = graph_find_made(graph, place + 1, numbers, n);
	return job;
}
