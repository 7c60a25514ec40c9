/* SPDX-License-Identifier: MIT */
#include "proto/record_header.h"

#include <stdio.h>

#include "tests/unit/unit.h"
#include "util/container.h"

/* What is written of these headers, in the room that was asked for. */
static void expect_headers(const struct header *headers, uint32_t n, const char *wanted)
{
	struct writer writer;
	struct buffer out;

	buffer_init(&out, 1 << 20);
	ck_assert(writer_begin(&writer, &out, record_header_size(headers, n)));
	record_header_write(&writer, headers, n);
	writer_end(&writer);
	ck_assert(!out.failed);
	ck_assert_msg(text_is(buffer_text(&out), wanted), "got %.*s\nwanted %s",
		TEXT_ARGS(buffer_text(&out)), wanted);
	/* Behind what is there, too, or nothing. */
	record_header_append(&out, headers, n);
	ck_assert_uint_eq(out.size, 2 * strlen(wanted));
	ck_assert_int_eq(memcmp(out.data + out.size / 2, wanted, out.size / 2), 0);
	out.size_max = out.size + 1;
	record_header_append(&out, headers, n);
	ck_assert(out.failed && out.size == 2 * strlen(wanted));
	buffer_deinit(&out);
}

START_TEST(writes_an_object_of_none)
{
	expect_headers(NULL, 0, "{}");
	expect_headers((const struct header[]){{TEXT(""), TEXT("")}}, 1, "{\"\":\"\"}");
}
END_TEST

START_TEST(gathers_repeated_headers_at_their_first_place)
{
	static const struct header headers[] = {
		{TEXT_INIT("set-cookie"), TEXT_INIT("a=1")},
		{TEXT_INIT("date"), TEXT_INIT("today")},
		{TEXT_INIT("set-cookie"), TEXT_INIT("b=2")},
		{TEXT_INIT("via"), TEXT_INIT("x")},
		{TEXT_INIT("set-cookie"), TEXT_INIT("c=3")},
		{TEXT_INIT("via"), TEXT_INIT("")},
	};

	expect_headers(headers, 2, "{\"set-cookie\":\"a=1\",\"date\":\"today\"}");
	expect_headers(headers, 3, "{\"set-cookie\":[\"a=1\",\"b=2\"],\"date\":\"today\"}");
	expect_headers(headers, countof(headers),
		"{\"set-cookie\":[\"a=1\",\"b=2\",\"c=3\"],\"date\":\"today\",\"via\":[\"x\",\"\"]"
		"}");
	/* Names that look alike to a hurried eye. */
	expect_headers((const struct header[]){{TEXT("abc"), TEXT("1")}, {TEXT("abd"), TEXT("2")}},
		2, "{\"abc\":\"1\",\"abd\":\"2\"}");
}
END_TEST

START_TEST(gathers_repeated_headers_of_the_largest_head)
{
	static struct header headers[1000];
	static char names[1000][8];
	struct buffer wanted;

	buffer_init(&wanted, 1 << 20);
	buffer_append_byte(&wanted, '{');
	for (unsigned i = 0; i < 1000; i++) {
		int size = snprintf(names[i], sizeof(names[i]), "x-%u", i % 500);

		headers[i] = (struct header){{names[i], (size_t)size}, TEXT("v")};
	}
	for (unsigned i = 0; i < 500; i++)
		buffer_printf(&wanted, "%s\"x-%u\":[\"v\",\"v\"]", i ? "," : "", i);
	buffer_append(&wanted, "}", 2);
	expect_headers(headers, 1000, wanted.data);
	buffer_deinit(&wanted);
}
END_TEST

START_TEST(makes_utf8_of_any_header)
{
	static const struct {
		struct text value;
		const char *wanted;
	} cases[] = {
		{TEXT_INIT("tab\there"), "tab\\there"},
		{TEXT_INIT("back\\slash, \"quote\""), "back\\\\slash, \\\"quote\\\""},
		{TEXT_INIT("caf\xe9"), "caf\xef\xbf\xbd"},
		{TEXT_INIT("caf\xc3\xa9 cr\xc3\xa8me"), "caf\xc3\xa9 cr\xc3\xa8me"},
		{TEXT_INIT("\xf0\x9f\x8e\x89\xf0\x9f"), "\xf0\x9f\x8e\x89\xef\xbf\xbd\xef\xbf\xbd"},
		{TEXT_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{TEXT_INIT("\x01\x1f"), "\\u0001\\u001f"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct header header = {TEXT("h"), cases[i].value};
		char wanted[100];

		snprintf(wanted, sizeof(wanted), "{\"h\":\"%s\"}", cases[i].wanted);
		expect_headers(&header, 1, wanted);
	}
}
END_TEST

/* The room asked for is enough at every number of headers, alone and repeated. */
START_TEST(takes_no_more_than_its_size)
{
	static struct header headers[100];

	for (uint32_t n = 0; n < countof(headers); n++) {
		struct writer writer;
		struct buffer out;

		headers[n] = (struct header){TEXT("x"), TEXT("")};
		if (n % 3 == 0)
			headers[n].name = TEXT("yy");
		buffer_init(&out, 1 << 20);
		ck_assert(writer_begin(&writer, &out, record_header_size(headers, n + 1)));
		record_header_write(&writer, headers, n + 1);
		writer_end(&writer);
		ck_assert_uint_le(out.size, record_header_size(headers, n + 1));
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("proto/record_header", &writes_an_object_of_none,
	&gathers_repeated_headers_at_their_first_place,
	&gathers_repeated_headers_of_the_largest_head, &makes_utf8_of_any_header,
	&takes_no_more_than_its_size)
