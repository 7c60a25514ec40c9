/* SPDX-License-Identifier: MIT */
#include "util/rate.h"

#include "util/clock.h"

#include "tests/unit/unit.h"

/* 1000 s and 0.4 s: in the middle of a second. */
#define START_NS (1000 * NS_PER_S + 400 * NS_PER_MS)

START_TEST(what_never_happened_counts_nothing)
{
	struct rate rate = {0};

	ck_assert_uint_eq(rate_count(&rate, 0), 0);
	ck_assert_uint_eq(rate_count(&rate, START_NS), 0);
}
END_TEST

START_TEST(what_happened_is_counted_for_ten_seconds)
{
	struct rate rate = {0};

	rate_add(&rate, START_NS);
	rate_add(&rate, START_NS);
	rate_add(&rate, START_NS + 3 * NS_PER_S);
	ck_assert_uint_eq(rate_count(&rate, START_NS + 3 * NS_PER_S), 3);
	ck_assert_uint_eq(rate_count(&rate, START_NS + 9 * NS_PER_S), 3);
	ck_assert_uint_eq(rate_count(&rate, START_NS + 10 * NS_PER_S), 1);
	ck_assert_uint_eq(rate_count(&rate, START_NS + 12 * NS_PER_S), 1);
	ck_assert_uint_eq(rate_count(&rate, START_NS + 13 * NS_PER_S), 0);
}
END_TEST

START_TEST(a_long_pause_forgets_all)
{
	/* Ten seconds, and multiples of ten that would hit the same counters. */
	static const uint64_t pauses[] = {10, 11, 20, 100, 1000000};

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		struct rate rate = {0};

		for (unsigned second = 0; second < RATE_SECONDS; second++)
			rate_add(&rate, START_NS + second * NS_PER_S);
		ck_assert_uint_eq(rate_count(&rate, START_NS + 9 * NS_PER_S), 10);
		rate_add(&rate, START_NS + (9 + pauses[i]) * NS_PER_S);
		ck_assert_uint_eq(rate_count(&rate, START_NS + (9 + pauses[i]) * NS_PER_S), 1);
	}
}
END_TEST

START_TEST(a_steady_stream_has_a_steady_count)
{
	struct rate rate = {0};

	for (unsigned second = 0; second < 100; second++) {
		for (unsigned i = 0; i < 5; i++)
			rate_add(&rate, START_NS + second * NS_PER_S);
		if (second >= 9)
			ck_assert_uint_eq(rate_count(&rate, START_NS + second * NS_PER_S), 50);
	}
}
END_TEST

UNIT_MAIN("util/rate", &what_never_happened_counts_nothing,
	&what_happened_is_counted_for_ten_seconds, &a_long_pause_forgets_all,
	&a_steady_stream_has_a_steady_count)
