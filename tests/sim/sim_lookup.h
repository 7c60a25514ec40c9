/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the simulator asks of its look-ups beside net/lookup.h.
 */

/* A new world: whatever pool was left is gone. */
void sim_lookup_begin(void);
