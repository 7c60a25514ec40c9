/* SPDX-License-Identifier: MIT */
#include "http/header.h"

#include "util/container.h"

#include "tests/unit/unit.h"

START_TEST(knows_names)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	ck_assert(!header_name_is_valid(TEXT("")));
	ck_assert(header_name_is_valid(TEXT("x-request-id")));
	ck_assert(header_name_is_valid(text_from(tchars)));
	for (unsigned c = 0; c < 256; c++) {
		char name[] = "ab";
		bool is_tchar = c != 0 && strchr(tchars, (int)c);

		name[1] = (char)c;
		ck_assert_msg(
			header_name_is_valid((struct text){name, 2}) == is_tchar, "byte %u", c);
	}
}
END_TEST

START_TEST(knows_values)
{
	ck_assert(header_value_is_valid(TEXT("")));
	ck_assert(header_value_is_valid(TEXT("a \t b")));
	ck_assert(!header_value_is_valid(TEXT(" a")));
	ck_assert(!header_value_is_valid(TEXT("a ")));
	ck_assert(!header_value_is_valid(TEXT("\ta")));
	ck_assert(!header_value_is_valid(TEXT("a\t")));
	ck_assert(!header_value_is_valid(TEXT(" ")));
	ck_assert(!header_value_is_valid(TEXT("a\r\nb: c")));
	for (unsigned c = 0; c < 256; c++) {
		char value[] = "a b";
		bool ok = c == '\t' || (c >= ' ' && c != 0x7f);

		value[1] = (char)c;
		ck_assert_msg(header_value_is_valid((struct text){value, 3}) == ok, "byte %u", c);
	}
}
END_TEST

START_TEST(trims)
{
	ck_assert(text_is(header_trim(TEXT("")), ""));
	ck_assert(text_is(header_trim(TEXT(" \t ")), ""));
	ck_assert(text_is(header_trim(TEXT(" a b\t")), "a b"));
	ck_assert(text_is(header_trim(TEXT("a")), "a"));
}
END_TEST

START_TEST(splits_lines)
{
	static const struct {
		const char *line;
		const char *name;
		const char *value;
	} cases[] = {
		{"a:b", "a", "b"},
		{"A: \t b c ", "A", "b c"},
		{"a:", "a", ""},
		{"a: ", "a", ""},
		{"a:b:c", "a", "b:c"},
		{"", NULL, NULL},
		{"a", NULL, NULL},
		{":b", NULL, NULL},
		{"a :b", NULL, NULL},
		{" a:b", NULL, NULL},
		{"a: b\x01", NULL, NULL},
		{"(a): b", NULL, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header header = {.name = {NULL, 0}};
		bool ok = header_split(text_from(cases[i].line), &header);

		ck_assert_msg(ok == (cases[i].name != NULL), "%s", cases[i].line);
		if (!ok)
			continue;
		ck_assert_msg(text_is(header.name, cases[i].name), "%s", cases[i].line);
		ck_assert_msg(text_is(header.value, cases[i].value), "%s", cases[i].line);
	}
}
END_TEST

START_TEST(keeps_some_for_the_daemon)
{
	static const char *const ours[] = {"host", "Host", "CONTENT-LENGTH", "Transfer-Encoding",
		"connection", "Upgrade", "TE", "expect", "keep-alive", "Proxy-Connection",
		"trailer"};
	static const char *const others[] = {"", "hos", "hosts", "accept", "user-agent", "t",
		"content-type", "content-encoding", "proxy-authorization", "x-host"};

	for (size_t i = 0; i < countof(ours); i++)
		ck_assert_msg(header_is_ours(text_from(ours[i])), "%s", ours[i]);
	for (size_t i = 0; i < countof(others); i++)
		ck_assert_msg(!header_is_ours(text_from(others[i])), "%s", others[i]);
}
END_TEST

START_TEST(finds_a_name_among_others_in_any_case)
{
	static const struct text names[] = {TEXT_INIT("accept"), TEXT_INIT("Range")};

	ck_assert(header_is_one_of(TEXT("Accept"), names, 2));
	ck_assert(header_is_one_of(TEXT("range"), names, 2));
	ck_assert(!header_is_one_of(TEXT("range"), names, 1));
	ck_assert(!header_is_one_of(TEXT("rang"), names, 2));
	ck_assert(!header_is_one_of(TEXT("ranges"), names, 2));
	ck_assert(!header_is_one_of(TEXT(""), names, 2));
	ck_assert(!header_is_one_of(TEXT("accept"), NULL, 0));
}
END_TEST

START_TEST(finds_the_first)
{
	static const struct header headers[] = {
		{TEXT_INIT("a"), TEXT_INIT("1")},
		{TEXT_INIT("b"), TEXT_INIT("")},
		{TEXT_INIT("a"), TEXT_INIT("2")},
	};

	ck_assert(text_is(header_find(headers, countof(headers), TEXT("a")), "1"));
	ck_assert(header_find(headers, countof(headers), TEXT("b")).data != NULL);
	ck_assert(header_find(headers, countof(headers), TEXT("c")).data == NULL);
	ck_assert(header_find(NULL, 0, TEXT("a")).data == NULL);
}
END_TEST

START_TEST(looks_into_lists)
{
	static const struct {
		const char *list;
		bool has;
	} cases[] = {
		{"close", true},
		{"CLOSE", true},
		{" close ", true},
		{"keep-alive, close", true},
		{"keep-alive,\tclose\t,x", true},
		{",,close", true},
		{"close,", true},
		{"", false},
		{",", false},
		{"closed", false},
		{"not close", false},
		{"close;x", false},
		{"keep-alive", false},
	};

	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_msg(
			header_list_has(text_from(cases[i].list), TEXT("close")) == cases[i].has,
			"%s", cases[i].list);
}
END_TEST

START_TEST(list_grows_and_gives_back)
{
	struct header_list list = {0};

	ck_assert(header_list_reserve(&list, 1));
	list.items[list.n++] = (struct header){TEXT("a"), TEXT("b")};
	ck_assert(header_list_reserve(&list, 1000));
	ck_assert_uint_ge(list.capacity, 1000);
	ck_assert(text_is(list.items[0].name, "a"));
	header_list_reset(&list, list.capacity);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_ge(list.capacity, 1000);
	header_list_reset(&list, 10);
	ck_assert_uint_eq(list.capacity, 0);
	ck_assert_ptr_null(list.items);
	header_list_deinit(&list);
}
END_TEST

UNIT_MAIN("http/header", &finds_a_name_among_others_in_any_case, &knows_names, &knows_values,
	&trims, &splits_lines, &keeps_some_for_the_daemon, &finds_the_first, &looks_into_lists,
	&list_grows_and_gives_back)
