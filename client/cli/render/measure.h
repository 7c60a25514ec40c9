/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Times as people read them.
 */

#include <stdint.h>

#include "util/buffer.h"

/* How long something took: "12.3 ms", "1.23 s". */
void measure_append_us(struct buffer *out, uint64_t us);

/* A place on a scale, exactly and as short as it gets: "0", "0.2 ms", "50 ms", "1.5 s". */
void measure_append_tick(struct buffer *out, uint64_t us);

/* The least of 1, 2, 5, 10, 20, 50 … us that is not below `us`. */
uint64_t measure_step(uint64_t us);
