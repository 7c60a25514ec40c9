/* SPDX-License-Identifier: MIT */
#include "util/random.h"

#include "tests/unit/unit.h"

START_TEST(the_stream_is_splitmix64)
{
	/* The first numbers of the published reference for the seed 1234567. */
	static const uint64_t expected[] = {
		UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821),
	};
	struct random random = {1234567};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_uint_eq(random_next(&random), expected[i]);
}
END_TEST

START_TEST(one_seed_is_one_stream)
{
	struct random a = {7}, b = {7}, c = {8};

	for (int i = 0; i < 100; i++) {
		uint64_t n = random_next(&a);

		ck_assert_uint_eq(n, random_next(&b));
		ck_assert_uint_ne(n, random_next(&c));
	}
}
END_TEST

UNIT_MAIN("util/random", &the_stream_is_splitmix64, &one_seed_is_one_stream)
