/* SPDX-License-Identifier: MIT */
/*
 * What became of whom: {"fulfilled": {id: body, …}, "rejected": {id: reason, …}}, each in the
 * document's order. A body is what the record shows as "body"; one that is no text is
 * {"body_base64": "…"}, and one that is not there (discarded, omitted) is null.
 *
 * A group or a fan-out that was fulfilled by what is in it has no body in its record, and is not
 * listed: its children are. One that was rejected, skipped or covered by its fallback is.
 */
#include "client/cli/render/render.h"

#include <stdlib.h>

#include "client/cli/message.h"
#include "client/cli/render/store.h"
#include "proto/json.h"
#include "util/container.h"

struct render_partition {
	struct render render;
	/* Each text is a member: "id":body or "id":reason. */
	struct store store;
};

static struct render_partition *partition_from(struct render *render)
{
	return container_of(render, struct render_partition, render);
}

static void partition_append_body(struct buffer *out, yyjson_val *record)
{
	yyjson_val *value = yyjson_obj_get(record, "value");
	yyjson_val *body = yyjson_obj_get(value, "body");
	yyjson_val *base64 = yyjson_obj_get(value, "body_base64");

	if (body) {
		json_append_value(out, body);
	} else if (base64) {
		buffer_append_literal(out, "{\"body_base64\":");
		json_append_value(out, base64);
		buffer_append_byte(out, '}');
	} else {
		buffer_append_literal(out, "null");
	}
}

/* The record with its body in it, read again; NULL where that does not work. */
static yyjson_doc *partition_read(
	const struct render *render, const struct render_record *record, int *ret_result)
{
	struct json_error error;
	struct buffer spliced;
	yyjson_doc *doc;

	buffer_init(&spliced, SIZE_MAX / 4);
	*ret_result = render_splice(render, record, &spliced);
	doc = json_read(buffer_text(&spliced), &error);
	buffer_deinit(&spliced);
	return doc;
}

static bool partition_is_listed(const struct render_record *record, yyjson_val *root)
{
	return !record->is_group || record->is_rejected ||
	       yyjson_obj_get(yyjson_obj_get(root, "value"), "bytes");
}

static int partition_record(struct render *render, const struct render_record *record)
{
	struct render_partition *partition = partition_from(render);
	struct buffer *out = store_begin(&partition->store);
	yyjson_val *root;
	yyjson_doc *doc;
	int r;

	doc = partition_read(render, record, &r);
	if (!doc) {
		/* A body that nests deeper than we read is shown as the string it also is. */
		struct render plain = *render;

		plain.options.body = RENDER_BODY_TEXT;
		doc = partition_read(&plain, record, &r);
	}
	root = yyjson_doc_get_root(doc);
	if (doc && !partition_is_listed(record, root)) {
		yyjson_doc_free(doc);
		return r;
	}
	json_append_string(out, record->job);
	buffer_append_byte(out, ':');
	if (record->is_rejected && yyjson_obj_get(root, "reason"))
		json_append_value(out, yyjson_obj_get(root, "reason"));
	else if (record->is_rejected)
		buffer_append_literal(out, "null");
	else
		partition_append_body(out, root);
	store_end(&partition->store, record);
	yyjson_doc_free(doc);
	return r;
}

static void partition_write(struct render_partition *partition, bool is_rejected)
{
	struct sink *sink = partition->render.options.sink;
	bool is_first = true;

	for (size_t i = 0; i < store_count(&partition->store); i++) {
		const struct store_entry *entry = store_get(&partition->store, i);

		if (entry->is_rejected != is_rejected)
			continue;
		if (!is_first)
			buffer_append_byte(&sink->buffer, ',');
		is_first = false;
		buffer_append_text(&sink->buffer, store_text(&partition->store, entry));
		sink_offer(sink);
	}
}

static void partition_finish(struct render *render, const struct render_end *end)
{
	struct render_partition *partition = partition_from(render);
	struct sink *sink = render->options.sink;

	store_sort(&partition->store);
	buffer_append_literal(&sink->buffer, "{\"fulfilled\":{");
	partition_write(partition, false);
	buffer_append_literal(&sink->buffer, "},\"rejected\":{");
	partition_write(partition, true);
	buffer_append_literal(&sink->buffer, "}}\n");
	if (store_failed(&partition->store))
		message_print("no memory for all records: some are missing");
}

static void partition_free(struct render *render)
{
	struct render_partition *partition = partition_from(render);

	store_deinit(&partition->store);
	free(partition);
}

struct render *render_partition_new(const struct render_options *options)
{
	static const struct render_class class = {
		partition_record, partition_finish, partition_free, NULL};
	struct render_partition *partition = calloc(1, sizeof(*partition));

	if (!partition)
		return NULL;
	partition->render = (struct render){&class, *options};
	store_init(&partition->store);
	return &partition->render;
}
