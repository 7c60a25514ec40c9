/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a reference stands for, once the jobs it names have settled.
 */

#include <stdbool.h>
#include <yyjson.h>

#include "proto/fault.h"
#include "proto/reference.h"
#include "util/buffer.h"
#include "util/text.h"

struct group;
struct outcome;
struct scope;

enum value_kind {
	/* `why` says which of REF_MISSING, REF_NOT_JSON, SECRET_UNKNOWN; OVERLOADED: it was lost
	 * for lack of memory. */
	VALUE_MISSING,
	/* `text`, a string to JSON. */
	VALUE_TEXT,
	/* `text`, which is JSON as it stands (a number). */
	VALUE_LITERAL,
	/* `json`. */
	VALUE_JSON,
	/* `text`: a body, JSON if it parses (`outcome`). */
	VALUE_BODY,
};

/* Views into the graph's outcomes, its items and its document. */
struct value {
	enum value_kind kind;
	enum fault_code why;
	struct text text;
	yyjson_val *json;
	struct outcome *outcome;
	char digits[12];
};

/* As it is seen from that scope. Where a secret may go: the host of the request it would stand in.
 * data == NULL: nowhere. */
void value_of(const struct scope *scope, const struct reference *reference, struct text secret_host,
	struct value *ret_value);

/* True where the reference's default stands for the value that is missing. */
static inline bool value_takes_default(const struct value *value, const struct reference *reference)
{
	return reference->fallback.data && value->why != FAULT_OVERLOADED;
}

/* As text, appended. */
void value_append_text(struct buffer *out, const struct value *value);

/* As JSON, appended. */
void value_append_json(struct buffer *out, const struct value *value);

/* The reference's default as JSON: as it stands where it parses, else a string. */
void value_append_default(struct buffer *out, struct text fallback);

/* The fault of a missing value, naming the reference. */
void value_fault(
	const struct value *value, const struct reference *reference, struct fault *ret_fault);
