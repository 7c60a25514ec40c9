/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include "util/container.h"

#include "tests/unit/unit.h"

/* Parses into a buffer that the test throws away with its process's end or the next call. */
static enum url_error test_parse(struct text input, struct url *ret_url)
{
	static struct buffer out;

	buffer_deinit(&out);
	buffer_init(&out, 4 * URL_SIZE_MAX);
	return url_parse(input, &out, ret_url);
}

static void test_expect_all(const char *const inputs[], size_t n, enum url_error error)
{
	for (size_t i = 0; i < n; i++) {
		struct url url = {.port = 4711};
		enum url_error got = test_parse(text_from(inputs[i]), &url);

		ck_assert_msg(got == error, "%s: %s", inputs[i], url_error_text(got));
		ck_assert_msg(url.port == 4711 && !url.text.data, "%s wrote a result", inputs[i]);
	}
}

START_TEST(takes_a_url_apart)
{
	struct url url;

	ck_assert_int_eq(test_parse(TEXT("https://Example.Com:8443/a/b?q=1#part"), &url), URL_OK);
	ck_assert(text_is(url.text, "https://example.com:8443/a/b?q=1"));
	ck_assert(text_is(url.host, "example.com"));
	ck_assert(text_is(url.authority, "example.com:8443"));
	ck_assert(text_is(url.target, "/a/b?q=1"));
	ck_assert_uint_eq(url.port, 8443);
	ck_assert(url.is_https && !url.is_ipv6 && !url.is_ipv4);

	ck_assert_int_eq(test_parse(TEXT("http://[2001:DB8::1]:8080"), &url), URL_OK);
	ck_assert(text_is(url.host, "2001:db8::1"));
	ck_assert(text_is(url.authority, "[2001:db8::1]:8080"));
	ck_assert(text_is(url.target, "/"));
	ck_assert(!url.is_https && url.is_ipv6 && !url.is_ipv4);

	ck_assert_int_eq(test_parse(TEXT("http://10.0.0.255"), &url), URL_OK);
	ck_assert(text_is(url.host, "10.0.0.255"));
	ck_assert_uint_eq(url.port, 80);
	ck_assert(!url.is_ipv6 && url.is_ipv4);
}
END_TEST

START_TEST(normalises)
{
	static const struct {
		const char *input;
		const char *text;
	} cases[] = {
		{"http://host", "http://host/"},
		{"HTTP://HOST/Path?Query", "http://host/Path?Query"},
		{"http://host?a=b", "http://host/?a=b"},
		{"http://host#a", "http://host/"},
		{"http://host/#a#b", "http://host/"},
		{"http://host/a#b?c", "http://host/a"},
		{"http://host?", "http://host/?"},
		{"http://host/?#", "http://host/?"},
		{"http://host/?a=&b=", "http://host/?a=&b="},
		{"http://a#@b/", "http://a/"},
		{"http://host/a@b:c", "http://host/a@b:c"},
		{"http://host/a?b/c?d@e", "http://host/a?b/c?d@e"},
		/* The port. */
		{"http://host:80/", "http://host/"},
		{"https://host:443/", "https://host/"},
		{"https://host:80/", "https://host:80/"},
		{"http://host:443", "http://host:443/"},
		{"http://host:/", "http://host/"},
		{"http://host:00080/", "http://host/"},
		{"http://host:01/", "http://host:1/"},
		{"http://host:65535/", "http://host:65535/"},
		/* Names. */
		{"http://example.com./", "http://example.com./"},
		{"http://HO0_-st/", "http://ho0_-st/"},
		{"http://-atest/", "http://-atest/"},
		{"http://127abc.com", "http://127abc.com/"},
		{"http://127.1.a", "http://127.1.a/"},
		{"http://0x7f.0xg", "http://0x7f.0xg/"},
		{"http://xn--rksmrgs-5wao1o.se", "http://xn--rksmrgs-5wao1o.se/"},
		/* Addresses. */
		{"http://0.0.0.0", "http://0.0.0.0/"},
		{"http://[::]", "http://[::]/"},
		{"http://[::FFFF:129.144.52.38]:80", "http://[::ffff:129.144.52.38]/"},
		{"https://[2001:DB8:0:1:1:1:1:1]:1234", "https://[2001:db8:0:1:1:1:1:1]:1234/"},
		{"http://[2001:db8::1:0:0:1]", "http://[2001:db8::1:0:0:1]/"},
		/* The target: nothing is decoded, no dot segment goes. */
		{"http://host//", "http://host//"},
		{"http://host/a/../b/./c", "http://host/a/../b/./c"},
		{"http://host/path%2f..%2F/", "http://host/path%2f..%2F/"},
		{"http://host/%", "http://host/%"},
		{"http://host/%zz%4", "http://host/%zz%4"},
		{"http://host/gr\xc3\xbc\xc3\x9f?\xff", "http://host/gr%C3%BC%C3%9F?%FF"},
		{"http://host/\"<>^`{|}?[]", "http://host/%22%3C%3E%5E%60%7B%7C%7D?%5B%5D"},
		{"http://host/-._~!$&'()*+,;=:@/?", "http://host/-._~!$&'()*+,;=:@/?"},
		{"http://host/a#\xc3\xbc", "http://host/a"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct url url = {.port = 0};
		enum url_error error = test_parse(text_from(cases[i].input), &url);

		ck_assert_msg(error == URL_OK, "%s: %s", cases[i].input, url_error_text(error));
		ck_assert_msg(text_is(url.text, cases[i].text), "%s gave %.*s", cases[i].input,
			TEXT_ARGS(url.text));
	}
}
END_TEST

START_TEST(refuses_what_is_no_absolute_url)
{
	static const char *const inputs[] = {"", "host", "//host/", "/path", "host/path", "http",
		"http:", "http:/", "http:/host", "http:host", "://host", "1h://host", "..://host",
		"-ht://host", "+http://host", "ht_tp://host", "[::1]", "?http://host",
		"http%3a//host"};

	test_expect_all(inputs, countof(inputs), URL_E_SYNTAX);
}
END_TEST

START_TEST(refuses_other_schemes)
{
	static const char *const inputs[] = {"ftp://host/", "file:///etc/passwd", "gopher://h:70/_",
		"ws://host", "data:,x", "javascript:alert(1)", "host:80/x", "httpx://host/",
		"https+unix://host", "mailto:a@b"};

	test_expect_all(inputs, countof(inputs), URL_E_SCHEME);
}
END_TEST

START_TEST(refuses_userinfo)
{
	static const char *const inputs[] = {"http://user@host/", "http://user:password@host/",
		"http://@host/", "http://:@host/", "http://good.com@evil.com/", "http://a@b@c/",
		"http://a:80@b/", "http://[::1]@host/", "http://example.com%252f%40@host/",
		"http://@", "http://@/"};

	test_expect_all(inputs, countof(inputs), URL_E_USERINFO);
}
END_TEST

START_TEST(refuses_spaces_backslashes_and_controls_anywhere)
{
	static const char *const inputs[] = {" ", " http://host/", "http://host/ ",
		"http://host/a b", "http://ho st/", "ht tp://host/", "http:// host/",
		"http://host/?a b", "http://host/#a b", "http://host/a\tb", "http://host/a\nb",
		"http://host/\r\nHost: evil", "http://host\r\n/", "http://host:\03780/",
		"http\x1f://host/", "http://host/\x7f", "http://host/?\x01#\x02",
		"http://evil\\@good/", "http:\\\\host\\", "http://host/a\\b", "http://host/#\\"};

	test_expect_all(inputs, countof(inputs), URL_E_CHARACTER);

	for (unsigned c = 0; c < 256; c++) {
		char input[] = "http://host/x";
		bool refused = c <= ' ' || c == 0x7f || c == '\\';
		struct url url;

		input[strlen(input) - 1] = (char)c;
		ck_assert_msg((test_parse((struct text){input, sizeof(input) - 1}, &url) !=
				      URL_OK) == refused,
			"byte %u", c);
	}
}
END_TEST

START_TEST(refuses_bad_hosts)
{
	static const char *const inputs[] = {"http://", "http:///", "http:///path", "http://?q",
		"http://#f", "http://:80/", "http://.", "http://..", "http://.host/",
		"http://a..b/", "http://host../", "http://127.1..", "http://a.com%2F10.0.0.1/",
		"http://%31%32%37.0.0.1/", "http://ho%73t/", "http://test%test", "http://exam|ple/",
		"http://exam$ple/", "http://exam'ple/", "http://exam\"ple/", "http://exam^ple/",
		"http://exam`ple/", "http://exam*ple/", "http://exam<ple/", "http://exam=ple/",
		"http://exam;ple/", "http://exam,ple/", "http://exam&ple/", "http://exam+ple/",
		"http://exam(ple/", "http://exam~ple/", "http://exam!ple/", "http://exam]ple/",
		"http://exam[ple/", "http://[[::1]]/", "http://[::1]a/", "http://[::1]80/",
		"http://[::1].example/",
		/* IDN: a dot that is none, full-width digits. */
		"http://r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s.se/", "http://a\xe3\x80\202com/",
		"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/"};

	test_expect_all(inputs, countof(inputs), URL_E_HOST);
}
END_TEST

START_TEST(refuses_all_but_plain_addresses)
{
	static const char *const inputs[] = {/* Numbers that some resolvers take for an address. */
		"http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://127.1/",
		"http://127.0.1/", "http://0177.0.0.1/", "http://127.0.0.01/", "http://0x7f.1/",
		"http://0x7f.0.0.0x1/", "http://127.0.0.1./", "http://127.0.0.0xff/",
		"http://127.0.0.0x/", "http://256.0.0.1/", "http://1.2.3.256/", "http://1.2.3.4.5/",
		"http://1.2.3/", "http://0/", "http://09/", "http://host.1/", "http://a.b.0x1f./",
		"http://1.2.3.4294967297/", "http://00.0.0.0/",
		/* IPv6. */
		"http://[]/", "http://[::1/", "http://[::1", "http://[", "http://[::1%25lo]/",
		"http://[::1%lo]/", "http://[fe80::1%]/", "http://[1:2:3:4:5:6:7]/",
		"http://[1:2:3:4:5:6:7:8:9]/", "http://[1::2::3]/", "http://[:::1]/",
		"http://[12345::]/", "http://[::g]/", "http://[::1.2.3]/", "http://[::1.2.3.256]/",
		"http://[::01.2.3.4]/", "http://[127.0.0.1]/", "http://[host]/",
		"http://[v1.fe80::abcd]/", "http://[[::1]/", "http://[%3A%3A1]/",
		"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/"};

	test_expect_all(inputs, countof(inputs), URL_E_ADDRESS);
}
END_TEST

/* RFC 5952 section 4, and 5. */
START_TEST(refuses_ipv6_in_any_form_but_one)
{
	static const char *const inputs[] = {"http://[0:0:0:0:0:0:0:1]/", "http://[0::1]/",
		"http://[::0001]/", "http://[2001:0db8::1]/", "http://[2001:db8:0:0::1]/",
		"http://[2001:db8::0:1]/", "http://[2001:db8:0:0:1:0:0:1]/",
		"http://[2001:db8:0:0:1::1]/", "http://[2001:db8::1:1:1:1:1]/",
		"http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:192.0.2.1]/"};

	test_expect_all(inputs, countof(inputs), URL_E_ADDRESS_FORM);
}
END_TEST

START_TEST(refuses_bad_ports)
{
	static const char *const inputs[] = {"http://host:0/", "http://host:00000/",
		"http://host:65536/", "http://host:99999999999999999999/", "http://host:-1/",
		"http://host:+1/", "http://host:8a/", "http://host:x", "http://host:80:80/",
		"http://host::80/", "http://host:0x50/", "http://host:%38/", "http://[::1]:0/",
		"http://[::1]:65536/", "http://host:\xd9\xa8/"};

	test_expect_all(inputs, countof(inputs), URL_E_PORT);
}
END_TEST

/* "http://" and labels of `size` bytes, `n` of them. */
static void test_append_labels(struct buffer *out, size_t size, size_t n)
{
	buffer_append_literal(out, "http://");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buffer_append_byte(out, '.');
		for (size_t j = 0; j < size; j++)
			buffer_append_byte(out, 'a');
	}
}

START_TEST(bounds_labels_and_names)
{
	static const struct {
		size_t label;
		size_t n;
		const char *end;
		enum url_error error;
	} cases[] = {
		{63, 1, "", URL_OK},
		{64, 1, "", URL_E_HOST},
		{49, 5, "", URL_OK},
		{50, 5, "", URL_E_HOST},
		/* 127 labels of one byte are 253 with their dots. */
		{1, 127, "", URL_OK},
		{1, 127, ".", URL_OK},
		{1, 127, "b", URL_E_HOST},
		{1, 128, "", URL_E_HOST},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer in;
		struct url url;

		buffer_init(&in, 1024);
		test_append_labels(&in, cases[i].label, cases[i].n);
		buffer_append_text(&in, text_from(cases[i].end));
		ck_assert_msg(test_parse(buffer_text(&in), &url) == cases[i].error, "case %zu", i);
		buffer_deinit(&in);
	}
}
END_TEST

START_TEST(bounds_the_whole)
{
	struct buffer in;
	struct url url;

	buffer_init(&in, 2 * URL_SIZE_MAX);
	buffer_append_literal(&in, "http://host/");
	while (in.size < URL_SIZE_MAX)
		buffer_append_byte(&in, '\xff');
	ck_assert_int_eq(test_parse(buffer_text(&in), &url), URL_OK);
	ck_assert_uint_eq(url.text.size, 12 + 3 * (URL_SIZE_MAX - 12));
	buffer_append_byte(&in, 'a');
	ck_assert_int_eq(test_parse(buffer_text(&in), &url), URL_E_TOO_LONG);
	buffer_deinit(&in);
}
END_TEST

START_TEST(leaves_the_buffer_alone_without_memory)
{
	struct url url = {.port = 4711};
	struct buffer out, in;

	buffer_init(&in, 1000);
	buffer_append_literal(&in, "http://host/");
	while (in.size < 300)
		buffer_append_byte(&in, 'a');
	buffer_init(&out, 300);
	buffer_append_literal(&out, "before");
	ck_assert_int_eq(url_parse(buffer_text(&in), &out, &url), URL_E_MEMORY);
	ck_assert(text_is(buffer_text(&out), "before"));
	ck_assert_uint_eq(url.port, 4711);
	buffer_deinit(&in);
	buffer_deinit(&out);
}
END_TEST

START_TEST(appends_behind_what_is_there)
{
	struct buffer out;
	struct url url;

	buffer_init(&out, 100);
	buffer_append_literal(&out, "before");
	ck_assert_int_eq(url_parse(TEXT("http://host"), &out, &url), URL_OK);
	ck_assert(text_is(buffer_text(&out), "beforehttp://host/"));
	ck_assert(url.text.data == out.data + 6);
	ck_assert_int_eq(url_parse(TEXT("http://a b"), &out, &url), URL_E_CHARACTER);
	ck_assert(text_is(buffer_text(&out), "beforehttp://host/"));
	buffer_deinit(&out);
}
END_TEST

START_TEST(encodes_values)
{
	static const struct {
		struct text value;
		const char *encoded;
		const char *form;
	} cases[] = {
		{TEXT_INIT(""), "", ""},
		{TEXT_INIT("aZ09-._~"), "aZ09-._~", "aZ09-._%7E"},
		{TEXT_INIT("a b"), "a%20b", "a+b"},
		{TEXT_INIT("  "), "%20%20", "++"},
		{TEXT_INIT("a+b*c"), "a%2Bb%2Ac", "a%2Bb*c"},
		{TEXT_INIT("/?#&=%"), "%2F%3F%23%26%3D%25", "%2F%3F%23%26%3D%25"},
		{TEXT_INIT("..\\\r\n\0x"), "..%5C%0D%0A%00x", "..%5C%0D%0A%00x"},
		{TEXT_INIT("\xc3\xbc"), "%C3%BC", "%C3%BC"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer out;

		buffer_init(&out, 100);
		url_append_encoded(&out, cases[i].value);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].encoded), "case %zu", i);
		buffer_clear(&out);
		url_append_form_encoded(&out, cases[i].value);
		ck_assert_msg(text_is(buffer_text(&out), cases[i].form), "form case %zu", i);
		buffer_deinit(&out);
	}
}
END_TEST

UNIT_MAIN("http/url", &refuses_ipv6_in_any_form_but_one, &takes_a_url_apart, &normalises,
	&refuses_what_is_no_absolute_url, &refuses_other_schemes, &refuses_userinfo,
	&refuses_spaces_backslashes_and_controls_anywhere, &refuses_bad_hosts,
	&refuses_all_but_plain_addresses, &refuses_bad_ports, &bounds_labels_and_names,
	&bounds_the_whole, &leaves_the_buffer_alone_without_memory, &appends_behind_what_is_there,
	&encodes_values)
