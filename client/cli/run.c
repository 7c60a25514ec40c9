/* SPDX-License-Identifier: MIT */
/*
 * The loop: take events as long as there are any, and only then look at the clock, the signals
 * and the progress. Output leaves in pieces of 64 KiB; what is less waits RUN_LINGER_NS at most,
 * so that records that trickle in are seen, and records that pour in share their writes.
 *
 * Whether a rejected job was a required one stands in the document alone, and a document of a
 * hundred thousand jobs is not read for a graph in which all goes well: the names of rejected
 * jobs are kept, and the document is read at the end if it can matter at all.
 *
 * Rejected idea: to check the document before it is sent. The daemon does that anyway. Only where
 * it could not even read the message, the document is to blame, and is read here for its errors.
 */
#include "client/cli/run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/clean.h"
#include "client/cli/exit.h"
#include "client/cli/failure.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "client/cli/progress.h"
#include "client/cli/refusal.h"
#include "client/cli/render/place.h"
#include "client/cli/terminal.h"
#include "client/cli/watch.h"
#include "proto/document.h"
#include "proto/json.h"
#include "util/clock.h"
#include "util/container.h"

#define RUN_LINGER_NS (2 * NS_PER_MS)
#define RUN_LINGER_MS 2

/* When so many records came since the last wait, the next ones are left to gather for a moment:
 * at a hundred thousand a second, to be woken for every twenty costs more than all else. */
#define RUN_BURST   16
#define RUN_REST_MS 1

/* Rejections told one by one; the rest is counted. */
#define RUN_FAILURES_MAX 20

enum run_ending {
	RUN_GOING,
	/* The daemon has said its last word: `status` holds. */
	RUN_DONE,
	/* The connection broke: `error`. */
	RUN_LOST,
	/* Nobody wants the output any more, or it cannot be written. */
	RUN_SINK,
	/* A second signal. */
	RUN_QUIT,
};

struct run {
	const struct run_options *options;
	uint64_t graph;
	enum run_ending ending;
	struct watch watch;
	/* Records since the last wait. */
	uint32_t burst;
	/* The names of rejected jobs, a line each; only as long as it can matter. */
	struct buffer rejected;
	uint32_t n_rejected;
	enum {
		RUN_OPTIONAL_UNKNOWN,
		RUN_OPTIONAL_NONE,
		RUN_OPTIONAL_PERHAPS,
	} optional;
	uint32_t n_failures;
	/* The exit status, where the daemon had its last word. */
	int status;
	/* -errno of the connection. */
	int error;
	/* -errno of a file of the user's; 0: none. */
	int local_error;
	/* True exactly when a job was rejected for its own time limit. */
	bool job_timed_out;
	bool cancel_sent;
};

/* -- Whether a rejection counts ---------------------------------------------------------------- */

/* Something can only be there if its letters are, or an escape that could spell them. */
static bool run_may_be_optional(struct run *run)
{
	static const char *const signs[] = {"optional", "\"any\"", "\"race\"", "\\u"};
	struct text document = run->options->document;

	if (run->optional != RUN_OPTIONAL_UNKNOWN)
		return run->optional == RUN_OPTIONAL_PERHAPS;
	run->optional = RUN_OPTIONAL_NONE;
	for (size_t i = 0; i < countof(signs); i++) {
		if (memmem(document.data, document.size, signs[i], strlen(signs[i])))
			run->optional = RUN_OPTIONAL_PERHAPS;
	}
	return run->optional == RUN_OPTIONAL_PERHAPS;
}

static bool run_has_required(const struct run *run, const struct plan *plan)
{
	struct text names = buffer_text(&run->rejected);

	while (names.size > 0) {
		struct text name = {names.data, text_find(names, '\n')};
		const struct plan_job *job = place_find(plan, name);

		if (!job || place_is_required(plan, job))
			return true;
		names = text_from_at(names, name.size + 1);
	}
	return false;
}

/* Of the jobs that were rejected, was one required? */
static bool run_required_was_rejected(struct run *run)
{
	struct plan_errors errors;
	struct plan *plan;
	bool is_required = true;

	if (run->n_rejected == 0)
		return false;
	if (!run_may_be_optional(run) || run->rejected.failed)
		return true;
	if (run->options->plan)
		return run_has_required(run, run->options->plan);
	plan_errors_init(&errors);
	if (document_parse(run->options->document, &document_limits_default, &plan, &errors) == 0) {
		is_required = run_has_required(run, plan);
		plan_free(plan);
	}
	plan_errors_deinit(&errors);
	return is_required;
}

/* -- Events ------------------------------------------------------------------------------------ */

/* Above the picture of the progress, where one is drawn. */
static void run_tell_failure(struct run *run, const struct render_record *view)
{
	struct buffer lines;

	if (!run->options->failures_are_told || !progress_is_drawn() || view->is_group ||
		run->n_failures >= RUN_FAILURES_MAX)
		return;
	buffer_init(&lines, SIZE_MAX / 4);
	if (failure_append(&lines, view, terminal_columns(STDERR_FILENO))) {
		run->n_failures++;
		progress_clear();
		/* Where stderr takes nothing, there is nobody to tell. */
		if (!lines.failed && write(STDERR_FILENO, lines.data, lines.size) < 0)
			run->n_failures = RUN_FAILURES_MAX;
	}
	buffer_deinit(&lines);
}

static void run_take_rejection(
	struct run *run, const struct settle_record *record, const struct render_record *view)
{
	const char *code = settle_record_code(record);

	run->n_rejected++;
	if (run_may_be_optional(run)) {
		buffer_append_text(&run->rejected, view->job);
		buffer_append_byte(&run->rejected, '\n');
	}
	/* With one attempt, and the same limit for both, either may be the first to notice. */
	if (code && (strcmp(code, "JOB_TIMEOUT") == 0 || strcmp(code, "ATTEMPT_TIMEOUT") == 0))
		run->job_timed_out = true;
	run_tell_failure(run, view);
}

/* A body that did not come with its record: in pieces before it, or in a file. */
static void run_take_body(
	struct run *run, const struct settle_record *record, struct render_record *view)
{
	const struct run_options *options = run->options;
	int r = options->streams ? streams_settle(options->streams, view) : 0;
	const char *via = options->targets ? settle_record_via(record) : NULL;

	if (r < 0)
		run->local_error = r;
	if (!via || strcmp(via, "network") != 0)
		return;
	r = targets_keep(options->targets, options->plan, view->index);
	if (r < 0)
		run->local_error = r;
}

static void run_take_record(struct run *run, const struct settle_event *event)
{
	const struct settle_record *record = settle_event_record(event);
	struct render_record view;
	int r;

	view.json.data = settle_event_json(event, &view.json.size);
	view.body.data = settle_event_payload(event, &view.body.size);
	view.job.data = settle_record_job(record, &view.job.size);
	view.index = settle_record_index(record);
	view.is_rejected = settle_record_status(record) == SETTLE_REJECTED;
	view.is_group = settle_record_is_group(record);
	watch_take(&run->watch, &view, run->watch.jobs ? clock_now_ns() : 0);
	run->burst++;
	if (view.is_rejected)
		run_take_rejection(run, record, &view);
	run_take_body(run, record, &view);
	r = render_record(run->options->render, &view);
	if (r < 0)
		run->local_error = r;
	if (run->options->views)
		view_record(run->options->views, &view);
}

static void run_take_chunk(struct run *run, const struct settle_event *event)
{
	struct render_chunk chunk = {.offset = settle_chunk_offset(event)};
	int r;

	chunk.job.data = settle_chunk_job(event, &chunk.job.size);
	chunk.data.data = settle_chunk_data(event, &chunk.data.size);
	if (run->options->streams)
		r = streams_take(run->options->streams, &chunk);
	else
		r = render_chunk(run->options->render, &chunk);
	if (r < 0)
		run->local_error = r;
}

static struct text run_event_json(const struct settle_event *event)
{
	struct text json;

	json.data = settle_event_json(event, &json.size);
	return json;
}

static void run_take_accepted(struct run *run, const struct settle_event *event)
{
	struct json_error error;
	yyjson_doc *doc = json_read(run_event_json(event), &error);
	struct text jobs = json_number(yyjson_obj_get(yyjson_doc_get_root(doc), "jobs"));
	uint64_t n;

	if (jobs.data && text_to_u64(jobs, UINT32_MAX, &n))
		run->watch.n_jobs = (uint32_t)n;
	yyjson_doc_free(doc);
}

static void run_show_summary(struct text json)
{
	struct buffer line;

	buffer_init(&line, SIZE_MAX / 4);
	clean_json(&line, json);
	buffer_append_byte(&line, '\n');
	/* Where stderr takes nothing, there is nobody to tell. */
	if (!line.failed && write(STDERR_FILENO, line.data, line.size) < 0)
		message_silence();
	buffer_deinit(&line);
}

/* What stays on a terminal's screen of a graph that was drawn there. */
static void run_tell_end(const struct run *run)
{
	struct buffer line;
	struct frame frame;

	buffer_init(&line, 1024);
	watch_frame(&run->watch, clock_now_ns(), 0, 0, &frame);
	frame.has_running = false;
	frame_append_head(&line, &frame);
	message_print("%.*s", TEXT_ARGS(buffer_text(&line)));
	buffer_deinit(&line);
}

/* The results are written before what is drawn of them besides. */
static void run_finish(struct run *run, const struct render_end *end)
{
	bool is_told = run->options->failures_are_told && progress_is_drawn();
	int r = 0;

	progress_finish(&run->watch);
	render_finish(run->options->render, end);
	sink_flush(run->options->sink);
	if (is_told)
		run_tell_end(run);
	if (run->options->views)
		r = view_finish(run->options->views, end);
	if (r < 0)
		run->local_error = r;
}

/* In the end it is known what fan-outs have made. */
static void run_take_total(struct run *run, yyjson_val *jobs)
{
	struct text digits = json_number(jobs);
	uint64_t n;

	if (!digits.data || !text_to_u64(digits, UINT32_MAX, &n))
		return;
	run->watch.n_jobs = (uint32_t)n;
	run->watch.n_more = 0;
}

static void run_take_done(struct run *run, const struct settle_event *event)
{
	struct render_end end = {run_event_json(event)};
	struct json_error error;
	yyjson_doc *doc = json_read(end.summary, &error);
	yyjson_val *summary = yyjson_doc_get_root(doc);
	yyjson_val *code = yyjson_obj_get(yyjson_obj_get(summary, "reason"), "code");

	run_take_total(run, yyjson_obj_get(summary, "jobs"));
	if (yyjson_equals_str(code, "GRAPH_TIMEOUT") ||
		(run->options->job_timeout_is_graphs && run->job_timed_out))
		run->status = EXIT_GRAPH_TIMEOUT;
	else if (!yyjson_equals_str(yyjson_obj_get(summary, "status"), "fulfilled"))
		run->status = EXIT_REJECTED;
	else
		run->status = run_required_was_rejected(run) ? EXIT_REJECTED : EXIT_FULFILLED;
	if (yyjson_equals_str(code, "GRAPH_TIMEOUT"))
		message_print("GRAPH_TIMEOUT: %s", fault_sentence(FAULT_GRAPH_TIMEOUT));
	yyjson_doc_free(doc);
	run_finish(run, &end);
	if (run->options->summary_is_shown)
		run_show_summary(end.summary);
	run->ending = RUN_DONE;
}

static void run_show_refusal(struct run *run, struct text json)
{
	struct sink *sink = run->options->sink;

	if (!run->options->refusal_is_shown)
		return;
	buffer_append_literal(&sink->buffer, "{\"refused\":");
	buffer_append_text(&sink->buffer, json);
	buffer_append_literal(&sink->buffer, "}\n");
}

/* True where the document has errors that nobody has told yet: told, and the end. */
static bool run_refuse_document(struct run *run)
{
	struct buffer json;

	buffer_init(&json, SIZE_MAX / 4);
	run->status = refusal_check(run->options->document, run->options->source, &json);
	if (run->status != 0) {
		run_show_refusal(run, json.size > 0 ? buffer_text(&json) : TEXT("{}"));
		run->ending = RUN_DONE;
	}
	buffer_deinit(&json);
	return run->status != 0;
}

/* The daemon could not read the message. If that is the document's fault, its errors say so. */
static void run_take_error(struct run *run, const struct settle_event *event)
{
	struct text json = run_event_json(event);

	if (run_refuse_document(run))
		return;
	message_print("the daemon does not understand us: %.*s", TEXT_ARGS(json));
	run->error = -EPROTO;
	run->ending = RUN_LOST;
}

static void run_take_refused(struct run *run, const struct settle_event *event)
{
	struct text json = run_event_json(event);

	run->status = refusal_tell(json, run->options->source);
	run_show_refusal(run, json);
	run->ending = RUN_DONE;
}

static void run_take(struct run *run, const struct settle_event *event)
{
	switch (settle_event_type(event)) {
	case SETTLE_SETTLED: run_take_record(run, event); break;
	case SETTLE_ACCEPTED: run_take_accepted(run, event); break;
	case SETTLE_REFUSED: run_take_refused(run, event); break;
	case SETTLE_DONE: run_take_done(run, event); break;
	case SETTLE_ERROR: run_take_error(run, event); break;
	case SETTLE_CHUNK: run_take_chunk(run, event); break;
	case SETTLE_HELLO:
	case SETTLE_DECIDED:
	default: break;
	}
}

/* -- The loop ---------------------------------------------------------------------------------- */

static void run_heed_signals(struct run *run)
{
	if (interrupt_count() == 0)
		return;
	interrupt_drain();
	if (interrupt_count() > 1)
		run->ending = RUN_QUIT;
	if (run->cancel_sent)
		return;
	run->cancel_sent = true;
	run->watch.is_cancelled = true;
	/* Where it cannot be sent the connection is lost, which settle_next() tells. */
	settle_cancel(run->options->session->settle, run->graph, NULL);
}

/* True where more is on its way, and it is better taken together. Behind the last record the
 * graph's end follows at once; of a fan-out nobody knows which one that is. */
static bool run_may_rest(struct run *run)
{
	bool is_burst = run->burst >= RUN_BURST && run->watch.n_settled != run->watch.n_jobs;

	run->burst = 0;
	return is_burst;
}

static int run_wait_ms(const struct run *run, bool may_rest)
{
	int wait_ms = progress_wait_ms();

	if (run->options->sink->buffer.size > 0 && (wait_ms < 0 || wait_ms > RUN_LINGER_MS))
		wait_ms = RUN_LINGER_MS;
	if (may_rest && (wait_ms < 0 || wait_ms > RUN_REST_MS))
		wait_ms = RUN_REST_MS;
	return wait_ms;
}

static void run_flush(struct run *run)
{
	sink_flush(run->options->sink);
	if (run->options->views)
		view_flush(run->options->views);
}

/* Waits for the daemon, a signal, or the time to write what has waited. */
static void run_wait(struct run *run)
{
	struct settle *settle = run->options->session->settle;
	struct sink *sink = run->options->sink;
	bool may_rest = run_may_rest(run);
	struct pollfd fds[] = {
		{.fd = may_rest ? -1 : settle_fd(settle), .events = settle_poll_events(settle)},
		{.fd = interrupt_fd(), .events = POLLIN},
	};

	if (sink_age_ns(sink) >= RUN_LINGER_NS)
		sink_flush(sink);
	progress_show(&run->watch);
	/* EINTR is a signal, which is looked at next. */
	if (poll(fds, 2, run_wait_ms(run, may_rest)) == 0 && !may_rest)
		run_flush(run);
	if (sink->error)
		run->ending = RUN_SINK;
}

static void run_collect(struct run *run)
{
	struct settle *settle = run->options->session->settle;

	while (run->ending == RUN_GOING) {
		const struct settle_event *event;
		int r = settle_next(settle, 0, &event);

		if (r == 1) {
			run_take(run, event);
			if (run->options->sink->error)
				run->ending = RUN_SINK;
		} else if (r == 0) {
			run_wait(run);
		} else {
			run->error = r;
			run->ending = RUN_LOST;
		}
		if (run->ending == RUN_GOING)
			run_heed_signals(run);
	}
}

/* -- The end ----------------------------------------------------------------------------------- */

static int run_tell_sink(const struct sink *sink)
{
	/* Who closes a pipe knows that; a second signal is no error. */
	if (sink->error != -EPIPE && sink->error != -EINTR)
		message_print("cannot write the results: %s", strerror(-sink->error));
	return EXIT_LOCAL_IO;
}

static int run_tell_lost(struct run *run)
{
	struct render_end end = {{NULL, 0}};

	/* A document that nobody could read may be why. */
	if (run->watch.n_jobs == 0 && run->error == -EPIPE && run_refuse_document(run))
		return run->status;
	run_finish(run, &end);
	session_tell_lost(run->options->session, run->error);
	if (run->watch.n_jobs > 0)
		message_print("%u of %u jobs had settled", run->watch.n_settled,
			watch_total(&run->watch));
	return EXIT_DAEMON;
}

static int run_end(struct run *run)
{
	struct sink *sink = run->options->sink;
	int status = run->status;

	progress_clear();
	if (run->ending == RUN_LOST)
		status = run_tell_lost(run);
	if (run->ending != RUN_QUIT)
		sink_flush(sink);
	if (sink->error)
		status = run_tell_sink(sink);
	else if (run->local_error && status <= EXIT_REJECTED)
		status = EXIT_LOCAL_IO;
	if (interrupt_count() > 0)
		status = EXIT_SIGNAL + interrupt_signal();
	return status;
}

/* 0; the exit status where it did not even get that far. */
static int run_submit(struct run *run)
{
	struct text document = run->options->document;
	struct settle *settle = run->options->session->settle;
	int r = run->options->passed ? passed_hand_over(run->options->passed, settle) : 0;

	if (r == 0)
		r = settle_submit(settle, document.data, document.size, &run->graph);
	/* No JSON, or longer than a message may be: the document can tell what is wrong. */
	if (r == 0 || ((r == -EINVAL || r == -EMSGSIZE) && run_refuse_document(run)))
		return 0;
	message_print("cannot submit the graph: %s", strerror(-r));
	return r == -ENOMEM ? EXIT_LOCAL_IO : EXIT_DAEMON;
}

int run_graph(const struct run_options *options)
{
	struct run run = {.options = options};
	int status = run_submit(&run);

	if (status != 0)
		return status;
	buffer_init(&run.rejected, SIZE_MAX / 4);
	watch_init(&run.watch, options->plan, clock_now_ns());
	run_collect(&run);
	status = run_end(&run);
	watch_deinit(&run.watch);
	buffer_deinit(&run.rejected);
	return status;
}
