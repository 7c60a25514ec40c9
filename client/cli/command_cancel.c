/* SPDX-License-Identifier: MIT */
/*
 * settle cancel: a graph of any session of the same user (or, for root, of anybody), by the number
 * that status and top show. Its own session gets the records: CANCELLED, by "client".
 */
#include "client/cli/command.h"

#include "client/cli/ask.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/session.h"
#include "proto/json.h"

static int cancel_read_operands(const struct options *options, uint64_t *ret_graph)
{
	if (options->n_operands == 0 || options->n_operands > 2) {
		message_print("cancel needs the number of a GRAPH, and takes one JOB");
		return EXIT_USAGE;
	}
	if (text_to_u64(text_from(options->operands[0]), UINT64_C(1) << 53, ret_graph))
		return 0;
	message_print("'%s' is no number of a graph: see settle status", options->operands[0]);
	return EXIT_USAGE;
}

static int cancel_tell(struct text json, uint64_t graph, const char *job)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	bool is_found = yyjson_is_true(yyjson_obj_get(yyjson_doc_get_root(doc), "found"));

	yyjson_doc_free(doc);
	if (is_found)
		return EXIT_FULFILLED;
	if (job)
		message_print(
			"there is no graph %ju of yours with a job %s", (uintmax_t)graph, job);
	else
		message_print("there is no graph %ju of yours", (uintmax_t)graph);
	return EXIT_REJECTED;
}

int command_cancel(const struct options *options)
{
	const char *job = options->n_operands > 1 ? options->operands[1] : NULL;
	struct session session;
	struct text json;
	uint64_t graph;
	int status = cancel_read_operands(options, &graph);

	if (status == 0)
		status = session_open(options, false, &session);
	if (status != 0)
		return status;
	/* What cannot be sent is told by what follows. */
	settle_ask_cancel(session.settle, graph, job);
	status = ask_await(&session, SETTLE_CANCELLED, &json);
	if (status == 0)
		status = cancel_tell(json, graph, job);
	session_close(&session);
	return status;
}
