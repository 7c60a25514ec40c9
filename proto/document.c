/* SPDX-License-Identifier: MIT */
#include "proto/document.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/document_private.h"
#include "util/container.h"

/*
 * From a graph document to a plan. References point forward, so it takes several walks over the
 * jobs: the first count them and give each its id and its place, the last one reads them. What the
 * graph itself says is read before all, whatever the order in the text:
 *
 *   keys of the graph -> ids -> defaults -> jobs (edges) -> return -> sorted edges -> cycles
 *
 * Defaults of a group are read when the walk comes into it, and go when it leaves.
 *
 * An error stops nothing but the reading of the value it is in, so that one refusal names as many
 * mistakes as possible; only what would be too large ends the reading at once. The plan is given
 * out if there was none.
 *
 * Cost: a job that only has a url is a look-up of its key, one check of the URL and one hash of
 * its id, and takes a struct plan_job and its place in the table. All memory is bounded by the
 * size of the text, times DOCUMENT_MEMORY_FACTOR (defaults multiply).
 */

#define DOCUMENT_MEMORY_FACTOR 16
#define DOCUMENT_MEMORY_MIN    (128u * 1024 * 1024)

/* Ids of a cycle that is long: so many at its start, and its last one. */
#define DOCUMENT_CYCLE_SHOWN 8

const struct document_limits document_limits_default = {
	PLAN_JOBS_MAX, PLAN_BYTES_MAX, PLAN_FDS_MAX};

static void document_read_version(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text text = json_number(value);

	if (!text.data)
		document_refuse_type(document, at, value, "a number");
	else if (!text_is(text, "1"))
		document_refuse(document, at, FAULT_GRAPH_VALUE, "this is version %u, not %s",
			PLAN_VERSION, document_quote(text).text);
}

static void document_read_name(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_string(document, value, at, &document->plan->name);
}

static void document_read_graph_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &job->group.timeout_ns);
}

static void document_read_graph_priority(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_priority(document, value, at, &document->priority);
}

static void document_read_input(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->place = DOCUMENT_IN_LITERAL;
	document->plan->input = value;
	document_read_json(document, job, value, at);
}

static void document_note_return(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document->plan->result = value;
}

/* *ret_job: what it says of its jobs. */
static void document_read_graph(
	struct document *document, yyjson_val *graph, struct document_job *ret_job)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("version"), document_read_version, 0},
		{TEXT_INIT("name"), document_read_name, 0},
		{TEXT_INIT("mode"), document_read_mode, 0},
		{TEXT_INIT("concurrency"), document_read_concurrency, 0},
		{TEXT_INIT("timeout"), document_read_graph_timeout, 0},
		{TEXT_INIT("input"), document_read_input, 0},
		{TEXT_INIT("defaults"), document_note_defaults, 0},
		{TEXT_INIT("jobs"), document_note_jobs, 0},
		{TEXT_INIT("return"), document_note_return, 0},
		{TEXT_INIT("priority"), document_read_graph_priority, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	struct document_job job = {
		.owner = DOCUMENT_OF_GRAPH,
		.group = {.timeout_ns = PLAN_NEVER},
		.concurrency = PLAN_CONCURRENCY_DEFAULT,
	};
	struct plan *plan = document->plan;

	document_read_object(document, &schema, graph, &job, NULL);
	if (yyjson_is_obj(graph) && !job.jobs)
		document_refuse(document, NULL, FAULT_GRAPH_KEY, "the key \"jobs\" is missing");
	document_end_group(document, &job, NULL);
	plan->mode = job.group.mode;
	plan->concurrency = job.concurrency;
	plan->timeout_ns = job.group.timeout_ns;
	*ret_job = job;
}

/* The job the walk is at, which is plan->jobs[index], is a group: what is in it comes next. */
static void document_enter_group(
	struct document *document, struct document_walk *walk, const struct document_job *job)
{
	struct document_at at = {
		.parent = &walk->levels[walk->depth - 1].member, .key = TEXT("defaults")};

	if (job->defaults)
		document_push_defaults(document, job->defaults, walk->depth + 1,
			document->plan->jobs[job->index].region, &at);
	document_walk_enter(walk, job->jobs, job->index);
}

static void document_read_jobs(struct document *document, yyjson_val *jobs)
{
	struct document_walk walk = {.depth = 0};
	struct document_job job = {0};
	uint32_t index = 0;
	yyjson_val *value;

	document_walk_enter(&walk, jobs, PLAN_NONE);
	while (!document_is_over(document) && (value = document_walk_next(&walk))) {
		document_pop_defaults(document, walk.depth);
		document_read_job(
			document, &job, index, value, &walk.levels[walk.depth - 1].member);
		index = job.index + 1;
		if (job.owner == DOCUMENT_OF_GROUP && !document_is_over(document))
			document_enter_group(document, &walk, &job);
	}
	document_pop_defaults(document, 0);
}

static void document_read_return(struct document *document)
{
	struct document_at at = {.key = TEXT("return")};
	struct document_job job = {
		.owner = DOCUMENT_OF_GRAPH,
		.place = DOCUMENT_IN_RETURN,
		.region = PLAN_NONE,
	};

	if (document->plan->result)
		document_read_json(document, &job, document->plan->result, &at);
}

/* "a -> b -> a": each needs the next one. */
static void document_refuse_cycle(
	struct document *document, const uint32_t *path, uint32_t n, yyjson_val *jobs)
{
	const struct plan *plan = document->plan;
	struct document_walk walk = {.depth = 0};
	struct buffer *out = &document->scratch;

	buffer_clear(out);
	for (uint32_t i = 0; i < n; i++) {
		if (i == DOCUMENT_CYCLE_SHOWN && n > DOCUMENT_CYCLE_SHOWN + 1) {
			buffer_printf(out, "... %u more ... -> ", n - 1 - i);
			i = n - 1;
		}
		buffer_append_text(out, plan->jobs[path[i]].id);
		buffer_append_literal(out, " -> ");
	}
	buffer_append_text(out, plan->jobs[path[0]].id);
	if (out->failed) {
		document->no_memory = true;
		return;
	}
	document_walk_to(document, &walk, jobs, path[0]);
	document_refuse(document, &walk.levels[walk.depth - 1].member, FAULT_GRAPH_CYCLE, "%.*s",
		TEXT_ARGS(buffer_text(out)));
}

static void document_finish_edges(struct document *document, yyjson_val *jobs)
{
	struct plan *plan = document->plan;
	struct arena *arena = &document->errors->arena;
	struct arena scratch;
	uint32_t *path;
	uint32_t n;

	/* The path may be as long as the graph, and is needed for a moment. */
	arena_init(&scratch, arena->bytes_max + plan->n_jobs * sizeof(*path));
	if (plan_set_edges(plan, document->edges, document->n_edges) < 0 ||
		plan_find_cycle(plan, &scratch, &path, &n) < 0)
		document->no_memory = true;
	else if (n > 0)
		document_refuse_cycle(document, path, n, jobs);
	else if (plan_set_remaining(plan) < 0)
		document->no_memory = true;
	arena_deinit(&scratch);
}

/* The job makes a request, and somebody refers to its body: to that of the fan-out where it is the
 * child of one, which is the place then. PLAN_NONE: not so. */
static uint32_t document_find_wanted(const struct plan *plan, uint32_t index)
{
	const struct plan_job *job = &plan->jobs[index];

	if (job->kind != PLAN_LEAF)
		return PLAN_NONE;
	if (job->parent != PLAN_NONE && plan->jobs[job->parent].kind == PLAN_EACH)
		index = job->parent;
	return plan->jobs[index].keep & PLAN_KEEP_BODY ? index : PLAN_NONE;
}

/* A body that goes elsewhere has no value for a reference, ever. (In a group's body it is null.)
 * What that is wrong with is the reference, and where it stands nobody remembers: the document is
 * read again then. */
static void document_find_sinks(struct document *document)
{
	const struct plan *plan = document->plan;

	for (uint32_t i = 0; document->has_sinks && i < plan->n_jobs; i++) {
		enum plan_output output = plan->jobs[i].spec->output;
		uint32_t index = PLAN_NONE;

		if (output != PLAN_INLINE)
			index = document_find_wanted(plan, i);
		if (index == PLAN_NONE)
			continue;
		if (!document->found_sinks)
			document->found_sinks =
				calloc(plan->n_jobs, sizeof(*document->found_sinks));
		if (!document->found_sinks) {
			document->no_memory = true;
			return;
		}
		document->found_sinks[index] = (uint8_t)output;
	}
}

/* The body of a group, or of a fan-out, is made of its children's. */
static void document_finish_keep(struct plan *plan)
{
	/* A plan of leaves alone has none. */
	for (uint32_t i = 0; plan->n_jobs > plan->n_leaves && i < plan->n_jobs; i++) {
		struct plan_job *job = &plan->jobs[i];

		if (job->parent != PLAN_NONE && (plan->jobs[job->parent].keep & PLAN_KEEP_BODY))
			job->keep |= PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME;
	}
}

/* Everything, as far as it can be read. */
static void document_build(struct document *document, yyjson_val *graph)
{
	struct document_at at = {.key = TEXT("defaults")};
	struct document_job job;

	document_read_graph(document, graph, &job);
	if (!yyjson_is_ctn(job.jobs) || !document_register_jobs(document, job.jobs))
		return;
	if (document_push_defaults(document, job.defaults, 1, PLAN_NONE, &at))
		document_read_jobs(document, job.jobs);
	if (!document_is_over(document))
		document_read_return(document);
	if (document_is_over(document))
		return;
	if (!document->sinks)
		document_find_sinks(document);
	document_finish_keep(document->plan);
	document_finish_edges(document, job.jobs);
}

static struct plan *document_new_plan(size_t bytes)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	arena_init(&plan->arena, bytes * DOCUMENT_MEMORY_FACTOR + DOCUMENT_MEMORY_MIN);
	table_init(&plan->ids);
	return plan;
}

static void document_deinit(struct document *document)
{
	document_pop_defaults(document, 0);
	buffer_deinit(&document->scratch);
	free(document->inheritance);
	free(document->edges);
	free(document->fields);
	free(document->found_sinks);
}

/* Reads it once. Where *ret_sinks is not NULL then, it is to be read again with it, and is the
 * caller's to free. */
static int document_make_with(yyjson_val *graph, size_t bytes, struct document *document,
	struct plan **ret_plan, uint8_t **ret_sinks)
{
	int r = 0;

	*ret_sinks = NULL;
	document->priority = PLAN_PRIORITY_DEFAULT;
	document->plan = document_new_plan(bytes);
	if (!document->plan)
		return -ENOMEM;
	buffer_init(&document->scratch, bytes * DOCUMENT_MEMORY_FACTOR + DOCUMENT_MEMORY_MIN);
	document_build(document, graph);
	if (document->no_memory)
		r = -ENOMEM;
	else if (document->errors->n > 0 || document->found_sinks)
		r = DOCUMENT_E_REFUSED;
	if (r == 0)
		*ret_plan = document->plan;
	else
		plan_free(document->plan);
	*ret_sinks = document->found_sinks;
	document->found_sinks = NULL;
	document_deinit(document);
	return r;
}

/* The plan does not own the JSON yet. */
static int document_make(yyjson_val *graph, size_t bytes, const struct document_limits *limits,
	struct plan **ret_plan, struct plan_errors *errors)
{
	struct document document = {.limits = limits, .errors = errors};
	uint8_t *sinks, *found;
	int r;

	if (bytes > limits->bytes_max) {
		document_refuse(&document, NULL, FAULT_GRAPH_TOO_LARGE,
			"%zu bytes are more than the %zu there may be", bytes, limits->bytes_max);
		return document.no_memory ? -ENOMEM : DOCUMENT_E_REFUSED;
	}
	r = document_make_with(graph, bytes, &document, ret_plan, &sinks);
	if (r == DOCUMENT_E_REFUSED && sinks) {
		/* All that is wrong is told anew, in its order. */
		plan_errors_deinit(errors);
		plan_errors_init(errors);
		document = (struct document){.limits = limits, .errors = errors, .sinks = sinks};
		r = document_make_with(graph, bytes, &document, ret_plan, &found);
	}
	free(sinks);
	return r;
}

int document_parse_value(yyjson_doc **docp, yyjson_val *graph, const struct document_limits *limits,
	struct plan **ret_plan, struct plan_errors *errors)
{
	struct plan *plan = NULL;
	int r = document_make(graph, yyjson_doc_get_read_size(*docp), limits, &plan, errors);

	if (r < 0)
		return r;
	if (r == 0) {
		plan->doc = *docp;
		*ret_plan = plan;
	} else {
		yyjson_doc_free(*docp);
	}
	*docp = NULL;
	return r;
}

static void document_refuse_syntax(
	struct document *document, struct text json, const struct json_error *error)
{
	size_t end = error->at < json.size ? error->at : json.size;
	size_t line = 1, column = 1;

	for (size_t i = 0; i < end; i++) {
		/* A column is a character, which is its first byte. */
		column += ((unsigned char)json.data[i] & 0xc0) != 0x80;
		if (json.data[i] == '\n') {
			line++;
			column = 1;
		}
	}
	document_refuse(document, NULL, FAULT_GRAPH_SYNTAX,
		"not JSON: %s at byte %zu, line %zu, column %zu", error->message, error->at, line,
		column);
}

static int document_refuse_text(
	struct text json, const struct json_error *error, struct plan_errors *errors)
{
	struct document document = {.errors = errors};

	if (error->no_memory)
		return -ENOMEM;
	if (error->too_deep)
		document_refuse(&document, NULL, FAULT_GRAPH_TOO_LARGE,
			"it nests deeper than %u levels", JSON_DEPTH_MAX);
	else
		document_refuse_syntax(&document, json, error);
	return document.no_memory ? -ENOMEM : DOCUMENT_E_REFUSED;
}

int document_parse(struct text json, const struct document_limits *limits, struct plan **ret_plan,
	struct plan_errors *errors)
{
	struct json_error error;
	yyjson_doc *doc = NULL;
	int r;

	/* Before it is read: reading takes memory. */
	if (json.size > limits->bytes_max)
		return document_make(NULL, json.size, limits, ret_plan, errors);
	doc = json_read(json, &error);
	if (!doc)
		return document_refuse_text(json, &error, errors);
	r = document_parse_value(&doc, yyjson_doc_get_root(doc), limits, ret_plan, errors);
	if (r < 0)
		yyjson_doc_free(doc);
	return r;
}
