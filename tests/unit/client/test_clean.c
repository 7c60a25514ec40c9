/* SPDX-License-Identifier: MIT */
#include "client/cli/clean.h"

#include "tests/unit/unit.h"
#include "util/container.h"

typedef void (*clean)(struct buffer *out, struct text text);

static void clean_expect(clean function, struct text in, const char *out)
{
	struct buffer buffer;

	buffer_init(&buffer, 4096);
	function(&buffer, in);
	buffer_append_byte(&buffer, '\0');
	ck_assert_str_eq(buffer.data, out);
	buffer_deinit(&buffer);
}

START_TEST(lets_no_control_character_through)
{
	static const struct {
		struct text in;
		const char *line, *body, *json;
	} cases[] = {
		{TEXT_INIT("plain"), "plain", "plain", "plain"},
		{TEXT_INIT("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f",
			"gr\xc3\xbc\xc3\x9f"},
		{TEXT_INIT("\x1b[2J"), "?[2J", "^[[2J", "\x1b[2J"},
		{TEXT_INIT("a\tb\n"), "a?b?", "a\tb\n", "a\tb\n"},
		{TEXT_INIT("a\r\nb\rc"), "a??b?c", "a\r\nb^Mc", "a\r\nb\rc"},
		{TEXT_INIT("\x7f"), "?", "^?", "\\u007f"},
		{TEXT_INIT("\xc2\x9b"
			   "31m"),
			"?31m", "\\u009b31m", "\\u009b31m"},
		{TEXT_INIT("\xc2\xa0"), "\xc2\xa0", "\xc2\xa0", "\xc2\xa0"},
		{TEXT_INIT("\x9b"
			   "x\xc3"),
			"?x?", "\\x9bx\\xc3", "\\ufffdx\\ufffd"},
		{TEXT_INIT("\xf0\x9f\x8e\x89"), "\xf0\x9f\x8e\x89", "\xf0\x9f\x8e\x89",
			"\xf0\x9f\x8e\x89"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		clean_expect(clean_line, cases[i].in, cases[i].line);
		clean_expect(clean_body, cases[i].in, cases[i].body);
		clean_expect(clean_json, cases[i].in, cases[i].json);
	}
}
END_TEST

START_TEST(cuts_at_whole_characters)
{
	struct text text = TEXT("gr\xc3\xbc\xc3\x9f"
				"e");

	ck_assert_uint_eq(clean_width(text), 5);
	ck_assert_uint_eq(clean_cut(text, 3).size, 4);
	ck_assert_uint_eq(clean_cut(text, 0).size, 0);
	ck_assert_uint_eq(clean_cut(text, 9).size, text.size);
}
END_TEST

UNIT_MAIN("client/clean", &lets_no_control_character_through, &cuts_at_whole_characters)
