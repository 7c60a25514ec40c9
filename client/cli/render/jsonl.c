/* SPDX-License-Identifier: MIT */
/*
 * A record a line, as they settle. This is the way of a hundred thousand records a second: the
 * daemon's text goes into the sink's buffer with the body spliced in, and nothing is parsed.
 *
 * With keep_order a record that is early is kept, by its index, until all before it are out. The
 * memory this takes is that of the records that overtook the slowest one.
 */
#include "client/cli/render/render.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/message.h"
#include "util/container.h"

/* A place for each job: indices beyond it are not believed. */
#define JSONL_JOBS_MAX (64u * 1000 * 1000)

struct render_jsonl {
	struct render render;
	/* By index: records that wait for their turn, data == NULL for the rest. */
	struct text *waiting;
	uint32_t n_places;
	/* Whose turn it is. */
	uint32_t next;
};

static struct render_jsonl *jsonl_from(struct render *render)
{
	return container_of(render, struct render_jsonl, render);
}

static bool jsonl_make_place(struct render_jsonl *jsonl, uint32_t index)
{
	uint32_t n = jsonl->n_places ? jsonl->n_places : 64;
	struct text *waiting;

	if (index < jsonl->n_places)
		return true;
	if (index >= JSONL_JOBS_MAX)
		return false;
	while (n <= index)
		n *= 2;
	waiting = realloc(jsonl->waiting, n * sizeof(*waiting));
	if (!waiting)
		return false;
	memset(waiting + jsonl->n_places, 0, (n - jsonl->n_places) * sizeof(*waiting));
	jsonl->waiting = waiting;
	jsonl->n_places = n;
	return true;
}

/* Writes one that waited, and forgets it. */
static void jsonl_release(struct render_jsonl *jsonl, uint32_t index)
{
	struct text *waiting = &jsonl->waiting[index];
	struct sink *sink = jsonl->render.options.sink;

	if (!waiting->data)
		return;
	buffer_append_text(&sink->buffer, *waiting);
	free((char *)(uintptr_t)waiting->data);
	*waiting = (struct text){0};
	sink_offer(sink);
}

static int jsonl_keep(struct render_jsonl *jsonl, const struct render_record *record)
{
	struct buffer line;
	int r;

	/* Without memory, out of order is better than lost. */
	if (!jsonl_make_place(jsonl, record->index) || jsonl->waiting[record->index].data) {
		r = render_splice(&jsonl->render, record, &jsonl->render.options.sink->buffer);
		buffer_append_byte(&jsonl->render.options.sink->buffer, '\n');
		return r;
	}
	buffer_init(&line, SIZE_MAX / 4);
	r = render_splice(&jsonl->render, record, &line);
	buffer_append_byte(&line, '\n');
	if (line.failed) {
		message_print("no memory to keep the order");
		buffer_deinit(&line);
		return r;
	}
	jsonl->waiting[record->index].size = line.size;
	jsonl->waiting[record->index].data = buffer_take(&line);
	return r;
}

static int jsonl_record(struct render *render, const struct render_record *record)
{
	struct render_jsonl *jsonl = jsonl_from(render);
	struct sink *sink = render->options.sink;
	int r;

	if (render->options.keep_order && record->index > jsonl->next)
		return jsonl_keep(jsonl, record);
	r = render_splice(render, record, &sink->buffer);
	buffer_append_byte(&sink->buffer, '\n');
	sink_offer(sink);
	if (!render->options.keep_order || record->index < jsonl->next)
		return r;
	jsonl->next++;
	while (jsonl->next < jsonl->n_places && jsonl->waiting[jsonl->next].data)
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
		free((char *)(uintptr_t)jsonl->waiting[i].data);
	free(jsonl->waiting);
	free(jsonl);
}

struct render *render_jsonl_new(const struct render_options *options)
{
	static const struct render_class class = {jsonl_record, jsonl_finish, jsonl_free};
	struct render_jsonl *jsonl = calloc(1, sizeof(*jsonl));

	if (!jsonl)
		return NULL;
	jsonl->render = (struct render){&class, *options};
	return &jsonl->render;
}
