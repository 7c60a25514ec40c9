/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON values beside each other: numbers by what they stand for, strings by their bytes, arrays
 * and objects by what they hold. Pure. Values are as json_read() gives them: numbers are digits,
 * and nothing nests deeper than JSON_DEPTH_MAX.
 */

#include <stdbool.h>
#include <yyjson.h>

#include "util/text.h"

/* Numbers as JSON has them, each with a NUL behind it. Integers are compared exactly, however
 * long; where one has a fraction or an exponent, both as doubles. Below 0, 0, above 0. */
int comparison_of_numbers(struct text a, struct text b);

/* Bytewise. */
int comparison_of_strings(struct text a, struct text b);

enum comparison {
	COMPARISON_DIFFERENT,
	COMPARISON_EQUAL,
	/* There was no memory to find out. */
	COMPARISON_LOST,
};

/* Members of an object have no order; where a key stands twice, its values have one. */
enum comparison comparison_of_values(yyjson_val *a, yyjson_val *b);
