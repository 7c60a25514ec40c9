/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Places in a graph's bound: who waited for one, and who had it meanwhile.
 */

#include "sim_judge.h"

/* An attempt of the record had its place; its request, or NULL. */
void sim_slot_note(const struct sim_record *record, unsigned n, const struct sim_try *try);

/* Where the graph's `concurrency` is all that bounds it: nobody waited while there was room, and
 * nobody behind one of lower priority. */
void sim_slot_check(const struct sim_graph *graph);
