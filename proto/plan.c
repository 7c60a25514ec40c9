/* SPDX-License-Identifier: MIT */
#include "proto/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "util/panic.h"

/*
 * A plan's edges are two flat arrays, and each job knows its slice of both. They are made by
 * sorting pairs in two passes of counting, so a million jobs cost a few walks over memory.
 */

/* Pointers and messages of PLAN_ERRORS_MAX errors, as document_error.c bounds them. */
#define PLAN_ERRORS_BYTES_MAX (512 * 1024)

void plan_errors_init(struct plan_errors *errors)
{
	*errors = (struct plan_errors){0};
	arena_init(&errors->arena, PLAN_ERRORS_BYTES_MAX);
}

void plan_errors_deinit(struct plan_errors *errors)
{
	arena_deinit(&errors->arena);
	errors->n = 0;
}

struct plan *plan_free(struct plan *plan)
{
	if (!plan)
		return NULL;
	table_deinit(&plan->ids);
	yyjson_doc_free(plan->doc);
	arena_deinit(&plan->arena);
	free(plan);
	return NULL;
}

bool plan_id_is_valid(struct text id)
{
	if (id.size == 0 || id.size > PLAN_ID_MAX)
		return false;
	for (size_t i = 0; i < id.size; i++) {
		char c = id.data[i];
		char lower = text_lower(c);

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
			c != '-')
			return false;
	}
	return true;
}

struct text plan_secret_name(struct text text)
{
	struct text prefix = TEXT("secret:"), none = {NULL, 0};
	struct text name = text_from_at(text, prefix.size);

	return text_starts_with(text, prefix) && plan_id_is_valid(name) ? name : none;
}

static bool plan_job_is(const void *value, const void *key)
{
	const struct plan_job *job = value;
	const struct text *id = key;

	return text_equal(job->id, *id);
}

/* Its index in decimal, which has one form. */
static struct plan_job *plan_find_place(const struct plan *plan, struct text id)
{
	uint64_t place;

	if (id.size == 0 || (id.size > 1 && id.data[0] == '0'))
		return NULL;
	if (!text_to_u64(id, UINT32_MAX, &place) || place >= plan->n_jobs)
		return NULL;
	return &plan->jobs[place];
}

struct plan_job *plan_find(const struct plan *plan, struct text id)
{
	if (plan->ids_are_places)
		return plan_find_place(plan, id);
	return table_find(&plan->ids, table_hash(id), plan_job_is, &id);
}

/* Counts become where each slice begins. The counts start again at 0, to be counted up while the
 * slices are filled. */
static void plan_place_dependencies(struct plan *plan)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		struct plan_job *job = &plan->jobs[i];

		job->first_dependency = at;
		at += job->n_dependencies;
		job->n_dependencies = 0;
	}
}

static void plan_place_dependents(struct plan *plan)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		struct plan_job *job = &plan->jobs[i];

		job->first_dependent = at;
		at += job->n_dependents;
		job->n_dependents = 0;
	}
}

/* `by_to`: for each job the jobs it depends on, unsorted. `by_from`: for each job its dependents,
 * in ascending order, because they are put there in ascending order. */
static void plan_sort_edges(struct plan *plan, const struct plan_edge *edges, uint32_t n,
	uint32_t *by_to, uint32_t *by_from)
{
	for (uint32_t i = 0; i < n; i++) {
		expect(edges[i].from < plan->n_jobs && edges[i].to < plan->n_jobs);
		plan->jobs[edges[i].to].n_dependencies++;
		plan->jobs[edges[i].from].n_dependents++;
	}
	plan_place_dependencies(plan);
	plan_place_dependents(plan);
	for (uint32_t i = 0; i < n; i++) {
		struct plan_job *to = &plan->jobs[edges[i].to];

		by_to[to->first_dependency + to->n_dependencies++] = edges[i].from;
	}
	for (uint32_t to = 0; to < plan->n_jobs; to++) {
		const struct plan_job *job = &plan->jobs[to];

		for (uint32_t i = 0; i < job->n_dependencies; i++) {
			struct plan_job *from = &plan->jobs[by_to[job->first_dependency + i]];

			by_from[from->first_dependent + from->n_dependents++] = to;
		}
	}
}

/* Takes what is twice out of each slice, and closes the slices up. Returns how many are left. */
static uint32_t plan_unite_edges(struct plan *plan, uint32_t *by_from)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		struct plan_job *job = &plan->jobs[i];
		uint32_t from = job->first_dependent, n = job->n_dependents;

		job->first_dependent = at;
		for (uint32_t k = from; k < from + n; k++) {
			if (at > job->first_dependent && by_from[at - 1] == by_from[k])
				continue;
			by_from[at++] = by_from[k];
		}
		job->n_dependents = at - job->first_dependent;
	}
	return at;
}

/* The same edges by their other end: put there in ascending order of `from`. */
static void plan_mirror_edges(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_jobs; i++)
		plan->jobs[i].n_dependencies = 0;
	for (uint32_t i = 0; i < plan->n_edges; i++)
		plan->jobs[plan->dependents[i]].n_dependencies++;
	plan_place_dependencies(plan);
	for (uint32_t from = 0; from < plan->n_jobs; from++) {
		const struct plan_job *job = &plan->jobs[from];

		for (uint32_t i = 0; i < job->n_dependents; i++) {
			struct plan_job *to =
				&plan->jobs[plan->dependents[job->first_dependent + i]];

			plan->dependencies[to->first_dependency + to->n_dependencies++] = from;
		}
	}
}

int plan_set_edges(struct plan *plan, const struct plan_edge *edges, uint32_t n)
{
	uint32_t *by_to, *by_from;
	int r = -ENOMEM;

	expect(plan->n_edges == 0);
	if (n == 0)
		return 0;
	by_to = reallocarray(NULL, n, sizeof(*by_to));
	by_from = reallocarray(NULL, n, sizeof(*by_from));
	if (!by_to || !by_from)
		goto out;
	plan_sort_edges(plan, edges, n, by_to, by_from);
	n = plan_unite_edges(plan, by_from);

	plan->dependents = arena_alloc_array(&plan->arena, n, sizeof(*plan->dependents));
	plan->dependencies = arena_alloc_array(&plan->arena, n, sizeof(*plan->dependencies));
	if (!plan->dependents || !plan->dependencies)
		goto out;
	memcpy(plan->dependents, by_from, n * sizeof(*by_from));
	plan->n_edges = n;
	plan_mirror_edges(plan);
	r = 0;
out:
	free(by_to);
	free(by_from);
	return r;
}
