/* SPDX-License-Identifier: MIT */
#include "util/clock.h"

#include <time.h>

#include "util/panic.h"

uint64_t clock_now_ns(void)
{
	struct timespec now;

	expect(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_unix_ns(void)
{
	struct timespec now;

	expect(clock_gettime(CLOCK_REALTIME, &now) == 0);
	/* Before 1970 the calendar is not set at all. */
	if (now.tv_sec < 0)
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
