/* SPDX-License-Identifier: MIT */
/*
 * status and ping ask a daemon that is there: a private one would have nothing to tell.
 */
#include "client/cli/command.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/cli/ask.h"
#include "client/cli/clean.h"
#include "client/cli/exit.h"
#include "client/cli/session.h"
#include "client/cli/sink.h"
#include "proto/json.h"
#include "util/clock.h"

/* With line ends and indentation. */
static void status_append_pretty(struct buffer *out, struct text json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	size_t size = 0;
	char *text = doc ? yyjson_write(doc, YYJSON_WRITE_PRETTY, &size) : NULL;

	buffer_append_text(out, text ? (struct text){text, size} : json);
	free(text);
	yyjson_doc_free(doc);
}

static int status_show(struct text json)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	struct sink sink;

	sink_init(&sink, STDOUT_FILENO, is_terminal ? SINK_TERMINAL_JSON : SINK_RAW);
	if (is_terminal)
		status_append_pretty(&sink.buffer, json);
	else
		buffer_append_text(&sink.buffer, json);
	buffer_append_byte(&sink.buffer, '\n');
	return ask_write(&sink);
}

int command_status(const struct options *options)
{
	struct session session;
	struct text json;
	int status = ask_check_operands(options);

	if (status == 0)
		status = session_open(options, false, &session);
	if (status != 0)
		return status;
	/* What cannot be sent is told by what follows. */
	settle_ask_status(session.settle);
	status = ask_await(&session, SETTLE_STATUS, &json);
	if (status == 0)
		status = status_show(json);
	session_close(&session);
	return status;
}

static int ping_show(struct text json, uint64_t since_ns)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	struct text server;
	struct sink sink;

	server = json_string(yyjson_obj_get(yyjson_doc_get_root(doc), "server"));
	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	clean_line(&sink.buffer, server.data ? server : TEXT("a daemon"));
	buffer_printf(&sink.buffer, " answered in %.2f ms\n", (double)since_ns / (double)NS_PER_MS);
	yyjson_doc_free(doc);
	return ask_write(&sink);
}

int command_ping(const struct options *options)
{
	struct session session;
	struct text json;
	uint64_t start_ns;
	int status = ask_check_operands(options);

	if (status == 0)
		status = session_open(options, false, &session);
	if (status != 0)
		return status;
	start_ns = clock_now_ns();
	/* What cannot be sent is told by what follows. */
	settle_ask_hello(session.settle);
	status = ask_await(&session, SETTLE_HELLO, &json);
	if (status == 0)
		status = ping_show(json, clock_now_ns() - start_ns);
	session_close(&session);
	return status;
}
