/* SPDX-License-Identifier: MIT */
#include "client/cli/progress.h"

#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

START_TEST(tells_how_far_it_is)
{
	static const struct {
		struct progress_counts counts;
		uint64_t since_ns;
		const char *text;
	} cases[] = {
		{{0, 0, 0, false}, 0, "0 settled, 0.0 s"},
		{{40, 12, 0, false}, 1250 * NS_PER_MS, "12 of 40 settled, 1.2 s"},
		{{40, 12, 3, true}, 90 * NS_PER_S,
			"12 of 40 settled, 3 rejected, cancelled, 90.0 s"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 256);
		progress_format(&out, &cases[i].counts, cases[i].since_ns);
		buffer_append_byte(&out, '\0');
		ck_assert_str_eq(out.data, cases[i].text);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(wakes_nobody_where_it_is_not_wanted)
{
	progress_init(PROGRESS_NONE);
	ck_assert_int_eq(progress_wait_ms(), -1);
	progress_init(PROGRESS_PLAIN);
	ck_assert_int_gt(progress_wait_ms(), 0);
}
END_TEST

UNIT_MAIN("client/progress", &tells_how_far_it_is, &wakes_nobody_where_it_is_not_wanted)
