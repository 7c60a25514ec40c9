/* SPDX-License-Identifier: MIT */
/*
 * status and ping ask a daemon that is there: a private one would have nothing to tell.
 */
#include "client/cli/command.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/cli/clean.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/session.h"
#include "client/cli/sink.h"
#include "proto/json.h"
#include "util/clock.h"

/* A daemon that is alive answers in one turn of its loop. */
#define STATUS_WAIT_MS 5000

/* Waits for the answer of that type. 0 and the event; EXIT_DAEMON, which was said. */
static int status_await(
	struct session *session, enum settle_event_type type, const struct settle_event **ret_event)
{
	uint64_t deadline_ns = clock_now_ns() + STATUS_WAIT_MS * NS_PER_MS;
	int r = 0;

	while (clock_now_ns() < deadline_ns) {
		r = settle_next(session->settle, STATUS_WAIT_MS, ret_event);
		if (r < 0) {
			session_tell_lost(session, r);
			return EXIT_DAEMON;
		}
		if (r == 1 && settle_event_type(*ret_event) == type)
			return 0;
	}
	message_print("the daemon does not answer");
	return EXIT_DAEMON;
}

static int status_check_operands(const struct options *options)
{
	if (options->n_operands == 0)
		return 0;
	message_print("%s takes no operand", option_command_name(options->command));
	return EXIT_USAGE;
}

static int status_write(struct sink *sink)
{
	int r = sink_flush(sink);

	sink_deinit(sink);
	return r < 0 ? EXIT_LOCAL_IO : EXIT_FULFILLED;
}

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

static int status_show(const struct settle_event *event)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	struct sink sink;
	struct text json;

	json.data = settle_event_json(event, &json.size);
	sink_init(&sink, STDOUT_FILENO, is_terminal ? SINK_TERMINAL_JSON : SINK_RAW);
	if (is_terminal)
		status_append_pretty(&sink.buffer, json);
	else
		buffer_append_text(&sink.buffer, json);
	buffer_append_byte(&sink.buffer, '\n');
	return status_write(&sink);
}

int command_status(const struct options *options)
{
	const struct settle_event *event;
	struct session session;
	int status = status_check_operands(options);

	if (status == 0)
		status = session_open(options, false, &session);
	if (status != 0)
		return status;
	/* What cannot be sent is told by what follows. */
	settle_ask_status(session.settle);
	status = status_await(&session, SETTLE_STATUS, &event);
	if (status == 0)
		status = status_show(event);
	session_close(&session);
	return status;
}

static int ping_show(const struct settle_event *event, uint64_t since_ns)
{
	struct json_error error;
	struct text json, server;
	struct sink sink;
	yyjson_doc *doc;

	json.data = settle_event_json(event, &json.size);
	doc = json_read(json, &error);
	server = json_string(yyjson_obj_get(yyjson_doc_get_root(doc), "server"));
	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	clean_line(&sink.buffer, server.data ? server : TEXT("a daemon"));
	buffer_printf(&sink.buffer, " answered in %.2f ms\n", (double)since_ns / (double)NS_PER_MS);
	yyjson_doc_free(doc);
	return status_write(&sink);
}

int command_ping(const struct options *options)
{
	const struct settle_event *event;
	struct session session;
	uint64_t start_ns;
	int status = status_check_operands(options);

	if (status == 0)
		status = session_open(options, false, &session);
	if (status != 0)
		return status;
	start_ns = clock_now_ns();
	/* What cannot be sent is told by what follows. */
	settle_ask_hello(session.settle);
	status = status_await(&session, SETTLE_HELLO, &event);
	if (status == 0)
		status = ping_show(event, clock_now_ns() - start_ns);
	session_close(&session);
	return status;
}
