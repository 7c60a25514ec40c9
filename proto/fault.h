/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why something was refused or rejected: what a client, a host or the network did is a value,
 * not an error. The kinds stand in proto/fault.def and nowhere else.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/text.h"

enum fault_code {
	FAULT_NONE,
#define FAULT(name, class, retryable, sentence) FAULT_##name,
#include "proto/fault.def"
#undef FAULT
	FAULT_COUNT,
};

enum fault_class {
	FAULT_CLASS_NONE,
	FAULT_CLASS_GRAPH_REFUSED,
	FAULT_CLASS_ADMISSION,
	FAULT_CLASS_GRAPH,
	FAULT_CLASS_REQUEST,
	FAULT_CLASS_DNS,
	FAULT_CLASS_CONNECT,
	FAULT_CLASS_PROXY,
	FAULT_CLASS_TLS,
	FAULT_CLASS_EXCHANGE,
	FAULT_CLASS_PROTOCOL,
	FAULT_CLASS_REDIRECT,
	FAULT_CLASS_HTTP,
	FAULT_CLASS_SINK,
	FAULT_CLASS_DAEMON,
};

#define FAULT_MESSAGE_MAX 160

/* One line for people, UTF-8, no control characters, terminated; empty: the code's sentence. */
struct fault {
	enum fault_code code;
	char message[FAULT_MESSAGE_MAX];
};

/* "HTTP_STATUS". */
const char *fault_name(enum fault_code code);

const char *fault_sentence(enum fault_code code);

enum fault_class fault_class(enum fault_code code);

/* As far as the code alone tells; HTTP_STATUS is retryable for some statuses: the caller's. */
bool fault_is_retryable(enum fault_code code);

/* FAULT_NONE where the name is none of ours. */
enum fault_code fault_from_name(struct text name);

/* Sets the code and formats the message; too long, it is cut at a whole character. Control
 * characters and what is not UTF-8 become '?'. */
void fault_set(struct fault *fault, enum fault_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a line of any length: writes at most room - 1 bytes and a NUL, returns how many
 * bytes there are. */
size_t fault_format(char *line, size_t room, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

/* The message, or the code's sentence where there is none. */
const char *fault_message(const struct fault *fault);
