/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A fuzz target is one function, called with one input after another: by libFuzzer, or by
 * replay.c with the files of the corpus. It asserts with expect(), and keeps nothing between
 * two inputs.
 */

#include <stddef.h>
#include <stdint.h>

#include "util/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a target needs beside its input (where to cut it, which way to go) comes from the input
 * too, so that a finding replays. */
struct fuzz_choices {
	uint64_t state;
};

static inline struct fuzz_choices fuzz_choices_of(uint64_t seed)
{
	return (struct fuzz_choices){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

/* A number below `n`, which is not 0 (xorshift64*, Vigna 2016). */
static inline size_t fuzz_choose(struct fuzz_choices *choices, size_t n)
{
	choices->state ^= choices->state >> 12;
	choices->state ^= choices->state << 25;
	choices->state ^= choices->state >> 27;
	return (size_t)((choices->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}
