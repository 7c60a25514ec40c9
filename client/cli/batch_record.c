/* SPDX-License-Identifier: MIT */
/*
 * A record says which job of its graph it is of; here it is made to say which line. Its first two
 * members stand where docs/PROTOCOL.md has them, so that nothing of it is parsed.
 */
#include "client/cli/batch_private.h"

#include <stdlib.h>

#include "client/cli/message.h"
#include "util/clock.h"

/* A window of records in less is quick. */
#define BATCH_FAST_NS (20 * NS_PER_MS)

/* Takes `prefix` from the start of *text. */
static bool batch_record_skip(struct text *text, struct text prefix)
{
	if (!text_starts_with(*text, prefix))
		return false;
	*text = text_from_at(*text, prefix.size);
	return true;
}

/* {"job":"17","index":17 and so on, with the line in the place of both. */
static struct text batch_record_rewrite(
	struct batch *batch, const struct render_record *record, struct text line)
{
	struct buffer *out = &batch->rewritten;
	struct text rest = record->json;

	buffer_reset(out, 1024 * 1024);
	if (batch_record_skip(&rest, TEXT("{\"job\":\"")) &&
		batch_record_skip(&rest, record->job) &&
		batch_record_skip(&rest, TEXT("\",\"index\":")) &&
		batch_record_skip(&rest, record->job)) {
		buffer_append_literal(out, "{\"job\":\"");
		buffer_append_text(out, line);
		buffer_append_literal(out, "\",\"index\":");
		buffer_append_text(out, line);
	} else {
		rest = record->json;
	}
	buffer_append_text(out, rest);
	return out->failed ? record->json : buffer_text(out);
}

static void batch_record_show(struct batch *batch, const struct render_record *record)
{
	int r = render_record(batch->options->render, record);

	if (r < 0)
		batch->local_error = r;
}

/* All whose turn has come. */
static void batch_record_release(struct batch *batch)
{
	struct order_record held;

	while (order_take(&batch->order, &held)) {
		struct render_record record = {
			.json = held.json,
			.body = held.body,
			.job = held.job,
			.index = (uint32_t)held.line,
			.is_rejected = held.is_rejected,
		};

		batch_record_show(batch, &record);
		free(held.memory);
	}
}

static void batch_record_keep(
	struct batch *batch, uint64_t turn, uint64_t line, const struct render_record *record)
{
	struct order_record held = {
		.json = record->json,
		.body = record->body,
		.job = record->job,
		.line = line,
		.is_rejected = record->is_rejected,
	};

	/* Without memory, out of order is better than lost. */
	if (!order_put(&batch->order, turn, &held)) {
		batch_record_show(batch, record);
		order_pass(&batch->order, turn);
	}
	batch_record_release(batch);
}

void batch_record_pass(struct batch *batch, uint64_t turn)
{
	if (!batch->options->keep_order)
		return;
	order_pass(&batch->order, turn);
	batch_record_release(batch);
}

void batch_record_flush(struct batch *batch)
{
	if (!batch->options->keep_order)
		return;
	/* Of a batch that broke off, some turns never come. */
	for (uint32_t i = 0; i < batch->order.n_slots && batch->order.bytes > 0; i++) {
		batch_record_release(batch);
		if (batch->order.bytes > 0)
			order_pass(&batch->order, batch->order.next);
	}
	batch_record_release(batch);
}

static void batch_record_log(struct batch *batch, const struct batch_chunk *chunk,
	const struct batch_job *job, const struct render_record *record)
{
	struct batch_log_row row = {
		.line = job->line,
		.json = record->json,
		.submitted_unix_ns = chunk->submitted_unix_ns,
		.is_rejected = record->is_rejected,
	};

	if (!batch->options->log->path)
		return;
	row.command = batch_chunk_text(chunk, job);
	batch_log_append(batch->options->log, &row);
}

/* How quickly does a window of them come? */
static void batch_record_count(struct batch *batch)
{
	uint64_t now_ns;

	if (++batch->n_lap < batch->options->window)
		return;
	now_ns = clock_now_ns();
	batch->is_fast = now_ns - batch->lap_ns < BATCH_FAST_NS;
	batch->lap_ns = now_ns;
	batch->n_lap = 0;
}

void batch_record_take(struct batch *batch, const struct settle_event *event)
{
	struct batch_chunk *chunk = batch_graph_find(batch, settle_event_graph(event));
	const struct settle_record *record = settle_event_record(event);
	uint32_t place = settle_record_index(record);
	struct render_record view = {.index = place};
	struct batch_job *job;
	uint32_t share;

	if (!chunk || place >= chunk->n_jobs || batch_chunk_get(chunk, place)->is_settled)
		return;
	job = batch_chunk_get(chunk, place);
	job->is_settled = true;
	share = batch_chunk_share(chunk);
	chunk->n_settled++;
	batch->n_wire -= share - batch_chunk_share(chunk);
	batch->n_outstanding--;
	batch->burst++;
	batch_record_count(batch);
	view.json.data = settle_event_json(event, &view.json.size);
	view.body.data = settle_event_payload(event, &view.body.size);
	view.job.data = settle_record_job(record, &view.job.size);
	view.is_rejected = settle_record_status(record) == SETTLE_REJECTED;
	batch_record_log(batch, chunk, job, &view);
	watch_take(&batch->watch, &view, 0);
	buffer_clear(&batch->name);
	buffer_append_u64(&batch->name, job->line);
	view.json = batch_record_rewrite(batch, &view, buffer_text(&batch->name));
	view.job = buffer_text(&batch->name);
	view.index = (uint32_t)job->line;
	if (batch->options->keep_order)
		batch_record_keep(batch, job->turn, job->line, &view);
	else
		batch_record_show(batch, &view);
}
