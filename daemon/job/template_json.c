/* SPDX-License-Identifier: MIT */
#include "job/template_json.h"

#include "job/value.h"
#include "proto/json.h"
#include "util/panic.h"

/*
 * The walk keeps its own stack, as deep as a document may nest; what a response holds is written
 * whole by the JSON library, which does not recurse either.
 */

struct fill {
	const struct scope *scope;
	struct buffer *out;
	struct fault *fault;
	/* Holds the text of a string being put together. */
	struct buffer text;
	bool lenient;
};

struct level {
	union {
		yyjson_obj_iter object;
		yyjson_arr_iter array;
	};
	bool is_object;
	bool has_member;
};

/* False: no value, no default, and not lenient. */
static bool fill_whole(struct fill *fill, const struct reference *reference)
{
	struct value value;

	value_of(fill->scope, reference, (struct text){NULL, 0}, &value);
	if (value.kind != VALUE_MISSING) {
		value_append_json(fill->out, &value);
		return true;
	}
	if (value_takes_default(&value, reference)) {
		value_append_default(fill->out, reference->fallback);
		return true;
	}
	if (fill->lenient) {
		buffer_append_literal(fill->out, "null");
		return true;
	}
	value_fault(&value, reference, fill->fault);
	return false;
}

static bool fill_piece(struct fill *fill, const struct reference *reference)
{
	struct value value;

	value_of(fill->scope, reference, (struct text){NULL, 0}, &value);
	if (value.kind != VALUE_MISSING) {
		value_append_text(&fill->text, &value);
		return true;
	}
	if (value_takes_default(&value, reference)) {
		buffer_append_text(&fill->text, reference->fallback);
		return true;
	}
	if (fill->lenient)
		return true;
	value_fault(&value, reference, fill->fault);
	return false;
}

static bool fill_string(struct fill *fill, struct text text)
{
	struct reference_cursor cursor = reference_cursor(text);
	enum reference_piece piece;
	struct reference reference;
	struct text literal;

	if (!reference_is_in(text)) {
		json_append_string(fill->out, text);
		return true;
	}
	if (reference_is_whole(text, &reference))
		return fill_whole(fill, &reference);
	buffer_clear(&fill->text);
	while ((piece = reference_next(&cursor, &literal, &reference)) != REFERENCE_END) {
		expect(piece != REFERENCE_BAD);
		if (piece == REFERENCE_LITERAL)
			buffer_append_text(&fill->text, literal);
		else if (!fill_piece(fill, &reference))
			return false;
	}
	if (fill->text.failed)
		fill->out->failed = true;
	json_append_string(fill->out, buffer_text(&fill->text));
	return true;
}

static bool fill_scalar(struct fill *fill, yyjson_val *value)
{
	if (yyjson_is_str(value))
		return fill_string(fill, json_string(value));
	json_append_value(fill->out, value);
	return true;
}

static void level_open(struct fill *fill, struct level *level, yyjson_val *value)
{
	*level = (struct level){.is_object = yyjson_is_obj(value)};
	if (level->is_object)
		yyjson_obj_iter_init(value, &level->object);
	else
		yyjson_arr_iter_init(value, &level->array);
	buffer_append_byte(fill->out, level->is_object ? '{' : '[');
}

/* The next member, its comma and key written; NULL at the end, the bracket written. */
static yyjson_val *level_next(struct fill *fill, struct level *level)
{
	yyjson_val *key = NULL, *value;

	if (level->is_object) {
		key = yyjson_obj_iter_next(&level->object);
		value = key ? yyjson_obj_iter_get_val(key) : NULL;
	} else {
		value = yyjson_arr_iter_next(&level->array);
	}
	if (!value) {
		buffer_append_byte(fill->out, level->is_object ? '}' : ']');
		return NULL;
	}
	if (level->has_member)
		buffer_append_byte(fill->out, ',');
	level->has_member = true;
	if (key) {
		json_append_string(fill->out, json_string(key));
		buffer_append_byte(fill->out, ':');
	}
	return value;
}

static bool fill_walk(struct fill *fill, yyjson_val *value)
{
	struct level levels[JSON_DEPTH_MAX];
	int depth = 0;

	if (!yyjson_is_ctn(value))
		return fill_scalar(fill, value);
	level_open(fill, &levels[depth++], value);
	while (depth > 0) {
		value = level_next(fill, &levels[depth - 1]);
		if (!value) {
			depth--;
		} else if (yyjson_is_ctn(value)) {
			expect(depth < JSON_DEPTH_MAX);
			level_open(fill, &levels[depth++], value);
		} else if (!fill_scalar(fill, value)) {
			return false;
		}
	}
	return true;
}

bool template_json_fill(const struct scope *scope, yyjson_val *value, bool lenient,
	struct buffer *out, struct fault *ret_fault)
{
	struct fill fill = {
		.scope = scope,
		.out = out,
		.fault = ret_fault,
		.lenient = lenient,
	};
	bool filled;

	buffer_init(&fill.text, out->size_max);
	filled = fill_walk(&fill, value);
	buffer_deinit(&fill.text);
	return filled;
}

bool template_json_is_plain(yyjson_val *value)
{
	yyjson_val *end = unsafe_yyjson_get_next(value);

	/* Values of a document lie one behind the other, those of a container behind it. */
	for (; value < end; value++) {
		if (yyjson_is_str(value) && reference_is_in(json_string(value)))
			return false;
	}
	return true;
}
