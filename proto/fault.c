/* SPDX-License-Identifier: MIT */
#include "proto/fault.h"

#include <stdint.h>
#include <stdio.h>

#include "util/panic.h"

struct fault_row {
	const char *name;
	const char *sentence;
	enum fault_class class;
	bool retryable;
};

static const struct fault_row fault_rows[FAULT_COUNT] = {
	[FAULT_NONE] = {"", "", FAULT_CLASS_NONE, false},
#define FAULT(name, class, retryable, sentence)                                                    \
	[FAULT_##name] = {#name, sentence, FAULT_CLASS_##class, retryable},
#include "proto/fault.def"
#undef FAULT
};

static const struct fault_row *fault_row(enum fault_code code)
{
	expect((unsigned)code < FAULT_COUNT);
	return &fault_rows[code];
}

const char *fault_name(enum fault_code code)
{
	return fault_row(code)->name;
}

const char *fault_sentence(enum fault_code code)
{
	return fault_row(code)->sentence;
}

enum fault_class fault_class(enum fault_code code)
{
	return fault_row(code)->class;
}

bool fault_is_retryable(enum fault_code code)
{
	return fault_row(code)->retryable;
}

enum fault_code fault_from_name(struct text name)
{
	for (unsigned code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
		if (text_is(name, fault_rows[code].name))
			return (enum fault_code)code;
	}
	return FAULT_NONE;
}

/* How long the character at the start is, 0 where there is no whole one. */
static size_t fault_character(const char *at, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (text_is_utf8((struct text){at, n}))
			return n;
	}
	return 0;
}

/* C0, DEL, and C1 (which UTF-8 writes as c2 80 to c2 9f): a terminal obeys all of them. */
static bool fault_is_control(const char *at, size_t size)
{
	unsigned char lead = (unsigned char)at[0];

	if (size == 1)
		return lead < 0x20 || lead == 0x7f;
	return size == 2 && lead == 0xc2 && (unsigned char)at[1] < 0xa0;
}

static void fault_clean(char *line, size_t size)
{
	size_t n;

	for (size_t i = 0; i < size; i += n) {
		n = fault_character(line + i, size - i);
		if (n == 0) {
			line[i] = '?';
			n = 1;
		} else if (fault_is_control(line + i, n)) {
			memset(line + i, '?', n);
		}
	}
}

/* The size without a character that the end cuts in two: at most three bytes of one. */
static size_t fault_cut(const char *line, size_t size)
{
	size_t lead = size;

	for (size_t n = 1; n <= 4 && n <= size; n++) {
		lead = size - n;
		if (((unsigned char)line[lead] & 0xc0) != 0x80)
			break;
	}
	return fault_character(line + lead, size - lead) == size - lead ? size : lead;
}

size_t fault_format(char *line, size_t room, const char *format, va_list arguments)
{
	int wanted;
	size_t size;

	expect(room > 0);
	wanted = vsnprintf(line, room, format, arguments);
	expect(wanted >= 0);
	size = (size_t)wanted;
	if (size >= room)
		size = fault_cut(line, room - 1);
	fault_clean(line, size);
	line[size] = '\0';
	return size;
}

void fault_set(struct fault *fault, enum fault_code code, const char *format, ...)
{
	/* Apart, because an argument may be the message there was. */
	char message[FAULT_MESSAGE_MAX];
	va_list arguments;
	size_t size;

	va_start(arguments, format);
	size = fault_format(message, sizeof(message), format, arguments);
	va_end(arguments);
	fault->code = code;
	memcpy(fault->message, message, size + 1);
}

const char *fault_message(const struct fault *fault)
{
	return fault->message[0] ? fault->message : fault_sentence(fault->code);
}
