/* SPDX-License-Identifier: MIT */
#include "proto/fault.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(every_code_has_a_name_a_class_and_a_sentence)
{
	for (unsigned i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
		enum fault_code code = (enum fault_code)i;
		const char *sentence = fault_sentence(code);

		ck_assert_uint_gt(strlen(fault_name(code)), 0);
		ck_assert_uint_gt(strlen(sentence), 0);
		ck_assert_msg(sentence[strlen(sentence) - 1] != '.', "%s", sentence);
		ck_assert_uint_ne(fault_class(code), FAULT_CLASS_NONE);
		ck_assert_uint_eq(fault_from_name(text_from(fault_name(code))), code);
	}
	ck_assert_str_eq(fault_name(FAULT_NONE), "");
}
END_TEST

START_TEST(knows_the_table)
{
	ck_assert_str_eq(fault_name(FAULT_HTTP_STATUS), "HTTP_STATUS");
	ck_assert_uint_eq(fault_class(FAULT_CERT_NAME), FAULT_CLASS_TLS);
	ck_assert(fault_is_retryable(FAULT_CONNECT_REFUSED));
	ck_assert(!fault_is_retryable(FAULT_CERT_NAME));
	ck_assert_uint_eq(fault_from_name(TEXT("NO_SUCH")), FAULT_NONE);
	ck_assert_uint_eq(fault_from_name(TEXT("")), FAULT_NONE);
	ck_assert_uint_eq(fault_from_name(TEXT("HTTP_STATU")), FAULT_NONE);
}
END_TEST

START_TEST(a_message_is_one_line_that_prints)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"503 Service Unavailable", "503 Service Unavailable"},
		{"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89"},
		{"a\r\nb\tc\x1b[31m\x7f", "a??b?c?[31m?"},
		{"\xff\xc3x\xe2\x82", "??x??"},
		/* CSI in one character (U+009B), and the first behind C1 (U+00A0). */
		{"\xc2\x9b\xc2\xa0", "??\xc2\xa0"},
		{"\xed\xa0\x80", "???"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fault fault;

		fault_set(&fault, FAULT_INTERNAL, "%s", cases[i].text);
		ck_assert_str_eq(fault_message(&fault), cases[i].message);
		ck_assert_uint_eq(fault.code, FAULT_INTERNAL);
	}
}
END_TEST

START_TEST(an_empty_message_is_the_sentence)
{
	struct fault fault;

	fault_set(&fault, FAULT_CONNECT_REFUSED, "%s", "");
	ck_assert_str_eq(fault_message(&fault), fault_sentence(FAULT_CONNECT_REFUSED));
}
END_TEST

START_TEST(a_long_message_is_cut_at_a_whole_character)
{
	char text[FAULT_MESSAGE_MAX * 2];
	struct fault fault;

	/* The last character that would fit begins 0 to 3 bytes before the end. */
	for (size_t shift = 0; shift < 4; shift++) {
		size_t whole = (FAULT_MESSAGE_MAX - 1 - shift) / 4 * 4 + shift;

		memset(text, 'x', shift);
		for (size_t at = shift; at + 4 < sizeof(text); at += 4)
			memcpy(text + at, "\xf0\x9f\x8e\x89", 5);
		fault_set(&fault, FAULT_INTERNAL, "%s", text);
		ck_assert_uint_eq(strlen(fault.message), whole);
		ck_assert_int_eq(memcmp(fault.message, text, whole), 0);
	}
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fault_set(&fault, FAULT_INTERNAL, "%s", text);
	ck_assert_uint_eq(strlen(fault.message), FAULT_MESSAGE_MAX - 1);
}
END_TEST

START_TEST(a_message_may_be_made_of_the_one_before)
{
	struct fault fault;

	fault_set(&fault, FAULT_INTERNAL, "inner");
	fault_set(&fault, FAULT_SHUTDOWN, "outer: %s", fault.message);
	ck_assert_str_eq(fault.message, "outer: inner");
	ck_assert_uint_eq(fault.code, FAULT_SHUTDOWN);
}
END_TEST

UNIT_MAIN("proto/fault", &every_code_has_a_name_a_class_and_a_sentence, &knows_the_table,
	&a_message_is_one_line_that_prints, &an_empty_message_is_the_sentence,
	&a_long_message_is_cut_at_a_whole_character, &a_message_may_be_made_of_the_one_before)
