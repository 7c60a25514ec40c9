/* SPDX-License-Identifier: MIT */
/*
 * One object: {"summary": …, "jobs": {id: record, …}}, jobs in the document's order, groups and
 * fan-outs among them. The summary comes last and stands first, so that all
 * records are kept until then.
 */
#include "client/cli/render/render.h"

#include <stdlib.h>

#include "client/cli/message.h"
#include "client/cli/render/store.h"
#include "proto/json.h"
#include "util/container.h"

struct render_json {
	struct render render;
	/* Each text is a member: "id":record. */
	struct store store;
};

static struct render_json *json_from(struct render *render)
{
	return container_of(render, struct render_json, render);
}

static int json_record(struct render *render, const struct render_record *record)
{
	struct render_json *json = json_from(render);
	struct buffer *out = store_begin(&json->store);
	int r;

	json_append_string(out, record->job);
	buffer_append_byte(out, ':');
	r = render_splice(render, record, out);
	store_end(&json->store, record);
	return r;
}

static void json_finish(struct render *render, const struct render_end *end)
{
	struct render_json *json = json_from(render);
	struct sink *sink = render->options.sink;

	store_sort(&json->store);
	buffer_append_literal(&sink->buffer, "{\"summary\":");
	buffer_append_text(&sink->buffer, end->summary.data ? end->summary : TEXT("null"));
	buffer_append_literal(&sink->buffer, ",\"jobs\":{");
	for (size_t i = 0; i < store_count(&json->store); i++) {
		if (i > 0)
			buffer_append_byte(&sink->buffer, ',');
		buffer_append_text(
			&sink->buffer, store_text(&json->store, store_get(&json->store, i)));
		sink_offer(sink);
	}
	buffer_append_literal(&sink->buffer, "}}\n");
	if (store_failed(&json->store))
		message_print("no memory for all records: some are missing");
}

static void json_free(struct render *render)
{
	struct render_json *json = json_from(render);

	store_deinit(&json->store);
	free(json);
}

struct render *render_json_new(const struct render_options *options)
{
	static const struct render_class class = {json_record, json_finish, json_free, NULL};
	struct render_json *json = calloc(1, sizeof(*json));

	if (!json)
		return NULL;
	json->render = (struct render){&class, *options};
	store_init(&json->store);
	return &json->render;
}
