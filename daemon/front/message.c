/* SPDX-License-Identifier: MIT */
#include "front/message.h"

#include "front/session_private.h"
#include "front/submission.h"
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
		"\"features\":[\"http/1.1\",\"tls\",\"cancel\",\"status\"],"
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
	buffer_append_literal(message, "}\n");
	session_say(session);
	return NULL;
}

/* A graph or job that is not there has settled already. */
static const char *message_cancel(struct session *session, yyjson_val *root, yyjson_val *cancel)
{
	struct submission *submission;
	yyjson_val *job = yyjson_obj_get(cancel, "job");
	uint64_t id;

	if (!message_id(root, &id))
		return "cancel needs the id of a graph";
	if (job && !yyjson_is_str(job))
		return "the job of cancel is not a string";
	submission = submission_find(session, id);
	if (!submission)
		return NULL;
	if (job)
		graph_cancel_job(submission->graph, json_string(job));
	else
		graph_cancel(submission->graph, RECORD_BY_CLIENT);
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
	static const char *const kinds[] = {"submit", "cancel", "hello", "status"};
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
	if (kind == 0)
		return message_submit(session, docp, value);
	if (!yyjson_is_obj(value))
		return "the value of cancel, hello and status is an object";
	if (kind == 1)
		return message_cancel(session, root, value);
	return kind == 2 ? message_hello(session, value) : message_status(session);
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
