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

void sim_put_text(struct sim_bytes *out, struct text text)
{
	sim_bytes_append(out, text.data, text.size);
}

void sim_put_json(struct sim_bytes *out, const char *text, size_t size)
{
	static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";

	for (size_t i = 0; i < size; i++) {
		const char *found = NULL;

		for (size_t n = 0; n + 1 < sizeof(shorts) && !found; n += 2)
			found = shorts[n] == text[i] ? &shorts[n + 1] : NULL;
		if (found)
			sim_put(out, "\\%c", *found);
		else if ((unsigned char)text[i] < ' ')
			sim_put(out, "\\u%04X", (unsigned char)text[i]);
		else
			sim_bytes_append(out, &text[i], 1);
	}
}

static void sim_put_filtered(struct sim_bytes *out, struct text text, const char *plain)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c != 0 && (isalnum(c) || strchr(plain, c)))
			sim_bytes_append(out, &text.data[i], 1);
		else
			sim_put(out, "%%%02X", c);
	}
}

void sim_put_url(struct sim_bytes *out, struct text text)
{
	sim_put_filtered(out, text, "-._~");
}

/* The plus is not plain, it stands for the space. */
void sim_put_form(struct sim_bytes *out, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == ' ')
			sim_put(out, "+");
		else
			sim_put_filtered(out, (struct text){&text.data[i], 1}, "*-._");
	}
}

char *sim_put_end(struct sim_bytes *out)
{
	sim_bytes_append(out, "", 1);
	out->size--;
	return out->data + out->start;
}
