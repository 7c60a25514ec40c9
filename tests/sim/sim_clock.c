/* SPDX-License-Identifier: MIT */
#include "util/clock.h"

#include "sim_world.h"

/* The daemon's time is this world's. */
uint64_t clock_now_ns(void)
{
	return sim_now();
}
