/* SPDX-License-Identifier: MIT */
#include "scalar.h"

#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"
#include "util/log.h"

START_TEST(reads_what_systemd_reads)
{
	static const struct {
		enum scalar_type type;
		const char *text;
		bool ok;
		uint64_t value;
	} cases[] = {
		{SCALAR_BOOL, "yes", true, 1},
		{SCALAR_BOOL, "On", true, 1},
		{SCALAR_BOOL, "1", true, 1},
		{SCALAR_BOOL, "TRUE", true, 1},
		{SCALAR_BOOL, "no", true, 0},
		{SCALAR_BOOL, "off", true, 0},
		{SCALAR_BOOL, "", false, 0},
		{SCALAR_BOOL, "2", false, 0},
		{SCALAR_COUNT, "0", true, 0},
		{SCALAR_COUNT, "64", true, 64},
		{SCALAR_COUNT, "infinity", true, SCALAR_UNBOUNDED},
		{SCALAR_COUNT, "unbounded", true, SCALAR_UNBOUNDED},
		{SCALAR_COUNT, "4294967295", false, 0},
		{SCALAR_COUNT, "-1", false, 0},
		{SCALAR_COUNT, "", false, 0},
		{SCALAR_COUNT, "64k", false, 0},
		{SCALAR_DURATION, "30", true, 30 * NS_PER_S},
		{SCALAR_DURATION, "30s", true, 30 * NS_PER_S},
		{SCALAR_DURATION, "30 sec", true, 30 * NS_PER_S},
		{SCALAR_DURATION, "0.25", true, NS_PER_S / 4},
		{SCALAR_DURATION, "1.5min", true, 90 * NS_PER_S},
		{SCALAR_DURATION, "5min 20s", true, 320 * NS_PER_S},
		{SCALAR_DURATION, "5min20s", true, 320 * NS_PER_S},
		{SCALAR_DURATION, "250ms", true, 250 * NS_PER_MS},
		{SCALAR_DURATION, "7us", true, 7000},
		{SCALAR_DURATION, "2h", true, 7200 * NS_PER_S},
		{SCALAR_DURATION, "1 day", true, 86400 * NS_PER_S},
		{SCALAR_DURATION, "0", true, 0},
		{SCALAR_DURATION, "", false, 0},
		{SCALAR_DURATION, "s", false, 0},
		{SCALAR_DURATION, "-1s", false, 0},
		{SCALAR_DURATION, "5 fortnights", false, 0},
		{SCALAR_DURATION, "5s!", false, 0},
		{SCALAR_DURATION, "300000000 days", false, 0},
		{SCALAR_DURATION, "99999999999999999999", false, 0},
		{SCALAR_LEVEL, "error", true, LOG_LEVEL_ERROR},
		{SCALAR_LEVEL, "err", true, LOG_LEVEL_ERROR},
		{SCALAR_LEVEL, "Warning", true, LOG_LEVEL_WARNING},
		{SCALAR_LEVEL, "debug", true, LOG_LEVEL_DEBUG},
		{SCALAR_LEVEL, "loud", false, 0},
		{SCALAR_SIZE, "65536", true, 65536},
		{SCALAR_SIZE, "64K", true, 65536},
		{SCALAR_SIZE, "64k", true, 65536},
		{SCALAR_SIZE, "16M", true, 16777216},
		{SCALAR_SIZE, "1G", true, 1073741824},
		{SCALAR_SIZE, "64MB", false, 0},
		{SCALAR_SIZE, "1.5M", false, 0},
		{SCALAR_SIZE, "", false, 0},
		{SCALAR_SIZE, "0000000000000000000000000001", false, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t value = 0;
		bool ok = scalar_parse(cases[i].type, text_from(cases[i].text), &value);

		ck_assert_msg(ok == cases[i].ok, "%s", cases[i].text);
		ck_assert_msg(!ok || value == cases[i].value, "%s gave %ju", cases[i].text,
			(uintmax_t)value);
	}
}
END_TEST

START_TEST(describes_every_type)
{
	for (enum scalar_type type = SCALAR_BOOL; type <= SCALAR_SIZE; type++)
		ck_assert(strlen(scalar_describe(type)) > 0);
}
END_TEST

UNIT_MAIN("daemon/scalar", &reads_what_systemd_reads, &describes_every_type)
