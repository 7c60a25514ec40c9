/* SPDX-License-Identifier: MIT */
/*
 * settle(1): the command line's words become a command, and its result an exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "client/cli/sink.h"

static int main_print(struct buffer *text)
{
	struct sink sink;
	int r;

	sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	buffer_append_text(&sink.buffer, buffer_text(text));
	r = sink_flush(&sink);
	sink_deinit(&sink);
	return r < 0 ? EXIT_LOCAL_IO : EXIT_FULFILLED;
}

static int main_show_help(enum command command)
{
	struct buffer text;
	int status;

	buffer_init(&text, SIZE_MAX / 4);
	option_help(&text, command);
	status = main_print(&text);
	buffer_deinit(&text);
	return status;
}

static int main_show_version(void)
{
	struct buffer text;
	int status;

	buffer_init(&text, SIZE_MAX / 4);
	buffer_append_literal(&text, "settle " SETTLED_VERSION "\n");
	status = main_print(&text);
	buffer_deinit(&text);
	return status;
}

static int main_dispatch(const struct options *options)
{
	static int (*const commands[COMMAND_COUNT])(const struct options *options) = {
		[COMMAND_RUN] = command_run,
		[COMMAND_GET] = command_get,
		[COMMAND_BATCH] = command_batch,
		[COMMAND_PLAN] = command_plan,
		[COMMAND_STATUS] = command_status,
		[COMMAND_TOP] = command_top,
		[COMMAND_CANCEL] = command_cancel,
		[COMMAND_FLUSH] = command_flush,
		[COMMAND_PING] = command_ping,
	};

	if (option_given(options, OPTION_HELP))
		return main_show_help(options->command);
	if (option_given(options, OPTION_VERSION))
		return main_show_version();
	if (option_given(options, OPTION_SILENT) && !option_given(options, OPTION_SHOW_ERROR))
		message_silence();
	return commands[options->command](options);
}

/* A standard descriptor that is closed would be the next socket's number, and what is written there
 * would be said to the daemon. Each is taken by one that can only be used the wrong way round: what
 * goes there fails, as it should. */
static void main_fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct options options;
	struct buffer error;
	int r, status;

	main_fill_descriptors();
	r = interrupt_init();
	if (r < 0) {
		message_print("cannot start: %s", strerror(-r));
		return EXIT_LOCAL_IO;
	}
	buffer_init(&error, SIZE_MAX / 4);
	r = option_parse(argc, argv, &options, &error);
	if (r == 0) {
		status = main_dispatch(&options);
		option_deinit(&options);
	} else {
		message_print("%.*s", TEXT_ARGS(r < 0 ? TEXT("no memory") : buffer_text(&error)));
		if (r == OPTION_E_USAGE)
			message_print("try settle %s%s--help",
				options.command == COMMAND_NONE
					? ""
					: option_command_name(options.command),
				options.command == COMMAND_NONE ? "" : " ");
		status = EXIT_USAGE;
	}
	buffer_deinit(&error);
	return status;
}
