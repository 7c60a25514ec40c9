/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The only place that reads time. The simulator links its own.
 */

#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* Nanoseconds on a clock that only goes forward (CLOCK_MONOTONIC), never 0. */
uint64_t clock_now_ns(void);

/* Nanoseconds since 1970 as the machine's calendar has it (CLOCK_REALTIME): may jump. For dates
 * that others wrote, never for a deadline. */
uint64_t clock_unix_ns(void);
