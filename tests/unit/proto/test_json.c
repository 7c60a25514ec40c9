/* SPDX-License-Identifier: MIT */
#include "proto/json.h"

#include "tests/unit/unit.h"
#include "util/container.h"

static yyjson_doc *read_json(const char *text)
{
	struct json_error error;
	yyjson_doc *doc = json_read(text_from(text), &error);

	ck_assert_msg(doc != NULL, "%s: %s", text, error.message);
	return doc;
}

static void assert_buffer(struct buffer *out, const char *wanted)
{
	struct text text = buffer_text(out);

	ck_assert(!out->failed);
	ck_assert_msg(text_is(text, wanted), "\"%.*s\", not \"%s\"", TEXT_ARGS(text), wanted);
	buffer_clear(out);
}

START_TEST(refuses_what_is_not_one_json_value)
{
	static const struct {
		struct text text;
		size_t at;
	} cases[] = {
		{TEXT_INIT(""), 0},
		{TEXT_INIT("  "), 2},
		{TEXT_INIT("{\"a\":1"), 6},
		{TEXT_INIT("[1,]"), 3},
		{TEXT_INIT("[1] x"), 4},
		{TEXT_INIT("{\"a\":01}"), 6},
		{TEXT_INIT("'a'"), 0},
		{TEXT_INIT("\xef\xbb\xbf{}"), 0},
		{TEXT_INIT("\"\xff\""), 1},
		{TEXT_INIT("[1]\0"), 3},
		{TEXT_INIT("nan"), 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct json_error error;

		ck_assert_ptr_null(json_read(cases[i].text, &error));
		ck_assert_ptr_nonnull(error.message);
		ck_assert(!error.too_deep && !error.no_memory);
		ck_assert_msg(error.at <= cases[i].text.size, "case %zu at %zu", i, error.at);
	}
}
END_TEST

START_TEST(bounds_the_nesting)
{
	char text[2 * JSON_DEPTH_MAX + 4];
	struct json_error error;
	yyjson_doc *doc;

	for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		doc = json_read((struct text){text, 2 * depth}, &error);
		ck_assert(depth <= JSON_DEPTH_MAX ? doc != NULL : doc == NULL && error.too_deep);
		yyjson_doc_free(doc);
	}
	/* Side by side is not deep. */
	doc = read_json("[[],[],{\"a\":{}},{\"b\":[]}]");
	yyjson_doc_free(doc);
}
END_TEST

START_TEST(writes_what_was_read)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"[[],{},[{}]]",
		"{\"a\":[1,2,{\"b\":null}],\"c\":{\"d\":true,\"e\":false},\"f\":\"x\"}",
		"[9007199254740993,1.10,-0,1E400,0.1e-7]",
		"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\"",
		"\"\xc3\xbc\xf0\x9f\x8e\x89\"",
		"7",
		"null",
	};
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		yyjson_doc *doc = read_json(cases[i]);

		json_append_value(&out, yyjson_doc_get_root(doc));
		assert_buffer(&out, cases[i]);
		yyjson_doc_free(doc);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(writes_a_part_of_a_value)
{
	yyjson_doc *doc = read_json("{\"a\":[1,[2]],\"b\":{\"c\":3},\"d\":4}");
	struct buffer out;

	buffer_init(&out, 4096);
	json_append_value(&out, json_pointer(yyjson_doc_get_root(doc), TEXT("/a")));
	assert_buffer(&out, "[1,[2]]");
	json_append_value(&out, json_pointer(yyjson_doc_get_root(doc), TEXT("/b")));
	assert_buffer(&out, "{\"c\":3}");
	buffer_deinit(&out);
	yyjson_doc_free(doc);
}
END_TEST

START_TEST(writes_the_deepest_value)
{
	char text[2 * JSON_DEPTH_MAX + 1] = {0};
	struct buffer out;
	yyjson_doc *doc;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	doc = read_json(text);
	buffer_init(&out, 4096);
	json_append_value(&out, yyjson_doc_get_root(doc));
	assert_buffer(&out, text);
	buffer_deinit(&out);
	yyjson_doc_free(doc);
}
END_TEST

START_TEST(text_of_a_value_is_as_written)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"\"a\\nb\\\"\"", "a\nb\""},
		{"1.50", "1.50"},
		{"true", "true"},
		{"null", "null"},
		{"[1, 2]", "[1,2]"},
		{"{\"a\" : \"b\"}", "{\"a\":\"b\"}"},
	};
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		yyjson_doc *doc = read_json(cases[i].json);

		json_append_as_text(&out, yyjson_doc_get_root(doc));
		assert_buffer(&out, cases[i].text);
		yyjson_doc_free(doc);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(follows_pointers)
{
	/* RFC 6901 section 5, and arrays. */
	static const char json[] =
		"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
		"\"m~n\":8,\" \":7,\"~1\":9,\"o\":{\"p\":null}}";
	static const struct {
		const char *pointer, *value;
	} cases[] = {
		{"/foo/0", "\"bar\""},
		{"/foo", "[\"bar\",\"baz\"]"},
		{"/", "0"},
		{"/a~1b", "1"},
		{"/c%d", "2"},
		{"/e^f", "3"},
		{"/m~0n", "8"},
		{"/ ", "7"},
		{"/~01", "9"},
		{"/o/p", "null"},
		{"/foo/2", NULL},
		{"/foo/-", NULL},
		{"/foo/00", NULL},
		{"/foo/01", NULL},
		{"/foo/", NULL},
		{"/foo/+1", NULL},
		{"/foo/0/x", NULL},
		{"/fo", NULL},
		{"/fooo", NULL},
		{"/o/p/", NULL},
		{"foo", NULL},
		{"/m~n", NULL},
		{"/m~", NULL},
		{"/foo/99999999999999999999999", NULL},
	};
	yyjson_doc *doc = read_json(json);
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		yyjson_val *value =
			json_pointer(yyjson_doc_get_root(doc), text_from(cases[i].pointer));

		ck_assert_msg((value != NULL) == (cases[i].value != NULL), "%s", cases[i].pointer);
		if (!value)
			continue;
		json_append_value(&out, value);
		assert_buffer(&out, cases[i].value);
	}
	ck_assert_ptr_eq(
		json_pointer(yyjson_doc_get_root(doc), TEXT("")), yyjson_doc_get_root(doc));
	buffer_deinit(&out);
	yyjson_doc_free(doc);
}
END_TEST

START_TEST(knows_a_pointer)
{
	ck_assert(json_pointer_is_valid(TEXT("")));
	ck_assert(json_pointer_is_valid(TEXT("/~0~1/x")));
	ck_assert(!json_pointer_is_valid(TEXT("a")));
	ck_assert(!json_pointer_is_valid(TEXT("/~2")));
	ck_assert(!json_pointer_is_valid(TEXT("/~")));
}
END_TEST

START_TEST(a_string_is_always_utf8)
{
	static const struct {
		struct text text;
		const char *json;
	} cases[] = {
		{TEXT_INIT(""), "\"\""},
		{TEXT_INIT("a\"b\\c"), "\"a\\\"b\\\\c\""},
		{TEXT_INIT("\0\x1f"), "\"\\u0000\\u001f\""},
		{TEXT_INIT("\xff"), "\"\xef\xbf\xbd\""},
		{TEXT_INIT("a\xff\"\xc3\xbc\xc3"), "\"a\xef\xbf\xbd\\\"\xc3\xbc\xef\xbf\xbd\""},
		{TEXT_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		json_append_string(&out, cases[i].text);
		assert_buffer(&out, cases[i].json);
	}
	json_append_escaped(&out, TEXT("x\ny"));
	assert_buffer(&out, "x\\ny");
	buffer_deinit(&out);
}
END_TEST

START_TEST(milliseconds_have_three_decimals_at_most)
{
	static const struct {
		uint64_t ns;
		const char *json;
	} cases[] = {
		{0, "0"},
		{20000, "0.02"},
		{12100000, "12.1"},
		{1000000, "1"},
		{1234567, "1.235"},
		{499, "0"},
		{500, "0.001"},
		{999999500, "1000"},
		{1001000, "1.001"},
		{UINT64_MAX, "18446744073709.552"},
	};
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		json_append_ms(&out, cases[i].ns);
		assert_buffer(&out, cases[i].json);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(scalars_know_what_they_are)
{
	yyjson_doc *doc = read_json("[\"s\",12,true]");
	yyjson_val *root = yyjson_doc_get_root(doc);

	ck_assert(text_is(json_string(yyjson_arr_get(root, 0)), "s"));
	ck_assert(text_is(json_number(yyjson_arr_get(root, 1)), "12"));
	ck_assert_ptr_null(json_string(yyjson_arr_get(root, 1)).data);
	ck_assert_ptr_null(json_number(yyjson_arr_get(root, 0)).data);
	ck_assert_ptr_null(json_string(yyjson_arr_get(root, 2)).data);
	ck_assert_ptr_null(json_number(NULL).data);
	yyjson_doc_free(doc);
}
END_TEST

UNIT_MAIN("proto/json", &refuses_what_is_not_one_json_value, &bounds_the_nesting,
	&writes_what_was_read, &writes_a_part_of_a_value, &writes_the_deepest_value,
	&text_of_a_value_is_as_written, &follows_pointers, &knows_a_pointer,
	&a_string_is_always_utf8, &milliseconds_have_three_decimals_at_most,
	&scalars_know_what_they_are)
