/* SPDX-License-Identifier: MIT */
/*
 * settle top: the daemon's status once a second, drawn over itself on a terminal, until a signal
 * ends it. Off a terminal, and with --once, it is shown once.
 */
#include "client/cli/command.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cli/ask.h"
#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "client/cli/session.h"
#include "client/cli/terminal.h"
#include "client/cli/top.h"
#include "proto/json.h"

#define TOP_INTERVAL_MS 1000

struct top_state {
	struct session session;
	/* The last two samples; the first of them has been drawn. */
	struct top_sample now, before;
	bool has_before;
	/* What the samples' texts are views into. */
	yyjson_doc *now_doc, *before_doc;
	/* Lines on the screen. */
	uint32_t n_lines;
	bool is_drawn;
};

static int top_sample(struct top_state *state)
{
	struct json_error error;
	struct text json;
	int status;

	/* What cannot be sent is told by what follows. */
	settle_ask_status(state->session.settle);
	status = ask_await(&state->session, SETTLE_STATUS, &json);
	if (status != 0)
		return status;
	yyjson_doc_free(state->before_doc);
	state->before = state->now;
	state->before_doc = state->now_doc;
	state->has_before = state->before_doc;
	state->now_doc = json_read(json, &error);
	top_read(&state->now, yyjson_doc_get_root(state->now_doc));
	return 0;
}

static int top_show(struct top_state *state)
{
	struct top_view view = {0};
	struct sink sink;

	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	if (state->is_drawn) {
		view.rows = terminal_rows(STDOUT_FILENO);
		view.columns = terminal_columns(STDOUT_FILENO);
	}
	if (state->n_lines > 0)
		buffer_printf(&sink.buffer, "\r\x1b[%uA\x1b[J", state->n_lines);
	state->n_lines = top_append(
		&sink.buffer, &state->now, state->has_before ? &state->before : NULL, &view);
	return ask_write(&sink);
}

static void top_wait(void)
{
	struct pollfd fd = {.fd = interrupt_fd(), .events = POLLIN};

	/* EINTR is a signal, too. */
	poll(&fd, 1, TOP_INTERVAL_MS);
}

static int top_run(struct top_state *state)
{
	int status;

	do {
		status = top_sample(state);
		if (status == 0)
			status = top_show(state);
		if (status == 0 && state->is_drawn)
			top_wait();
	} while (status == 0 && state->is_drawn && interrupt_count() == 0);
	return status;
}

int command_top(const struct options *options)
{
	struct top_state *state;
	int status = ask_check_operands(options);

	if (status != 0)
		return status;
	state = calloc(1, sizeof(*state));
	if (!state) {
		message_print("no memory for the picture");
		return EXIT_LOCAL_IO;
	}
	state->is_drawn =
		isatty(STDOUT_FILENO) && !terminal_is_dumb() && !option_given(options, OPTION_ONCE);
	status = session_open(options, false, &state->session);
	if (status == 0) {
		status = top_run(state);
		session_close(&state->session);
	}
	yyjson_doc_free(state->now_doc);
	yyjson_doc_free(state->before_doc);
	free(state);
	return status;
}
