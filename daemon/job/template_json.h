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

struct graph;

/* Appends the value filled in. What has no value is a fault (false), or with `lenient` null. */
bool template_json_fill(struct graph *graph, yyjson_val *value, bool lenient, struct buffer *out,
	struct fault *ret_fault);
