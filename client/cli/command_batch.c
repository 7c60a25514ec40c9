/* SPDX-License-Identifier: MIT */
#include "client/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/batch.h"
#include "client/cli/compose.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/show.h"
#include "client/cli/value.h"
#include "proto/plan.h"

/* Requests under way where nobody bounds them: beyond it only memory grows. */
#define COMMAND_BATCH_WINDOW_MAX 16384

static int batch_choose_window(const struct options *options, uint32_t *ret_window)
{
	const char *value = option_value(options, OPTION_CONCURRENCY);
	uint64_t n = PLAN_CONCURRENCY_DEFAULT;

	if (value && !value_concurrency(value, PLAN_JOBS_MAX, &n))
		return EXIT_USAGE;
	if (n == 0 || n > COMMAND_BATCH_WINDOW_MAX)
		n = COMMAND_BATCH_WINDOW_MAX;
	*ret_window = (uint32_t)n;
	return 0;
}

/* Records one at a time: what shows all of them together needs all of them. */
static int batch_choose_format(const struct options *options, enum show_format *ret_format)
{
	static const char *const formats[] = {"jsonl", "tap", NULL};
	const char *value = option_value(options, OPTION_FORMAT);
	const char *log = option_value(options, OPTION_JOBLOG);
	size_t choice = 0;

	if (value && !value_choice(OPTION_FORMAT, value, formats, &choice))
		return EXIT_USAGE;
	if (log && strcmp(log, "-") == 0) {
		message_print("option --joblog: the records want standard output");
		return EXIT_USAGE;
	}
	*ret_format = choice == 0 ? SHOW_JSONL : SHOW_TAP;
	return 0;
}

/* The input, and whether it is to be closed. */
static int batch_open_input(const struct options *options, int *ret_fd)
{
	const char *path = options->n_operands > 0 ? options->operands[0] : "-";
	int fd = STDIN_FILENO;

	if (options->n_operands > 1) {
		message_print("batch takes one FILE");
		return EXIT_USAGE;
	}
	if (options->n_operands == 0 && isatty(STDIN_FILENO)) {
		message_print("batch needs a FILE, or lines on stdin");
		return EXIT_USAGE;
	}
	if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && strstr(path, "://")) {
		message_print("batch takes lines from a file: did you mean settle get %s?", path);
		return EXIT_USAGE;
	}
	if (fd < 0)
		return message_cannot("read", path, -errno);
	*ret_fd = fd;
	return 0;
}

static int batch_run_with(
	const struct options *options, struct show *show, struct batch_options *batch)
{
	struct batch_log log;
	struct session session;
	int status = batch_log_open(&log, options);

	if (status == 0)
		status = session_open(options, true, &session);
	if (status == 0) {
		batch->session = &session;
		batch->render = show->render;
		batch->tap = show->format == SHOW_TAP ? show->render : NULL;
		batch->sink = &show->sink;
		batch->log = &log;
		batch->keep_order = option_given(options, OPTION_KEEP_ORDER);
		batch->summary_is_shown = option_given(options, OPTION_SUMMARY);
		status = batch_run(batch);
		session_close(&session);
	}
	batch_log_close(&log);
	return status;
}

static int batch_show(
	const struct options *options, enum show_format format, struct batch_options *batch)
{
	struct show_options show_options = {.options = options, .format = format, .is_batch = true};
	struct show show;
	int status = show_open(&show, &show_options);

	if (status == 0)
		status = batch_run_with(options, &show, batch);
	show_close(&show);
	return status;
}

int command_batch(const struct options *options)
{
	struct batch_options batch = {.fd = -1};
	enum show_format format;
	struct buffer head;
	int status = batch_choose_format(options, &format);

	buffer_init(&head, SIZE_MAX / 4);
	if (status == 0)
		status = batch_choose_window(options, &batch.window);
	if (status == 0)
		status = compose_head(options, &head);
	if (status == 0)
		status = batch_open_input(options, &batch.fd);
	if (status == 0) {
		batch.head = buffer_text(&head);
		status = batch_show(options, format, &batch);
	}
	if (batch.fd > STDIN_FILENO)
		close(batch.fd);
	buffer_deinit(&head);
	return status;
}
