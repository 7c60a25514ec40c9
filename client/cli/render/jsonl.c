/* SPDX-License-Identifier: MIT */
/*
 * A record a line, as they settle. This is the way of a hundred thousand records a second: the
 * daemon's text goes into the sink's buffer with the body spliced in, and nothing is parsed.
 *
 * With keep_order a record that is early is kept, by its index, until all before it are out. The
 * memory this takes is that of the records that overtook the slowest one.
 *
 * All of an index are there with its one record, unless it belongs to a fan-out: nobody knows
 * how many children there will be. They come before the record of the fan-out itself, which
 * stands before them in the order: so that all indices of a fan-out (those of what is nested in it,
 * too) are complete with that record, and, where it was decided before its last child had
 * settled, with as many leaves as it says. A child that comes later than it should is shown at
 * once. Where there is no plan to tell which indices are inside a fan-out, those of its children
 * are complete at the end.
 */
#include "client/cli/render/render.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/message.h"
#include "client/cli/render/place.h"
#include "proto/json.h"
#include "util/container.h"

/* A place for each index: those beyond it are not believed. */
#define JSONL_JOBS_MAX (64u * 1000 * 1000)

/* What waits for its turn: the id's items, then the line. */
struct jsonl_line {
	struct jsonl_line *next;
	size_t items_size, size;
	char text[];
};

/* An index of the document. */
struct jsonl_place {
	/* The last one first; NULL: nothing waits. */
	struct jsonl_line *waiting;
	uint32_t n_waiting;
	/* The index of the outermost fan-out around it, or that it is of; PLAN_NONE: none. */
	uint32_t fan_out;
	/* Of a fan-out: the leaves that have come, and that there are (known once `is_closed`). */
	uint32_t n_leaves, n_leaves_all;
	/* True exactly when the record came that nothing of this index comes after. */
	bool is_closed;
};

struct render_jsonl {
	struct render render;
	struct jsonl_place *places;
	uint32_t n_places;
	/* Whose turn it is. */
	uint32_t next;
	/* A line being made. */
	struct buffer line;
};

static struct render_jsonl *jsonl_from(struct render *render)
{
	return container_of(render, struct render_jsonl, render);
}

/* -- Places ------------------------------------------------------------------------------------ */

static bool jsonl_make_place(struct render_jsonl *jsonl, uint32_t index)
{
	uint32_t n = jsonl->n_places ? jsonl->n_places : 64;
	struct jsonl_place *places;

	if (index < jsonl->n_places)
		return true;
	if (index >= JSONL_JOBS_MAX)
		return false;
	while (n <= index)
		n *= 2;
	places = realloc(jsonl->places, n * sizeof(*places));
	if (!places)
		return false;
	for (uint32_t i = jsonl->n_places; i < n; i++)
		places[i] = (struct jsonl_place){.fan_out = PLAN_NONE};
	jsonl->places = places;
	jsonl->n_places = n;
	return true;
}

/* Notes the outermost fan-out of each index in one. False: no memory. */
static bool jsonl_note_fan_outs(struct render_jsonl *jsonl, const struct plan *plan)
{
	const struct plan_job *outermost = NULL;
	uint32_t end = 0;

	for (uint32_t i = 0; plan && i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		if (i >= end)
			outermost = NULL;
		if (!outermost && job->kind == PLAN_EACH) {
			outermost = job;
			end = i + job->n_below + 1;
		}
		if (!outermost)
			continue;
		if (!jsonl_make_place(jsonl, job->index))
			return false;
		jsonl->places[job->index].fan_out = outermost->index;
	}
	return true;
}

/* How many leaves a fan-out's own record tells of; 0 where it does not say. */
static uint32_t jsonl_count_leaves(struct text record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record, &error);
	yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), "value");
	struct text digits = json_number(yyjson_obj_get(value, "jobs"));
	uint64_t n = 0;

	if (!digits.data || !text_to_u64(digits, UINT32_MAX, &n))
		n = 0;
	yyjson_doc_free(doc);
	return (uint32_t)n;
}

/* What the record's coming says of its index. */
static void jsonl_count(struct render_jsonl *jsonl, const struct render_record *record)
{
	struct jsonl_place *place = &jsonl->places[record->index];
	bool is_child = place_items(record->job).size > 0;

	if (place->fan_out != PLAN_NONE && is_child)
		jsonl->places[place->fan_out].n_leaves += !record->is_group;
	if (is_child)
		return;
	place->is_closed = true;
	if (place->fan_out == record->index)
		place->n_leaves_all = jsonl_count_leaves(record->json);
}

static bool jsonl_is_complete(const struct render_jsonl *jsonl, uint32_t index)
{
	const struct jsonl_place *place = &jsonl->places[index];

	if (place->fan_out != PLAN_NONE)
		place = &jsonl->places[place->fan_out];
	return place->is_closed && place->n_leaves >= place->n_leaves_all;
}

/* -- Waiting ----------------------------------------------------------------------------------- */

static int jsonl_compare(const void *a, const void *b)
{
	const struct jsonl_line *left = *(const struct jsonl_line *const *)a;
	const struct jsonl_line *right = *(const struct jsonl_line *const *)b;

	return place_compare_items((struct text){left->text, left->items_size},
		(struct text){right->text, right->items_size});
}

static void jsonl_show(struct sink *sink, const struct jsonl_line *line)
{
	buffer_append(&sink->buffer, line->text + line->items_size, line->size);
	sink_offer(sink);
}

/* Those of a fan-out, by item. False: no memory. */
static bool jsonl_show_sorted(struct sink *sink, const struct jsonl_place *place)
{
	struct jsonl_line **lines = calloc(place->n_waiting, sizeof(struct jsonl_line *));
	uint32_t n = 0;

	if (!lines)
		return false;
	for (struct jsonl_line *line = place->waiting; line; line = line->next)
		lines[n++] = line;
	qsort(lines, n, sizeof(struct jsonl_line *), jsonl_compare);
	for (uint32_t i = 0; i < n; i++)
		jsonl_show(sink, lines[i]);
	free(lines);
	return true;
}

static void jsonl_forget(struct jsonl_place *place)
{
	while (place->waiting) {
		struct jsonl_line *line = place->waiting;

		place->waiting = line->next;
		free(line);
	}
	place->n_waiting = 0;
}

/* Writes what waited, and forgets it. */
static void jsonl_release(struct render_jsonl *jsonl, uint32_t index)
{
	struct jsonl_place *place = &jsonl->places[index];
	struct sink *sink = jsonl->render.options.sink;

	/* Without memory, out of order is better than lost. */
	if (place->n_waiting <= 1 || !jsonl_show_sorted(sink, place)) {
		for (struct jsonl_line *line = place->waiting; line; line = line->next)
			jsonl_show(sink, line);
	}
	jsonl_forget(place);
}

static int jsonl_write(struct render_jsonl *jsonl, const struct render_record *record)
{
	struct sink *sink = jsonl->render.options.sink;
	int r = render_splice(&jsonl->render, record, &sink->buffer);

	buffer_append_byte(&sink->buffer, '\n');
	sink_offer(sink);
	return r;
}

static int jsonl_keep(struct render_jsonl *jsonl, const struct render_record *record)
{
	struct jsonl_place *place = &jsonl->places[record->index];
	struct text items = place_items(record->job);
	struct jsonl_line *line;
	int r;

	buffer_clear(&jsonl->line);
	buffer_append_text(&jsonl->line, items);
	r = render_splice(&jsonl->render, record, &jsonl->line);
	buffer_append_byte(&jsonl->line, '\n');
	line = jsonl->line.failed ? NULL : malloc(sizeof(*line) + jsonl->line.size);
	if (!line) {
		message_print("no memory to keep the order: a record is missing");
		return r;
	}
	memcpy(line->text, jsonl->line.data, jsonl->line.size);
	line->items_size = items.size;
	line->size = jsonl->line.size - items.size;
	line->next = place->waiting;
	place->waiting = line;
	place->n_waiting++;
	return r;
}

static int jsonl_record(struct render *render, const struct render_record *record)
{
	struct render_jsonl *jsonl = jsonl_from(render);
	int r;

	if (!render->options.keep_order || record->index < jsonl->next ||
		!jsonl_make_place(jsonl, record->index))
		return jsonl_write(jsonl, record);
	jsonl_count(jsonl, record);
	/* Nothing needs to be kept of a job whose turn it is, and which is made once. */
	if (record->index == jsonl->next && !jsonl->places[jsonl->next].waiting &&
		jsonl_is_complete(jsonl, jsonl->next))
		r = jsonl_write(jsonl, record);
	else
		r = jsonl_keep(jsonl, record);
	while (jsonl->next < jsonl->n_places && jsonl_is_complete(jsonl, jsonl->next))
		jsonl_release(jsonl, jsonl->next++);
	return r;
}

static void jsonl_finish(struct render *render, const struct render_end *end)
{
	struct render_jsonl *jsonl = jsonl_from(render);

	/* Of a graph that broke off, some turns never come. */
	for (uint32_t i = jsonl->next; i < jsonl->n_places; i++)
		jsonl_release(jsonl, i);
}

static void jsonl_free(struct render *render)
{
	struct render_jsonl *jsonl = jsonl_from(render);

	for (uint32_t i = 0; i < jsonl->n_places; i++)
		jsonl_forget(&jsonl->places[i]);
	free(jsonl->places);
	buffer_deinit(&jsonl->line);
	free(jsonl);
}

struct render *render_jsonl_new(const struct render_options *options)
{
	static const struct render_class class = {jsonl_record, jsonl_finish, jsonl_free, NULL};
	struct render_jsonl *jsonl = calloc(1, sizeof(*jsonl));

	if (!jsonl)
		return NULL;
	jsonl->render = (struct render){&class, *options};
	buffer_init(&jsonl->line, SIZE_MAX / 4);
	if (!options->keep_order || jsonl_note_fan_outs(jsonl, options->plan))
		return &jsonl->render;
	jsonl_free(&jsonl->render);
	return NULL;
}
