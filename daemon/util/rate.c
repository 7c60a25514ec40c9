/* SPDX-License-Identifier: MIT */
#include "util/rate.h"

#include <string.h>

#include "util/clock.h"
#include "util/panic.h"

/* Forget the seconds that are too old. */
static void rate_turn(struct rate *rate, uint64_t now_ns)
{
	uint64_t second = now_ns / NS_PER_S;

	expect(second >= rate->second);
	if (second - rate->second >= RATE_SECONDS) {
		memset(rate->counts, 0, sizeof(rate->counts));
		rate->second = second;
	}
	while (rate->second < second)
		rate->counts[++rate->second % RATE_SECONDS] = 0;
}

void rate_add(struct rate *rate, uint64_t now_ns)
{
	uint32_t *count;

	rate_turn(rate, now_ns);
	count = &rate->counts[rate->second % RATE_SECONDS];
	/* The sum of all must not overflow either. */
	if (*count < UINT32_MAX / RATE_SECONDS)
		++*count;
}

uint32_t rate_count(struct rate *rate, uint64_t now_ns)
{
	uint32_t sum = 0;

	rate_turn(rate, now_ns);
	for (unsigned i = 0; i < RATE_SECONDS; i++)
		sum += rate->counts[i];
	return sum;
}
