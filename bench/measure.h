/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the measured programs of the bench share: the clock, a histogram of latencies, and the one
 * line of JSON that bench/run reads. A histogram by the microsecond needs no sorting at the end,
 * so that measuring latency adds a clock reading a turn and an increment a request, no more.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The last bucket takes all that was slower. */
#define MEASURE_BUCKETS 100000

struct measure {
	uint64_t begin_ns;
	uint64_t n;
	uint32_t us[MEASURE_BUCKETS];
};

static inline uint64_t measure_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void measure_add(struct measure *measure, uint64_t latency_ns)
{
	uint64_t us = latency_ns / 1000;

	measure->us[us < MEASURE_BUCKETS ? us : MEASURE_BUCKETS - 1]++;
	measure->n++;
}

static inline unsigned measure_percentile(const struct measure *measure, double part)
{
	uint64_t wanted = (uint64_t)((double)measure->n * part), seen = 0;

	for (unsigned us = 0; us < MEASURE_BUCKETS; us++) {
		seen += measure->us[us];
		if (seen > wanted)
			return us;
	}
	return MEASURE_BUCKETS;
}

/* `n_turns`: how often it waited. */
static inline void measure_print(const struct measure *measure, uint64_t n_turns)
{
	printf("{\"requests\":%llu,\"seconds\":%.6f,\"turns\":%llu,\"p50\":%u,\"p99\":%u}\n",
		(unsigned long long)measure->n,
		(double)(measure_now_ns() - measure->begin_ns) / 1e9, (unsigned long long)n_turns,
		measure_percentile(measure, 0.5), measure_percentile(measure, 0.99));
}

/* For what cannot go on. */
__attribute__((noreturn)) static inline void measure_fail(const char *what)
{
	perror(what);
	exit(1);
}
