/* SPDX-License-Identifier: MIT */
#include "front/message.h"

#include "front/session_private.h"
#include "front/submission.h"
#include "net/pool.h"
#include "net/resolver.h"
#include "proto/json.h"
#include "util/container.h"

/* A client's numbers for its graphs are exact in every language. */
#define ID_MAX (UINT64_C(1) << 53)

#define PROTOCOL_VERSION 1

static bool message_id(yyjson_val *root, uint64_t *ret_id)
{
	struct text digits = json_number(yyjson_obj_get(root, "id"));

	return digits.data && text_to_u64(digits, ID_MAX, ret_id);
}

static const char *message_hello(struct session *session, yyjson_val *hello)
{
	yyjson_val *version = yyjson_obj_get(hello, "version");
	struct buffer *message = session_message(session);

	if (version && !text_is(json_number(version), "1"))
		return "this daemon speaks version 1 of the protocol";
	buffer_printf(message,
		"{\"hello\":{\"version\":%d,\"server\":\"settled/" SETTLED_VERSION "\","
		"\"features\":[\"http/1.1\",\"http/2\",\"tls\",\"cancel\","
		"\"status\",\"descriptors\",\"stream\"],"
		"\"limits\":{\"line\":%zu,\"jobs\":%u}}}\n",
		PROTOCOL_VERSION, session->front->options.line_max,
		session->front->options.jobs_max);
	session_say(session);
	return NULL;
}

static const char *message_status(struct session *session)
{
	struct front *front = session->front;
	struct buffer *message = session_message(session);

	buffer_append_literal(message, "{\"status\":");
	front->options.write_status(front->options.context, message);
	/* The object's last byte makes room for what depends on who asks. */
	message->size -= message->size > 0;
	buffer_append_literal(message, ",\"graph_list\":");
	submission_append_list(session, message);
	buffer_append_literal(message, "}}\n");
	session_say(session);
	return NULL;
}

/* True where there was such a job, or none was named. */
static bool message_cancel_in(struct submission *submission, yyjson_val *job)
{
	if (job)
		return graph_cancel_job(submission->graph, json_string(job));
	graph_cancel(submission->graph, RECORD_BY_CLIENT);
	return true;
}

/* By its daemon-wide number, whoever submitted it. The answer tells no
 * stranger's graph from one that is not there. */
static const char *message_cancel_number(
	struct session *session, yyjson_val *number, yyjson_val *job)
{
	struct text digits = json_number(number);
	struct submission *submission;
	struct buffer *message;
	uint64_t graph;
	bool is_found;

	if (!digits.data || !text_to_u64(digits, ID_MAX, &graph))
		return "the graph of cancel is not a number";
	submission = submission_find_number(session, graph);
	is_found = submission && message_cancel_in(submission, job);
	message = session_message(session);
	buffer_append_literal(message, "{\"cancelled\":{\"graph\":");
	buffer_append_u64(message, graph);
	buffer_append_text(
		message, is_found ? TEXT(",\"found\":true}}\n") : TEXT(",\"found\":false}}\n"));
	session_say(session);
	return NULL;
}

/* A graph or job that is not there has settled already. */
static const char *message_cancel(struct session *session, yyjson_val *root, yyjson_val *cancel)
{
	struct submission *submission;
	yyjson_val *job = yyjson_obj_get(cancel, "job");
	yyjson_val *number = yyjson_obj_get(cancel, "graph");
	uint64_t id;

	if (job && !yyjson_is_str(job))
		return "the job of cancel is not a string";
	if (!yyjson_obj_get(root, "id") && number)
		return message_cancel_number(session, number, job);
	if (!message_id(root, &id))
		return "cancel needs the id of a graph";
	submission = submission_find(session, id);
	if (submission)
		message_cancel_in(submission, job);
	return NULL;
}

/* What it names is forgotten: {"flush":{"dns":true}}, {"flush":{"conns":true}}. */
static const char *message_flush(struct session *session, yyjson_val *flush)
{
	struct pool *pool = session->front->scheduler->pool;
	bool wants_dns = yyjson_is_true(yyjson_obj_get(flush, "dns"));
	bool wants_conns = yyjson_is_true(yyjson_obj_get(flush, "conns"));
	uint64_t n_names = wants_dns ? resolver_flush(pool_resolver(pool)) : 0;
	uint64_t n_conns = wants_conns ? pool_flush(pool, session->uid) : 0;
	struct buffer *message = session_message(session);

	if (!wants_dns && !wants_conns)
		return "flush needs dns or conns to be true";
	buffer_append_literal(message, "{\"flushed\":{");
	if (wants_dns) {
		buffer_append_literal(message, "\"dns\":");
		buffer_append_u64(message, n_names);
	}
	if (wants_conns) {
		buffer_append_text(message, wants_dns ? TEXT(",\"conns\":") : TEXT("\"conns\":"));
		buffer_append_u64(message, n_conns);
	}
	buffer_append_literal(message, "}}\n");
	session_say(session);
	return NULL;
}

/* Takes the document. */
static const char *message_submit(struct session *session, yyjson_doc **docp, yyjson_val *document)
{
	yyjson_doc *doc = *docp;
	uint64_t id;

	if (!message_id(yyjson_doc_get_root(doc), &id))
		return "submit needs an id: a whole number up to 2^53";
	if (submission_find(session, id))
		return "the id is in use by another graph of this session";
	*docp = NULL;
	submission_new(session, id, doc, document);
	return NULL;
}

static const char *message_do(struct session *session, yyjson_doc **docp)
{
	enum { SUBMIT, CANCEL, HELLO, STATUS, FLUSH };
	static const char *const kinds[] = {
		[SUBMIT] = "submit",
		[CANCEL] = "cancel",
		[HELLO] = "hello",
		[STATUS] = "status",
		[FLUSH] = "flush",
	};
	yyjson_val *root = yyjson_doc_get_root(*docp);
	yyjson_val *value = NULL;
	size_t kind = 0;

	if (!yyjson_is_obj(root))
		return "a message is a JSON object";
	if (yyjson_obj_get(root, "payload"))
		return "a client's message with a payload is not supported by this version";
	while (kind < countof(kinds) && !(value = yyjson_obj_get(root, kinds[kind])))
		kind++;
	if (!value)
		return "a message of a kind that is not known";
	if (kind == SUBMIT)
		return message_submit(session, docp, value);
	if (!yyjson_is_obj(value))
		return "the value of cancel, hello, status and flush is an object";
	switch (kind) {
	case CANCEL: return message_cancel(session, root, value);
	case HELLO: return message_hello(session, value);
	case STATUS: return message_status(session);
	default: return message_flush(session, value);
	}
}

const char *message_read(struct session *session, struct text line)
{
	struct json_error error;
	yyjson_doc *doc = json_read(line, &error);
	const char *why;

	if (!doc && error.no_memory)
		return "no memory to read the line";
	if (!doc)
		return error.too_deep ? "the line nests too deeply" : "the line is not JSON";
	why = message_do(session, &doc);
	yyjson_doc_free(doc);
	return why;
}
