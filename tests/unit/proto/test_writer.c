/* SPDX-License-Identifier: MIT */
#include "proto/writer.h"

#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/container.h"

/* A string beside others, so that a wrong estimate shows. */
static void expect_escaped(struct text text, const char *wanted)
{
	struct writer writer;
	struct buffer out;
	char whole[8192];

	buffer_init(&out, 1 << 20);
	ck_assert(writer_begin(&writer, &out, text.size + 2 + 2 * WRITER_NUMBER_MAX));
	writer_u64(&writer, UINT64_MAX);
	writer_string(&writer, text);
	writer_u64(&writer, UINT64_MAX);
	writer_end(&writer);
	snprintf(whole, sizeof(whole), "18446744073709551615\"%s\"18446744073709551615", wanted);
	ck_assert_msg(text_is(buffer_text(&out), whole), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&out)), whole);
	buffer_deinit(&out);
}

/* What a JSON string makes of one byte. */
static void byte_as_json(unsigned char byte, char *json, size_t size)
{
	static const char letters[] = "btn?fr";

	if (byte == '"' || byte == '\\')
		snprintf(json, size, "\\%c", byte);
	else if (byte >= '\b' && byte <= '\r' && byte != '\v')
		snprintf(json, size, "\\%c", letters[byte - '\b']);
	else if (byte < 0x20)
		snprintf(json, size, "\\u%04x", byte);
	else if (byte < 0x80)
		snprintf(json, size, "%c", byte);
	else
		snprintf(json, size, "\xef\xbf\xbd");
}

START_TEST(escapes_every_byte_at_every_place)
{
	static const char around[] = "abcdefghijklmnopqrst";

	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t place = 0; place < 20; place++) {
			char text[20], json[8], wanted[64];

			memcpy(text, around, sizeof(text));
			text[place] = (char)byte;
			byte_as_json((unsigned char)byte, json, sizeof(json));
			snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int)place, around, json,
				around + place + 1);
			expect_escaped((struct text){text, sizeof(text)}, wanted);
		}
	}
}
END_TEST

START_TEST(grows_where_all_must_be_escaped)
{
	char text[600], wanted[4096];

	memset(text, 1, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		memcpy(wanted + 6 * i, "\\u0001", 7);
	expect_escaped((struct text){text, sizeof(text)}, wanted);
}
END_TEST

START_TEST(writes_numbers)
{
	static const uint64_t numbers[] = {
		0, 9, 10, 99, 100, 101, 999, 1000, 65535, 123456789, UINT32_MAX, UINT64_MAX};

	for (size_t i = 0; i < countof(numbers); i++) {
		struct writer writer;
		struct buffer out;
		char wanted[32];

		buffer_init(&out, 1000);
		ck_assert(writer_begin(&writer, &out, WRITER_NUMBER_MAX));
		writer_u64(&writer, numbers[i]);
		writer_end(&writer);
		snprintf(wanted, sizeof(wanted), "%ju", (uintmax_t)numbers[i]);
		ck_assert_msg(text_is(buffer_text(&out), wanted), "%s", wanted);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(writes_milliseconds)
{
	static const struct {
		uint64_t ns;
		const char *wanted;
	} cases[] = {
		{0, "0"},
		{499, "0"},
		{500, "0.001"},
		{20000, "0.02"},
		{100000, "0.1"},
		{101000, "0.101"},
		{999499, "0.999"},
		{999500, "1"},
		{12100000, "12.1"},
		{UINT64_C(3600000000000), "3600000"},
		{UINT64_MAX, "18446744073709.552"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct writer writer;
		struct buffer out;

		buffer_init(&out, 1000);
		ck_assert(writer_begin(&writer, &out, WRITER_NUMBER_MAX));
		writer_ms(&writer, cases[i].ns);
		writer_end(&writer);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].wanted), "%.*s for %s",
			TEXT_ARGS(buffer_text(&out)), cases[i].wanted);
		buffer_deinit(&out);
	}
}
END_TEST

START_TEST(leaves_the_buffer_where_there_is_no_room)
{
	struct writer writer;
	struct buffer out;
	char text[100];

	memset(text, '"', sizeof(text));
	buffer_init(&out, 200);
	ck_assert(writer_begin(&writer, &out, sizeof(text)));
	writer_escaped(&writer, (struct text){text, sizeof(text)});
	writer_end(&writer);
	ck_assert(out.failed);
	ck_assert_uint_eq(out.size, 0);
	ck_assert(!writer_begin(&writer, &out, 1));
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("proto/writer", &escapes_every_byte_at_every_place, &grows_where_all_must_be_escaped,
	&writes_numbers, &writes_milliseconds, &leaves_the_buffer_where_there_is_no_room)
