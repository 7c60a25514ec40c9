/* SPDX-License-Identifier: MIT */
/*
 * A plan keeps that one job depends on another, not why, because a daemon with a million jobs has
 * no use for it. It is found again where it came from: the "after" of the document, and the
 * references in what the plan keeps of a request, the defaults included.
 */
#include "client/cli/render/why.h"

#include "proto/json.h"
#include "proto/reference.h"

/* What is being looked at. */
struct why_walk {
	const struct plan *plan;
	uint8_t *reasons;
	const struct plan_job *job;
};

const char *why_name(unsigned i)
{
	static const char *const names[WHY_BITS] = {
		"after", "url", "headers", "query", "form", "json", "body"};

	return names[i];
}

/* The job's dependencies are in ascending order. */
static void why_add(const struct why_walk *walk, struct text id, enum why why)
{
	const struct plan_job *target = plan_find(walk->plan, id);
	uint32_t low = walk->job->first_dependency;
	uint32_t high = low + walk->job->n_dependencies, end = high;
	uint32_t index;

	if (!target)
		return;
	index = plan_index(walk->plan, target);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (walk->plan->dependencies[middle] < index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < end && walk->plan->dependencies[low] == index)
		walk->reasons[low] |= (uint8_t)why;
}

static void why_scan(const struct why_walk *walk, struct text text, enum why why)
{
	struct reference_cursor cursor = reference_cursor(text);
	enum reference_piece piece;
	struct reference reference;
	struct text literal;

	do {
		piece = reference_next(&cursor, &literal, &reference);
		if (piece == REFERENCE_FOUND && reference.job.size > 0)
			why_add(walk, reference.job, why);
	} while (piece == REFERENCE_FOUND || piece == REFERENCE_LITERAL);
}

static void why_scan_fields(
	const struct why_walk *walk, const struct plan_fields *fields, enum why why)
{
	for (uint32_t i = 0; i < fields->n; i++) {
		if (fields->fields[i].is_template)
			why_scan(walk, fields->fields[i].value, why);
	}
}

/* yyjson keeps a value and all in it side by side, in the order of the text. */
static void why_scan_json(const struct why_walk *walk, yyjson_val *value)
{
	yyjson_val *end = value ? unsafe_yyjson_get_next(value) : NULL;

	for (yyjson_val *at = value; at < end; at++) {
		struct text text = json_string(at);

		if (text.data && reference_is_in(text))
			why_scan(walk, text, WHY_JSON);
	}
}

static void why_scan_after(const struct why_walk *walk, yyjson_val *job)
{
	yyjson_val *after = yyjson_obj_get(job, "after");
	size_t i, n;
	yyjson_val *id;

	yyjson_arr_foreach(after, i, n, id) why_add(walk, json_string(id), WHY_AFTER);
}

static void why_scan_job(const struct why_walk *walk, yyjson_val *value)
{
	const struct plan_spec *spec = walk->job->spec;

	if (walk->job->n_dependencies == 0)
		return;
	why_scan_after(walk, value);
	if (walk->job->url_is_template)
		why_scan(walk, walk->job->url, WHY_URL);
	why_scan_fields(walk, &spec->headers, WHY_HEADERS);
	why_scan_fields(walk, &spec->query, WHY_QUERY);
	if (spec->body == PLAN_BODY_FORM)
		why_scan_fields(walk, &spec->form, WHY_FORM);
	if (spec->body == PLAN_BODY_JSON)
		why_scan_json(walk, spec->body_value);
	if (spec->body == PLAN_BODY_TEXT)
		why_scan(walk, spec->body_text, WHY_BODY);
}

uint8_t *why_collect(const struct plan *plan, struct arena *arena)
{
	struct why_walk walk = {.plan = plan};
	yyjson_val *jobs = yyjson_obj_get(yyjson_doc_get_root(plan->doc), "jobs");
	size_t i, n;
	yyjson_val *key, *value;

	walk.reasons = arena_alloc_array(arena, plan->n_edges + 1, sizeof(*walk.reasons));
	if (!walk.reasons)
		return NULL;
	/* The document's order is the plan's. */
	yyjson_arr_foreach(jobs, i, n, value) {
		walk.job = &plan->jobs[i];
		why_scan_job(&walk, value);
	}
	yyjson_obj_foreach(jobs, i, n, key, value) {
		walk.job = &plan->jobs[i];
		why_scan_job(&walk, value);
	}
	return walk.reasons;
}
