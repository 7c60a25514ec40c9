/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/container.h"
#include "util/panic.h"

/*
 * `when`: a condition is an object, and all its members must hold.
 *
 *   condition  = { member, … }
 *   member     = reference: operand                       it is equal to that
 *              / reference: { operator: operand, … }      all of them hold
 *              / "any": [ condition, … ]                  one of them holds
 *              / "not": condition                         it does not hold
 *
 * It stays in the plan as it was written; here it is checked, so that whoever evaluates it need
 * not. What is open of the tree is a stack, bounded by json_read(). "any" and "not" are always
 * these two: a job of that name is referred to with its braces, "{{any}}".
 */

/* What an operand may be, beside one reference alone, which may become anything. */
enum {
	DOCUMENT_OPERAND_ANY,
	DOCUMENT_OPERAND_ORDERED,
	DOCUMENT_OPERAND_ARRAY,
	DOCUMENT_OPERAND_STRING,
	DOCUMENT_OPERAND_BOOL,
};

static const struct document_word document_operators[] = {
	{TEXT_INIT("eq"), DOCUMENT_OPERAND_ANY},
	{TEXT_INIT("ne"), DOCUMENT_OPERAND_ANY},
	{TEXT_INIT("lt"), DOCUMENT_OPERAND_ORDERED},
	{TEXT_INIT("le"), DOCUMENT_OPERAND_ORDERED},
	{TEXT_INIT("gt"), DOCUMENT_OPERAND_ORDERED},
	{TEXT_INIT("ge"), DOCUMENT_OPERAND_ORDERED},
	{TEXT_INIT("in"), DOCUMENT_OPERAND_ARRAY},
	{TEXT_INIT("contains"), DOCUMENT_OPERAND_ANY},
	{TEXT_INIT("prefix"), DOCUMENT_OPERAND_STRING},
	{TEXT_INIT("exists"), DOCUMENT_OPERAND_BOOL},
};

static const struct document_word *document_find_operator(struct text name)
{
	for (size_t i = 0; i < countof(document_operators); i++) {
		if (text_equal(document_operators[i].name, name))
			return &document_operators[i];
	}
	return NULL;
}

/* NULL where the operand is what the operator wants, or what it should be. */
static const char *document_operand_wanted(int operand, yyjson_val *value)
{
	struct reference reference;

	switch (operand) {
	case DOCUMENT_OPERAND_BOOL: return yyjson_is_bool(value) ? NULL : "a boolean";
	case DOCUMENT_OPERAND_STRING: return yyjson_is_str(value) ? NULL : "a string";
	case DOCUMENT_OPERAND_ORDERED:
		return yyjson_is_str(value) || json_number(value).data ? NULL
								       : "a number or a string";
	case DOCUMENT_OPERAND_ARRAY:
		if (yyjson_is_str(value) && reference_is_whole(json_string(value), &reference))
			return NULL;
		return yyjson_is_arr(value) ? NULL : "an array or one reference";
	default: return NULL;
	}
}

static void document_read_operator(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	const struct document_word *known = document_find_operator(at->key);
	const char *wanted;

	if (!known) {
		document_refuse(document, at, FAULT_GRAPH_KEY, "unknown operator \"%s\"%s",
			document_quote(at->key).text,
			document_hint_key(document, at->key, document_operators,
				countof(document_operators), sizeof(document_operators[0]))
				.text);
		return;
	}
	wanted = document_operand_wanted(known->value, value);
	if (wanted)
		document_refuse_type(document, at, value, wanted);
	else
		document_read_json(document, job, value, at);
}

static void document_read_operators(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(value);
	yyjson_val *key;

	if (yyjson_obj_size(value) == 0)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"no operator; an empty object is written {\"eq\": {}}");
	document_check_keys(document, value, at);
	while ((key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};

		document_read_operator(document, job, yyjson_obj_iter_get_val(key), &member);
	}
}

/* A reference and what it is compared with. */
static void document_read_test(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct reference reference;
	const char *why;

	if (document_find_operator(at->key) && !plan_find(document->plan, at->key))
		why = "an operator stands behind a reference, like {\"user#/age\": {\"lt\": 18}}";
	else
		why = reference_parse(at->key, &reference);
	if (!why && reference.raw)
		why = "\"| raw\" has no meaning in a condition";
	if (why)
		document_refuse(document, at, FAULT_GRAPH_VALUE, "%s", why);
	else
		document_refer(document, job, &reference, at);
	if (yyjson_is_obj(value))
		document_read_operators(document, job, value, at);
	else
		document_read_json(document, job, value, at);
}

/* A condition, or the array of an "any", that is open. */
struct document_open_condition {
	bool is_array;
	yyjson_val *next;
	size_t left;
	/* Of the member or element it is at. */
	struct document_at at;
};

struct document_conditions {
	struct document_open_condition open[JSON_DEPTH_MAX];
	size_t depth;
};

/* The condition, or the array of conditions, if it is one; refused, if not. */
static void document_open_condition(struct document *document,
	struct document_conditions *conditions, yyjson_val *value, const struct document_at *at)
{
	bool is_array = conditions->depth > 0 && at->key.data && text_is(at->key, "any");

	if (is_array ? !yyjson_is_arr(value) : !yyjson_is_obj(value)) {
		document_refuse_type(
			document, at, value, is_array ? "an array of conditions" : "an object");
		return;
	}
	if (!is_array)
		document_check_keys(document, value, at);
	expect(conditions->depth < JSON_DEPTH_MAX);
	conditions->open[conditions->depth++] = (struct document_open_condition){
		.is_array = is_array,
		.next = unsafe_yyjson_get_first(value),
		.left = unsafe_yyjson_get_len(value),
		.at = {.parent = at, .index = SIZE_MAX},
	};
}

/* The next member or element of the innermost one. */
static void document_step_condition(
	struct document *document, struct document_job *job, struct document_conditions *conditions)
{
	struct document_open_condition *open = &conditions->open[conditions->depth - 1];
	yyjson_val *value = open->next;

	if (open->is_array) {
		open->at.index++;
	} else {
		open->at.key = json_string(value);
		value = unsafe_yyjson_get_next(value);
	}
	open->next = unsafe_yyjson_get_next(value);
	open->left--;
	if (open->is_array || text_is(open->at.key, "any") || text_is(open->at.key, "not"))
		document_open_condition(document, conditions, value, &open->at);
	else
		document_read_test(document, job, value, &open->at);
}

void document_read_when(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct document_conditions conditions;

	conditions.depth = 0;
	job->place = DOCUMENT_IN_CONDITION;
	job->spec.when = value;
	document_open_condition(document, &conditions, value, at);
	while (conditions.depth > 0) {
		if (conditions.open[conditions.depth - 1].left == 0)
			conditions.depth--;
		else
			document_step_condition(document, job, &conditions);
	}
}
