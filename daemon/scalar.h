/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What stands behind the = of a setting: text made a number of the unit the daemon counts in.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

enum scalar_type {
	/* 0 or 1. */
	SCALAR_BOOL,
	/* A count; SCALAR_UNBOUNDED: "infinity". */
	SCALAR_COUNT,
	/* Nanoseconds. */
	SCALAR_DURATION,
	/* An enum log_level. */
	SCALAR_LEVEL,
	/* Bytes. */
	SCALAR_SIZE,
};

#define SCALAR_UNBOUNDED UINT32_MAX

/* False where the text is none of that type. The empty text never is. */
bool scalar_parse(enum scalar_type type, struct text text, uint64_t *ret_value);

/* "a time span, such as 30s or 5min". */
const char *scalar_describe(enum scalar_type type);
