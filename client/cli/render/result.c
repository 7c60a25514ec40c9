/* SPDX-License-Identifier: MIT */
/*
 * The graph's `return` value alone, on a line: null where the graph has none.
 */
#include "client/cli/render/render.h"

#include <stdlib.h>

#include "client/cli/message.h"
#include "proto/json.h"

static int result_record(struct render *render, const struct render_record *record)
{
	struct buffer unused;
	int r;

	if (render->options.body != RENDER_BODY_DIRECTORY)
		return 0;
	buffer_init(&unused, SIZE_MAX / 4);
	r = render_splice(render, record, &unused);
	buffer_deinit(&unused);
	return r;
}

static void result_finish(struct render *render, const struct render_end *end)
{
	struct buffer *out = &render->options.sink->buffer;
	struct json_error error;
	yyjson_doc *doc;
	yyjson_val *result;

	if (!end->summary.data)
		return;
	doc = json_read(end->summary, &error);
	result = doc ? yyjson_obj_get(yyjson_doc_get_root(doc), "return") : NULL;
	if (result) {
		json_append_value(out, result);
	} else {
		message_print("the graph has no \"return\"");
		buffer_append_literal(out, "null");
	}
	buffer_append_byte(out, '\n');
	yyjson_doc_free(doc);
}

static void result_free(struct render *render)
{
	free(render);
}

struct render *render_result_new(const struct render_options *options)
{
	static const struct render_class class = {result_record, result_finish, result_free, NULL};
	struct render *result = calloc(1, sizeof(*result));

	if (!result)
		return NULL;
	*result = (struct render){&class, *options};
	return result;
}
