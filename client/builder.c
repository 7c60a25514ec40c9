/* SPDX-License-Identifier: MIT */
/*
 * A graph document made by calls. It is a yyjson document to be: a value given as JSON is read at
 * once, so that a mistake is known to the call that made it, with its numbers as they are written.
 *
 * `jobs` is an array, so that a job without an id has its place for one, and results come with
 * the index under which they were added. A key set twice has its last value, a header added twice
 * both of them.
 *
 * Groups that are open stand on a stack, the innermost one last, and it is there that a job is
 * added. Where its jobs are is looked up each time, because they are a key like all others, that
 * may have been set meanwhile.
 *
 * The first failure is remembered and told by the submit; every call after it does nothing. A
 * graph that could not be made (NULL) is one that failed for lack of memory.
 */
#include "client/handle.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/json.h"

/* Groups in groups, as deep as a document may nest. */
#define BUILDER_DEPTH_MAX 32

struct settle_graph {
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
	yyjson_mut_val *open[BUILDER_DEPTH_MAX];
	uint32_t n_open;
	/* The job added or the group ended last, and its headers; NULL while there is none. */
	yyjson_mut_val *job;
	yyjson_mut_val *headers;
	int error;
};

struct settle_graph *settle_graph_free(struct settle_graph *graph)
{
	if (!graph)
		return NULL;
	yyjson_mut_doc_free(graph->doc);
	free(graph);
	return NULL;
}

struct settle_graph *settle_graph_new(void)
{
	struct settle_graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return NULL;
	graph->doc = yyjson_mut_doc_new(NULL);
	graph->root = yyjson_mut_obj(graph->doc);
	if (!yyjson_mut_obj_add_arr(graph->doc, graph->root, "jobs"))
		return settle_graph_free(graph);
	yyjson_mut_doc_set_root(graph->doc, graph->root);
	return graph;
}

/* A copy of a C string; NULL, and the error, where it is none or not UTF-8. */
static yyjson_mut_val *builder_string(struct settle_graph *graph, const char *string)
{
	yyjson_mut_val *value = NULL;

	if (!string || !text_is_utf8(text_from(string))) {
		graph->error = -EINVAL;
		return NULL;
	}
	value = yyjson_mut_strcpy(graph->doc, string);
	if (!value)
		graph->error = -ENOMEM;
	return value;
}

/* A value read from JSON text. */
static yyjson_mut_val *builder_json(struct settle_graph *graph, const char *json)
{
	struct json_error error = {0};
	yyjson_mut_val *value;
	yyjson_doc *doc;

	doc = json ? json_read(text_from(json), &error) : NULL;
	if (!doc) {
		graph->error = error.no_memory ? -ENOMEM : -EINVAL;
		return NULL;
	}
	value = yyjson_val_mut_copy(graph->doc, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	if (!value)
		graph->error = -ENOMEM;
	return value;
}

/* Sets or replaces a member. */
static void builder_put(
	struct settle_graph *graph, yyjson_mut_val *object, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_val *name = builder_string(graph, key);

	if (!name || !value)
		return;
	if (!yyjson_mut_obj_put(object, name, value))
		graph->error = -EINVAL;
}

void settle_graph_set(struct settle_graph *graph, const char *key, const char *json_value)
{
	if (!graph || graph->error)
		return;
	if (!key || strcmp(key, "jobs") == 0) {
		graph->error = -EINVAL;
		return;
	}
	builder_put(graph, graph->root, key, builder_json(graph, json_value));
}

/* Adds an object to the jobs of the innermost open group, and makes it the job spoken of. False,
 * and the error, where that is not possible. */
static bool builder_add(struct settle_graph *graph, const char *id)
{
	yyjson_mut_val *group, *jobs;

	if (!graph || graph->error)
		return false;
	group = graph->n_open > 0 ? graph->open[graph->n_open - 1] : graph->root;
	jobs = yyjson_mut_obj_get(group, "jobs");
	if (!yyjson_mut_is_arr(jobs)) {
		graph->error = -EINVAL;
		return false;
	}
	graph->headers = NULL;
	graph->job = yyjson_mut_arr_add_obj(graph->doc, jobs);
	if (!graph->job)
		graph->error = -ENOMEM;
	else if (id)
		builder_put(graph, graph->job, "id", builder_string(graph, id));
	return graph->error == 0;
}

void settle_graph_job(struct settle_graph *graph, const char *id, const char *url)
{
	if (builder_add(graph, id))
		builder_put(graph, graph->job, "url", builder_string(graph, url));
}

void settle_graph_group(struct settle_graph *graph, const char *id)
{
	if (!builder_add(graph, id))
		return;
	if (graph->n_open == BUILDER_DEPTH_MAX)
		graph->error = -EINVAL;
	else if (!yyjson_mut_obj_add_arr(graph->doc, graph->job, "jobs"))
		graph->error = -ENOMEM;
	else
		graph->open[graph->n_open++] = graph->job;
}

void settle_graph_group_end(struct settle_graph *graph)
{
	if (!graph || graph->error)
		return;
	if (graph->n_open == 0) {
		graph->error = -EINVAL;
		return;
	}
	graph->job = graph->open[--graph->n_open];
	graph->headers = yyjson_mut_obj_get(graph->job, "headers");
}

/* True where there is a job to speak of. */
static bool builder_has_job(struct settle_graph *graph)
{
	if (!graph || graph->error)
		return false;
	if (!graph->job)
		graph->error = -EINVAL;
	return graph->job != NULL;
}

/* The headers may be replaced by this. */
static void builder_put_job(struct settle_graph *graph, const char *key, yyjson_mut_val *value)
{
	builder_put(graph, graph->job, key, value);
	if (!graph->error)
		graph->headers = yyjson_mut_obj_get(graph->job, "headers");
}

void settle_graph_job_set(struct settle_graph *graph, const char *key, const char *json_value)
{
	if (builder_has_job(graph))
		builder_put_job(graph, key, builder_json(graph, json_value));
}

void settle_graph_job_set_string(struct settle_graph *graph, const char *key, const char *value)
{
	if (builder_has_job(graph))
		builder_put_job(graph, key, builder_string(graph, value));
}

/* One more value of a header that is there: it becomes an array, if it is none yet. */
static void builder_add_value(
	struct settle_graph *graph, const char *name, yyjson_mut_val *there, yyjson_mut_val *value)
{
	yyjson_mut_val *first;

	if (yyjson_mut_is_arr(there)) {
		yyjson_mut_arr_append(there, value);
		return;
	}
	first = yyjson_mut_val_mut_copy(graph->doc, there);
	there = yyjson_mut_arr(graph->doc);
	if (!yyjson_mut_arr_append(there, first) || !yyjson_mut_arr_append(there, value))
		graph->error = -ENOMEM;
	else
		builder_put(graph, graph->headers, name, there);
}

void settle_graph_job_header(struct settle_graph *graph, const char *name, const char *value)
{
	yyjson_mut_val *there, *added;

	if (!builder_has_job(graph))
		return;
	if (!graph->headers)
		graph->headers = yyjson_mut_obj_add_obj(graph->doc, graph->job, "headers");
	added = builder_string(graph, value);
	if (!added)
		return;
	if (!yyjson_mut_is_obj(graph->headers)) {
		graph->error = graph->headers ? -EINVAL : -ENOMEM;
		return;
	}
	there = name ? yyjson_mut_obj_get(graph->headers, name) : NULL;
	if (there)
		builder_add_value(graph, name, there, added);
	else
		builder_put(graph, graph->headers, name, added);
}

/* A submission that fails takes the descriptors with it. */
static int builder_fail(struct settle *settle, int error)
{
	settle->parcel = parcel_free(settle->parcel);
	return error;
}

int settle_graph_submit(
	struct settle *settle, const struct settle_graph *graph, uint64_t *ret_graph)
{
	size_t size;
	char *json;
	int result;

	if (!graph)
		return builder_fail(settle, -ENOMEM);
	if (graph->error)
		return builder_fail(settle, graph->error);
	if (graph->n_open > 0)
		return builder_fail(settle, -EINVAL);
	json = yyjson_mut_write(graph->doc, 0, &size);
	if (!json)
		return builder_fail(settle, -ENOMEM);
	result = settle_submit(settle, json, size, ret_graph);
	free(json);
	return result;
}
