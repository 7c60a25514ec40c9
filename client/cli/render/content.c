/* SPDX-License-Identifier: MIT */
#include "client/cli/render/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/render/exchange.h"
#include "client/cli/render/phrase.h"
#include "client/cli/render/writeout.h"
#include "proto/fault.h"
#include "proto/json.h"
#include "util/container.h"

struct render_content {
	struct render render;
	struct content_options content;
	/* Of the body that comes in pieces: there is one at most. */
	uint64_t streamed;
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

/* Of a redirect there is no more left than its status and where it has led to. */
static void content_append_hops(struct buffer *out, yyjson_val *response)
{
	yyjson_val *hop;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get(response, "hops"), i, n, hop)
	{
		struct text target = phrase_hop_target(response, i);

		phrase_append_hop(out, response, hop);
		buffer_append_literal(out, "\r\n");
		if (target.data)
			buffer_printf(out, "location: %.*s\r\n", TEXT_ARGS(target));
		buffer_append_literal(out, "\r\n");
	}
}

void content_append_head(struct buffer *out, struct text record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record, &error);
	yyjson_val *response = content_response(yyjson_doc_get_root(doc));
	size_t i, n, j, m;
	yyjson_val *name, *value, *one;

	if (yyjson_obj_get(response, "status")) {
		content_append_hops(out, response);
		phrase_append(out, yyjson_doc_get_root(doc), response);
		buffer_append_literal(out, "\r\n");
		yyjson_obj_foreach(yyjson_obj_get(response, "headers"), i, n, name, value)
		{
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

/* The code of what was rejected is told. */
static enum fault_code content_tell_rejected(
	const struct render_content *content, const struct render_record *record)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record->json, &error);
	yyjson_val *reason = yyjson_obj_get(yyjson_doc_get_root(doc), "reason");
	struct text code = json_string(yyjson_obj_get(reason, "code"));
	struct text message = json_string(yyjson_obj_get(reason, "message"));
	enum fault_code fault = code.data ? fault_from_name(code) : FAULT_NONE;

	message_print("%s: %.*s: %.*s", content_url(content, record),
		TEXT_ARGS(code.data ? code : TEXT("rejected")),
		TEXT_ARGS(message.data ? message : TEXT("")));
	yyjson_doc_free(doc);
	return fault;
}

/* Where stderr takes nothing, there is nobody to tell. */
static void content_tell(const struct buffer *text)
{
	if (!text->failed && text->size > 0 && write(STDERR_FILENO, text->data, text->size) < 0)
		message_silence();
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

/* The body of a job that is fulfilled, to where it belongs. */
static int content_place(struct render_content *content, struct output *output,
	const struct buffer *head, const struct render_record *record)
{
	switch (output->kind) {
	case OUTPUT_STDOUT: break;
	case OUTPUT_SAVE: return content_save(output->path, head, record);
	case OUTPUT_PART: return output_keep(output);
	/* It is there already, or nowhere. */
	case OUTPUT_PIPE: return output->sink.error;
	case OUTPUT_NOTHING: return 0;
	}
	if (content->content.records)
		return 0;
	buffer_append_text(&content->render.options.sink->buffer, buffer_text(head));
	buffer_append_text(&content->render.options.sink->buffer, record->body);
	sink_offer(content->render.options.sink);
	return 0;
}

/* The body of a response that was rejected for its status is shown as curl shows it, but never
 * where the one that was wanted belongs. */
static int content_reject(struct render_content *content, const struct output *output,
	const struct buffer *head, const struct render_record *record)
{
	const struct content_options *options = &content->content;
	enum fault_code fault = FAULT_NONE;
	struct sink *sink = content->render.options.sink;

	if (!options->records)
		fault = content_tell_rejected(content, record);
	if (fault == FAULT_SINK_WRITE || fault == FAULT_SINK_FULL)
		return -EIO;
	if (fault != FAULT_HTTP_STATUS || options->fail || (output && output->path))
		return 0;
	buffer_append_text(&sink->buffer, buffer_text(head));
	buffer_append_text(&sink->buffer, record->body);
	sink_offer(sink);
	return 0;
}

/* -- What is shown behind it ------------------------------------------------------------------- */

static void content_show_more(const struct render_content *content, const struct output *output,
	const struct render_record *record)
{
	const struct content_options *options = &content->content;
	const struct plan *plan = content->render.options.plan;
	struct writeout writeout = {
		.format = options->write_out,
		.url = content_url(content, record),
		.filename = output ? output->path : NULL,
		.job = plan && record->index < plan->n_jobs ? &plan->jobs[record->index] : NULL,
		.record = record->json,
		.index = record->index,
	};
	struct buffer error;

	buffer_init(&error, SIZE_MAX / 4);
	if (options->verbose)
		exchange_append(&error, writeout.job, text_from(writeout.url), writeout.record);
	if (options->write_out.data) {
		writeout_append(&content->render.options.sink->buffer, &error, &writeout);
		sink_offer(content->render.options.sink);
	}
	content_tell(&error);
	buffer_deinit(&error);
}

/* -- The render -------------------------------------------------------------------------------- */

static int content_record(struct render *render, const struct render_record *record)
{
	struct render_content *content = content_from(render);
	const struct content_options *options = &content->content;
	struct output stdout_alone = {.kind = OUTPUT_STDOUT};
	struct output *output =
		record->index < options->n_urls ? &options->outputs[record->index] : &stdout_alone;
	struct render_record rest = *record;
	struct buffer head;
	int r, r_records;

	buffer_init(&head, SIZE_MAX / 4);
	if (options->include_head || options->is_head)
		content_append_head(&head, record->json);
	if (record->is_rejected)
		r = content_reject(content, output, &head, record);
	else
		r = content_place(content, output, &head, record);
	buffer_deinit(&head);
	content_show_more(content, output, record);
	if (!options->records)
		return r;
	if (output->path && !record->is_rejected)
		rest.body.size = 0;
	r_records = render_record(options->records, &rest);
	return r < 0 ? r : r_records;
}

/* A job of get is named by its place. */
static int content_chunk(struct render *render, const struct render_chunk *chunk)
{
	struct render_content *content = content_from(render);
	const struct content_options *options = &content->content;
	struct output *output = NULL;
	uint64_t place;

	if (text_to_u64(chunk->job, UINT32_MAX, &place) && place < options->n_urls)
		output = &options->outputs[place];
	if (output && output->kind == OUTPUT_PIPE)
		return output_write(output, chunk->data);
	if (chunk->offset < content->streamed) {
		message_print("%s: the body has begun anew, and what was written of it stands",
			output ? options->urls[place] : "");
		return -ESPIPE;
	}
	content->streamed += chunk->data.size;
	buffer_append_text(&render->options.sink->buffer, chunk->data);
	sink_offer(render->options.sink);
	return 0;
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
	static const struct render_class class = {
		content_record, content_finish, content_free, content_chunk};
	struct render_content *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->render = (struct render){&class, *options};
	made->content = *content;
	return &made->render;
}
