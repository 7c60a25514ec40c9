/* SPDX-License-Identifier: MIT */
#include "util/text.h"

#include "util/container.h"

#include "tests/unit/unit.h"

START_TEST(reads_durations_with_and_without_unit)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t ns;
	} cases[] = {
		{"2", true, 2000000000},
		{"0.25", true, 250000000},
		{"250ms", true, 250000000},
		{"1.5ms", true, 1500000},
		{"2s", true, 2000000000},
		{"1m", true, 60000000000},
		{"1h", true, 3600000000000},
		{"0", true, 0},
		{"", false, 0},
		{"s", false, 0},
		{"-1", false, 0},
		{"1.", false, 0},
		{".5", false, 0},
		{"1 s", false, 0},
		{"1d", false, 0},
		{"99999999999999999999", false, 0},
		{"999999h", false, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t ns = 0;
		bool ok = text_to_duration(text_from(cases[i].text), &ns);

		ck_assert_msg(ok == cases[i].ok, "%s", cases[i].text);
		ck_assert_msg(ns == cases[i].ns, "%s gave %ju", cases[i].text, (uintmax_t)ns);
	}
}
END_TEST

START_TEST(reads_sizes)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t bytes;
	} cases[] = {
		{"0", true, 0},
		{"64k", true, 65536},
		{"16m", true, 16777216},
		{"1g", true, 1073741824},
		{"k", false, 0},
		{"", false, 0},
		{"1.5k", false, 0},
		{"1K", false, 0},
		{"99999999999999g", false, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t bytes = 0;

		ck_assert_msg(text_to_size(text_from(cases[i].text), &bytes) == cases[i].ok, "%s",
			cases[i].text);
		ck_assert_msg(bytes == cases[i].bytes, "%s", cases[i].text);
	}
}
END_TEST

START_TEST(knows_utf8)
{
	static const struct {
		struct text text;
		bool ok;
	} cases[] = {
		{TEXT_INIT(""), true},
		{TEXT_INIT("plain"), true},
		{TEXT_INIT("gr\xc3\xbc\xc3\x9f"), true},
		{TEXT_INIT("\xe2\x82\xac"), true},
		{TEXT_INIT("\xf0\x9f\x8e\x89"), true},
		{TEXT_INIT("12345678\xc3"), false},
		{TEXT_INIT("\x80"), false},
		{TEXT_INIT("\xc0\xaf"), false},
		{TEXT_INIT("\xed\xa0\x80"), false},
		{TEXT_INIT("\xe0\x80\x80"), false},
		{TEXT_INIT("\xf4\x90\x80\x80"), false},
		{TEXT_INIT("\xff"), false},
	};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_msg(text_is_utf8(cases[i].text) == cases[i].ok, "case %zu", i);
}
END_TEST

UNIT_MAIN("util/text", &reads_durations_with_and_without_unit, &reads_sizes, &knows_utf8)
