/* SPDX-License-Identifier: MIT */
#include "client/cli/curl.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/option.h"
#include "tests/unit/unit.h"

/* All that curl 8 has. */
static const char curl_letters[] = "#:012346aABbcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwxXyYzZ";

static bool is_ours(char letter)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strchr(option_letters((enum option_id)i), letter))
			return true;
	}
	return false;
}

START_TEST(has_each_letter_that_settle_has_not)
{
	for (const char *letter = curl_letters; *letter; letter++) {
		const struct curl_option *curl = curl_find(*letter);

		ck_assert_msg(is_ours(*letter) != (curl != NULL), "-%c", *letter);
		ck_assert(!curl || curl->letter == *letter);
	}
	ck_assert_ptr_null(curl_find('\0'));
	ck_assert_ptr_null(curl_find('W'));
}
END_TEST

START_TEST(has_nothing_twice_and_nothing_of_settles)
{
	for (size_t i = 0; i < CURL_OPTION_COUNT; i++) {
		const struct curl_option *curl = &curl_options[i];

		for (size_t j = 0; j < i; j++) {
			ck_assert_str_ne(curl->name, curl_options[j].name);
			ck_assert(curl->letter == '\0' || curl->letter != curl_options[j].letter);
		}
		for (size_t j = 0; j < OPTION_COUNT; j++)
			ck_assert_str_ne(curl->name, option_name((enum option_id)j));
		ck_assert(curl->letter == '\0' || strchr(curl_letters, curl->letter));
	}
}
END_TEST

START_TEST(gives_advice_that_ends_a_line)
{
	for (size_t i = 0; i < CURL_OPTION_COUNT; i++) {
		const char *advice = curl_options[i].advice;

		ck_assert_uint_gt(strlen(advice), 5);
		ck_assert_uint_le(strlen(advice), 90);
		ck_assert_int_ne(advice[strlen(advice) - 1], '.');
	}
}
END_TEST

START_TEST(has_its_letters_in_the_manual)
{
	FILE *file = fopen(SETTLE_MANUAL, "re");
	char manual[256 * 1024];
	size_t size;

	ck_assert_ptr_nonnull(file);
	size = fread(manual, 1, sizeof(manual) - 1, file);
	fclose(file);
	manual[size] = '\0';
	for (size_t i = 0; i < CURL_OPTION_COUNT; i++) {
		char wanted[8];

		snprintf(wanted, sizeof(wanted), "*-%c*", curl_options[i].letter);
		ck_assert_msg(curl_options[i].letter == '\0' || strstr(manual, wanted),
			"settle(1) lacks %s", wanted);
	}
}
END_TEST

UNIT_MAIN("client/curl", &has_each_letter_that_settle_has_not,
	&has_nothing_twice_and_nothing_of_settles, &gives_advice_that_ends_a_line,
	&has_its_letters_in_the_manual)
