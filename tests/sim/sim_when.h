/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Conditions by the book (settled-graph(5), "Conditions").
 */

#include "sim_value.h"

/* True where the instance's `when` holds, or it has none. */
bool sim_when(const struct sim_view *view);
