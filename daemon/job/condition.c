/* SPDX-License-Identifier: MIT */
#include "job/condition.h"

#include <string.h>

#include "job/comparison.h"
#include "job/graph.h"
#include "job/outcome.h"
#include "job/template_json.h"
#include "job/value.h"
#include "proto/json.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * A condition is an object of which all members must hold: {"any": [...]} and {"not": {...}} hold
 * further ones, every other key is a reference, and its value an operand (equal to it) or an
 * object of operators. The walk keeps its own stack: a level for each object or array that is
 * open. As soon as a level is decided it is closed, and that may decide the one around it, so
 * nothing is looked at that does not matter.
 *
 * The first thing for which there was no memory ends the walk: a guess would run a job, or skip
 * one, that should not.
 */

/* A value that is compared: JSON; or a string or a number that stands in no JSON document. */
struct operand {
	yyjson_val *json;
	struct text string, number;
	/* Where it was read for this alone. */
	yyjson_doc *doc;
};

struct level {
	union {
		yyjson_obj_iter object;
		yyjson_arr_iter array;
	};
	/* True: one of them must hold, not all. */
	bool is_any;
	/* True: the level holds where what is in it does not. */
	bool is_negated;
};

struct walk {
	struct job *job;
	/* What could not be found out. */
	struct fault *fault;
	struct level levels[JSON_DEPTH_MAX];
	int depth;
};

enum answer {
	ANSWER_OPEN,
	ANSWER_NO,
	ANSWER_YES,
};

static void walk_lose(struct walk *walk)
{
	fault_set(walk->fault, FAULT_OVERLOADED, "no memory was left for the condition");
}

/* Operands. */

static struct operand operand_of_json(yyjson_val *json)
{
	return (struct operand){
		.json = json, .string = json_string(json), .number = json_number(json)};
}

/* JSON text that is read for this. False: there was no memory, or it nests too deep. */
static bool operand_read(struct walk *walk, struct text text, struct operand *ret_operand)
{
	struct json_error error;
	yyjson_doc *doc = json_read(text, &error);

	if (!doc) {
		if (error.no_memory)
			walk_lose(walk);
		return false;
	}
	*ret_operand = operand_of_json(yyjson_doc_get_root(doc));
	ret_operand->doc = doc;
	return true;
}

static bool operand_read_buffer(struct walk *walk, struct buffer *json, struct operand *ret_operand)
{
	bool done = false;

	if (json->failed)
		walk_lose(walk);
	else
		done = operand_read(walk, buffer_text(json), ret_operand);
	buffer_deinit(json);
	return done;
}

/* What stands behind ?? is JSON where it parses, else a string. */
static bool operand_of_default(struct walk *walk, struct text fallback, struct operand *ret_operand)
{
	struct buffer json;

	buffer_init(&json, SIZE_MAX);
	value_append_default(&json, fallback);
	return operand_read_buffer(walk, &json, ret_operand);
}

static bool operand_of_value(
	struct walk *walk, const struct value *value, struct operand *ret_operand)
{
	struct buffer json;

	*ret_operand = (struct operand){.json = NULL};
	switch (value->kind) {
	case VALUE_TEXT: ret_operand->string = value->text; return true;
	case VALUE_LITERAL: ret_operand->number = value->text; return true;
	case VALUE_JSON: *ret_operand = operand_of_json(value->json); return true;
	case VALUE_BODY:
		*ret_operand = operand_of_json(outcome_json(value->outcome));
		if (!ret_operand->json)
			ret_operand->string = value->text;
		if (value->outcome->json_lost)
			walk_lose(walk);
		return !value->outcome->json_lost;
	default: break;
	}
	buffer_init(&json, SIZE_MAX);
	value_append_json(&json, value);
	return operand_read_buffer(walk, &json, ret_operand);
}

/* The value of the reference; false: it has none, or it could not be found out. `value` is what
 * the operand may point into. */
static bool operand_of_reference(struct walk *walk, const struct reference *reference,
	struct value *value, struct operand *ret_operand)
{
	value_of(walk->job->scope, reference, (struct text){NULL, 0}, value);
	if (value->kind != VALUE_MISSING)
		return operand_of_value(walk, value, ret_operand);
	if (value->why == FAULT_OVERLOADED) {
		walk_lose(walk);
		return false;
	}
	if (!value_takes_default(value, reference))
		return false;
	return operand_of_default(walk, reference->fallback, ret_operand);
}

/* True where a string in it may hold references: its values lie one behind the other. */
static bool json_has_reference(yyjson_val *json)
{
	yyjson_val *end = unsafe_yyjson_get_next(json);

	for (yyjson_val *at = json; at < end; at++) {
		if (yyjson_is_str(at) && reference_is_in(json_string(at)))
			return true;
	}
	return false;
}

/* The operand as the document has it, filled in. False: a reference in it has no value. */
static bool operand_of_document(struct walk *walk, yyjson_val *json, struct operand *ret_operand)
{
	struct fault fault = {.code = FAULT_NONE};
	struct buffer filled;
	bool done;

	if (!json_has_reference(json)) {
		*ret_operand = operand_of_json(json);
		return true;
	}
	buffer_init(&filled, SIZE_MAX);
	done = template_json_fill(walk->job->scope, json, false, &filled, &fault);
	if (done)
		return operand_read_buffer(walk, &filled, ret_operand);
	if (fault.code == FAULT_OVERLOADED)
		walk_lose(walk);
	buffer_deinit(&filled);
	return false;
}

static void operand_drop(struct operand *operand)
{
	yyjson_doc_free(operand->doc);
}

/* Operators, each a relation of two values. */

static bool operand_equals(struct walk *walk, const struct operand *a, const struct operand *b)
{
	enum comparison result;

	if (a->string.data || b->string.data)
		return a->string.data && b->string.data && text_equal(a->string, b->string);
	if (a->number.data || b->number.data)
		return a->number.data && b->number.data &&
		       comparison_of_numbers(a->number, b->number) == 0;
	result = comparison_of_values(a->json, b->json);
	if (result == COMPARISON_LOST)
		walk_lose(walk);
	return result == COMPARISON_EQUAL;
}

/* True where both have an order, and which. */
static bool operand_order(const struct operand *a, const struct operand *b, int *ret_way)
{
	if (a->number.data && b->number.data)
		*ret_way = comparison_of_numbers(a->number, b->number);
	else if (a->string.data && b->string.data)
		*ret_way = comparison_of_strings(a->string, b->string);
	else
		return false;
	return true;
}

/* One of the array's is equal. */
static bool operand_is_member(
	struct walk *walk, const struct operand *member, const struct operand *array)
{
	yyjson_arr_iter iter;
	yyjson_val *at;

	if (!yyjson_arr_iter_init(array->json, &iter))
		return false;
	while ((at = yyjson_arr_iter_next(&iter))) {
		struct operand other = operand_of_json(at);

		if (operand_equals(walk, member, &other))
			return true;
	}
	return false;
}

static bool relation_eq(struct walk *walk, const struct operand *a, const struct operand *b)
{
	return operand_equals(walk, a, b);
}

static bool relation_ne(struct walk *walk, const struct operand *a, const struct operand *b)
{
	return !operand_equals(walk, a, b);
}

static bool relation_lt(struct walk *walk, const struct operand *a, const struct operand *b)
{
	int way;

	return operand_order(a, b, &way) && way < 0;
}

static bool relation_le(struct walk *walk, const struct operand *a, const struct operand *b)
{
	int way;

	return operand_order(a, b, &way) && way <= 0;
}

static bool relation_gt(struct walk *walk, const struct operand *a, const struct operand *b)
{
	int way;

	return operand_order(a, b, &way) && way > 0;
}

static bool relation_ge(struct walk *walk, const struct operand *a, const struct operand *b)
{
	int way;

	return operand_order(a, b, &way) && way >= 0;
}

static bool relation_in(struct walk *walk, const struct operand *a, const struct operand *b)
{
	return operand_is_member(walk, a, b);
}

static bool relation_contains(struct walk *walk, const struct operand *a, const struct operand *b)
{
	if (!a->string.data)
		return operand_is_member(walk, b, a);
	if (!b->string.data)
		return false;
	return b->string.size == 0 ||
	       memmem(a->string.data, a->string.size, b->string.data, b->string.size);
}

static bool relation_prefix(struct walk *walk, const struct operand *a, const struct operand *b)
{
	if (!a->string.data || !b->string.data)
		return false;
	return b->string.size == 0 || text_starts_with(a->string, b->string);
}

static bool relation_exists(struct walk *walk, const struct operand *a, const struct operand *b)
{
	return yyjson_is_true(b->json);
}

static const struct relation {
	const char *name;
	bool (*holds)(struct walk *walk, const struct operand *a, const struct operand *b);
} relations[] = {
	{"eq", relation_eq},
	{"ne", relation_ne},
	{"lt", relation_lt},
	{"le", relation_le},
	{"gt", relation_gt},
	{"ge", relation_ge},
	{"in", relation_in},
	{"contains", relation_contains},
	{"prefix", relation_prefix},
	{"exists", relation_exists},
};

static const struct relation *relation_find(struct text name)
{
	for (size_t i = 0; i < countof(relations); i++) {
		if (text_is(name, relations[i].name))
			return &relations[i];
	}
	unreachable("an operator of no kind, refused at admission");
}

/* One operator, with the value on its left. */
static bool condition_apply(struct walk *walk, const struct relation *relation,
	const struct operand *value, yyjson_val *json)
{
	struct operand operand;
	bool holds;

	if (!operand_of_document(walk, json, &operand))
		return false;
	holds = relation->holds(walk, value, &operand);
	operand_drop(&operand);
	return holds;
}

/* What has no value is false but for {"exists": false}. */
static bool condition_test_missing(yyjson_val *operators)
{
	yyjson_obj_iter iter;
	yyjson_val *key;

	if (!yyjson_obj_iter_init(operators, &iter))
		return false;
	while ((key = yyjson_obj_iter_next(&iter))) {
		if (!text_is(json_string(key), "exists") ||
			!yyjson_is_false(yyjson_obj_iter_get_val(key)))
			return false;
	}
	return yyjson_obj_size(operators) > 0;
}

/* All the operators that stand behind a reference. */
static bool condition_test_all(
	struct walk *walk, const struct operand *value, yyjson_val *operators)
{
	yyjson_obj_iter iter;
	yyjson_val *key;

	if (!yyjson_obj_iter_init(operators, &iter))
		return condition_apply(walk, relation_find(TEXT("eq")), value, operators);
	while ((key = yyjson_obj_iter_next(&iter))) {
		if (!condition_apply(walk, relation_find(json_string(key)), value,
			    yyjson_obj_iter_get_val(key)))
			return false;
	}
	return true;
}

static bool condition_test(struct walk *walk, struct text key, yyjson_val *operators)
{
	struct reference reference;
	struct operand operand;
	struct value value;
	bool holds;

	expect(!reference_parse(key, &reference));
	if (!operand_of_reference(walk, &reference, &value, &operand))
		return walk->fault->code == FAULT_NONE && condition_test_missing(operators);
	holds = condition_test_all(walk, &operand, operators);
	operand_drop(&operand);
	return holds;
}

/* The walk. */

static void walk_open(struct walk *walk, yyjson_val *json, bool is_negated)
{
	struct level *level = &walk->levels[walk->depth];

	expect(walk->depth < JSON_DEPTH_MAX);
	walk->depth++;
	*level = (struct level){.is_any = yyjson_is_arr(json), .is_negated = is_negated};
	if (level->is_any)
		yyjson_arr_iter_init(json, &level->array);
	else
		expect(yyjson_obj_iter_init(json, &level->object));
}

/* The next member of an object: it opens a level, or may decide this one. */
static enum answer walk_member(struct walk *walk, struct level *level)
{
	yyjson_val *json = yyjson_obj_iter_next(&level->object), *value;
	struct text key = json_string(json);

	if (!json)
		return ANSWER_YES;
	value = yyjson_obj_iter_get_val(json);
	if (text_is(key, "any") || text_is(key, "not")) {
		walk_open(walk, value, text_is(key, "not"));
		return ANSWER_OPEN;
	}
	return condition_test(walk, key, value) ? ANSWER_OPEN : ANSWER_NO;
}

static enum answer walk_step(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	yyjson_val *json;

	if (!level->is_any)
		return walk_member(walk, level);
	json = yyjson_arr_iter_next(&level->array);
	if (!json)
		return ANSWER_NO;
	walk_open(walk, json, false);
	return ANSWER_OPEN;
}

/* The innermost level is decided: what that means for the one around it. */
static enum answer walk_close(struct walk *walk, enum answer answer)
{
	bool holds = (answer == ANSWER_YES) != walk->levels[--walk->depth].is_negated;

	if (walk->depth > 0 && walk->levels[walk->depth - 1].is_any != holds)
		return ANSWER_OPEN;
	return holds ? ANSWER_YES : ANSWER_NO;
}

bool condition_holds(struct job *job, yyjson_val *when, struct fault *ret_fault)
{
	struct walk walk = {.job = job, .fault = ret_fault};
	enum answer answer = ANSWER_OPEN;

	*ret_fault = (struct fault){.code = FAULT_NONE};
	walk_open(&walk, when, false);
	while (walk.depth > 0 && ret_fault->code == FAULT_NONE) {
		answer = walk_step(&walk);
		while (answer != ANSWER_OPEN && walk.depth > 0)
			answer = walk_close(&walk, answer);
	}
	return answer == ANSWER_YES && ret_fault->code == FAULT_NONE;
}
