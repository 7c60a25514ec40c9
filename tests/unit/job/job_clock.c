/* SPDX-License-Identifier: MIT */
#include "util/clock.h"

#include <time.h>

#include "tests/unit/job/job_world.h"

/*
 * The clock of a world stands still until a test moves it: what depends on how long the machine
 * takes would not be the same twice. Where there is no world, it is the machine's.
 */

uint64_t world_clock_ns, world_unix_ns;

static uint64_t machine_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return world_clock_ns ? world_clock_ns : machine_clock(CLOCK_MONOTONIC);
}

uint64_t clock_unix_ns(void)
{
	return world_unix_ns ? world_unix_ns : machine_clock(CLOCK_REALTIME);
}
