/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers that spread: a splitmix64 stream (Steele, Lea, Flood 2014). Not secret; one seed is one
 * stream, so that a run can be repeated.
 */

#include <stdint.h>

struct random {
	/* The seed, at first. */
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}
