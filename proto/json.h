/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON on top of yyjson: numbers stay as their digits (2^53+1 survives), memory is bounded, and
 * writing goes to a struct buffer.
 *
 * Reading: numbers are raw (YYJSON_READ_NUMBER_AS_RAW): yyjson_is_raw() with yyjson_get_raw() and
 * yyjson_get_len(). Nothing here recurses; json_read() refuses what nests deeper than
 * JSON_DEPTH_MAX, and duplicate keys are the caller's to look for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "util/buffer.h"
#include "util/text.h"

#define JSON_DEPTH_MAX 128

struct json_error {
	/* Byte offset into the text. */
	size_t at;
	/* Static. */
	const char *message;
	/* True exactly when it is well-formed but nests deeper than JSON_DEPTH_MAX. */
	bool too_deep;
	/* True exactly when there was no memory to read it. */
	bool no_memory;
};

/* The document, to be freed by yyjson_doc_free(); NULL and the error. Bytes after the value
 * (but white space), a BOM, invalid UTF-8: refused. */
yyjson_doc *json_read(struct text text, struct json_error *ret_error);

/* The string's text, or data == NULL where it is no string. */
struct text json_string(yyjson_val *value);

/* The digits of a number, or data == NULL where it is none. */
struct text json_number(yyjson_val *value);

/* RFC 6901, `pointer` already free of %XX: "" is the value itself; "/a~1b/0". NULL where it leads
 * nowhere ("-", leading zeros and missing members included). */
yyjson_val *json_pointer(yyjson_val *value, struct text pointer);

/* True where `pointer` is well-formed: empty or begins with '/', each '~' followed by 0 or 1. */
bool json_pointer_is_valid(struct text pointer);

/* A string in quotes. Invalid UTF-8 becomes U+FFFD. */
void json_append_string(struct buffer *out, struct text text);

/* The inside of a string, without the quotes. */
void json_append_escaped(struct buffer *out, struct text text);

/* Any value, compact, numbers as they were read. */
void json_append_value(struct buffer *out, yyjson_val *value);

/* As text for a template: strings without quotes, booleans and numbers as written, the rest as
 * compact JSON. */
void json_append_as_text(struct buffer *out, yyjson_val *value);

/* Milliseconds with at most three decimals, no trailing zeros: 0, 0.02, 12.1. */
void json_append_ms(struct buffer *out, uint64_t ns);
