/* SPDX-License-Identifier: MIT */
/*
 * The problem: a line has to be understood (what it is, whose it is, where its object begins and
 * ends) without reading it, because the object may be all that anybody wants.
 *
 * The idea: the daemon writes {"id":7,"settled":{…},"payload":41} in this form and order
 * (docs/PROTOCOL.md), so that the object's place follows from the two ends of the line. For the
 * messages that come for every job (settled, chunk) that is all that is looked at here; a record
 * that is none shows when it is read. The others are few, and their object is checked.
 *
 * A line in another form (spaces, another order, members beside) is read as JSON, and its object
 * written anew. A message without a member known here is passed over: it is of a later version.
 */
#include "client/handle.h"

#include <errno.h>

#include "proto/json.h"
#include "util/container.h"

struct event_kind {
	struct text name;
	enum settle_event_type type;
	/* True exactly when it speaks of a graph. */
	bool has_graph;
	/* True exactly when there may be one for every job. */
	bool is_frequent;
};

static const struct event_kind event_kinds[] = {
	{TEXT_INIT("settled"), SETTLE_SETTLED, true, true},
	{TEXT_INIT("chunk"), SETTLE_CHUNK, true, true},
	{TEXT_INIT("accepted"), SETTLE_ACCEPTED, true, false},
	{TEXT_INIT("refused"), SETTLE_REFUSED, true, false},
	{TEXT_INIT("decided"), SETTLE_DECIDED, true, false},
	{TEXT_INIT("done"), SETTLE_DONE, true, false},
	{TEXT_INIT("hello"), SETTLE_HELLO, false, false},
	{TEXT_INIT("status"), SETTLE_STATUS, false, false},
	{TEXT_INIT("error"), SETTLE_ERROR, false, false},
	{TEXT_INIT("cancelled"), SETTLE_CANCELLED, false, false},
	{TEXT_INIT("flushed"), SETTLE_FLUSHED, false, false},
};

static const struct event_kind *event_kind_of(struct text name)
{
	for (size_t i = 0; i < countof(event_kinds); i++) {
		if (text_equal(event_kinds[i].name, name))
			return &event_kinds[i];
	}
	return NULL;
}

/* A message taken apart. */
struct event_parts {
	const struct event_kind *kind;
	/* 0: none. */
	uint64_t graph;
	/* The object of its kind. */
	struct text json;
};

/* {"id":7, or nothing; 0 graphs are none. Returns where the member's name begins, 0: another
 * form. */
static size_t event_read_id(struct text line, uint64_t *ret_graph)
{
	struct text prefix = TEXT("{\"id\":");
	struct text rest, digits;

	*ret_graph = 0;
	if (!text_starts_with(line, prefix))
		return text_starts_with(line, TEXT("{\"")) ? 2 : 0;
	rest = text_from_at(line, prefix.size);
	digits = (struct text){rest.data, text_find(rest, ',')};
	if (!text_to_u64(digits, UINT64_MAX, ret_graph))
		return 0;
	rest = text_from_at(rest, digits.size);
	if (!text_starts_with(rest, TEXT(",\"")))
		return 0;
	return prefix.size + digits.size + 2;
}

/* The form the daemon writes. False: another one, or nothing known. */
static bool event_split(struct text line, struct event_parts *parts)
{
	size_t at = event_read_id(line, &parts->graph);
	size_t end = line.size - 1;
	struct text name;
	uint64_t size;

	if (at == 0)
		return false;
	name = text_from_at(line, at);
	name.size = text_find(name, '"');
	parts->kind = event_kind_of(name);
	at += name.size + 2;
	if (!line_find_payload(line, &end, &size))
		end = line.size - 1;
	/* At least "{}" and what is around it. */
	if (!parts->kind || at + 2 > end || line.data[at - 1] != ':' ||
		line.data[line.size - 1] != '}')
		return false;
	parts->json = (struct text){line.data + at, end - at};
	return line.data[at] == '{' && line.data[end - 1] == '}';
}

static bool event_is_json(struct text json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);

	yyjson_doc_free(doc);
	return doc != NULL;
}

/* The members of a line in any form. */
static int event_read_members(struct settle *settle, yyjson_val *root, struct event_parts *parts)
{
	yyjson_val *id = yyjson_obj_get(root, "id");
	yyjson_val *object = NULL;

	if (id && !text_to_u64(json_number(id), UINT64_MAX, &parts->graph))
		return -EPROTO;
	for (size_t i = 0; !object && i < countof(event_kinds); i++) {
		parts->kind = &event_kinds[i];
		object = yyjson_obj_getn(root, parts->kind->name.data, parts->kind->name.size);
	}
	if (!object)
		return 0;
	if (!yyjson_is_obj(object))
		return -EPROTO;
	buffer_clear(&settle->rewritten);
	json_append_value(&settle->rewritten, object);
	if (settle->rewritten.failed)
		return -ENOMEM;
	parts->json = buffer_text(&settle->rewritten);
	return 1;
}

/* A line in any form: 1; 0 where nothing in it is known; -errno. */
static int event_read(struct settle *settle, struct text line, struct event_parts *parts)
{
	struct json_error error;
	yyjson_doc *doc = json_read(line, &error);
	yyjson_val *root = yyjson_doc_get_root(doc);
	int result = -EPROTO;

	if (!doc)
		return error.no_memory ? -ENOMEM : -EPROTO;
	parts->graph = 0;
	/* A payload that is not the last member is none that could be taken. */
	if (yyjson_is_obj(root) && (!yyjson_obj_get(root, "payload") ||
					   line_find_payload(line, &(size_t){0}, &(uint64_t){0})))
		result = event_read_members(settle, root, parts);
	yyjson_doc_free(doc);
	return result;
}

int event_cut(struct settle *settle, struct text line)
{
	struct settle_event *event = &settle->event;
	struct event_parts parts;
	bool is_split = event_split(line, &parts);
	int result = 1;

	if (!is_split || (!parts.kind->is_frequent && !event_is_json(parts.json)))
		result = event_read(settle, line, &parts);
	if (result <= 0)
		return result;
	if (parts.kind->has_graph && (parts.graph == 0 || parts.graph >= settle->graph_next))
		return -EPROTO;
	event->type = parts.kind->type;
	event->graph = parts.kind->has_graph ? parts.graph : 0;
	event->json = parts.json;
	if (event->type == SETTLE_SETTLED)
		access_init(&event->record, parts.json);
	if (event->type == SETTLE_CHUNK && !chunk_read(event))
		return -EPROTO;
	return 1;
}

void event_clear(struct settle *settle)
{
	struct settle_event *event = &settle->event;

	access_deinit(&event->record);
	yyjson_doc_free(event->doc);
	*event = (struct settle_event){0};
	event->record.memory = &settle->memory;
	event->record.error = &settle->error;
	buffer_reset(&settle->rewritten, 0);
}

unsigned settle_event_type(const struct settle_event *event)
{
	return event->type;
}

uint64_t settle_event_graph(const struct settle_event *event)
{
	return event->graph;
}

const char *settle_event_json(const struct settle_event *event, size_t *ret_size)
{
	if (ret_size)
		*ret_size = event->json.size;
	return event->json.data;
}

const void *settle_event_payload(const struct settle_event *event, size_t *ret_size)
{
	if (ret_size)
		*ret_size = event->has_payload ? event->payload.size : 0;
	return event->has_payload ? event->payload.data : NULL;
}

const struct settle_record *settle_event_record(const struct settle_event *event)
{
	return event->type == SETTLE_SETTLED ? &event->record : NULL;
}
