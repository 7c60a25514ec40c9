/* SPDX-License-Identifier: MIT */
/*
 * A streamed body comes in pieces, many of them, each with a line that says whose it is and where
 * it belongs: {"job":"big","offset":0}. The daemon writes it in this form, and an id needs no
 * escape, so that both are taken from where they stand. Where the form is another, it is read.
 */
#include "client/handle.h"

#include "proto/json.h"

static bool chunk_peek(struct settle_event *event)
{
	static const struct text job = TEXT_INIT("{\"job\":\""),
				 offset = TEXT_INIT("\",\"offset\":");
	struct text rest = event->json, name, digits;

	if (!text_starts_with(rest, job))
		return false;
	rest = text_from_at(rest, job.size);
	name = (struct text){rest.data, text_find(rest, '"')};
	rest = text_from_at(rest, name.size);
	if (text_find(name, '\\') < name.size || !text_starts_with(rest, offset))
		return false;
	rest = text_from_at(rest, offset.size);
	digits = (struct text){rest.data, text_find(rest, '}')};
	digits.size = text_find(digits, ',');
	event->job = name;
	return text_to_u64(digits, UINT64_MAX, &event->offset);
}

bool chunk_read(struct settle_event *event)
{
	struct json_error error;
	yyjson_val *root;

	if (chunk_peek(event))
		return true;
	event->doc = json_read(event->json, &error);
	root = yyjson_doc_get_root(event->doc);
	event->job = json_string(yyjson_obj_get(root, "job"));
	return event->job.data &&
	       text_to_u64(json_number(yyjson_obj_get(root, "offset")), UINT64_MAX, &event->offset);
}

const char *settle_chunk_job(const struct settle_event *event, size_t *ret_size)
{
	bool is_chunk = event->type == SETTLE_CHUNK;

	if (ret_size)
		*ret_size = is_chunk ? event->job.size : 0;
	return is_chunk ? event->job.data : NULL;
}

uint64_t settle_chunk_offset(const struct settle_event *event)
{
	return event->type == SETTLE_CHUNK ? event->offset : 0;
}

const void *settle_chunk_data(const struct settle_event *event, size_t *ret_size)
{
	bool is_chunk = event->type == SETTLE_CHUNK;

	if (ret_size)
		*ret_size = is_chunk ? event->payload.size : 0;
	return is_chunk ? event->payload.data : NULL;
}
