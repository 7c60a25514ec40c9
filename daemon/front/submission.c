/* SPDX-License-Identifier: MIT */
#include "front/submission.h"

#include <stdlib.h>

#include "front/passed.h"
#include "front/session.h"
#include "front/session_private.h"
#include "proto/document.h"
#include "proto/json.h"
#include "util/clock.h"
#include "util/panic.h"

/* Graphs that a status lists. */
#define LIST_MAX 100

/* A body at least this large goes out in its own memory; a smaller one is copied. */
#define BODY_MOVE_MIN (16 * 1024)

static struct submission *submission_of(struct graph *graph)
{
	return container_of(graph->owner, struct submission, owner);
}

/* {"id":7,"NAME": */
static struct buffer *message_begin(struct session *session, uint64_t id, const char *name)
{
	struct buffer *message = session_message(session);

	buffer_append_literal(message, "{\"id\":");
	buffer_append_u64(message, id);
	buffer_append_literal(message, ",\"");
	buffer_append_text(message, text_from(name));
	buffer_append_literal(message, "\":");
	return message;
}

/* Records: the hot path of the way out. */

static void submission_on_settled(
	struct graph *graph, const struct record *record, struct text body, char **body_memory)
{
	struct submission *submission = submission_of(graph);
	struct session *session = submission->session;
	struct buffer *message;

	if (!session_is_listening(session))
		return;
	message = message_begin(session, submission->id, "settled");
	record_append(message, record);
	if (body.data) {
		buffer_append_literal(message, ",\"payload\":");
		buffer_append_u64(message, body.size);
	}
	buffer_append_literal(message, "}\n");
	session_say(session);
	if (!body.data)
		return;
	if (body.size < BODY_MOVE_MIN || !body_memory) {
		outbox_append(&session->out, body.data, body.size);
	} else {
		outbox_append_memory(&session->out, *body_memory, body.size);
		*body_memory = NULL;
	}
	session_said(session);
}

/* Pieces are views of what was received: they are copied once, to where they are sent from. */
static void submission_on_chunk(
	struct graph *graph, struct text job, uint64_t offset, struct text data)
{
	struct submission *submission = submission_of(graph);
	struct session *session = submission->session;
	struct buffer *message;

	if (!session_is_listening(session))
		return;
	message = message_begin(session, submission->id, "chunk");
	buffer_append_literal(message, "{\"job\":");
	json_append_string(message, job);
	buffer_append_literal(message, ",\"offset\":");
	buffer_append_u64(message, offset);
	buffer_append_literal(message, "},\"payload\":");
	buffer_append_u64(message, data.size);
	buffer_append_literal(message, "}\n");
	session_say(session);
	outbox_append(&session->out, data.data, data.size);
	session_said(session);
}

static void submission_say_summary(
	struct submission *submission, const char *name, const struct record_summary *summary)
{
	struct session *session = submission->session;
	struct buffer *message;

	if (!session_is_listening(session))
		return;
	message = message_begin(session, submission->id, name);
	record_append_summary(message, summary);
	buffer_append_literal(message, "}\n");
	session_say(session);
}

static void submission_on_decided(struct graph *graph, const struct record_summary *summary)
{
	submission_say_summary(submission_of(graph), "decided", summary);
}

static void submission_on_done(struct graph *graph, const struct record_summary *summary)
{
	struct submission *submission = submission_of(graph);
	struct session *session = submission->session;
	uint32_t n_fds = descriptors_count(graph->descriptors);

	submission_say_summary(submission, "done", summary);
	graph_free(graph);
	passed_on_closed(&session->front->passed, n_fds);
	list_remove(&submission->link);
	session->n_graphs--;
	free(submission);
	session_on_graph_gone(session);
}

static const struct graph_events submission_events = {
	.on_settled = submission_on_settled,
	.on_chunk = submission_on_chunk,
	.on_decided = submission_on_decided,
	.on_done = submission_on_done,
};

/* Admission. */

static void append_error(
	struct buffer *message, enum fault_code code, struct text at, struct text text)
{
	buffer_append_literal(message, "{\"code\":");
	json_append_string(message, text_from(fault_name(code)));
	buffer_append_literal(message, ",\"at\":");
	json_append_string(message, at);
	buffer_append_literal(message, ",\"message\":");
	json_append_string(message, text);
	buffer_append_byte(message, '}');
}

static void refuse(struct session *session, uint64_t id, const struct plan_errors *errors)
{
	struct buffer *message = message_begin(session, id, "refused");

	buffer_append_literal(message, "{\"errors\":[");
	for (uint32_t i = 0; i < errors->n; i++) {
		const struct plan_error *error = &errors->errors[i];

		if (i > 0)
			buffer_append_byte(message, ',');
		append_error(message, error->code, error->at, error->message);
	}
	buffer_append_literal(message, "]}}\n");
	session_say(session);
}

static void refuse_with(struct session *session, uint64_t id, enum fault_code code)
{
	struct buffer *message = message_begin(session, id, "refused");

	buffer_append_literal(message, "{\"errors\":[");
	append_error(message, code, TEXT(""), text_from(fault_sentence(code)));
	buffer_append_literal(message, "]}}\n");
	session_say(session);
}

/* The plan made a graph, which has the descriptors of the line. Takes the plan, or leaves it where
 * there is no memory. */
static bool submission_make_graph(struct submission *submission, struct plan **planp)
{
	struct session *session = submission->session;
	struct front *front = session->front;
	uint32_t n_fds = session->passed.n_line;
	struct descriptors *descriptors = passed_take(&session->passed, &front->passed);

	if (n_fds > 0 && !descriptors)
		return false;
	if (graph_new(front->scheduler, planp, session->uid, &submission->owner,
		    &submission->graph) < 0) {
		descriptors_free(front->ring, descriptors);
		passed_on_closed(&front->passed, n_fds);
		return false;
	}
	graph_take_descriptors(submission->graph, descriptors);
	return true;
}

/* As above. */
static bool submission_start(struct session *session, uint64_t id, struct plan **planp)
{
	struct submission *submission = calloc(1, sizeof(*submission));
	uint32_t n_jobs = (*planp)->n_leaves;
	struct buffer *message;

	if (!submission)
		return false;
	submission->session = session;
	submission->id = id;
	submission->number = ++session->front->graph_number;
	submission->owner.events = &submission_events;
	if (!submission_make_graph(submission, planp)) {
		free(submission);
		return false;
	}
	list_push_back(&session->submissions, &submission->link);
	session->n_graphs++;
	graph_pause(submission->graph, session->is_slow);
	message = message_begin(session, id, "accepted");
	buffer_append_literal(message, "{\"jobs\":");
	buffer_append_u64(message, n_jobs);
	buffer_append_literal(message, "}}\n");
	session_say(session);
	return true;
}

void submission_new(struct session *session, uint64_t id, yyjson_doc *doc, yyjson_val *document)
{
	struct document_limits limits = {
		session->front->options.jobs_max, PLAN_BYTES_MAX, session->passed.n_line};
	struct plan_errors errors;
	struct plan *plan = NULL;
	int r;

	if (session->front->is_draining ||
		session->n_graphs >= session->front->options.graphs_max) {
		yyjson_doc_free(doc);
		refuse_with(
			session, id, session->front->is_draining ? FAULT_DRAINING : FAULT_QUOTA);
		return;
	}
	if (session->passed.line_lost) {
		yyjson_doc_free(doc);
		refuse_with(session, id, FAULT_OVERLOADED);
		return;
	}
	plan_errors_init(&errors);
	r = document_parse_value(&doc, document, &limits, &plan, &errors);
	if (r == DOCUMENT_E_REFUSED)
		refuse(session, id, &errors);
	else if (r < 0 || !submission_start(session, id, &plan))
		refuse_with(session, id, FAULT_OVERLOADED);
	plan_errors_deinit(&errors);
	plan_free(plan);
	yyjson_doc_free(doc);
}

struct submission *submission_find(struct session *session, uint64_t id)
{
	list_each(link, &session->submissions) {
		struct submission *submission = list_entry(link, struct submission, link);

		if (submission->id == id)
			return submission;
	}
	return NULL;
}

/* Looking at graphs from outside of their session. */

static bool submission_may_touch(const struct session *asking, const struct session *session)
{
	return asking->uid == session->uid || asking->uid == 0;
}

struct submission *submission_find_number(const struct session *asking, uint64_t number)
{
	list_each(link, &asking->front->sessions) {
		struct session *session = list_entry(link, struct session, link);

		if (!submission_may_touch(asking, session))
			continue;
		list_each(at, &session->submissions) {
			struct submission *submission = list_entry(at, struct submission, link);

			if (submission->number == number)
				return submission;
		}
	}
	return NULL;
}

static void submission_append_status(
	const struct submission *submission, const struct session *asking, struct buffer *out)
{
	const struct graph *graph = submission->graph;
	uint64_t age_ns = ring_now(asking->front->ring) - graph->accepted_ns;

	buffer_append_literal(out, "{\"graph\":");
	buffer_append_u64(out, submission->number);
	if (graph->plan->name.data) {
		buffer_append_literal(out, ",\"name\":");
		json_append_string(out, graph->plan->name);
	}
	if (asking->uid == 0) {
		buffer_append_literal(out, ",\"uid\":");
		buffer_append_u64(out, graph->uid);
	}
	buffer_append_literal(out, ",\"jobs\":");
	buffer_append_u64(out, graph->n_leaves);
	buffer_append_literal(out, ",\"settled\":");
	buffer_append_u64(out, graph->n_settled);
	buffer_append_literal(out, ",\"in_flight\":");
	buffer_append_u64(out, graph->group.requests.used);
	buffer_append_literal(out, ",\"age_ms\":");
	buffer_append_u64(out, age_ns / NS_PER_MS);
	buffer_append_byte(out, '}');
}

void submission_append_list(const struct session *asking, struct buffer *out)
{
	uint32_t n = 0;

	buffer_append_byte(out, '[');
	list_each(link, &asking->front->sessions) {
		struct session *session = list_entry(link, struct session, link);

		if (!submission_may_touch(asking, session))
			continue;
		list_each(at, &session->submissions) {
			if (n == LIST_MAX)
				break;
			if (n++ > 0)
				buffer_append_byte(out, ',');
			submission_append_status(
				list_entry(at, struct submission, link), asking, out);
		}
	}
	buffer_append_byte(out, ']');
}
