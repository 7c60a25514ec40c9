/* SPDX-License-Identifier: MIT */
#include "job/comparison.h"

#include "proto/json.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/container.h"

static yyjson_doc *read_json(struct text json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);

	ck_assert_msg(doc, "%.*s: %s", TEXT_ARGS(json), error.message);
	return doc;
}

static enum comparison compare(struct text a, struct text b)
{
	yyjson_doc *x = read_json(a), *y = read_json(b);
	enum comparison result =
		comparison_of_values(yyjson_doc_get_root(x), yyjson_doc_get_root(y));

	yyjson_doc_free(x);
	yyjson_doc_free(y);
	return result;
}

START_TEST(numbers_are_compared_by_what_they_stand_for)
{
	/* In ascending order; equal ones in one row. */
	static const char *const rows[][4] = {
		{"-1e400", "-2e308"},
		{"-1e300", "-1.0e300", "-10e299"},
		{"-100000000000000000000000000001"},
		{"-100000000000000000000000000000"},
		{"-9007199254740993"},
		{"-9007199254740992"},
		{"-10"},
		{"-9", "-9.0"},
		{"-0.5", "-5e-1"},
		{"0", "-0", "0.0", "0e9"},
		{"1e-300"},
		{"0.25", "2.5e-1", "25E-2"},
		{"9", "9.0", "0.9e1", "90e-1"},
		{"10", "1e1", "1E+1", "10.000"},
		{"9007199254740992"},
		{"9007199254740993"},
		{"100000000000000000000000000000"},
		{"100000000000000000000000000001"},
		{"1e400", "2e308"},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		for (size_t j = 0; j < countof(rows); j++) {
			for (size_t k = 0; k < 16; k++) {
				const char *a = rows[i][k / 4], *b = rows[j][k % 4];
				int way;

				if (!a || !b)
					continue;
				way = comparison_of_numbers(text_from(a), text_from(b));
				ck_assert_msg((way > 0) - (way < 0) == (i > j) - (i < j),
					"%s and %s: %d", a, b, way);
			}
		}
	}
}
END_TEST

START_TEST(one_that_is_no_integer_makes_both_doubles)
{
	ck_assert_int_eq(
		comparison_of_numbers(TEXT("9007199254740993"), TEXT("9007199254740992")), 1);
	ck_assert_int_eq(
		comparison_of_numbers(TEXT("9007199254740993"), TEXT("9007199254740992.0")), 0);
}
END_TEST

START_TEST(strings_are_compared_bytewise)
{
	static const struct {
		struct text a, b;
		int way;
	} cases[] = {
		{TEXT_INIT(""), TEXT_INIT(""), 0},
		{TEXT_INIT(""), TEXT_INIT("a"), -1},
		{TEXT_INIT("a"), TEXT_INIT("a"), 0},
		{TEXT_INIT("a"), TEXT_INIT("ab"), -1},
		{TEXT_INIT("b"), TEXT_INIT("ab"), 1},
		{TEXT_INIT("B"), TEXT_INIT("a"), -1},
		{TEXT_INIT("10"), TEXT_INIT("9"), -1},
		{TEXT_INIT("z"), TEXT_INIT("\xc3\xa4"), -1},
		{TEXT_INIT("a\0b"), TEXT_INIT("a\0a"), 1},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int way = comparison_of_strings(cases[i].a, cases[i].b);

		ck_assert_msg((way > 0) - (way < 0) == cases[i].way, "case %zu", i);
		way = comparison_of_strings(cases[i].b, cases[i].a);
		ck_assert_msg((way > 0) - (way < 0) == -cases[i].way, "case %zu", i);
	}
}
END_TEST

START_TEST(values_are_equal_all_the_way_down)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"null", "null", true},
		{"null", "false", false},
		{"null", "0", false},
		{"true", "true", true},
		{"true", "false", false},
		{"\"1\"", "1", false},
		{"\"a\"", "\"a\"", true},
		{"\"a\"", "\"A\"", false},
		{"\"\\u0061\"", "\"a\"", true},
		{"1", "1.0", true},
		{"9007199254740993", "9007199254740992", false},
		{"[]", "[]", true},
		{"[]", "{}", false},
		{"[]", "[[]]", false},
		{"[1, 2]", "[1,2]", true},
		{"[1,2]", "[2,1]", false},
		{"[1,2]", "[1,2,3]", false},
		{"{}", "{}", true},
		{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
		{"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
		{"{\"a\":1}", "{\"b\":1}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
		{"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", true},
		{"{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}", false},
		{"{\"a\":{\"b\":[1,{\"c\":null,\"d\":\"x\"}]}}",
			"{\"a\":{\"b\":[1.0,{\"d\":\"x\",\"c\":null}]}}", true},
		{"{\"a\":{\"b\":[1,{\"c\":null,\"d\":\"x\"}]}}",
			"{\"a\":{\"b\":[1,{\"d\":\"y\",\"c\":null}]}}", false},
		{"[[[[1],2],3],4]", "[[[[1],2],3],4]", true},
		{"[[[[1],2],3],4]", "[[[[1],2],3],5]", false},
		{"[[],[],{}]", "[[],[],{}]", true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text a = text_from(cases[i].a), b = text_from(cases[i].b);
		enum comparison wanted = cases[i].equal ? COMPARISON_EQUAL : COMPARISON_DIFFERENT;

		ck_assert_msg(compare(a, b) == wanted, "%s and %s", cases[i].a, cases[i].b);
		ck_assert_msg(compare(b, a) == wanted, "%s and %s", cases[i].b, cases[i].a);
	}
}
END_TEST

START_TEST(the_deepest_values_are_compared)
{
	struct buffer json, other;

	buffer_init(&json, SIZE_MAX);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buffer_append_literal(&json, "[");
	buffer_append_literal(&json, "1");
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buffer_append_literal(&json, "]");
	buffer_init(&other, SIZE_MAX);
	buffer_append_text(&other, buffer_text(&json));
	other.data[JSON_DEPTH_MAX] = '2';
	ck_assert_int_eq(compare(buffer_text(&json), buffer_text(&json)), COMPARISON_EQUAL);
	ck_assert_int_eq(compare(buffer_text(&json), buffer_text(&other)), COMPARISON_DIFFERENT);
	buffer_deinit(&json);
	buffer_deinit(&other);
}
END_TEST

/* The square of their number would take minutes. */
START_TEST(many_members_in_another_order_take_no_time)
{
	enum { MEMBERS = 200000 };
	struct buffer up, down;

	buffer_init(&up, SIZE_MAX);
	buffer_init(&down, SIZE_MAX);
	for (int i = 0; i < MEMBERS; i++) {
		buffer_printf(&up, "%c\"%d\":%d", i ? ',' : '{', i, i);
		buffer_printf(
			&down, "%c\"%d\":%d", i ? ',' : '{', MEMBERS - 1 - i, MEMBERS - 1 - i);
	}
	buffer_append_byte(&up, '}');
	buffer_append_byte(&down, '}');
	ck_assert_int_eq(compare(buffer_text(&up), buffer_text(&down)), COMPARISON_EQUAL);
	buffer_deinit(&up);
	buffer_deinit(&down);
}
END_TEST

UNIT_MAIN("job/comparison", &numbers_are_compared_by_what_they_stand_for,
	&one_that_is_no_integer_makes_both_doubles, &strings_are_compared_bytewise,
	&values_are_equal_all_the_way_down, &the_deepest_values_are_compared,
	&many_members_in_another_order_take_no_time)
