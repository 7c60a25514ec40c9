/* SPDX-License-Identifier: MIT */
#include "proto/line.h"

#include "tests/unit/unit.h"
#include "util/container.h"

static void expect_line(struct line_reader *reader, const char *line)
{
	struct text found;

	ck_assert_int_eq(line_reader_next(reader, &found), LINE_FOUND);
	ck_assert_msg(text_is(found, line), "found %.*s, wanted %s", TEXT_ARGS(found), line);
}

static void expect_more(struct line_reader *reader)
{
	struct text found;

	ck_assert_int_eq(line_reader_next(reader, &found), LINE_MORE);
}

static void append(struct line_reader *reader, const char *bytes)
{
	ck_assert(line_reader_append(reader, bytes, strlen(bytes)));
}

START_TEST(cuts_lines_that_come_together)
{
	struct line_reader reader;

	line_reader_init(&reader, 100);
	expect_more(&reader);
	append(&reader, "{\"a\":1}\n{\"b\":2}\n\n\n{\"c\"");
	expect_line(&reader, "{\"a\":1}");
	expect_line(&reader, "{\"b\":2}");
	expect_more(&reader);
	append(&reader, ":3}\n");
	expect_line(&reader, "{\"c\":3}");
	expect_more(&reader);
	ck_assert(line_reader_is_empty(&reader));
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(cuts_a_line_that_comes_byte_by_byte)
{
	static const char line[] = "{\"hello\":{\"version\":1}}";
	struct line_reader reader;

	line_reader_init(&reader, 100);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; line[i]; i++) {
			ck_assert(line_reader_append(&reader, &line[i], 1));
			expect_more(&reader);
			ck_assert_uint_eq(reader.scanned, i + 1);
		}
		append(&reader, "\n");
		expect_line(&reader, line);
	}
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(gives_a_payload_whatever_the_split)
{
	static const char stream[] = "{\"id\":7,\"payload\":5}\nab\ncd{\"next\":1}\n";
	size_t size = sizeof(stream) - 1;

	for (size_t cut = 0; cut <= size; cut++) {
		struct line_reader reader;
		struct text line, payload;
		bool is_whole = false;

		line_reader_init(&reader, 100);
		ck_assert(line_reader_append(&reader, stream, cut));
		if (line_reader_next(&reader, &line) == LINE_FOUND) {
			is_whole = line_reader_payload(&reader, 5, &payload);
			if (!is_whole)
				line_reader_unread(&reader, line);
		}
		ck_assert_int_eq(is_whole, cut >= 26);
		if (is_whole)
			ck_assert(text_is(payload, "ab\ncd"));
		ck_assert(line_reader_append(&reader, stream + cut, size - cut));
		if (!is_whole) {
			expect_line(&reader, "{\"id\":7,\"payload\":5}");
			ck_assert(line_reader_payload(&reader, 5, &payload));
			ck_assert(text_is(payload, "ab\ncd"));
		}
		expect_line(&reader, "{\"next\":1}");
		ck_assert(line_reader_is_empty(&reader));
		line_reader_deinit(&reader);
	}
}
END_TEST

START_TEST(refuses_a_line_beyond_its_bound_and_takes_one_at_it)
{
	static const char ten[] = "0123456789";
	struct line_reader reader;
	struct text line;

	line_reader_init(&reader, 10);
	append(&reader, ten);
	expect_more(&reader);
	append(&reader, "\n");
	expect_line(&reader, ten);
	append(&reader, ten);
	append(&reader, "x");
	ck_assert_int_eq(line_reader_next(&reader, &line), LINE_TOO_LONG);
	append(&reader, "\n");
	ck_assert_int_eq(line_reader_next(&reader, &line), LINE_TOO_LONG);
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(gives_no_room_beyond_its_bound)
{
	struct line_reader reader;
	size_t room, total = 0;
	char *at;

	line_reader_init(&reader, 1000);
	for (int i = 0; i < 100; i++) {
		at = line_reader_room(&reader, 64 * 1024, &room);
		if (!at)
			break;
		ck_assert_uint_ge(room, 64 * 1024);
		memset(at, 'x', 64 * 1024);
		line_reader_filled(&reader, 64 * 1024);
		total += 64 * 1024;
	}
	ck_assert_ptr_null(at);
	ck_assert_uint_le(total, 1000 + 256 * 1024);
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(keeps_its_memory_bounded_over_a_long_stream)
{
	struct line_reader reader;
	char message[1000];
	struct text line;

	memset(message, 'm', sizeof(message));
	message[sizeof(message) - 1] = '\n';
	line_reader_init(&reader, 10000);
	for (int i = 0; i < 10000; i++) {
		/* Never empty: a part of the next message always waits. */
		ck_assert(line_reader_append(&reader, message, i % 999 + 1));
		ck_assert(line_reader_append(
			&reader, message + i % 999 + 1, sizeof(message) - 1 - (size_t)(i % 999)));
		while (line_reader_next(&reader, &line) == LINE_FOUND)
			ck_assert_uint_eq(line.size, 999);
		ck_assert_uint_le(reader.bytes.capacity, 8192);
	}
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(gives_memory_back_when_empty)
{
	struct line_reader reader;

	line_reader_init(&reader, 100);
	append(&reader, "{}\n");
	expect_line(&reader, "{}");
	line_reader_release(&reader);
	ck_assert_ptr_null(reader.bytes.data);
	append(&reader, "{}\n");
	expect_line(&reader, "{}");
	line_reader_deinit(&reader);
}
END_TEST

START_TEST(reads_the_payload_member)
{
	static const struct {
		const char *line;
		uint64_t size;
	} cases[] = {
		{"{\"id\":7,\"settled\":{},\"payload\":41}", 41},
		{"{\"id\":7,\"settled\":{},\"payload\":0}", 0},
		{"{\"id\":7,\"settled\":{},\"payload\":18446744073709551615}", UINT64_MAX},
		{"{\"id\":7,\"settled\":{},\"payload\":99999999999999999999999}", UINT64_MAX},
		{"{\"id\":7,\"settled\":{},\"payload\":041}", 0},
		{"{\"id\":7,\"settled\":{},\"payload\":-1}", 0},
		{"{\"id\":7,\"settled\":{},\"payload\":4e1}", 0},
		{"{\"id\":7,\"settled\":{},\"payload\":}", 0},
		{"{\"id\":7,\"settled\":{},\"payload\":41 }", 0},
		{"{\"id\":7,\"settled\":{\"a\":1,\"payload\":41}}", 0},
		{"{\"id\":7,\"a\":\",\\\"payload\\\":41}", 0},
		{"{\"payload\":41}", 0},
		{"{\"payload\":41,\"id\":7}", 0},
		{",\"payload\":7}", 7},
		{"41}", 0},
		{"}", 0},
		{"", 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t size = line_payload_size(text_from(cases[i].line));

		ck_assert_msg(size == cases[i].size, "%s gave %ju", cases[i].line, (uintmax_t)size);
	}
}
END_TEST

UNIT_MAIN("proto/line", &cuts_lines_that_come_together, &cuts_a_line_that_comes_byte_by_byte,
	&gives_a_payload_whatever_the_split, &refuses_a_line_beyond_its_bound_and_takes_one_at_it,
	&gives_no_room_beyond_its_bound, &keeps_its_memory_bounded_over_a_long_stream,
	&gives_memory_back_when_empty, &reads_the_payload_member)
