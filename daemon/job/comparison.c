/* SPDX-License-Identifier: MIT */
#include "job/comparison.h"

#include <stdlib.h>

#include "proto/json.h"
#include "util/panic.h"

/*
 * Two documents from strangers may be large, and have the same members in another order: looking
 * each one up in the other would take the square of their number. So the members of both objects
 * are sorted, and compared side by side: n log n, whatever is in them.
 *
 * The walk keeps its own stack, a level for each pair of containers that is open.
 */

/* Numbers. */

static bool number_is_integer(struct text number)
{
	for (size_t i = 0; i < number.size; i++) {
		if (number.data[i] == '.' || number.data[i] == 'e' || number.data[i] == 'E')
			return false;
	}
	return true;
}

/* The digits of an integer: JSON has no leading zeros, but it has a -0, which is 0. */
static struct text number_digits(struct text integer, bool *ret_is_negative)
{
	struct text digits = integer;

	*ret_is_negative = integer.data[0] == '-';
	if (*ret_is_negative)
		digits = text_from_at(integer, 1);
	if (text_equal(digits, TEXT("0")))
		*ret_is_negative = false;
	return digits;
}

static int comparison_of_integers(struct text a, struct text b)
{
	bool a_is_negative, b_is_negative;
	struct text x = number_digits(a, &a_is_negative), y = number_digits(b, &b_is_negative);
	int way;

	if (a_is_negative != b_is_negative)
		return a_is_negative ? -1 : 1;
	if (x.size != y.size)
		way = x.size < y.size ? -1 : 1;
	else
		way = memcmp(x.data, y.data, x.size);
	return a_is_negative ? -way : way;
}

int comparison_of_numbers(struct text a, struct text b)
{
	double x, y;

	expect(a.size > 0 && b.size > 0);
	if (number_is_integer(a) && number_is_integer(b))
		return comparison_of_integers(a, b);
	x = strtod(a.data, NULL);
	y = strtod(b.data, NULL);
	return x < y ? -1 : x > y;
}

int comparison_of_strings(struct text a, struct text b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int way = size > 0 ? memcmp(a.data, b.data, size) : 0;

	if (way != 0)
		return way;
	return a.size < b.size ? -1 : a.size > b.size;
}

/* Values. */

/* Two containers of one kind and size, and how far they have been compared. */
struct level {
	size_t n, next;
	/* Of objects: the keys of both in their order, n each, in one allocation. NULL: arrays. */
	yyjson_val **keys;
	yyjson_arr_iter a, b;
};

struct walk {
	struct level levels[JSON_DEPTH_MAX];
	int depth;
};

static int key_compare(const void *a, const void *b)
{
	yyjson_val *const *x = a, *const *y = b;
	int way = comparison_of_strings(json_string(*x), json_string(*y));

	/* Of one key, as they stand. */
	return way != 0 ? way : (*x > *y) - (*x < *y);
}

static void keys_sort(yyjson_val *object, yyjson_val **keys)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	yyjson_val *key;
	size_t n = 0;

	while ((key = yyjson_obj_iter_next(&iter)))
		keys[n++] = key;
	qsort(keys, n, sizeof(keys[0]), key_compare);
}

static enum comparison walk_open(struct walk *walk, yyjson_val *a, yyjson_val *b)
{
	struct level *level = &walk->levels[walk->depth];
	size_t n = yyjson_is_obj(a) ? yyjson_obj_size(a) : yyjson_arr_size(a);

	expect(walk->depth < JSON_DEPTH_MAX);
	*level = (struct level){.n = n};
	if (!yyjson_is_obj(a)) {
		yyjson_arr_iter_init(a, &level->a);
		yyjson_arr_iter_init(b, &level->b);
	} else if (n > 0) {
		level->keys = calloc(2 * n, sizeof(level->keys[0]));
		if (!level->keys)
			return COMPARISON_LOST;
		keys_sort(a, level->keys);
		keys_sort(b, level->keys + n);
	}
	walk->depth++;
	return COMPARISON_EQUAL;
}

static void walk_close(struct walk *walk)
{
	free(walk->levels[--walk->depth].keys);
}

static enum comparison comparison_if(bool equal)
{
	return equal ? COMPARISON_EQUAL : COMPARISON_DIFFERENT;
}

/* Of containers as far as they show: what is in them comes next. */
static enum comparison walk_visit(struct walk *walk, yyjson_val *a, yyjson_val *b)
{
	if (yyjson_get_type(a) != yyjson_get_type(b))
		return COMPARISON_DIFFERENT;
	switch (yyjson_get_type(a)) {
	case YYJSON_TYPE_NULL: return COMPARISON_EQUAL;
	case YYJSON_TYPE_BOOL: return comparison_if(yyjson_get_bool(a) == yyjson_get_bool(b));
	case YYJSON_TYPE_STR: return comparison_if(text_equal(json_string(a), json_string(b)));
	case YYJSON_TYPE_RAW:
		return comparison_if(comparison_of_numbers(json_number(a), json_number(b)) == 0);
	default: break;
	}
	if (unsafe_yyjson_get_len(a) != unsafe_yyjson_get_len(b))
		return COMPARISON_DIFFERENT;
	return walk_open(walk, a, b);
}

/* The next pair of the innermost level, of which there is one. */
static enum comparison walk_next(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	yyjson_val *a, *b;

	if (!level->keys) {
		level->next++;
		a = yyjson_arr_iter_next(&level->a);
		b = yyjson_arr_iter_next(&level->b);
		return walk_visit(walk, a, b);
	}
	a = level->keys[level->next];
	b = level->keys[level->n + level->next];
	level->next++;
	if (!text_equal(json_string(a), json_string(b)))
		return COMPARISON_DIFFERENT;
	return walk_visit(walk, yyjson_obj_iter_get_val(a), yyjson_obj_iter_get_val(b));
}

enum comparison comparison_of_values(yyjson_val *a, yyjson_val *b)
{
	struct walk walk;
	enum comparison result;

	walk.depth = 0;
	result = walk_visit(&walk, a, b);
	while (walk.depth > 0) {
		const struct level *level = &walk.levels[walk.depth - 1];

		if (result == COMPARISON_EQUAL && level->next < level->n)
			result = walk_next(&walk);
		else
			walk_close(&walk);
	}
	return result;
}
