/* SPDX-License-Identifier: MIT */
#include "client/cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/edit.h"
#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/run.h"
#include "client/cli/session.h"
#include "client/cli/show.h"
#include "proto/plan.h"

/* Longer documents are refused by whoever checks them; what is twice as long is not read. */
#define COMMAND_DOCUMENT_MAX (2 * (size_t)PLAN_BYTES_MAX)

int command_read_document(const struct options *options, struct buffer *document)
{
	const char *path = options->n_operands > 0 ? options->operands[0] : "-";
	int r;

	if (options->n_operands > 1) {
		message_print("%s takes one FILE", option_command_name(options->command));
		return EXIT_USAGE;
	}
	if (options->n_operands == 0 && isatty(STDIN_FILENO)) {
		message_print("%s needs a FILE, or a graph on stdin",
			option_command_name(options->command));
		return EXIT_USAGE;
	}
	buffer_init(document, COMMAND_DOCUMENT_MAX);
	r = file_read(path, document);
	if (r == -EFBIG) {
		message_print(
			"GRAPH_TOO_LARGE: the document is larger than %u bytes", PLAN_BYTES_MAX);
		return EXIT_REFUSED;
	}
	if (r < 0 && strstr(path, "://")) {
		message_print("%s takes a graph from a file: did you mean settle get %s?",
			option_command_name(options->command), path);
		return EXIT_USAGE;
	}
	if (r < 0)
		return message_cannot("read", path, r);
	return edit_document(options, document);
}

/* A graph to be run, and the files that go with it. */
struct command_run {
	const struct options *options;
	struct text document;
	struct passed passed;
	struct targets targets;
};

static int command_run_with(struct command_run *command, struct show *show)
{
	struct session session;
	struct streams streams;
	int status = session_open(command->options, true, &session);

	if (status == 0) {
		struct run_options run = {
			.session = &session,
			.document = command->document,
			.passed = &command->passed,
			.render = show->render,
			.streams = &streams,
			.targets = &command->targets,
			.sink = &show->sink,
			.views = &show->views,
			.plan = show->plan,
			.failures_are_told = show_tells_failures(show),
			.refusal_is_shown = show_has_refusal(show),
			.summary_is_shown = option_given(command->options, OPTION_SUMMARY),
		};

		streams_init(&streams, &show->render->options);
		status = run_graph(&run);
		streams_deinit(&streams);
		session_close(&session);
	}
	return status;
}

static int command_run_document(struct command_run *command)
{
	struct show_options show_options = {
		.options = command->options, .document = command->document};
	struct show show;
	int status = show_choose(command->options, &show_options.format);

	if (status != 0)
		return status;
	status = targets_open(&command->targets, command->options, &command->passed);
	if (status != 0)
		return status;
	status = show_open(&show, &show_options);
	if (status == 0)
		status = command_run_with(command, &show);
	show_close(&show);
	return status;
}

int command_run(const struct options *options)
{
	struct command_run command = {.options = options};
	struct buffer document = {0};
	int status = command_read_document(options, &document);

	command.document = buffer_text(&document);
	if (status == 0)
		status = command_run_document(&command);
	passed_close(&command.passed);
	targets_close(&command.targets);
	buffer_deinit(&document);
	return status;
}
