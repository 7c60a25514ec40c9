/* SPDX-License-Identifier: MIT */
/*
 * A plan keeps that one job depends on another, not why, because a daemon with a million jobs has
 * no use for it. It is found again where it came from: the "after" of the document, and the
 * references in what the plan keeps of a request, the defaults included.
 *
 * A fan-out and its child are one object of the document. What the child of a leaf fan-out refers
 * to is needed before it can be made for the first item, so it holds the fan-out back; what stands
 * in the group of a group fan-out are jobs of their own.
 */
#include "client/cli/render/why.h"

#include "proto/json.h"

/* Who is told. */
struct why_walk {
	why_see see;
	void *context;
};

const char *why_name(unsigned i)
{
	static const char *const names[WHY_BITS] = {
		"after", "url", "headers", "query", "form", "json", "body", "when", "each"};

	return names[i];
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
			walk->see(walk->context, why, reference.job, &reference);
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
static void why_scan_json(const struct why_walk *walk, yyjson_val *value, enum why why)
{
	yyjson_val *end = value ? unsafe_yyjson_get_next(value) : NULL;

	for (yyjson_val *at = value; at < end; at++) {
		struct text text = json_string(at);

		if (text.data && reference_is_in(text))
			why_scan(walk, text, why);
	}
}

/* A condition's members: what they are about is a reference without braces, but for the two words
 * that have conditions in them. Returns what is to be opened next, or NULL. */
static yyjson_val *why_scan_member(const struct why_walk *walk, yyjson_val *key, yyjson_val *value)
{
	struct text name = json_string(key);
	struct reference reference;

	if ((text_is(name, "any") && yyjson_is_arr(value)) ||
		(text_is(name, "not") && yyjson_is_obj(value)))
		return value;
	if (!reference_parse(name, &reference) && reference.job.size > 0)
		walk->see(walk->context, WHY_WHEN, reference.job, &reference);
	why_scan_json(walk, value, WHY_WHEN);
	return NULL;
}

/* What is left of an object or an array of a condition. */
struct why_frame {
	bool is_array;
	yyjson_arr_iter array;
	yyjson_obj_iter object;
};

/* False: it was the last member. */
static bool why_step(const struct why_walk *walk, struct why_frame *frame, yyjson_val **ret_open)
{
	yyjson_val *key;

	if (frame->is_array) {
		*ret_open = yyjson_arr_iter_next(&frame->array);
		return *ret_open != NULL;
	}
	key = yyjson_obj_iter_next(&frame->object);
	*ret_open = key ? why_scan_member(walk, key, yyjson_obj_iter_get_val(key)) : NULL;
	return key != NULL;
}

static void why_scan_when(const struct why_walk *walk, yyjson_val *when)
{
	struct why_frame frames[JSON_DEPTH_MAX];
	yyjson_val *open = when;
	size_t depth = 0;

	do {
		if (open && depth < JSON_DEPTH_MAX) {
			struct why_frame *frame = &frames[depth++];

			frame->is_array = yyjson_arr_iter_init(open, &frame->array);
			if (!frame->is_array && !yyjson_obj_iter_init(open, &frame->object))
				depth--;
		}
		while (depth > 0 && !why_step(walk, &frames[depth - 1], &open))
			depth--;
	} while (depth > 0);
}

static void why_scan_after(const struct why_walk *walk, yyjson_val *job)
{
	yyjson_val *after = yyjson_obj_get(job, "after");
	struct text one = json_string(after);
	size_t i, n;
	yyjson_val *id;

	if (one.data)
		walk->see(walk->context, WHY_AFTER, one, NULL);
	yyjson_arr_foreach(after, i, n, id)
		walk->see(walk->context, WHY_AFTER, json_string(id), NULL);
}

static void why_scan_request(const struct why_walk *walk, const struct plan_job *leaf)
{
	const struct plan_spec *spec = leaf->spec;

	if (leaf->url_is_template)
		why_scan(walk, leaf->url, WHY_URL);
	why_scan_fields(walk, &spec->headers, WHY_HEADERS);
	why_scan_fields(walk, &spec->query, WHY_QUERY);
	if (spec->body == PLAN_BODY_FORM)
		why_scan_fields(walk, &spec->form, WHY_FORM);
	if (spec->body == PLAN_BODY_JSON)
		why_scan_json(walk, spec->body_value, WHY_JSON);
	if (spec->body == PLAN_BODY_TEXT)
		why_scan(walk, spec->body_text, WHY_BODY);
}

void why_visit(const struct plan *plan, const struct source *sources, uint32_t index, why_see see,
	void *context)
{
	const struct plan_job *job = &plan->jobs[index];
	struct why_walk walk = {see, context};

	if (job->parent != PLAN_NONE && plan->jobs[job->parent].kind == PLAN_EACH)
		return;
	why_scan_after(&walk, sources[index].value);
	if (job->kind == PLAN_EACH) {
		why_scan_json(&walk, job->spec->each->in, WHY_EACH);
		job++;
	}
	if (job->spec->when)
		why_scan_when(&walk, job->spec->when);
	if (job->kind == PLAN_LEAF)
		why_scan_request(&walk, job);
}

/* Where a job's reasons are noted. */
struct why_notes {
	const struct plan *plan;
	const struct plan_job *job;
	uint16_t *reasons;
};

/* The job's dependencies are in ascending order. */
static void why_note(void *context, enum why why, struct text id, const struct reference *reference)
{
	const struct why_notes *notes = context;
	const struct plan_job *target = plan_find(notes->plan, id);
	uint32_t low = notes->job->first_dependency;
	uint32_t high = low + notes->job->n_dependencies, end = high;
	uint32_t index;

	(void)reference;
	if (!target)
		return;
	index = plan_index(notes->plan, target);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (notes->plan->dependencies[middle] < index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < end && notes->plan->dependencies[low] == index)
		notes->reasons[low] |= (uint16_t)why;
}

uint16_t *why_collect(const struct plan *plan, const struct source *sources, struct arena *arena)
{
	struct why_notes notes = {.plan = plan};

	notes.reasons = arena_alloc_array(arena, (size_t)plan->n_edges + 1, sizeof(*notes.reasons));
	if (!notes.reasons)
		return NULL;
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		notes.job = &plan->jobs[i];
		if (notes.job->n_dependencies > 0)
			why_visit(plan, sources, i, why_note, &notes);
	}
	return notes.reasons;
}
