/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of our names somebody may have meant who wrote another.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/text.h"

/* Of names longer than this none is near another. */
#define NEAREST_NAME_MAX 64

/* True where `written` is a likely mistake for `known`, and nearer to it than *distance, which
 * starts at SIZE_MAX and is then what is left between the two: letters to put in, to take out, to
 * change, or to swap with their neighbour. Case is free. */
bool nearest_is_better(struct text written, struct text known, size_t *distance);
