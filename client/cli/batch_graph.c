/* SPDX-License-Identifier: MIT */
/*
 * Lines become small graphs of one session. A graph is refused whole for one bad line, so that the
 * lines that its errors name are taken out and told, and the rest is submitted again: a check of
 * our own beforehand would cost every good line what the daemon does anyway. An error that names
 * no line is of what all lines share, and ends the batch.
 */
#include "client/cli/batch_private.h"

#include <errno.h>
#include <string.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/refusal.h"
#include "proto/json.h"
#include "util/clock.h"
#include "util/panic.h"

struct batch_chunk *batch_graph_find(const struct batch *batch, uint64_t graph)
{
	/* Most words are about one of the last. */
	for (uint32_t i = batch->n_chunks; i > 0; i--) {
		if (batch->chunks[i - 1]->graph == graph)
			return batch->chunks[i - 1];
	}
	return NULL;
}

static void batch_graph_forget(struct batch *batch, const struct batch_chunk *chunk)
{
	uint32_t i = 0;

	while (batch->chunks[i] != chunk)
		i++;
	batch->n_chunks--;
	memmove(&batch->chunks[i], &batch->chunks[i + 1],
		(batch->n_chunks - i) * sizeof(batch->chunks[0]));
}

/* Nothing more is taken from the input. */
static void batch_graph_stop(struct batch *batch, int status)
{
	if (batch->status == EXIT_FULFILLED)
		batch->status = status;
	batch->is_closed = true;
	batch->pending = batch_chunk_free(batch->pending);
}

/* Takes the chunk. */
static void batch_graph_send(struct batch *batch, struct batch_chunk *chunk)
{
	struct settle *settle = batch->options->session->settle;
	int r;

	expect(batch->n_chunks < BATCH_GRAPHS_MAX);
	expect(batch->n_wire < batch->options->window);
	/* Who comes a second time takes no more than it gave back: lines wait for the rest. */
	if (chunk->concurrency == 0)
		chunk->concurrency = batch->options->window - batch->n_wire;
	expect(batch_chunk_share(chunk) <= batch->options->window - batch->n_wire);
	buffer_reset(&batch->document, 1024 * 1024);
	batch_chunk_document(chunk, batch->options->head, &batch->document);
	r = batch->document.failed ? -ENOMEM
				   : settle_submit(settle, batch->document.data,
					     batch->document.size, &chunk->graph);
	if (r == 0) {
		chunk->submitted_unix_ns = clock_unix_ns();
		batch->chunks[batch->n_chunks++] = chunk;
		batch->n_outstanding += chunk->n_jobs;
		batch->n_wire += batch_chunk_share(chunk);
		return;
	}
	batch_chunk_free(chunk);
	message_print("cannot submit a graph: %s", strerror(-r));
	batch_graph_stop(batch, r == -ENOMEM ? EXIT_LOCAL_IO : EXIT_DAEMON);
}

void batch_graph_submit(struct batch *batch)
{
	struct batch_chunk *chunk = batch->pending;

	batch->pending = NULL;
	if (chunk)
		batch_graph_send(batch, chunk);
}

void batch_graph_cancel(struct batch *batch)
{
	/* What is not submitted has no record. */
	batch->pending = batch_chunk_free(batch->pending);
	batch->is_closed = true;
	batch->watch.is_cancelled = true;
	/* Where it cannot be sent the connection is lost, which settle_next() tells. */
	for (uint32_t i = 0; i < batch->n_chunks; i++)
		settle_cancel(batch->options->session->settle, batch->chunks[i]->graph, NULL);
}

void batch_graph_take_accepted(struct batch *batch, uint64_t graph)
{
	struct batch_chunk *chunk = batch_graph_find(batch, graph);

	if (!chunk)
		return;
	chunk->is_accepted = true;
	/* The log shows the texts. */
	if (!batch->options->log->path)
		buffer_reset(&chunk->texts, 0);
}

/* True where the error is a line's own: the line is told and taken out. */
static bool batch_graph_blame(struct batch *batch, struct batch_chunk *chunk, yyjson_val *error)
{
	struct text at = json_string(yyjson_obj_get(error, "at"));
	struct text code = json_string(yyjson_obj_get(error, "code"));
	struct text message = json_string(yyjson_obj_get(error, "message"));
	uint32_t place = at.data ? batch_chunk_place(chunk, at) : UINT32_MAX;
	struct batch_job *job;

	if (place == UINT32_MAX)
		return false;
	job = batch_chunk_get(chunk, place);
	/* A line's first error is enough to correct it. */
	if (!job->is_settled) {
		struct batch_refusal refusal = {
			.line = job->line,
			.code = code.data ? code : TEXT("GRAPH_VALUE"),
			.message = message.data ? message : TEXT(""),
			.text = batch_chunk_text(chunk, job),
		};

		batch_refuse_line(batch, &refusal);
		batch_record_pass(batch, job->turn);
	}
	job->is_settled = true;
	return true;
}

void batch_graph_take_refused(struct batch *batch, uint64_t graph, struct text json)
{
	struct batch_chunk *chunk = batch_graph_find(batch, graph);
	struct json_error read_error;
	bool is_shared = false;
	size_t i, n, n_blamed = 0;
	yyjson_val *error;
	yyjson_doc *doc;

	if (!chunk)
		return;
	batch_graph_forget(batch, chunk);
	batch->n_outstanding -= chunk->n_jobs;
	batch->n_wire -= batch_chunk_share(chunk);
	doc = json_read(json, &read_error);
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "errors"), i, n, error)
	{
		if (batch_graph_blame(batch, chunk, error))
			n_blamed++;
		else
			is_shared = true;
	}
	yyjson_doc_free(doc);
	/* One word about what all lines share is enough. */
	if ((is_shared || n_blamed == 0) && batch->status == EXIT_FULFILLED)
		batch_graph_stop(batch, refusal_tell(json, &(struct refusal_source){0}));
	batch_chunk_shrink(chunk);
	if (chunk->n_jobs > 0 && batch->status == EXIT_FULFILLED && !batch->cancel_sent)
		batch_graph_send(batch, chunk);
	else
		batch_chunk_free(chunk);
}

void batch_graph_take_done(struct batch *batch, uint64_t graph)
{
	struct batch_chunk *chunk = batch_graph_find(batch, graph);

	if (!chunk)
		return;
	/* What has no record by now gets none. */
	batch->n_outstanding -= chunk->n_jobs - chunk->n_settled;
	batch->n_wire -= batch_chunk_share(chunk);
	batch_graph_forget(batch, chunk);
	batch_chunk_free(chunk);
}
