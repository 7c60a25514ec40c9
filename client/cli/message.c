/* SPDX-License-Identifier: MIT */
#include "client/cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/clean.h"
#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"

/* A message quotes ids, URLs and names of files: longer than this, its end is lost. */
#define MESSAGE_SIZE_MAX 4096

/* The process has one stderr. */
static bool message_is_silent;

void message_silence(void)
{
	message_is_silent = true;
}

bool message_is_heard(void)
{
	return !message_is_silent;
}

int message_cannot(const char *verb, const char *path, int error)
{
	if (error == -EINTR && interrupt_count() > 0)
		return EXIT_SIGNAL + interrupt_signal();
	message_print("cannot %s %s: %s", verb, path, strerror(-error));
	return EXIT_LOCAL_IO;
}

void message_print(const char *format, ...)
{
	char text[MESSAGE_SIZE_MAX];
	struct buffer line;
	va_list arguments;
	int size;

	if (message_is_silent)
		return;
	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (size < 0)
		return;
	progress_clear();
	buffer_init(&line, 4 * MESSAGE_SIZE_MAX);
	buffer_append_literal(&line, "settle: ");
	clean_line(&line, text_from(text));
	buffer_append_byte(&line, '\n');
	/* Where stderr takes nothing, there is nobody to tell. */
	if (line.size > 0 && write(STDERR_FILENO, line.data, line.size) < 0)
		message_is_silent = true;
	buffer_deinit(&line);
}
