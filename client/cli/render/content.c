/* SPDX-License-Identifier: MIT */
#include "client/cli/render/content.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/file.h"
#include "client/cli/message.h"
#include "proto/json.h"
#include "util/container.h"

struct render_content {
	struct render render;
	struct content_options content;
};

static struct render_content *content_from(struct render *render)
{
	return container_of(render, struct render_content, render);
}

/* The value of a fulfilled record, or what a rejected one has of a response; may be NULL. */
static yyjson_val *content_response(yyjson_val *record)
{
	yyjson_val *value = yyjson_obj_get(record, "value");

	return value ? value : yyjson_obj_get(yyjson_obj_get(record, "reason"), "response");
}

static void content_append_header(struct buffer *out, struct text name, yyjson_val *value)
{
	struct text text = json_string(value);

	if (!text.data)
		return;
	buffer_append_text(out, name);
	buffer_append_literal(out, ": ");
	buffer_append_text(out, text);
	buffer_append_literal(out, "\r\n");
}

void content_append_head(struct buffer *out, struct text record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record, &error);
	yyjson_val *response = content_response(yyjson_doc_get_root(doc));
	struct text version = json_string(yyjson_obj_get(response, "version"));
	struct text status = json_number(yyjson_obj_get(response, "status"));
	size_t i, n, j, m;
	yyjson_val *name, *value, *one;

	if (status.data) {
		buffer_printf(out, "HTTP/%.*s %.*s\r\n",
			TEXT_ARGS(version.data ? version : TEXT("1.1")), TEXT_ARGS(status));
		yyjson_obj_foreach(yyjson_obj_get(response, "headers"), i, n, name, value) {
			content_append_header(out, json_string(name), value);
			yyjson_arr_foreach(value, j, m, one)
				content_append_header(out, json_string(name), one);
		}
		buffer_append_literal(out, "\r\n");
	}
	yyjson_doc_free(doc);
}

/* -- What stderr is told ----------------------------------------------------------------------- */

static const char *content_url(
	const struct render_content *content, const struct render_record *record)
{
	return record->index < content->content.n_urls ? content->content.urls[record->index] : "";
}

/* True where the record was rejected for its status: there is a response to show. */
static bool content_tell_rejected(
	const struct render_content *content, const struct render_record *record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record->json, &error);
	yyjson_val *reason = yyjson_obj_get(yyjson_doc_get_root(doc), "reason");
	struct text code = json_string(yyjson_obj_get(reason, "code"));
	struct text message = json_string(yyjson_obj_get(reason, "message"));
	bool has_response = code.data && text_is(code, "HTTP_STATUS");

	message_print("%s: %.*s: %.*s", content_url(content, record),
		TEXT_ARGS(code.data ? code : TEXT("rejected")),
		TEXT_ARGS(message.data ? message : TEXT("")));
	yyjson_doc_free(doc);
	return has_response;
}

static void content_tell_redirect(
	const struct render_content *content, const struct render_record *record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record->json, &error);
	yyjson_val *response = content_response(yyjson_doc_get_root(doc));
	struct text status = json_number(yyjson_obj_get(response, "status"));
	struct text location =
		json_string(yyjson_obj_get(yyjson_obj_get(response, "headers"), "location"));

	if (location.data && status.size == 3 && status.data[0] == '3')
		message_print("%s: %.*s redirects to %.*s, and this version follows no redirects",
			content_url(content, record), TEXT_ARGS(status), TEXT_ARGS(location));
	yyjson_doc_free(doc);
}

/* -- Where content goes ------------------------------------------------------------------------ */

static int content_save(
	const char *path, const struct buffer *head, const struct render_record *record)
{
	int r = file_save(path, buffer_text(head), record->body);

	if (r < 0)
		message_print("cannot write %s: %s", path, strerror(-r));
	return r;
}

static int content_record(struct render *render, const struct render_record *record)
{
	struct render_content *content = content_from(render);
	const struct content_options *options = &content->content;
	const char *output =
		record->index < options->n_urls ? options->outputs[record->index] : NULL;
	struct render_record rest = *record;
	struct buffer head;
	bool is_shown = true;
	int r = 0, r_records;

	if (record->is_rejected && !options->records)
		is_shown = content_tell_rejected(content, record) && !output && !options->fail;
	else if (!options->quiet_redirects)
		content_tell_redirect(content, record);
	buffer_init(&head, SIZE_MAX / 4);
	if (options->include_head || options->is_head)
		content_append_head(&head, record->json);
	if (output && !record->is_rejected) {
		r = content_save(output, &head, record);
		rest.body.size = 0;
	} else if (!options->records && is_shown && !output) {
		buffer_append_text(&render->options.sink->buffer, buffer_text(&head));
		buffer_append_text(&render->options.sink->buffer, record->body);
		sink_offer(render->options.sink);
	}
	buffer_deinit(&head);
	if (options->records) {
		r_records = render_record(options->records, &rest);
		r = r < 0 ? r : r_records;
	}
	return r;
}

static void content_finish(struct render *render, const struct render_end *end)
{
	struct render_content *content = content_from(render);

	if (content->content.records)
		render_finish(content->content.records, end);
}

static void content_free(struct render *render)
{
	struct render_content *content = content_from(render);

	render_free(content->content.records);
	free(content);
}

struct render *render_content_new(
	const struct render_options *options, const struct content_options *content)
{
	static const struct render_class class = {content_record, content_finish, content_free};
	struct render_content *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->render = (struct render){&class, *options};
	made->content = *content;
	return &made->render;
}
