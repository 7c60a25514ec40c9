/* SPDX-License-Identifier: MIT */
#include "util/nearest.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(knows_likely_mistakes)
{
	static const struct {
		const char *written, *known;
		bool near;
		size_t distance;
	} cases[] = {
		{"MaxSesions", "MaxSessions", true, 1},
		{"maxsessions", "MaxSessions", true, 0},
		{"MaxSession", "MaxSessions", true, 1},
		{"MaxSessionss", "MaxSessions", true, 1},
		{"MaxSessoins", "MaxSessions", true, 1},
		{"tiemout", "timeout", true, 1},
		{"DNSThread", "DnsThreads", true, 1},
		{"Port", "TLS", false, 0},
		{"ab", "cd", false, 0},
		{"dns", "tls", false, 0},
		{"tsl", "tls", true, 1},
		{"nope", "e", false, 0},
		{"nope", "nose", true, 1},
		{"a", "b", false, 0},
		{"", "TLS", false, 0},
		{"LogLevel", "MaxRequests", false, 0},
		{"AVeryLongNameThatNobodyWouldEverGiveToASettingOfOurs", "TLS", false, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		size_t distance = SIZE_MAX;
		bool near = nearest_is_better(
			text_from(cases[i].written), text_from(cases[i].known), &distance);

		ck_assert_msg(near == cases[i].near, "%s", cases[i].written);
		ck_assert_msg(!near || distance == cases[i].distance, "%s: %zu", cases[i].written,
			distance);
	}
}
END_TEST

START_TEST(prefers_the_nearer)
{
	size_t distance = SIZE_MAX;

	ck_assert(nearest_is_better(TEXT("MaxJob"), TEXT("MaxLine"), &distance) == false);
	ck_assert(nearest_is_better(TEXT("MaxJob"), TEXT("MaxJobs"), &distance));
	ck_assert(!nearest_is_better(TEXT("MaxJob"), TEXT("MaxJoin"), &distance));
}
END_TEST

UNIT_MAIN("util/nearest", &knows_likely_mistakes, &prefers_the_nearer)
