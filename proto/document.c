/* SPDX-License-Identifier: MIT */
#include "proto/document.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/document_private.h"
#include "util/container.h"

/*
 * From a graph document to a plan. References point forward, so it takes two walks over the jobs:
 * the first gives each its id, the second reads it. What the graph itself says is read before
 * both, whatever the order in the text:
 *
 *   keys of the graph -> ids -> defaults -> jobs (edges) -> return -> sorted edges -> cycles
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

const struct document_limits document_limits_default = {PLAN_JOBS_MAX, PLAN_BYTES_MAX};

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

static void document_read_mode(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("settled"), PLAN_SETTLED},
		{TEXT_INIT("all"), PLAN_ALL},
		{TEXT_INIT("any"), -1},
		{TEXT_INIT("race"), -1},
		{{NULL, 0}, 0},
	};
	int mode = document_read_word(document, value, at, words);

	if (mode >= 0)
		document->plan->mode = (enum plan_mode)mode;
}

static void document_read_concurrency(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("unbounded"), 0},
		{{NULL, 0}, 0},
	};
	struct text text = json_number(value);
	uint64_t concurrency;

	if (yyjson_is_str(value)) {
		if (document_read_word(document, value, at, words) == 0)
			document->plan->concurrency = PLAN_UNBOUNDED;
	} else if (!text.data) {
		document_refuse_type(document, at, value, "a number or \"unbounded\"");
	} else if (!text_to_u64(text, PLAN_UNBOUNDED - 1, &concurrency) || concurrency == 0) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be a whole number from 1 on, or \"unbounded\"");
	} else {
		document->plan->concurrency = (uint32_t)concurrency;
	}
}

static void document_read_graph_timeout(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_duration(document, value, at, &document->plan->timeout_ns);
}

static void document_read_input(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->place = DOCUMENT_IN_INPUT;
	document->plan->input = value;
	document_read_json(document, job, value, at);
}

static void document_note_defaults(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document->defaults = value;
}

static void document_note_jobs(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	if (!yyjson_is_ctn(value))
		document_refuse_type(document, at, value, "an object or an array");
	document->jobs = value;
}

static void document_note_return(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document->plan->result = value;
}

static void document_read_graph(struct document *document, yyjson_val *graph)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("version"), document_read_version},
		{TEXT_INIT("name"), document_read_name},
		{TEXT_INIT("mode"), document_read_mode},
		{TEXT_INIT("concurrency"), document_read_concurrency},
		{TEXT_INIT("timeout"), document_read_graph_timeout},
		{TEXT_INIT("input"), document_read_input},
		{TEXT_INIT("defaults"), document_note_defaults},
		{TEXT_INIT("jobs"), document_note_jobs},
		{TEXT_INIT("return"), document_note_return},
		{TEXT_INIT("priority"), NULL},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	struct document_job job = {.owner = DOCUMENT_OF_GRAPH};

	document_read_object(document, &schema, graph, &job, NULL);
	if (yyjson_is_obj(graph) && !document->jobs)
		document_refuse(document, NULL, FAULT_GRAPH_KEY, "the key \"jobs\" is missing");
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

static void document_register(
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

static void document_register_members(struct document *document, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(document->jobs);
	struct plan_job *job = document->plan->jobs;
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};

		job->id = member.key;
		document_register(document, job++, &member);
	}
}

/* The index in decimal, at the end of the room for it. Returns its first digit. */
static char *document_put_index(char *end, uint32_t index)
{
	do {
		*--end = (char)('0' + index % 10);
		index /= 10;
	} while (index > 0);
	return end;
}

/* The id of an element: what it says, or else its index, put before *endp. */
static void document_register_element(struct document *document, struct plan_job *job,
	yyjson_val *value, char **endp, const struct document_at *at)
{
	yyjson_val *id = yyjson_obj_getn(value, "id", strlen("id"));
	struct document_at member = {.parent = at, .key = TEXT("id")};
	char *begin = document_put_index(*endp, plan_index(document->plan, job));

	job->id = (struct text){begin, (size_t)(*endp - begin)};
	if (!id) {
		*endp = begin;
		document_register(document, job, at);
	} else if (document_read_string(document, id, &member, &job->id)) {
		document_register(document, job, &member);
	}
}

static void document_register_elements(struct document *document, const struct document_at *at)
{
	struct plan *plan = document->plan;
	char digits[20];
	size_t n_digits = (size_t)(digits + sizeof(digits) -
				   document_put_index(digits + sizeof(digits), plan->n_jobs));
	char *room = document_alloc(document, plan->n_jobs, n_digits);
	char *end = room + plan->n_jobs * n_digits;
	yyjson_arr_iter iter = yyjson_arr_iter_with(document->jobs);
	struct document_at element = {.parent = at};

	for (; room && element.index < plan->n_jobs; element.index++)
		document_register_element(document, &plan->jobs[element.index],
			yyjson_arr_iter_next(&iter), &end, &element);
}

/* All jobs have an id and can be found. False: nothing more can be read. */
static bool document_register_jobs(struct document *document, const struct document_at *at)
{
	struct plan *plan = document->plan;
	size_t n = unsafe_yyjson_get_len(document->jobs);

	if (n > document->limits->jobs_max) {
		document_refuse(document, at, FAULT_GRAPH_TOO_LARGE,
			"%zu jobs are more than the %u there may be", n,
			document->limits->jobs_max);
		return false;
	}
	plan->is_array = yyjson_is_arr(document->jobs);
	plan->n_jobs = (uint32_t)n;
	plan->jobs = document_alloc(document, n, sizeof(*plan->jobs));
	if (n == 0)
		return true;
	if (!table_reserve(&plan->ids, n))
		document->no_memory = true;
	if (!plan->jobs || document->no_memory)
		return false;
	if (plan->is_array)
		document_register_elements(document, at);
	else
		document_register_members(document, at);
	return !document->no_memory;
}

static void document_read_jobs(struct document *document, const struct document_at *at)
{
	yyjson_obj_iter members = yyjson_obj_iter_with(document->jobs);
	yyjson_arr_iter elements = yyjson_arr_iter_with(document->jobs);
	bool is_array = document->plan->is_array;
	struct document_job job = {.owner = DOCUMENT_OF_JOB};

	for (; job.index < document->plan->n_jobs && !document_is_over(document); job.index++) {
		struct document_at here = {.parent = at, .index = job.index};
		yyjson_val *value;

		if (is_array) {
			value = yyjson_arr_iter_next(&elements);
		} else {
			yyjson_val *key = yyjson_obj_iter_next(&members);

			here.key = json_string(key);
			value = yyjson_obj_iter_get_val(key);
		}
		document_read_job(document, &job, value, &here);
	}
}

static void document_read_return(struct document *document)
{
	struct document_at at = {.key = TEXT("return")};
	struct document_job job = {.owner = DOCUMENT_OF_GRAPH, .place = DOCUMENT_IN_RETURN};

	if (document->plan->result)
		document_read_json(document, &job, document->plan->result, &at);
}

/* "a -> b -> a": each needs the next one. */
static void document_refuse_cycle(
	struct document *document, const uint32_t *path, uint32_t n, const struct document_at *at)
{
	const struct plan *plan = document->plan;
	struct text first = plan->jobs[path[0]].id;
	struct document_at here = {.parent = at, .index = path[0]};
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
	buffer_append_text(out, first);
	if (out->failed) {
		document->no_memory = true;
		return;
	}
	if (!plan->is_array)
		here.key = first;
	document_refuse(document, &here, FAULT_GRAPH_CYCLE, "%.*s", TEXT_ARGS(buffer_text(out)));
}

static void document_finish_edges(struct document *document, const struct document_at *at)
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
		document_refuse_cycle(document, path, n, at);
	arena_deinit(&scratch);
}

/* Everything, as far as it can be read. */
static void document_build(struct document *document, yyjson_val *graph)
{
	struct document_at at = {.key = TEXT("jobs")};

	document_read_graph(document, graph);
	if (!document->jobs || !yyjson_is_ctn(document->jobs))
		return;
	if (!document_register_jobs(document, &at))
		return;
	document_read_defaults(document, document->defaults);
	if (!document_is_over(document))
		document_read_jobs(document, &at);
	if (!document_is_over(document))
		document_read_return(document);
	if (!document_is_over(document))
		document_finish_edges(document, &at);
}

static struct plan *document_new_plan(size_t bytes)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	arena_init(&plan->arena, bytes * DOCUMENT_MEMORY_FACTOR + DOCUMENT_MEMORY_MIN);
	table_init(&plan->ids);
	plan->concurrency = PLAN_CONCURRENCY_DEFAULT;
	plan->timeout_ns = PLAN_NEVER;
	return plan;
}

static void document_deinit(struct document *document)
{
	table_deinit(&document->name_table);
	buffer_deinit(&document->scratch);
	free(document->inheritance);
	free(document->edges);
	free(document->fields);
}

/* The plan does not own the JSON yet. */
static int document_make(yyjson_val *graph, size_t bytes, const struct document_limits *limits,
	struct plan **ret_plan, struct plan_errors *errors)
{
	struct document document = {.limits = limits, .errors = errors};
	int r = 0;

	if (bytes > limits->bytes_max) {
		document_refuse(&document, NULL, FAULT_GRAPH_TOO_LARGE,
			"%zu bytes are more than the %zu there may be", bytes, limits->bytes_max);
		return document.no_memory ? -ENOMEM : DOCUMENT_E_REFUSED;
	}
	document.plan = document_new_plan(bytes);
	if (!document.plan)
		return -ENOMEM;
	table_init(&document.name_table);
	buffer_init(&document.scratch, bytes * DOCUMENT_MEMORY_FACTOR + DOCUMENT_MEMORY_MIN);
	document_build(&document, graph);
	if (document.no_memory)
		r = -ENOMEM;
	else if (errors->n > 0)
		r = DOCUMENT_E_REFUSED;
	if (r == 0)
		*ret_plan = document.plan;
	else
		plan_free(document.plan);
	document_deinit(&document);
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
