/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One world from its beginning to its end.
 */

#include <stdbool.h>
#include <stdint.h>

struct sim_settings {
	bool verbose;
	/* The allocation to be refused, whatever the seed says; 0: as it says. */
	uint64_t fail_at;
	/* What documents may say: bits of enum sim_feature. */
	unsigned features;
};

/* True where nothing was wrong; else sim_world.failure says what. */
bool sim_run(uint64_t seed, const struct sim_settings *settings);
