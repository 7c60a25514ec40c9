/* SPDX-License-Identifier: MIT */
#include "http/retry_after.h"

#include "util/clock.h"
#include "util/container.h"

#include "tests/unit/unit.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110. */
#define NOW UINT64_C(784111777)

/* Wed, 01 Jan 2025 00:00:00 GMT */
#define NOW_2025 UINT64_C(1735689600)

START_TEST(reads_seconds_and_all_three_forms_of_a_date)
{
	static const struct {
		const char *text;
		uint64_t now, seconds;
	} cases[] = {
		{"0", NOW, 0},
		{"120", NOW, 120},
		{"007", NOW, 7},
		{"Sun, 06 Nov 1994 08:49:37 GMT", NOW, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", NOW - 30, 30},
		{"Sun, 06 Nov 1994 08:49:37 GMT", NOW + 30, 0},
		{"Sunday, 06-Nov-94 08:49:37 GMT", NOW - 30, 30},
		{"Sun Nov  6 08:49:37 1994", NOW - 30, 30},
		{"Wed Nov 16 08:49:37 1994", NOW, 10 * 86400},
		/* The name of the day is not looked at further. */
		{"Mon, 06 Nov 1994 08:49:38 GMT", NOW, 1},
		/* Across the end of a year, and leap days. */
		{"Sun, 01 Jan 1995 00:00:00 GMT", NOW, 784111777 + 4806623 - NOW},
		{"Wed, 01 Jan 2025 00:00:00 GMT", NOW_2025 - 86400, 86400},
		{"Thu, 29 Feb 2024 00:00:00 GMT", NOW_2025 - 307 * 86400, 0},
		{"Fri, 01 Mar 2024 00:00:00 GMT", NOW_2025 - 307 * 86400, 86400},
		{"Mon, 01 Mar 2100 00:00:00 GMT", UINT64_C(4107456000), 86400},
		{"Tue, 29 Feb 2000 12:00:00 GMT", 951782400, 12 * 3600},
		{"Fri, 31 Dec 1999 23:59:60 GMT", 946684799, 1},
		/* Long ago. */
		{"Thu, 01 Jan 1970 00:00:01 GMT", 0, 1},
		{"Wed, 31 Dec 1969 23:59:59 GMT", 0, 0},
		{"Sat, 01 Jan 0000 00:00:00 GMT", NOW, 0},
		/* Two digits: 50 years ahead at most. */
		{"Wednesday, 01-Jan-25 00:00:10 GMT", NOW_2025, 10},
		{"Tuesday, 01-Jan-75 00:00:00 GMT", NOW_2025, UINT64_C(3313526400) - NOW_2025},
		{"Thursday, 01-Jan-76 00:00:00 GMT", NOW_2025, 0},
		{"Saturday, 01-Jan-00 00:00:00 GMT", 946684790, 10},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t ns = 1;

		ck_assert_msg(retry_after_parse(text_from(cases[i].text), cases[i].now, &ns), "%s",
			cases[i].text);
		ck_assert_msg(ns == cases[i].seconds * NS_PER_S, "%s: %ju", cases[i].text,
			(uintmax_t)(ns / NS_PER_S));
	}
}
END_TEST

START_TEST(what_is_very_long_stays_so)
{
	static const char *const cases[] = {
		"18446744074",
		"99999999999",
		"18446744073709551616",
		"99999999999999999999999999999999999999",
		"Fri, 31 Dec 9999 23:59:59 GMT",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t ns = 0;

		ck_assert_msg(retry_after_parse(text_from(cases[i]), NOW, &ns), "%s", cases[i]);
		ck_assert_msg(ns >= UINT64_C(18446744073) * NS_PER_S, "%s", cases[i]);
		ck_assert_msg(ns != UINT64_MAX, "%s", cases[i]);
	}
}
END_TEST

START_TEST(garbage_is_refused)
{
	static const char *const cases[] = {
		"",
		" ",
		"-1",
		"+1",
		"1.5",
		"10s",
		"10 ",
		" 10",
		"0x10",
		"soon",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 29 Feb 1994 08:49:37 GMT",
		"Sun, 29 Feb 2100 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49 GMT",
		"Sun, 06 Nov 19940 08:49:37 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT",
		"Xxx, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  6 08:49:37 94",
		"Sun Nov  6 08:49:37 1994 GMT",
		"Sun, 06 Nov 1994 08:49:3",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t ns = 77;

		ck_assert_msg(!retry_after_parse(text_from(cases[i]), NOW, &ns), "%s", cases[i]);
		ck_assert_uint_eq(ns, 77);
	}
}
END_TEST

UNIT_MAIN("http/retry_after", &reads_seconds_and_all_three_forms_of_a_date,
	&what_is_very_long_stays_so, &garbage_is_refused)
