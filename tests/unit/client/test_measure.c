/* SPDX-License-Identifier: MIT */
#include "client/cli/render/measure.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(says_how_long_it_took)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{0, "0.0 ms"},
		{49, "0.0 ms"},
		{12345, "12.3 ms"},
		{999949, "999.9 ms"},
		{999950, "1.00 s"},
		{1234567, "1.23 s"},
		{UINT64_C(3600) * 1000000, "3600.00 s"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 64);
		measure_append_us(&out, cases[i].us);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].text), "got %.*s, wanted %s",
			TEXT_ARGS(buffer_text(&out)), cases[i].text);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(marks_places_exactly)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{0, "0"},
		{2, "0.002 ms"},
		{500, "0.5 ms"},
		{50000, "50 ms"},
		{1000000, "1 s"},
		{1500000, "1.5 s"},
		{2020000, "2.02 s"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 64);
		measure_append_tick(&out, cases[i].us);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].text), "got %.*s, wanted %s",
			TEXT_ARGS(buffer_text(&out)), cases[i].text);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(steps_are_round)
{
	static const struct {
		uint64_t us, step;
	} cases[] = {
		{0, 1},
		{1, 1},
		{3, 5},
		{6, 10},
		{20, 20},
		{20001, 50000},
		{UINT64_MAX, UINT64_C(1000000000000000000)},
	};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_uint_eq(measure_step(cases[i].us), cases[i].step);
}
END_TEST

UNIT_MAIN("client/measure", &says_how_long_it_took, &marks_places_exactly, &steps_are_round)
