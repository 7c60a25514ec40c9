/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/panic.h"

/*
 * Over all jobs of a document, depth first, and what the first walks find out: how many there are,
 * and of each its id, its kind and its place in the plan.
 *
 * Groups nest, so what is open is a stack, bounded by PLAN_DEPTH_MAX. The walks know of a job only
 * what decides about its place (`jobs`, `each`, `id`); all else is document_job's.
 *
 *   place in the plan      0     1         2         3           4
 *   job                    user  authors   authors   profile     config
 *                                (a fan-   (its      (in the     (behind
 *                                out)      child, a  group)      the group)
 *                                          group)
 */

yyjson_val *document_walk_next(struct document_walk *walk)
{
	struct document_level *level;
	yyjson_val *value;

	while (walk->depth > 0 && walk->levels[walk->depth - 1].left == 0)
		walk->depth--;
	if (walk->depth == 0)
		return NULL;
	level = &walk->levels[walk->depth - 1];
	level->left--;
	value = level->next;
	if (level->is_array) {
		level->member.index++;
	} else {
		level->member.key = json_string(value);
		value = unsafe_yyjson_get_next(value);
	}
	level->next = unsafe_yyjson_get_next(value);
	return value;
}

bool document_walk_enter(struct document_walk *walk, yyjson_val *jobs, uint32_t group)
{
	const struct document_at *parent = NULL;
	struct document_level *level;

	if (!yyjson_is_ctn(jobs))
		return true;
	if (walk->depth == PLAN_DEPTH_MAX)
		return false;
	if (walk->depth > 0)
		parent = &walk->levels[walk->depth - 1].member;
	level = &walk->levels[walk->depth++];
	*level = (struct document_level){
		.jobs = {.parent = parent, .key = TEXT("jobs")},
		.member = {.parent = &level->jobs, .index = SIZE_MAX},
		.next = unsafe_yyjson_get_first(jobs),
		.left = unsafe_yyjson_get_len(jobs),
		.is_array = yyjson_is_arr(jobs),
		.group = group,
	};
	return true;
}

/* What decides about a job's place; NULL: it has none of that. */
struct document_outline {
	yyjson_val *jobs, *each, *id;
};

static struct document_outline document_outline(yyjson_val *job)
{
	struct document_outline outline = {0};
	yyjson_obj_iter iter = yyjson_obj_iter_with(job);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter))) {
		struct text name = json_string(key);
		yyjson_val **found = NULL;

		if (name.size == 4)
			found = text_is(name, "jobs")   ? &outline.jobs
				: text_is(name, "each") ? &outline.each
							: NULL;
		else if (name.size == 2 && text_is(name, "id"))
			found = &outline.id;
		/* Who says it twice is refused when the keys are read. */
		if (found && !*found)
			*found = yyjson_obj_iter_get_val(key);
	}
	return outline;
}

/* How many jobs there are in the document, and in the plan. */
struct document_count {
	size_t jobs, places;
	/* True exactly when there is a group or a fan-out among them. */
	bool has_containers;
	/* True exactly when an element of an array says its id. */
	bool has_ids;
};

/* False, and refused: they nest too deep. */
static bool document_count_jobs(
	struct document *document, yyjson_val *jobs, struct document_count *count)
{
	struct document_walk walk = {.depth = 0};
	yyjson_val *value;

	document_walk_enter(&walk, jobs, PLAN_NONE);
	while ((value = document_walk_next(&walk))) {
		struct document_outline outline = document_outline(value);

		count->jobs++;
		count->places += outline.each ? 2 : 1;
		count->has_containers |= outline.each || outline.jobs;
		count->has_ids |= outline.id != NULL;
		if (outline.jobs && !document_walk_enter(&walk, outline.jobs, PLAN_NONE)) {
			struct document_at at = {
				.parent = &walk.levels[walk.depth - 1].member, .key = TEXT("jobs")};

			document_refuse(document, &at, FAULT_GRAPH_TOO_LARGE,
				"groups nest deeper than %u levels", PLAN_DEPTH_MAX);
			return false;
		}
	}
	return true;
}

/* Letters, digits, '_' and '-', and no word that means something else in a reference. */
static bool document_check_id(
	struct document *document, struct text id, const struct document_at *at)
{
	if (!plan_id_is_valid(id)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is no id: 1 to 64 letters, digits, '_' and '-'",
			document_quote(id).text);
		return false;
	}
	if (text_is(id, "input") || text_is(id, "item") || text_is(id, "index") ||
		text_is(id, "secret")) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" has a meaning of its own in references and is no id",
			document_quote(id).text);
		return false;
	}
	return true;
}

static bool document_job_is(const void *value, const void *key)
{
	const struct plan_job *job = value;
	const struct text *id = key;

	return text_equal(job->id, *id);
}

static void document_register_id(
	struct document *document, struct plan_job *job, const struct document_at *at)
{
	struct table *ids = &document->plan->ids;
	uint64_t hash;

	if (!document_check_id(document, job->id, at))
		return;
	hash = table_hash(job->id);
	if (table_find(ids, hash, document_job_is, &job->id))
		document_refuse(document, at, FAULT_GRAPH_DUPLICATE_ID, "there are two jobs \"%s\"",
			document_quote(job->id).text);
	else if (!table_insert(ids, hash, job))
		document->no_memory = true;
}

/* The index in decimal, at the end of the room for it. Returns its first digit. */
static char *document_put_index(char *end, size_t index)
{
	do {
		*--end = (char)('0' + index % 10);
		index /= 10;
	} while (index > 0);
	return end;
}

/* Room for the indices of `n` elements as text. */
static void document_make_digits(struct document *document, size_t n)
{
	char digits[20];
	char *end = digits + sizeof(digits);
	size_t n_digits = (size_t)(end - document_put_index(end, n));

	document->digits = document_alloc(document, n, n_digits);
	if (document->digits)
		document->digits += n * n_digits;
}

static struct text document_index_text(struct document *document, size_t index)
{
	char *end = document->digits;

	document->digits = document_put_index(end, index);
	return (struct text){document->digits, (size_t)(end - document->digits)};
}

/* An element says its id; in the graph's own array its index is one, too. */
static void document_name_element(struct document *document, struct plan_job *job, yyjson_val *id,
	const struct document_level *level)
{
	struct document_at member = {.parent = &level->member, .key = TEXT("id")};

	job->id = TEXT("");
	if (id) {
		if (document_read_string(document, id, &member, &job->id))
			document_register_id(document, job, &member);
	} else if (level->group == PLAN_NONE) {
		job->id = document_index_text(document, level->member.index);
		if (!document->plan->ids_are_places)
			document_register_id(document, job, &level->member);
	} else {
		document_refuse(document, &level->member, FAULT_GRAPH_KEY,
			"the key \"id\" is missing: an array of jobs inside a group names them");
	}
}

/* The job the walk is at becomes plan->jobs[place], and the next one where it is a fan-out. Returns
 * the place behind it. */
static uint32_t document_register_job(struct document *document, const struct document_walk *walk,
	uint32_t place, const struct document_outline *outline)
{
	const struct document_level *level = &walk->levels[walk->depth - 1];
	struct plan *plan = document->plan;
	struct plan_job *job = &plan->jobs[place], *child = job;
	uint32_t group = level->group;

	job->index = document->n_registered++;
	job->parent = group;
	job->region = group == PLAN_NONE ? PLAN_NONE : plan->jobs[group].region;
	if (level->is_array) {
		document_name_element(document, job, outline->id, level);
	} else {
		job->id = level->member.key;
		document_register_id(document, job, &level->member);
	}
	if (outline->each) {
		child = job + 1;
		*child = *job;
		job->kind = PLAN_EACH;
		child->parent = child->region = place;
		plan->n_eaches++;
	}
	child->kind = outline->jobs ? PLAN_GROUP : PLAN_LEAF;
	plan->n_leaves += !outline->jobs;
	return plan_index(plan, child) + 1;
}

static void document_register_all(
	struct document *document, yyjson_val *jobs, const struct document_count *count)
{
	/* Of leaves alone that say no ids everything is known: most large graphs are that. */
	bool is_simple = !count->has_containers && !count->has_ids;
	struct document_walk walk = {.depth = 0};
	uint32_t place = 0;
	yyjson_val *value;

	document_walk_enter(&walk, jobs, PLAN_NONE);
	while (!document_is_over(document) && (value = document_walk_next(&walk))) {
		struct document_outline outline = {0};

		if (!is_simple)
			outline = document_outline(value);
		place = document_register_job(document, &walk, place, &outline);
		if (outline.jobs)
			document_walk_enter(&walk, outline.jobs, place - 1);
	}
}

/* All jobs know their parents, which stand before them. */
static void document_count_below(struct plan *plan)
{
	for (uint32_t i = plan->n_jobs; i > 0; i--) {
		const struct plan_job *job = &plan->jobs[i - 1];

		if (job->parent != PLAN_NONE)
			plan->jobs[job->parent].n_below += 1 + job->n_below;
	}
}

bool document_register_jobs(struct document *document, yyjson_val *jobs)
{
	struct document_at at = {.key = TEXT("jobs")};
	struct plan *plan = document->plan;
	struct document_count count = {0};

	if (!document_count_jobs(document, jobs, &count))
		return false;
	if (count.jobs > document->limits->jobs_max) {
		document_refuse(document, &at, FAULT_GRAPH_TOO_LARGE,
			"%zu jobs are more than the %u there may be", count.jobs,
			document->limits->jobs_max);
		return false;
	}
	plan->is_array = yyjson_is_arr(jobs);
	plan->jobs_max = document->limits->jobs_max;
	plan->n_jobs = (uint32_t)count.places;
	plan->jobs = document_alloc(document, count.places, sizeof(*plan->jobs));
	if (count.jobs == 0)
		return true;
	plan->ids_are_places = plan->is_array && !count.has_containers && !count.has_ids;
	if (!plan->ids_are_places && !table_reserve(&plan->ids, count.jobs))
		document->no_memory = true;
	if (plan->is_array)
		document_make_digits(document, unsafe_yyjson_get_len(jobs));
	if (document->no_memory || document->is_too_large)
		return false;
	document_register_all(document, jobs, &count);
	if (count.has_containers)
		document_count_below(plan);
	return !document_is_over(document);
}

void document_walk_to(const struct document *document, struct document_walk *walk, yyjson_val *jobs,
	uint32_t index)
{
	const struct plan *plan = document->plan;
	uint32_t place = 0;
	yyjson_val *value;

	document_walk_enter(walk, jobs, PLAN_NONE);
	while ((value = document_walk_next(walk))) {
		struct document_outline outline;

		if (place == index)
			return;
		outline = document_outline(value);
		place += outline.each ? 2 : 1;
		if (outline.jobs)
			document_walk_enter(walk, outline.jobs, place - 1);
	}
	expect(index >= plan->n_jobs);
}
