/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Seeds beyond those of every run that have found something, and what that was. They come first
 * wherever no others are asked for.
 */

#include <stdint.h>

struct sim_seed {
	uint64_t seed;
	const char *found;
};

extern const struct sim_seed sim_seeds[];
extern const unsigned sim_n_seeds;
