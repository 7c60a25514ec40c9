/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON in this world's memory: numbers stay their digits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "util/text.h"

/* NULL where it is no JSON. */
yyjson_val *sim_json_read(const char *text, size_t size);

/* Compact; terminated. */
const char *sim_json_write(yyjson_val *value);

/* As text for a template: a string is its characters. */
struct text sim_json_text(yyjson_val *value);

/* What a pointer (RFC 6901) leads to, or NULL. */
yyjson_val *sim_json_at(yyjson_val *value, const char *pointer);

/* The text as a JSON string, in quotes. */
const char *sim_json_quote(struct text text);

/* The same values, members in any order. */
bool sim_json_is_equal(struct text a, struct text b);
