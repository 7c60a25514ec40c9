/* SPDX-License-Identifier: MIT */
/*
 * settle flush: the daemon forgets the addresses of names, or closes the user's idle connections.
 */
#include "client/cli/command.h"

#include <string.h>
#include <unistd.h>

#include "client/cli/ask.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/session.h"
#include "proto/json.h"

static int flush_show(struct text json, const char *what)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	struct text n = json_number(yyjson_obj_get(yyjson_doc_get_root(doc), what));
	struct sink sink;

	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	buffer_printf(&sink.buffer, "%.*s %s\n", TEXT_ARGS(n.data ? n : TEXT("0")),
		strcmp(what, "dns") == 0 ? "names forgotten" : "idle connections closed");
	yyjson_doc_free(doc);
	return ask_write(&sink);
}

int command_flush(const struct options *options)
{
	const char *what = options->n_operands == 1 ? options->operands[0] : "";
	struct session session;
	struct text json;
	int status;

	if (strcmp(what, "dns") != 0 && strcmp(what, "conns") != 0) {
		message_print("flush needs one of dns, conns");
		return EXIT_USAGE;
	}
	status = session_open(options, false, &session);
	if (status != 0)
		return status;
	/* What cannot be sent is told by what follows. */
	settle_ask_flush(session.settle, what);
	status = ask_await(&session, SETTLE_FLUSHED, &json);
	if (status == 0)
		status = flush_show(json, what);
	session_close(&session);
	return status;
}
