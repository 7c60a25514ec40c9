/* SPDX-License-Identifier: MIT */
#include "sim_put.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/panic.h"

void sim_put(struct sim_bytes *out, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	expect(size >= 0 && (size_t)size < sizeof(text));
	sim_bytes_append(out, text, (size_t)size);
}

void sim_put_json(struct sim_bytes *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			sim_put(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			sim_put(out, "\\u%04x", (unsigned char)*text);
		else
			sim_bytes_append(out, text, 1);
	}
}

void sim_put_url(struct sim_bytes *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			sim_bytes_append(out, text, 1);
		else
			sim_put(out, "%%%02X", (unsigned char)*text);
	}
}

char *sim_put_end(struct sim_bytes *out)
{
	sim_bytes_append(out, "", 1);
	out->size--;
	return out->data + out->start;
}
