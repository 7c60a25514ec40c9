/* SPDX-License-Identifier: MIT */
#include "sim_when.h"

#include <stdlib.h>
#include <string.h>

#include "sim_json.h"

/*
 * What is missing, or of another type than the operator wants, is an answer of no. Whether two
 * values are equal can be asked of any types.
 */

/* Numbers were read as their digits. */
static bool sim_is_number(yyjson_val *value)
{
	return yyjson_is_raw(value);
}

static double sim_number(yyjson_val *value)
{
	return strtod(yyjson_get_raw(value), NULL);
}

static bool sim_is_equal(yyjson_val *a, yyjson_val *b)
{
	if (sim_is_number(a) && sim_is_number(b))
		return sim_number(a) == sim_number(b);
	return yyjson_equals(a, b);
}

static bool sim_is_ordered(yyjson_val *a, yyjson_val *b)
{
	return (sim_is_number(a) && sim_is_number(b)) || (yyjson_is_str(a) && yyjson_is_str(b));
}

static int sim_compare(yyjson_val *a, yyjson_val *b)
{
	if (sim_is_number(a))
		return (sim_number(a) > sim_number(b)) - (sim_number(a) < sim_number(b));
	return strcmp(yyjson_get_str(a), yyjson_get_str(b));
}

static bool sim_is_in(yyjson_val *value, yyjson_val *array)
{
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(array, i, n, one)
	{
		if (sim_is_equal(value, one))
			return true;
	}
	return false;
}

/* `value` is there. */
static bool sim_operator(const char *name, yyjson_val *value, yyjson_val *operand)
{
	bool ordered = sim_is_ordered(value, operand);

	if (strcmp(name, "exists") == 0)
		return yyjson_is_true(operand);
	if (strcmp(name, "eq") == 0)
		return sim_is_equal(value, operand);
	if (strcmp(name, "ne") == 0)
		return !sim_is_equal(value, operand);
	if (strcmp(name, "lt") == 0)
		return ordered && sim_compare(value, operand) < 0;
	if (strcmp(name, "le") == 0)
		return ordered && sim_compare(value, operand) <= 0;
	if (strcmp(name, "gt") == 0)
		return ordered && sim_compare(value, operand) > 0;
	if (strcmp(name, "ge") == 0)
		return ordered && sim_compare(value, operand) >= 0;
	if (strcmp(name, "in") == 0)
		return sim_is_in(value, operand);
	if (strcmp(name, "prefix") == 0)
		return yyjson_is_str(value) &&
		       strncmp(yyjson_get_str(value), yyjson_get_str(operand),
			       yyjson_get_len(operand)) == 0;
	if (yyjson_is_arr(value))
		return sim_is_in(operand, value);
	return yyjson_is_str(value) && yyjson_is_str(operand) &&
	       strstr(yyjson_get_str(value), yyjson_get_str(operand));
}

/* "reference": operand, or {"operator": operand, …}. */
static bool sim_holds_reference(
	const struct sim_view *view, const char *target, yyjson_val *operators)
{
	struct sim_reference reference = {.target = text_from(target)};
	struct sim_value value = sim_value_of(view, &reference);
	yyjson_val *name, *operand, *json = value.value;
	size_t i, n;

	/* An outcome or a code is a text of ours. */
	if (value.why == FAULT_NONE && !json)
		json = sim_json_read(value.json, strlen(value.json));
	if (!yyjson_is_obj(operators))
		return json && sim_is_equal(json, operators);
	yyjson_obj_foreach(operators, i, n, name, operand)
	{
		bool holds = json ? sim_operator(yyjson_get_str(name), json, operand)
				  : strcmp(yyjson_get_str(name), "exists") == 0 &&
					     !yyjson_is_true(operand);

		if (!holds)
			return false;
	}
	return true;
}

/* As deep as the conditions that are drawn here. */
static bool sim_holds(const struct sim_view *view, yyjson_val *condition)
{
	yyjson_val *key, *value, *one;
	size_t i, n, j, m;

	yyjson_obj_foreach(condition, i, n, key, value)
	{
		const char *name = yyjson_get_str(key);
		bool holds = false;

		if (strcmp(name, "any") == 0) {
			yyjson_arr_foreach(value, j, m, one) holds = holds || sim_holds(view, one);
		} else if (strcmp(name, "not") == 0) {
			holds = !sim_holds(view, value);
		} else {
			holds = sim_holds_reference(view, name, value);
		}
		if (!holds)
			return false;
	}
	return true;
}

bool sim_when(const struct sim_view *view)
{
	const char *when = view->instance->node->when;

	return !when || sim_holds(view, sim_json_read(when, strlen(when)));
}
