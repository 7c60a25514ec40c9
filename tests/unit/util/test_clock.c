/* SPDX-License-Identifier: MIT */
#include "util/clock.h"

#include "tests/unit/unit.h"

START_TEST(the_clock_never_goes_back)
{
	uint64_t last = clock_now_ns();

	ck_assert_uint_gt(last, 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_now_ns();

		ck_assert_uint_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(the_calendar_is_that_of_this_century)
{
	uint64_t years = clock_unix_ns() / NS_PER_S / 31556952;

	/* From 2020 to 2300. */
	ck_assert_uint_ge(years, 50);
	ck_assert_uint_lt(years, 330);
}
END_TEST

UNIT_MAIN("util/clock", &the_clock_never_goes_back, &the_calendar_is_that_of_this_century)
