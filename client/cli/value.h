/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values of options. What is wrong with one is said on stderr.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/option.h"
#include "util/buffer.h"
#include "util/text.h"

/* A length of time, more than 0. */
bool value_duration(enum option_id option, const char *value, uint64_t *ret_ns);

/* A whole number from 1 to `max`. */
bool value_number(enum option_id option, const char *value, uint64_t max, uint64_t *ret_number);

/* That of --concurrency: a whole number from 1 to `max`; 0: "unbounded". */
bool value_concurrency(const char *value, uint64_t max, uint64_t *ret_number);

/* That of --mode. */
bool value_mode(const char *value);

/* A size in bytes; as curl, upper case units are fine. */
bool value_size(enum option_id option, const char *value, uint64_t *ret_bytes);

/* One of a NULL-terminated list, its index in *ret_choice. */
bool value_choice(
	enum option_id option, const char *value, const char *const *choices, size_t *ret_choice);

/* "NAME=VALUE": the name, not empty, and what follows the '='. */
bool value_pair(
	enum option_id option, const char *value, struct text *ret_name, struct text *ret_value);

/* Says what is wrong with a value: "option --x: 'value' is …". */
void value_refuse(enum option_id option, const char *value, const char *what);

/* A duration as JSON: seconds. */
void value_append_seconds(struct buffer *out, uint64_t ns);
