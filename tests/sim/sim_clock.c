/* SPDX-License-Identifier: MIT */
#include "util/clock.h"

#include "sim_world.h"

/* The daemon's time is this world's, and so is its calendar. */
uint64_t clock_now_ns(void)
{
	return sim_now();
}

uint64_t clock_unix_ns(void)
{
	return SIM_UNIX_NS + sim_now();
}
