/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A job's time cut into the pieces it was made of.
 */

#include <stdint.h>
#include <yyjson.h>

#include "client/cli/render/timeline.h"
#include "util/arena.h"

/* Milliseconds as a record has them, in whole us; 0 where `value` is no such number. */
uint64_t timeline_us(yyjson_val *value);

/* Fills whole, pieces and n_pieces from a record's "time" and "tries"; the array lies in the
 * arena. False: no memory. */
bool timeline_cut(struct timeline_job *job, yyjson_val *record, struct arena *arena);
