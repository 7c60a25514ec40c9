/* SPDX-License-Identifier: MIT */
/*
 * The problem: a million lines are not to be a million jobs in memory, and a graph is checked and
 * charged whole.
 *
 * The idea: lines are submitted as many small graphs of one session, as the ones before settle, so
 * that between three quarters and all of the window is on the wire: what a graph may have there
 * is its "concurrency", and falls with the jobs it has left, and the sum of that never exceeds the
 * window. Where answers come quickly a graph has four times as many lines, so that the daemon
 * replaces a request in the turn in which it ends, not when we come to it. Input is read only as
 * there is room, which holds back whoever writes it; and it is never waited for alone: records are
 * taken while the input says nothing. An input that trickles is submitted line by line, one that
 * pours a quarter of the window at a time, or what fills one; where requests are slow, what there
 * is room for.
 *
 * Rejected idea: one graph that grows. Every mode, deadline and critical path is defined for a
 * graph that is known whole.
 *
 * Limits: BATCH_GRAPHS_MAX graphs that are not done (a slow request keeps its graph), and where
 * records are kept in order four windows of lines between the one whose turn it is and the last.
 */
#include "client/cli/batch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/batch_line.h"
#include "client/cli/batch_private.h"
#include "client/cli/clean.h"
#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "client/cli/progress.h"
#include "proto/json.h"
#include "util/clock.h"

/* Characters of a refused line that are told. */
#define BATCH_TOLD_WIDTH 60

#define BATCH_LINGER_NS (2 * NS_PER_MS)
#define BATCH_LINGER_MS 2

/* How long lines may wait for more of them to go with. */
#define BATCH_GATHER_MS 1

/* As in client/cli/run.c: many records are better taken together. But the daemon is not to run dry
 * meanwhile: it is left alone for so many nanoseconds per request under way, in which it can do a
 * quarter of them on one core, and so what the next graph is made of. */
#define BATCH_BURST       16
#define BATCH_REST_MIN    64
#define BATCH_REST_NS     1500
#define BATCH_REST_NS_MAX NS_PER_MS

/* With fewer at once graphs are no burden, with more they are large anyhow. */
#define BATCH_DEEP_MIN 64
#define BATCH_DEEP_MAX 1024

/* Windows that records may be ahead of the one whose turn it is. */
#define BATCH_ORDER_WINDOWS 4

/* Bytes of lines that one graph may have. */
#define BATCH_CHUNK_BYTES (4u * 1024 * 1024)

/* -- Lines ------------------------------------------------------------------------------------- */

/* The point of a refused line: "not ok 3 - line 7: URL_INVALID ...". */
static void batch_refuse_point(const struct batch *batch, const struct batch_refusal *refusal)
{
	struct buffer name;

	if (!batch->options->tap)
		return;
	buffer_init(&name, SIZE_MAX / 4);
	buffer_printf(&name, "line %ju: %.*s %.*s", (uintmax_t)(refusal->line + 1),
		TEXT_ARGS(refusal->code), TEXT_ARGS(refusal->message));
	render_tap_refuse(batch->options->tap, buffer_text(&name));
	buffer_deinit(&name);
}

void batch_refuse_line(struct batch *batch, const struct batch_refusal *refusal)
{
	struct text start = clean_cut(refusal->text, BATCH_TOLD_WIDTH);
	struct batch_log_row row = {
		.line = refusal->line,
		.command = refusal->text,
		.submitted_unix_ns = clock_unix_ns(),
		.is_rejected = true,
	};

	batch->n_refused++;
	message_print("line %ju: %.*s: %.*s%s%.*s%s", (uintmax_t)(refusal->line + 1),
		TEXT_ARGS(refusal->code), TEXT_ARGS(refusal->message), start.size > 0 ? ": " : "",
		TEXT_ARGS(start), start.size < refusal->text.size ? "..." : "");
	batch_refuse_point(batch, refusal);
	if (batch->options->log->path)
		batch_log_append(batch->options->log, &row);
}

static void batch_add_line(struct batch *batch, struct text text)
{
	struct batch_job job = {
		.line = batch->intake.n_lines - 1,
		.turn = batch->next_turn,
	};

	if (batch_log_has(batch->options->log, job.line, text)) {
		batch->n_resumed++;
		return;
	}
	if (!batch->pending)
		batch->pending = batch_chunk_new();
	if (batch->pending && batch_chunk_add(batch->pending, &job, text)) {
		batch->next_turn++;
		return;
	}
	message_print("no memory for line %ju", (uintmax_t)(job.line + 1));
	batch->status = EXIT_LOCAL_IO;
	batch->is_closed = true;
}

/* One that is wrong by itself; `text` is empty where it was not kept. */
static void batch_refuse_last(struct batch *batch, struct text text, const struct fault *fault)
{
	struct batch_refusal refusal = {
		.line = batch->intake.n_lines - 1,
		.code = text_from(fault_name(fault->code)),
		.message = text_from(fault_message(fault)),
		.text = text,
	};

	batch_refuse_line(batch, &refusal);
}

static void batch_take_line(struct batch *batch, struct text line)
{
	struct fault fault;

	switch (batch_line_read(&line, &fault)) {
	case BATCH_LINE_NOTHING: break;
	case BATCH_LINE_URL:
	case BATCH_LINE_JOB: batch_add_line(batch, line); break;
	case BATCH_LINE_BAD: batch_refuse_last(batch, line, &fault); break;
	}
}

static uint32_t batch_pending(const struct batch *batch)
{
	return batch->pending ? batch->pending->n_jobs : 0;
}

/* Lines a graph has for each of its places on the wire: where answers come quickly the next one is
 * to be there already. Where they come slowly, each line has a place of its own, so that none
 * waits for a slow one while others end. */
static uint32_t batch_depth(const struct batch *batch)
{
	uint32_t window = batch->options->window;

	return batch->is_fast && window >= BATCH_DEEP_MIN && window <= BATCH_DEEP_MAX ? 4 : 1;
}

/* May another line be taken from the input? */
static bool batch_has_room(const struct batch *batch)
{
	if (batch->is_closed || batch->n_chunks >= BATCH_GRAPHS_MAX)
		return false;
	if (batch->pending && batch->pending->texts.size >= BATCH_CHUNK_BYTES)
		return false;
	if (batch->options->keep_order && !order_has_room(&batch->order, batch->next_turn))
		return false;
	return batch_pending(batch) < batch_depth(batch) * (batch->options->window - batch->n_wire);
}

/* Takes lines that are there. True where the input has no more of them for now. */
static bool batch_take_lines(struct batch *batch)
{
	while (batch_has_room(batch)) {
		struct fault fault;
		struct text line;

		switch (intake_next(&batch->intake, &line)) {
		case INTAKE_LINE: batch_take_line(batch, line); break;
		case INTAKE_TOO_LONG:
			fault_set(&fault, FAULT_GRAPH_TOO_LARGE, "it is longer than a mebibyte");
			batch_refuse_last(batch, TEXT(""), &fault);
			break;
		case INTAKE_MORE: return true;
		case INTAKE_END: batch->is_closed = true; return true;
		}
	}
	return false;
}

static bool batch_input_is_ready(const struct batch *batch)
{
	struct pollfd fd = {.fd = batch->intake.fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

/* Are those that wait to be submitted? What fills a quarter of the window is worth a graph, and
 * less where nothing else would happen. */
static bool batch_is_due(const struct batch *batch)
{
	if (batch->is_due || batch->n_outstanding == 0)
		return true;
	return batch_pending(batch) >= batch_depth(batch) * ((batch->options->window + 3) / 4) ||
	       (batch->pending && batch->pending->texts.size >= BATCH_CHUNK_BYTES);
}

/* Lines into graphs, as far as there is room. True where it is the input that is waited for. */
static bool batch_feed(struct batch *batch)
{
	bool is_dry = batch_take_lines(batch);

	while (is_dry && !batch->is_closed && batch_input_is_ready(batch)) {
		intake_read(&batch->intake);
		is_dry = batch_take_lines(batch);
	}
	if (is_dry || batch->is_closed || batch_is_due(batch))
		batch_graph_submit(batch);
	batch->is_due = false;
	return is_dry && !batch->is_closed;
}

/* -- Events ------------------------------------------------------------------------------------ */

static struct text batch_event_json(const struct settle_event *event)
{
	struct text json;

	json.data = settle_event_json(event, &json.size);
	return json;
}

static void batch_take(struct batch *batch, const struct settle_event *event)
{
	uint64_t graph = settle_event_graph(event);

	switch (settle_event_type(event)) {
	case SETTLE_SETTLED: batch_record_take(batch, event); break;
	case SETTLE_ACCEPTED: batch_graph_take_accepted(batch, graph); break;
	case SETTLE_REFUSED: batch_graph_take_refused(batch, graph, batch_event_json(event)); break;
	case SETTLE_DONE: batch_graph_take_done(batch, graph); break;
	case SETTLE_ERROR:
		message_print("the daemon does not understand us: %.*s",
			TEXT_ARGS(batch_event_json(event)));
		batch->error = -EPROTO;
		batch->ending = BATCH_LOST;
		break;
	default: break;
	}
}

/* -- The loop ---------------------------------------------------------------------------------- */

static void batch_heed_signals(struct batch *batch)
{
	if (interrupt_count() == 0)
		return;
	interrupt_drain();
	if (interrupt_count() > 1)
		batch->ending = BATCH_QUIT;
	if (batch->cancel_sent)
		return;
	batch->cancel_sent = true;
	batch_graph_cancel(batch);
}

/* 0: not at all. */
static uint64_t batch_rest_ns(const struct batch *batch)
{
	uint64_t rest_ns = (uint64_t)batch->n_outstanding * BATCH_REST_NS;

	if (batch->burst < BATCH_BURST || batch->n_outstanding < BATCH_REST_MIN)
		return 0;
	return rest_ns < BATCH_REST_NS_MAX ? rest_ns : BATCH_REST_NS_MAX;
}

static int batch_wait_ms(const struct batch *batch)
{
	int wait_ms = progress_wait_ms();
	bool is_written = batch->options->sink->buffer.size == 0 &&
			  batch->options->log->sink.buffer.size == 0;

	if (!is_written && (wait_ms < 0 || wait_ms > BATCH_LINGER_MS))
		wait_ms = BATCH_LINGER_MS;
	if (batch->pending && (wait_ms < 0 || wait_ms > BATCH_GATHER_MS))
		wait_ms = BATCH_GATHER_MS;
	return wait_ms;
}

static void batch_write(struct batch *batch)
{
	int r = batch_log_flush(batch->options->log);

	sink_flush(batch->options->sink);
	if (r < 0 && batch->local_error == 0) {
		message_print("cannot write %s: %s", batch->options->log->path, strerror(-r));
		batch->local_error = r;
	}
}

/* Nobody has anything to say for now. */
static void batch_on_quiet(struct batch *batch)
{
	batch_write(batch);
	batch->is_due = true;
}

/* Waits for the daemon, the input where that is wanted, a signal, or the time to write. */
static void batch_wait(struct batch *batch, bool wants_input)
{
	struct settle *settle = batch->options->session->settle;
	struct sink *sink = batch->options->sink;
	struct timespec rest = {.tv_nsec = (long)batch_rest_ns(batch)};
	struct pollfd fds[] = {
		{.fd = interrupt_fd(), .events = POLLIN},
		{.fd = settle_fd(settle), .events = settle_poll_events(settle)},
		{.fd = wants_input ? batch->intake.fd : -1, .events = POLLIN},
	};

	batch->burst = 0;
	if (sink_age_ns(sink) >= BATCH_LINGER_NS)
		batch_write(batch);
	progress_show(&batch->watch);
	/* EINTR is a signal, which is looked at next. */
	if (rest.tv_nsec > 0)
		ppoll(fds, 1, &rest, NULL);
	else if (poll(fds, 3, batch_wait_ms(batch)) == 0)
		batch_on_quiet(batch);
	if (sink->error)
		batch->ending = BATCH_SINK;
}

static bool batch_is_done(const struct batch *batch)
{
	return batch->is_closed && !batch->pending && batch->n_chunks == 0;
}

static void batch_loop(struct batch *batch)
{
	struct settle *settle = batch->options->session->settle;

	while (batch->ending == BATCH_GOING) {
		bool wants_input = batch_feed(batch);
		const struct settle_event *event;
		int r;

		if (batch_is_done(batch)) {
			batch->ending = BATCH_DONE;
			return;
		}
		while ((r = settle_next(settle, 0, &event)) == 1 && batch->ending == BATCH_GOING) {
			batch_take(batch, event);
			if (batch->options->sink->error)
				batch->ending = BATCH_SINK;
			if (batch->n_wire <= batch->options->window / 4 * 3)
				break;
		}
		if (r == 0) {
			batch_wait(batch, wants_input);
		} else if (r < 0) {
			batch->error = r;
			batch->ending = BATCH_LOST;
		}
		if (batch->ending == BATCH_GOING)
			batch_heed_signals(batch);
	}
}

/* -- The end ----------------------------------------------------------------------------------- */

static uint64_t batch_jobs(const struct batch *batch)
{
	return batch->watch.n_settled + batch->n_refused;
}

static bool batch_has_failed(const struct batch *batch)
{
	return batch->watch.n_rejected > 0 || batch->n_refused > 0;
}

static void batch_append_summary(const struct batch *batch, struct buffer *out)
{
	buffer_printf(out,
		"{\"status\":\"%s\",\"jobs\":%ju,\"fulfilled\":%u,\"rejected\":%u,"
		"\"refused\":%ju,\"resumed\":%ju,\"wall_ms\":",
		batch->n_refused > 0 ? "rejected" : "fulfilled", (uintmax_t)batch_jobs(batch),
		batch->watch.n_settled - batch->watch.n_rejected, batch->watch.n_rejected,
		(uintmax_t)batch->n_refused, (uintmax_t)batch->n_resumed);
	json_append_ms(out, clock_now_ns() - batch->start_ns);
	buffer_append_byte(out, '}');
}

static void batch_finish(struct batch *batch)
{
	struct render_end end = {{NULL, 0}};
	struct buffer summary;

	buffer_init(&summary, 4096);
	batch_append_summary(batch, &summary);
	if (batch->ending == BATCH_DONE)
		end.summary = buffer_text(&summary);
	progress_finish(&batch->watch);
	batch_record_flush(batch);
	render_finish(batch->options->render, &end);
	if (batch->ending != BATCH_QUIT)
		batch_write(batch);
	buffer_append_byte(&summary, '\n');
	/* Where stderr takes nothing, there is nobody to tell. */
	if (batch->options->summary_is_shown && !summary.failed &&
		write(STDERR_FILENO, summary.data, summary.size) < 0)
		message_silence();
	buffer_deinit(&summary);
}

static int batch_end(struct batch *batch)
{
	const struct sink *sink = batch->options->sink;
	int status = batch->status;

	batch_finish(batch);
	if (status == EXIT_FULFILLED && batch_has_failed(batch))
		status = EXIT_REJECTED;
	if (batch->ending == BATCH_LOST) {
		session_tell_lost(batch->options->session, batch->error);
		status = EXIT_DAEMON;
	}
	if (batch->intake.error) {
		message_print("cannot read the input: %s", strerror(-batch->intake.error));
		batch->local_error = batch->intake.error;
	}
	/* Who closes a pipe knows that; a second signal is no error. */
	if (sink->error && sink->error != -EPIPE && sink->error != -EINTR)
		message_print("cannot write the results: %s", strerror(-sink->error));
	if (sink->error || (batch->local_error && status <= EXIT_REJECTED))
		status = EXIT_LOCAL_IO;
	if (interrupt_count() > 0)
		status = EXIT_SIGNAL + interrupt_signal();
	return status;
}

static int batch_init(struct batch *batch, const struct batch_options *options)
{
	*batch = (struct batch){.options = options, .start_ns = clock_now_ns()};
	intake_init(&batch->intake, options->fd);
	buffer_init(&batch->document, SIZE_MAX / 4);
	buffer_init(&batch->rewritten, SIZE_MAX / 4);
	buffer_init(&batch->name, SIZE_MAX / 4);
	watch_init(&batch->watch, NULL, batch->start_ns);
	return options->keep_order
		       ? order_init(&batch->order, options->window * BATCH_ORDER_WINDOWS)
		       : 0;
}

static void batch_deinit(struct batch *batch)
{
	for (uint32_t i = 0; i < batch->n_chunks; i++)
		batch_chunk_free(batch->chunks[i]);
	batch_chunk_free(batch->pending);
	order_deinit(&batch->order);
	buffer_deinit(&batch->name);
	buffer_deinit(&batch->rewritten);
	buffer_deinit(&batch->document);
	intake_deinit(&batch->intake);
}

int batch_run(const struct batch_options *options)
{
	struct batch batch;
	int status;

	if (batch_init(&batch, options) == 0) {
		batch_loop(&batch);
		status = batch_end(&batch);
	} else {
		message_print("no memory to keep the order");
		status = EXIT_LOCAL_IO;
	}
	batch_deinit(&batch);
	return status;
}
