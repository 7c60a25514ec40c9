/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How often something has happened of late: in this second and the nine before it. Ten counters,
 * one a second; all zero, it has never happened.
 */

#include <stdint.h>

#define RATE_SECONDS 10

struct rate {
	/* The last second that was looked at: its number, from the clock's 0 on. */
	uint64_t second;
	/* Of a second, at its number modulo RATE_SECONDS. */
	uint32_t counts[RATE_SECONDS];
};

/* It has happened now. `now_ns` never goes back. */
void rate_add(struct rate *rate, uint64_t now_ns);

/* How often in those ten seconds. */
uint32_t rate_count(struct rate *rate, uint64_t now_ns);
