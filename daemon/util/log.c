/* SPDX-License-Identifier: MIT */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static enum log_level log_level_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_level_max = level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list arguments;
	int prefix, size;

	if (level > log_level_max)
		return;
	prefix = snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(arguments, format);
	size = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, format, arguments);
	va_end(arguments);
	if (size < 0)
		return;
	size += prefix;
	if (size > (int)sizeof(line) - 2)
		size = (int)sizeof(line) - 2;
	line[size++] = '\n';
	/* One write, so that lines of several processes do not mix. A full pipe loses the line. */
	if (write(STDERR_FILENO, line, (size_t)size) < 0)
		return;
}
