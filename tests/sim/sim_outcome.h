/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A settled job: is its record true, and could it have become so?
 */

#include <yyjson.h>

#include "sim_model.h"
#include "util/text.h"

/* Checks the record and notes its outcome in the model. */
void sim_outcome_check(struct sim_graph *graph, yyjson_val *record, struct text payload);
