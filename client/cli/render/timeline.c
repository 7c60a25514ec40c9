/* SPDX-License-Identifier: MIT */
/*
 * A record is read once, when it comes, and what the views need of it is copied into one arena:
 * they are drawn when the graph is done, and the record's text is gone by then. Where a record
 * says nothing about its request (it was never sent, or failed before the response), the plan
 * does, if there is one.
 *
 * Which jobs are critical stands in the summary by id; so does, for records, the fan-out's child
 * ("posts[3]"). One table of ids makes that one look-up for each.
 */
#include "client/cli/render/timeline.h"

#include <stdlib.h>

#include "client/cli/render/place.h"
#include "client/cli/render/timeline_piece.h"
#include "proto/json.h"
#include "util/table.h"

const char *timeline_phase_name(enum timeline_phase phase)
{
	static const char *const names[TIMELINE_PHASES] = {
		[TIMELINE_WAIT] = "wait",
		[TIMELINE_QUEUE] = "queue",
		[TIMELINE_DNS] = "dns",
		[TIMELINE_CONNECT] = "connect",
		[TIMELINE_TLS] = "tls",
		[TIMELINE_FIRST_BYTE] = "first byte",
		[TIMELINE_BODY] = "body",
		[TIMELINE_BACKOFF] = "backoff",
		[TIMELINE_OTHER] = "other",
	};

	return names[phase];
}

void timeline_init(struct timeline *timeline, const struct plan *plan)
{
	*timeline = (struct timeline){.plan = plan};
	arena_init(&timeline->arena, SIZE_MAX / 4);
}

void timeline_deinit(struct timeline *timeline)
{
	arena_deinit(&timeline->arena);
	free(timeline->jobs);
}

/* -- One record -------------------------------------------------------------------------------- */

static struct text timeline_copy(struct timeline *timeline, struct text text)
{
	struct text copy = {NULL, 0};

	if (!text.data)
		return copy;
	copy = arena_copy(&timeline->arena, text);
	if (!copy.data)
		timeline->no_memory = true;
	return copy;
}

static struct text timeline_copy_string(
	struct timeline *timeline, yyjson_val *object, const char *name)
{
	return timeline_copy(timeline, json_string(yyjson_obj_get(object, name)));
}

static uint64_t timeline_number(yyjson_val *object, const char *name, uint64_t max)
{
	struct text digits = json_number(yyjson_obj_get(object, name));
	uint64_t number;

	return digits.data && text_to_u64(digits, max, &number) ? number : 0;
}

/* What failed, and what there is of a response. */
static void timeline_read_reason(
	struct timeline *timeline, struct timeline_job *job, yyjson_val *record)
{
	yyjson_val *reason = yyjson_obj_get(record, "reason");
	yyjson_val *value = yyjson_obj_get(record, "value");
	yyjson_val *response;

	if (!reason)
		reason = yyjson_obj_get(record, "cause");
	job->code = timeline_copy_string(timeline, reason, "code");
	job->by = timeline_copy_string(timeline, reason, "by");
	job->message = timeline_copy_string(timeline, reason, "message");
	job->stopped = timeline_copy_string(timeline, reason, "stopped");
	job->is_cancelled = job->is_rejected && job->code.data && text_is(job->code, "CANCELLED");
	response = yyjson_obj_get(value, "status") ? value : yyjson_obj_get(reason, "response");
	job->status = (uint16_t)timeline_number(response, "status", 999);
	job->url = timeline_copy_string(timeline, response, "url");
	job->bytes = timeline_number(value ? value : response, "bytes", UINT64_MAX);
}

/* What the record does not say about its request. */
static void timeline_read_plan(struct timeline *timeline, struct timeline_job *job)
{
	const struct plan_job *planned = place_find(timeline->plan, job->id);

	if (!planned || planned->kind != PLAN_LEAF)
		return;
	if (!job->url.data) {
		job->url = timeline_copy(timeline, planned->url);
		job->url_is_template = planned->url_is_template;
	}
	if (planned->spec->method.data)
		job->method = timeline_copy(timeline, planned->spec->method);
	else
		job->method = planned->spec->body == PLAN_BODY_NONE ? TEXT("GET") : TEXT("POST");
}

static void timeline_read_item(struct timeline_job *job)
{
	struct text items = place_items(job->id);

	while (place_next_item(&items, &job->item))
		job->has_item = true;
}

static bool timeline_read(struct timeline *timeline, struct timeline_job *job,
	const struct render_record *record, yyjson_val *root)
{
	yyjson_val *conn = yyjson_obj_get(root, "conn");
	struct text body = record->body;

	if (body.size > TIMELINE_BODY_MAX)
		body.size = TIMELINE_BODY_MAX;
	*job = (struct timeline_job){
		.id = timeline_copy(timeline, record->job),
		.via = timeline_copy_string(timeline, root, "via"),
		.of = timeline_copy_string(timeline, root, "of"),
		.remote = timeline_copy_string(timeline, conn, "remote"),
		.reused = yyjson_is_true(yyjson_obj_get(conn, "reused")),
		.json = timeline_copy(timeline, record->json),
		.index = record->index,
		.is_group = record->is_group || yyjson_is_true(yyjson_obj_get(root, "group")),
		.is_rejected = record->is_rejected,
		.attempts = (uint32_t)timeline_number(root, "attempts", UINT32_MAX),
	};
	job->is_skipped = job->via.data && text_is(job->via, "skipped");
	if (job->is_rejected && body.size > 0)
		job->body = timeline_copy(timeline, body);
	timeline_read_item(job);
	timeline_read_reason(timeline, job, root);
	timeline_read_plan(timeline, job);
	return timeline_cut(job, root, &timeline->arena);
}

static bool timeline_make_room(struct timeline *timeline)
{
	uint32_t room = timeline->room ? timeline->room * 2 : 64;
	struct timeline_job *jobs;

	if (timeline->n_jobs < timeline->room)
		return true;
	if (room < timeline->room)
		return false;
	jobs = realloc(timeline->jobs, room * sizeof(*jobs));
	if (!jobs)
		return false;
	timeline->jobs = jobs;
	timeline->room = room;
	return true;
}

void timeline_add(struct timeline *timeline, const struct render_record *record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record->json, &error);

	/* Without a document, or without memory for it, every member is missing. */
	if (!doc)
		timeline->no_memory = true;
	if (timeline_make_room(timeline) &&
		timeline_read(timeline, &timeline->jobs[timeline->n_jobs], record,
			yyjson_doc_get_root(doc)))
		timeline->n_jobs++;
	else
		timeline->no_memory = true;
	yyjson_doc_free(doc);
}

/* -- The end ----------------------------------------------------------------------------------- */

static int timeline_compare(const void *a, const void *b)
{
	const struct timeline_job *left = a, *right = b;

	if (left->index != right->index)
		return left->index < right->index ? -1 : 1;
	return place_compare_items(place_items(left->id), place_items(right->id));
}

static bool timeline_match(const void *value, const void *key)
{
	const struct timeline_job *job = value;
	const struct text *id = key;

	return text_equal(job->id, *id);
}

static struct timeline_job *timeline_find(const struct table *ids, struct text id)
{
	return table_find(ids, table_hash(id), timeline_match, &id);
}

static void timeline_mark(struct timeline *timeline, yyjson_val *path)
{
	struct table ids;
	size_t i, n;
	yyjson_val *id;

	table_init(&ids);
	for (uint32_t job = 0; job < timeline->n_jobs; job++) {
		struct timeline_job *one = &timeline->jobs[job];

		if (!timeline_find(&ids, one->id) && !table_insert(&ids, table_hash(one->id), one))
			timeline->no_memory = true;
	}
	yyjson_arr_foreach(path, i, n, id)
	{
		struct text text = json_string(id);
		struct timeline_job *job = text.data ? timeline_find(&ids, text) : NULL;

		if (job)
			job->is_critical = true;
	}
	table_deinit(&ids);
}

static void timeline_read_summary(struct timeline *timeline, yyjson_val *summary)
{
	yyjson_val *reason = yyjson_obj_get(summary, "reason");

	timeline->has_summary = true;
	timeline->is_rejected = yyjson_equals_str(yyjson_obj_get(summary, "status"), "rejected");
	timeline->name = timeline_copy_string(timeline, summary, "graph");
	timeline->code = timeline_copy_string(timeline, reason, "code");
	timeline->message = timeline_copy_string(timeline, reason, "message");
	timeline->wall_us = timeline_us(yyjson_obj_get(summary, "wall_ms"));
	timeline->sum_us = timeline_us(yyjson_obj_get(summary, "sum_ms"));
	timeline->n_fulfilled = (uint32_t)timeline_number(summary, "fulfilled", UINT32_MAX);
	timeline->n_rejected = (uint32_t)timeline_number(summary, "rejected", UINT32_MAX);
	timeline->n_skipped = (uint32_t)timeline_number(summary, "skipped", UINT32_MAX);
	timeline_mark(timeline, yyjson_obj_get(summary, "critical_path"));
}

void timeline_finish(struct timeline *timeline, const struct render_end *end)
{
	struct json_error error;
	yyjson_doc *doc;

	if (timeline->n_jobs > 1)
		qsort(timeline->jobs, timeline->n_jobs, sizeof(*timeline->jobs), timeline_compare);
	if (!end->summary.data)
		return;
	doc = json_read(end->summary, &error);
	if (doc)
		timeline_read_summary(timeline, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
}
