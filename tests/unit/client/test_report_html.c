/* SPDX-License-Identifier: MIT */
#include "client/cli/render/report_private.h"

#include "tests/unit/unit.h"
#include "util/container.h"

static void html_expect(struct buffer *out, const char *text)
{
	buffer_append_byte(out, '\0');
	ck_assert_str_eq(out->data, text);
	buffer_clear(out);
}

START_TEST(text_cannot_become_markup)
{
	static const struct {
		struct text text;
		const char *html;
	} cases[] = {
		{TEXT_INIT(""), ""},
		{TEXT_INIT("user[3]"), "user[3]"},
		{TEXT_INIT("</script><b a='1' c=\"2\">&amp;"),
			"&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;"},
		{TEXT_INIT("a\tb\nc\r\n"), "a\tb\nc\xe2\x90\x8d\n"},
		{TEXT_INIT("\0\x1b[31m\x7f"), "\xe2\x90\x80\xe2\x90\x9b[31m\xe2\x90\xa1"},
		{TEXT_INIT("\xc2\x9b"
			   "31m\xc2\xa0"),
			"\xef\xbf\xbd"
			"31m\xc2\xa0"},
		{TEXT_INIT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{TEXT_INIT("\xff\xfe<"), "\xef\xbf\xbd\xef\xbf\xbd&lt;"},
		/* An overlong '<', and a character that the text's end cuts. */
		{TEXT_INIT("\xc0\xbcx"), "\xef\xbf\xbd\xef\xbf\xbdx"},
		{TEXT_INIT("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd"},
		{TEXT_INIT("\xe2<b>"), "\xef\xbf\xbd&lt;b&gt;"},
	};
	struct buffer out;

	buffer_init(&out, 1 << 20);
	for (size_t i = 0; i < countof(cases); i++) {
		report_html_text(&out, cases[i].text);
		html_expect(&out, cases[i].html);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(every_byte_gives_utf8_without_markup)
{
	struct buffer out;

	buffer_init(&out, 1 << 20);
	for (unsigned i = 0; i < 65536; i++) {
		char bytes[2] = {(char)(i >> 8), (char)i};

		report_html_text(&out, (struct text){bytes, 2});
		ck_assert(text_is_utf8(buffer_text(&out)));
		for (size_t k = 0; k < out.size; k++) {
			ck_assert_ptr_null(memchr("<>\"'\x7f", out.data[k], 5));
			ck_assert((unsigned char)out.data[k] >= 0x20 || out.data[k] == '\n' ||
				  out.data[k] == '\t');
		}
		buffer_clear(&out);
	}
	buffer_deinit(&out);
}
END_TEST

START_TEST(places_are_percentages)
{
	struct report_page page = {.width_us = 1000};
	struct buffer out;

	buffer_init(&out, 4096);
	page.out = &out;
	report_html_percent(&out, &page, 0);
	html_expect(&out, "0%");
	report_html_percent(&out, &page, 125);
	html_expect(&out, "12.5%");
	report_html_percent(&out, &page, 1000);
	html_expect(&out, "100%");
	report_html_percent(&out, &page, 2000);
	html_expect(&out, "100%");
	report_html_length(&out, &page, 0);
	html_expect(&out, "0.12%");
	report_html_length(&out, &page, 500);
	html_expect(&out, "50%");
	page.width_us = UINT64_MAX;
	report_html_percent(&out, &page, UINT64_MAX / 2);
	html_expect(&out, "50%");
	buffer_deinit(&out);
}
END_TEST

START_TEST(a_word_says_what_became_of_a_job)
{
	static const struct {
		struct timeline_job job;
		const char *result;
	} cases[] = {
		{{.status = 200}, "200"},
		{{.is_rejected = true, .status = 503, .code = TEXT_INIT("HTTP_STATUS")}, "503"},
		{{.is_rejected = true, .code = TEXT_INIT("CONNECT_REFUSED")}, "CONNECT_REFUSED"},
		{{.is_skipped = true}, "skipped"},
		{{.via = TEXT_INIT("fallback"), .status = 503}, "fallback"},
		{{.is_group = true,
			 .json = TEXT_INIT("{\"value\":{\"winner\":\"eu<\",\"jobs\":2}}")},
			"won by eu&lt;"},
		{{.is_group = true, .json = TEXT_INIT("{\"value\":{\"jobs\":3,\"fulfilled\":2}}")},
			"2 of 3"},
		{{.is_group = true, .json = TEXT_INIT("{")}, "fulfilled"},
		{{.is_group = true,
			 .is_rejected = true,
			 .code = TEXT_INIT("ALL_REJECTED"),
			 .json = TEXT_INIT("{}")},
			"ALL_REJECTED"},
	};
	struct buffer out;

	buffer_init(&out, 4096);
	for (size_t i = 0; i < countof(cases); i++) {
		report_html_result(&out, &cases[i].job);
		html_expect(&out, cases[i].result);
	}
	buffer_deinit(&out);
}
END_TEST

UNIT_MAIN("client/report_html", &text_cannot_become_markup, &every_byte_gives_utf8_without_markup,
	&places_are_percentages, &a_word_says_what_became_of_a_job)
