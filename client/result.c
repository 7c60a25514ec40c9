/* SPDX-License-Identifier: MIT */
/*
 * The three-line use: URLs in, results out, as Promise.allSettled() does it. A result outlives
 * the events it came with, so here records are copied, record and body in one piece each.
 *
 * It takes all events of the handle until its graph is done; those of another graph would be lost,
 * so a handle with graphs open is refused.
 */
#include "client/handle.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/fault.h"
#include "proto/json.h"

struct settle_results {
	size_t n;
	/* Without `json` where it has not come. */
	struct settle_record records[];
};

struct settle_results *settle_results_free(struct settle_results *results)
{
	if (!results)
		return NULL;
	for (size_t i = 0; i < results->n; i++) {
		access_deinit(&results->records[i]);
		free((char *)(uintptr_t)results->records[i].json.data);
	}
	free(results);
	return NULL;
}

size_t settle_results_count(const struct settle_results *results)
{
	return results->n;
}

const struct settle_record *settle_results_get(const struct settle_results *results, size_t i)
{
	return i < results->n ? &results->records[i] : NULL;
}

/* Copies a record to its place. */
static int result_keep(struct settle_results *results, struct settle_record *record)
{
	struct settle_record *kept;
	uint32_t index;
	char *memory;

	if (!access_read(record))
		return -EPROTO;
	index = record->index;
	if (index >= results->n || results->records[index].json.data)
		return -EPROTO;
	memory = malloc(record->json.size + record->body.size);
	if (!memory)
		return -ENOMEM;
	kept = &results->records[index];
	memcpy(memory, record->json.data, record->json.size);
	if (record->body.size > 0)
		memcpy(memory + record->json.size, record->body.data, record->body.size);
	access_init(kept, (struct text){memory, record->json.size});
	kept->body = (struct text){memory + record->json.size, record->body.size};
	kept->has_body = record->has_body;
	return 0;
}

/* Why a graph was refused, as an errno: the first error's code decides. */
static int result_refusal(const struct settle_event *event)
{
	struct json_error error;
	yyjson_doc *doc = json_read(event->json, &error);
	yyjson_val *errors = yyjson_obj_get(yyjson_doc_get_root(doc), "errors");
	struct text code = json_string(yyjson_obj_get(yyjson_arr_get_first(errors), "code"));
	enum fault_code fault = code.data ? fault_from_name(code) : FAULT_NONE;

	yyjson_doc_free(doc);
	switch (fault) {
	case FAULT_NOT_PERMITTED: return -EACCES;
	case FAULT_QUOTA: return -EDQUOT;
	case FAULT_OVERLOADED: return -EAGAIN;
	case FAULT_DRAINING: return -ESHUTDOWN;
	default: return -EINVAL;
	}
}

/* 0 where all have come. */
static int result_check(const struct settle_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		if (!results->records[i].json.data)
			return -EPROTO;
	}
	return 0;
}

/* Takes events until the graph is done. */
static int result_collect(struct settle *settle, struct settle_results *results)
{
	for (;;) {
		const struct settle_event *event;
		int result = settle_next(settle, -1, &event);

		if (result == -EINTR)
			continue;
		if (result < 0)
			return result;
		switch (event->type) {
		case SETTLE_SETTLED:
			result = result_keep(results, &settle->event.record);
			if (result < 0)
				return result;
			break;
		case SETTLE_REFUSED: return result_refusal(event);
		case SETTLE_DONE: return result_check(results);
		default: break;
		}
	}
}

static int result_submit(struct settle *settle, const char *const *urls, size_t n)
{
	struct settle_graph *graph = settle_graph_new();
	int result;

	for (size_t i = 0; i < n; i++)
		settle_graph_job(graph, NULL, urls[i]);
	result = settle_graph_submit(settle, graph, NULL);
	settle_graph_free(graph);
	return result;
}

int settle_all_settled(struct settle *settle, const char *const *urls, size_t n,
	struct settle_results **ret_results)
{
	struct settle_results *results;
	int result;

	if (settle->graphs_open > 0)
		return -EBUSY;
	if (n > UINT32_MAX)
		return -EINVAL;
	results = calloc(1, sizeof(*results) + n * sizeof(results->records[0]));
	if (!results)
		return -ENOMEM;
	results->n = n;
	result = n > 0 ? result_submit(settle, urls, n) : 0;
	if (result == 0 && n > 0)
		result = result_collect(settle, results);
	if (result == -EPROTO)
		settle->error = result;
	if (result < 0) {
		settle_results_free(results);
		return result;
	}
	*ret_results = results;
	return 0;
}
