/* SPDX-License-Identifier: MIT */
#include "http/crlf.h"

#include "util/container.h"

#include "tests/unit/unit.h"

START_TEST(takes_lines_where_they_are)
{
	struct text rest = TEXT("one\r\n\r\nthr");
	struct buffer part;
	struct text line;

	buffer_init(&part, 100);
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_WHOLE);
	ck_assert(text_is(line, "one\r\n"));
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_WHOLE);
	ck_assert(text_is(line, "\r\n"));
	ck_assert_uint_eq(part.capacity, 0);
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_PART);
	ck_assert_uint_eq(rest.size, 0);
	buffer_deinit(&part);
}
END_TEST

START_TEST(joins_pieces)
{
	static const char *const pieces[] = {"o", "n", "e", "\r", "\ntw", "o\r\nthree\r\n"};
	static const char *const lines[] = {"one\r\n", "two\r\n", "three\r\n"};
	struct buffer part;
	size_t n = 0;

	buffer_init(&part, 100);
	for (size_t i = 0; i < countof(pieces); i++) {
		struct text rest = text_from(pieces[i]);

		while (rest.size > 0) {
			struct text line;

			if (crlf_take(&part, &rest, 10, &line) != CRLF_WHOLE)
				continue;
			ck_assert_uint_lt(n, countof(lines));
			ck_assert(text_is(line, lines[n++]));
		}
	}
	ck_assert_uint_eq(n, countof(lines));
	buffer_deinit(&part);
}
END_TEST

START_TEST(bounds_a_line)
{
	struct buffer part;
	struct text rest, line;

	buffer_init(&part, 100);
	rest = TEXT("12345678\r\n");
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_WHOLE);
	rest = TEXT("123456789\r\n");
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_TOO_LONG);
	rest = TEXT("1234567890");
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_PART);
	rest = TEXT("1");
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_TOO_LONG);
	buffer_deinit(&part);
}
END_TEST

START_TEST(says_when_memory_ends)
{
	struct text rest = TEXT("12345");
	struct buffer part;
	struct text line;

	buffer_init(&part, 4);
	ck_assert_int_eq(crlf_take(&part, &rest, 10, &line), CRLF_NO_MEMORY);
	buffer_deinit(&part);
}
END_TEST

START_TEST(checks_lines)
{
	static const struct {
		const char *line;
		bool ok;
	} cases[] = {
		{"\r\n", true},
		{"a\r\n", true},
		{"a b\t\r\n", true},
		{"\n", false},
		{"a\n", false},
		{"a\r\r\n", false},
		{"\r\r\n", false},
		{"a\rb\r\n", false},
		{" a\r\n", false},
		{"\ta\r\n", false},
		{" \r\n", false},
	};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_msg((crlf_check(text_from(cases[i].line)) == NULL) == cases[i].ok,
			"case %zu", i);
}
END_TEST

UNIT_MAIN("http/crlf", &takes_lines_where_they_are, &joins_pieces, &bounds_a_line,
	&says_when_memory_ends, &checks_lines)
