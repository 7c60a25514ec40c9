/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A JSON template: a value whose strings may hold references. A string that is one reference
 * becomes the JSON value; inside a longer string a reference is text.
 */

#include <stdbool.h>
#include <yyjson.h>

#include "proto/fault.h"
#include "util/buffer.h"

struct scope;

/* Appends the value filled in. What has no value is a fault (false), or with `lenient` null. */
bool template_json_fill(const struct scope *scope, yyjson_val *value, bool lenient,
	struct buffer *out, struct fault *ret_fault);

/* True where none of its strings holds a reference, or a "\{{": it is what it says. A value of a
 * document as it was read. */
bool template_json_is_plain(yyjson_val *value);
