/* SPDX-License-Identifier: MIT */
#include "client/cli/value.h"

#include "client/cli/message.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

START_TEST(reads_what_curl_and_the_documents_write)
{
	uint64_t value;
	struct text name, text;

	message_silence();
	ck_assert(value_duration(OPTION_TIMEOUT, "2.5", &value));
	ck_assert_uint_eq(value, 2500 * NS_PER_MS);
	ck_assert(value_duration(OPTION_TIMEOUT, "250ms", &value));
	ck_assert_uint_eq(value, 250 * NS_PER_MS);
	ck_assert(!value_duration(OPTION_TIMEOUT, "0", &value));
	ck_assert(!value_duration(OPTION_TIMEOUT, "-1", &value));
	ck_assert(!value_duration(OPTION_TIMEOUT, "soon", &value));
	ck_assert(value_size(OPTION_MAX_FILESIZE, "10M", &value));
	ck_assert_uint_eq(value, 10485760);
	ck_assert(value_size(OPTION_MAX_FILESIZE, "7", &value));
	ck_assert_uint_eq(value, 7);
	ck_assert(!value_size(OPTION_MAX_FILESIZE, "0", &value));
	ck_assert(!value_size(OPTION_MAX_FILESIZE, "", &value));
	ck_assert(!value_size(OPTION_MAX_FILESIZE, "9999999999999999999999999k", &value));
	ck_assert(value_number(OPTION_CONCURRENCY, "9", 9, &value));
	ck_assert(!value_number(OPTION_CONCURRENCY, "10", 9, &value));
	ck_assert(!value_number(OPTION_CONCURRENCY, "0", 9, &value));
	ck_assert(value_concurrency("9", 9, &value));
	ck_assert_uint_eq(value, 9);
	ck_assert(value_concurrency("unbounded", 9, &value));
	ck_assert_uint_eq(value, 0);
	ck_assert(!value_concurrency("0", 9, &value));
	ck_assert(!value_concurrency("10", 9, &value));
	ck_assert(!value_concurrency("jar.txt", 9, &value));
	ck_assert(value_mode("race"));
	ck_assert(!value_mode("first"));
	ck_assert(value_pair(OPTION_ARG, "a=b=c", &name, &text));
	ck_assert(text_is(name, "a") && text_is(text, "b=c"));
	ck_assert(value_pair(OPTION_ARG, "a=", &name, &text));
	ck_assert_uint_eq(text.size, 0);
	ck_assert(!value_pair(OPTION_ARG, "=b", &name, &text));
	ck_assert(!value_pair(OPTION_ARG, "ab", &name, &text));
}
END_TEST

START_TEST(chooses_from_a_list)
{
	static const char *const choices[] = {"one", "two", NULL};
	size_t choice = 9;

	message_silence();
	ck_assert(value_choice(OPTION_COLOR, "two", choices, &choice));
	ck_assert_uint_eq(choice, 1);
	ck_assert(!value_choice(OPTION_COLOR, "three", choices, &choice));
}
END_TEST

START_TEST(writes_seconds)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0"},
		{NS_PER_S, "1"},
		{2500 * NS_PER_MS, "2.5"},
		{NS_PER_MS, "0.001"},
		{1, "0.000000001"},
		{90 * NS_PER_S + 50 * NS_PER_MS, "90.05"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 64);
		value_append_seconds(&out, cases[i].ns);
		ck_assert(text_is(buffer_text(&out), cases[i].text));
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("client/value", &reads_what_curl_and_the_documents_write, &chooses_from_a_list,
	&writes_seconds)
