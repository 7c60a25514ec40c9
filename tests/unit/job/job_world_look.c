/* SPDX-License-Identifier: MIT */
#include "tests/unit/job/job_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "tests/unit/unit.h"

/* Looking. */

static void world_assert_value(
	yyjson_doc *doc, const char *what, const char *pointer, const char *text)
{
	yyjson_val *value;
	struct buffer found;

	ck_assert_msg(doc, "%s is not there, of %s", what, world_document);
	value = json_pointer(yyjson_doc_get_root(doc), text_from(pointer));
	buffer_init(&found, SIZE_MAX);
	if (value)
		json_append_as_text(&found, value);
	else
		buffer_append_byte(&found, '-');
	ck_assert_msg(text_is(buffer_text(&found), text),
		"%s: at %s is \"%.*s\", not \"%s\", of %s", what, pointer,
		TEXT_ARGS(buffer_text(&found)), text, world_document);
	buffer_deinit(&found);
}

/* Where the job's record stands, or n_records. */
static uint32_t world_place(const struct world_graph *graph, const char *job)
{
	uint32_t i = 0;

	ck_assert(!graph->counts_only);
	while (i < graph->n_records &&
		!text_is(json_string(yyjson_obj_get(yyjson_doc_get_root(graph->records[i]), "job")),
			job))
		i++;
	return i;
}

static uint32_t world_place_settled(const struct world_graph *graph, const char *job)
{
	uint32_t place = world_place(graph, job);

	ck_assert_msg(place < graph->n_records, "%s has not settled of %s", job, world_document);
	return place;
}

void world_assert(
	const struct world_graph *graph, const char *job, const char *pointer, const char *text)
{
	world_assert_value(graph->records[world_place_settled(graph, job)], job, pointer, text);
}

void world_assert_decided(const struct world_graph *graph, const char *pointer, const char *text)
{
	world_assert_value(graph->decided, "decided", pointer, text);
}

void world_assert_done(const struct world_graph *graph, const char *pointer, const char *text)
{
	world_assert_value(graph->done, "done", pointer, text);
}

void world_assert_body(const struct world_graph *graph, const char *job, const char *body)
{
	struct text found = graph->bodies[world_place_settled(graph, job)];

	ck_assert_msg((found.data != NULL) == (body != NULL), "%s: a body or none", job);
	if (body)
		ck_assert_msg(text_is(found, body), "%s: body %.*s", job, TEXT_ARGS(found));
}

void world_assert_order(const struct world_graph *graph, const char *ids)
{
	struct buffer found;

	buffer_init(&found, SIZE_MAX);
	for (uint32_t i = 0; i < graph->n_records; i++) {
		yyjson_val *root = yyjson_doc_get_root(graph->records[i]);

		if (i > 0)
			buffer_append_byte(&found, ' ');
		buffer_append_text(&found, json_string(yyjson_obj_get(root, "job")));
	}
	ck_assert_msg(text_is(buffer_text(&found), ids), "settled as \"%.*s\"",
		TEXT_ARGS(buffer_text(&found)));
	buffer_deinit(&found);
}

static void world_append_fate(struct buffer *out, yyjson_val *record)
{
	yyjson_val *reason = yyjson_obj_get(record, "reason");
	struct text how = json_string(yyjson_obj_get(reason, "by"));

	buffer_append_text(out, json_string(yyjson_obj_get(record, "job")));
	if (reason) {
		buffer_append_byte(out, '=');
		buffer_append_text(out, json_string(yyjson_obj_get(reason, "code")));
	} else {
		how = json_string(yyjson_obj_get(record, "via"));
	}
	if (how.data && !text_is(how, "network")) {
		buffer_append_byte(out, '/');
		buffer_append_text(out, how);
	}
}

void world_assert_fates(const struct world_graph *graph, const char *fates)
{
	struct buffer found;

	buffer_init(&found, SIZE_MAX);
	for (uint32_t i = 0; i < graph->n_records; i++) {
		if (i > 0)
			buffer_append_byte(&found, ' ');
		world_append_fate(&found, yyjson_doc_get_root(graph->records[i]));
	}
	ck_assert_msg(text_is(buffer_text(&found), fates), "\"%.*s\", not \"%s\" from %s",
		TEXT_ARGS(buffer_text(&found)), fates, world_document);
	buffer_deinit(&found);
}

void world_assert_fate(const struct world_graph *graph, const char *job, const char *fate)
{
	uint32_t place = world_place(graph, job);
	yyjson_val *root;
	struct text found = TEXT("-");

	if (place < graph->n_records) {
		root = yyjson_doc_get_root(graph->records[place]);
		found = json_string(yyjson_obj_get(root, "status"));
		if (text_is(found, "rejected"))
			found = json_string(yyjson_obj_get(yyjson_obj_get(root, "reason"), "code"));
	}
	ck_assert_msg(text_is(found, fate), "%s: %.*s, not %s", job, TEXT_ARGS(found), fate);
}

static double world_number_at(yyjson_doc *doc, const char *pointer)
{
	struct text digits =
		json_number(json_pointer(yyjson_doc_get_root(doc), text_from(pointer)));
	char text[64];

	ck_assert_msg(digits.data && digits.size < sizeof(text), "no number at %s", pointer);
	memcpy(text, digits.data, digits.size);
	text[digits.size] = '\0';
	return strtod(text, NULL);
}

double world_number(const struct world_graph *graph, const char *job, const char *pointer)
{
	return world_number_at(graph->records[world_place_settled(graph, job)], pointer);
}

double world_done_number(const struct world_graph *graph, const char *pointer)
{
	ck_assert_ptr_nonnull(graph->done);
	return world_number_at(graph->done, pointer);
}

/* Cases. */

static void world_assert_one(const struct world_graph *graph, struct text says)
{
	size_t slash = text_find(says, '/'), equals = text_find(says, '=');
	char job[JOB_NAME_MAX], pointer[128], value[1024];

	ck_assert_msg(slash < equals && equals < says.size, "what is %.*s?", TEXT_ARGS(says));
	snprintf(job, sizeof(job), "%.*s", (int)slash, says.data);
	snprintf(pointer, sizeof(pointer), "%.*s", (int)(equals - slash), says.data + slash);
	snprintf(value, sizeof(value), "%.*s", TEXT_ARGS(text_from_at(says, equals + 1)));
	if (strcmp(job, ".") == 0)
		world_assert_done(graph, pointer, value);
	else
		world_assert(graph, job, pointer, value);
}

void world_assert_says(const struct world_graph *graph, const char *says)
{
	struct text rest = text_from(says);

	while (rest.size > 0) {
		struct text one = {rest.data, text_find(rest, ' ')};

		world_assert_one(graph, one);
		rest = text_from_at(rest, one.size < rest.size ? one.size + 1 : rest.size);
	}
}

void world_check_cases(const struct world_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world_graph *graph;

		world_begin();
		graph = world_submit(cases[i].document);
		world_play(cases[i].script);
		world_assert_fates(graph, cases[i].fates);
		ck_assert_msg(graph->done, "is not done: %s", cases[i].document);
		if (cases[i].says)
			world_assert_says(graph, cases[i].says);
		world_free(graph);
		world_end();
	}
}
