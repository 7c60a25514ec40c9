/* SPDX-License-Identifier: MIT */
#include "util/base64.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(encodes_with_padding)
{
	/* RFC 4648 section 10, and bytes beyond ASCII. */
	static const struct {
		struct text bytes;
		const char *base64;
	} cases[] = {
		{TEXT_INIT(""), ""},
		{TEXT_INIT("f"), "Zg=="},
		{TEXT_INIT("fo"), "Zm8="},
		{TEXT_INIT("foo"), "Zm9v"},
		{TEXT_INIT("foob"), "Zm9vYg=="},
		{TEXT_INIT("fooba"), "Zm9vYmE="},
		{TEXT_INIT("foobar"), "Zm9vYmFy"},
		{TEXT_INIT("\0"), "AA=="},
		{TEXT_INIT("\xff\xfe\xfb\xff"), "//77/w=="},
		/* RFC 7617 section 2. */
		{TEXT_INIT("Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
	};
	struct buffer out;

	buffer_init(&out, 1000);
	for (size_t i = 0; i < countof(cases); i++) {
		buffer_clear(&out);
		buffer_append_literal(&out, "x");
		base64_append(&out, cases[i].bytes);
		ck_assert_msg(text_is(text_from_at(buffer_text(&out), 1), cases[i].base64),
			"case %zu: %.*s", i, TEXT_ARGS(buffer_text(&out)));
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(remembers_that_there_was_no_room)
{
	struct buffer out;

	buffer_init(&out, 7);
	base64_append(&out, TEXT("foobar"));
	ck_assert(out.failed && out.size == 0);
	buffer_clear(&out);
	base64_append(&out, TEXT("foo"));
	ck_assert(!out.failed && out.size == 4);
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("util/base64", &encodes_with_padding, &remembers_that_there_was_no_room)
