/* SPDX-License-Identifier: MIT */
#include "http/redirect.h"

#include "util/container.h"

#include "tests/unit/front/memory.h"
#include "tests/unit/unit.h"

/* RFC 3986 5.4. */
#define RFC_BASE "http://a/b/c/d;p?q"

/* The views point into memory of the test's own, until the next call. */
static enum redirect_error test_resolve(const char *base, struct text location, struct url *ret_url)
{
	static struct buffer bases, out;
	struct url from;
	const char *why = NULL;
	enum redirect_error error;

	buffer_deinit(&bases);
	buffer_deinit(&out);
	buffer_init(&bases, 4 * URL_SIZE_MAX);
	buffer_init(&out, 4 * URL_SIZE_MAX);
	ck_assert_int_eq(url_parse(text_from(base), &bases, &from), URL_OK);
	error = redirect_resolve(&from, location, &out, ret_url, &why);
	ck_assert_msg((error == REDIRECT_OK) == (out.size > 0), "%.*s", TEXT_ARGS(location));
	ck_assert_msg(error == REDIRECT_OK || (why && why[0]), "%.*s", TEXT_ARGS(location));
	return error;
}

struct test_case {
	const char *base;
	const char *location;
	const char *url;
};

static void test_expect_urls(const struct test_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct url url = {.port = 0};
		enum redirect_error error =
			test_resolve(cases[i].base, text_from(cases[i].location), &url);

		ck_assert_msg(error == REDIRECT_OK, "%s: %d", cases[i].location, error);
		ck_assert_msg(text_is(url.text, cases[i].url), "%s gave %.*s", cases[i].location,
			TEXT_ARGS(url.text));
	}
}

static void test_expect_errors(
	const char *base, const char *const locations[], size_t n, enum redirect_error expected)
{
	for (size_t i = 0; i < n; i++) {
		struct url url = {.port = 4711};
		enum redirect_error error = test_resolve(base, text_from(locations[i]), &url);

		ck_assert_msg(error == expected, "%s: %d", locations[i], error);
		ck_assert_msg(url.port == 4711, "%s wrote a result", locations[i]);
	}
}

/* Fragments go, and a path that is empty is "/". */
START_TEST(resolves_the_normal_examples_of_rfc_3986)
{
	static const struct test_case cases[] = {
		{RFC_BASE, "g", "http://a/b/c/g"},
		{RFC_BASE, "./g", "http://a/b/c/g"},
		{RFC_BASE, "g/", "http://a/b/c/g/"},
		{RFC_BASE, "/g", "http://a/g"},
		{RFC_BASE, "//g", "http://g/"},
		{RFC_BASE, "?y", "http://a/b/c/d;p?y"},
		{RFC_BASE, "g?y", "http://a/b/c/g?y"},
		{RFC_BASE, "#s", "http://a/b/c/d;p?q"},
		{RFC_BASE, "g#s", "http://a/b/c/g"},
		{RFC_BASE, "g?y#s", "http://a/b/c/g?y"},
		{RFC_BASE, ";x", "http://a/b/c/;x"},
		{RFC_BASE, "g;x", "http://a/b/c/g;x"},
		{RFC_BASE, "g;x?y#s", "http://a/b/c/g;x?y"},
		{RFC_BASE, "", "http://a/b/c/d;p?q"},
		{RFC_BASE, ".", "http://a/b/c/"},
		{RFC_BASE, "./", "http://a/b/c/"},
		{RFC_BASE, "..", "http://a/b/"},
		{RFC_BASE, "../", "http://a/b/"},
		{RFC_BASE, "../g", "http://a/b/g"},
		{RFC_BASE, "../..", "http://a/"},
		{RFC_BASE, "../../", "http://a/"},
		{RFC_BASE, "../../g", "http://a/g"},
	};
	/* The one whose scheme is another's. */
	static const char *const blocked[] = {"g:h"};

	test_expect_urls(cases, countof(cases));
	test_expect_errors(RFC_BASE, blocked, countof(blocked), REDIRECT_E_BLOCKED);
}
END_TEST

START_TEST(resolves_the_abnormal_examples_of_rfc_3986)
{
	static const struct test_case cases[] = {
		{RFC_BASE, "../../../g", "http://a/g"},
		{RFC_BASE, "../../../../g", "http://a/g"},
		{RFC_BASE, "/./g", "http://a/g"},
		{RFC_BASE, "/../g", "http://a/g"},
		{RFC_BASE, "g.", "http://a/b/c/g."},
		{RFC_BASE, ".g", "http://a/b/c/.g"},
		{RFC_BASE, "g..", "http://a/b/c/g.."},
		{RFC_BASE, "..g", "http://a/b/c/..g"},
		{RFC_BASE, "./../g", "http://a/b/g"},
		{RFC_BASE, "./g/.", "http://a/b/c/g/"},
		{RFC_BASE, "g/./h", "http://a/b/c/g/h"},
		{RFC_BASE, "g/../h", "http://a/b/c/h"},
		{RFC_BASE, "g;x=1/./y", "http://a/b/c/g;x=1/y"},
		{RFC_BASE, "g;x=1/../y", "http://a/b/c/y"},
		{RFC_BASE, "g?y/./x", "http://a/b/c/g?y/./x"},
		{RFC_BASE, "g?y/../x", "http://a/b/c/g?y/../x"},
		{RFC_BASE, "g#s/./x", "http://a/b/c/g"},
		{RFC_BASE, "g#s/../x", "http://a/b/c/g"},
	};
	/* A strict parser sees a scheme and no host (5.4.2). */
	static const char *const invalid[] = {"http:g"};

	test_expect_urls(cases, countof(cases));
	test_expect_errors(RFC_BASE, invalid, countof(invalid), REDIRECT_E_INVALID);
}
END_TEST

START_TEST(resolves_what_servers_send)
{
	static const struct test_case cases[] = {
		{"http://a/b", "https://Other:8443/x?y#z", "https://other:8443/x?y"},
		{"http://a/b", "HTTPS://a", "https://a/"},
		{"https://a:8443/b", "//c/d", "https://c/d"},
		{"https://a:8443/b", "/d", "https://a:8443/d"},
		{"http://[::1]:81/b", "c", "http://[::1]:81/c"},
		{"http://a", "b", "http://a/b"},
		{"http://a?q", "b", "http://a/b"},
		{"http://a?q/r", "b", "http://a/b"},
		{"http://a/b?q", "?", "http://a/b?"},
		{"http://a/b?q", "c?", "http://a/c?"},
		{"http://a/b", "//c?d", "http://c/?d"},
		{"http://a/b/", "", "http://a/b/"},
		{"http://a/b", " /c\t", "http://a/c"},
		{"http://a/b", "?x:y", "http://a/b?x:y"},
		{"http://a/b", "./x:y", "http://a/x:y"},
		{"http://a/b", "c/x:y", "http://a/c/x:y"},
		{"http://a/b", "#x:y", "http://a/b"},
		/* Dot segments of an absolute one go too; an empty segment is one. */
		{"http://a/b", "http://c/../d/./e/..", "http://c/d/"},
		{"http://a/b", "/..//c", "http://a//c"},
		{"http://a/b//c", "../d", "http://a/b/d"},
		{"http://a/b//c", "../../d", "http://a/d"},
		{"http://a/b", "/c//../d", "http://a/c/d"},
		{"http://a/b/../c/d", "e", "http://a/c/e"},
		{"http://a/b", "%2e%2E/c", "http://a/%2e%2E/c"},
		/* Only what is merged is cleaned: the base itself is what its author wrote. */
		{"http://a/b/../c", "", "http://a/b/../c"},
		{"http://a/b/../c", "?d", "http://a/b/../c?d"},
		/* As browsers encode. */
		{"http://a/b", "/c d?e f", "http://a/c%20d?e%20f"},
		{"http://a/b", "c  d", "http://a/c%20%20d"},
		{"http://a/b", "/gr\xc3\xbc\xc3\x9f?\xff", "http://a/gr%C3%BC%C3%9F?%FF"},
		{"http://a/b", "/c%20d%0d%0a", "http://a/c%20d%0d%0a"},
		{"http://a/b", "/\"<>^`{|}", "http://a/%22%3C%3E%5E%60%7B%7C%7D"},
		{"http://a/b", "/c# d", "http://a/c"},
		/* Where the scheme becomes the stricter one. */
		{"http://a/b", "https://a/b", "https://a/b"},
		{"https://a/b", "https://c/", "https://c/"},
	};

	test_expect_urls(cases, countof(cases));
}
END_TEST

START_TEST(blocks_other_schemes_and_http_after_https)
{
	static const char *const other[] = {"ftp://a/", "file:///etc/passwd", "gopher://a:70/_",
		"javascript:alert(1)", "data:,x", "mailto:a@b", "ws://a/", "httpx://a/", "a:80/x",
		"host:", "FILE:/x", "h2c+x-1.0:y"};
	static const char *const down[] = {"http://a/", "HTTP://a", "http://other/x"};

	test_expect_errors("http://a/b", other, countof(other), REDIRECT_E_BLOCKED);
	test_expect_errors("https://a/b", other, countof(other), REDIRECT_E_BLOCKED);
	test_expect_errors("https://a/b", down, countof(down), REDIRECT_E_BLOCKED);
}
END_TEST

START_TEST(refuses_what_can_be_read_in_two_ways)
{
	/* Controls, backslashes; userinfo; no host, port or address; a colon in the first segment
	 * that ends no scheme. */
	static const char *const invalid[] = {"/a\rb", "/a\nSet-Cookie: x", "/a\tb", "/a\x01",
		"/a\x7f", "/a#\x1f", "\\\\evil/", "/\\evil", "http:\\\\evil", "/a?\\", "/a#\\",
		"http://user@a/", "http://user:pass@a/", "//a@evil/", "http://a%2f@evil/",
		"http:", "http:/a", "http:a", "http://", "http:///a", "//", "///evil", "//:80/",
		"//a:0/", "//a:65536/", "//a:x/", "//0x7f.1/", "//127.1/", "//[::1%25lo]/",
		"//[::1/", "//a b/", "// a/", "//\xc3\xbc/", "//a%20b/", ":", ":80/a", "1a:b",
		"a_b:c", "a b:c", "\xc3\xbc:c", "%61:b", "@a:b"};

	test_expect_errors("http://a/b", invalid, countof(invalid), REDIRECT_E_INVALID);
	test_expect_errors("https://a/b", invalid, countof(invalid), REDIRECT_E_INVALID);
}
END_TEST

START_TEST(refuses_nul)
{
	struct url url;

	ck_assert_int_eq(test_resolve("http://a/b", TEXT("/c\0d"), &url), REDIRECT_E_INVALID);
	ck_assert_int_eq(test_resolve("http://a/b", TEXT("\0"), &url), REDIRECT_E_INVALID);
}
END_TEST

START_TEST(bounds_the_whole)
{
	char *long_path = malloc(URL_SIZE_MAX + 1);
	char *base = malloc(URL_SIZE_MAX + 1);
	struct url url;

	ck_assert(long_path && base);
	memset(long_path, 'x', URL_SIZE_MAX + 1);
	long_path[0] = '/';
	/* "http://a" and the path are just as long as may be. */
	ck_assert_int_eq(test_resolve("http://a/b",
				 (struct text){long_path, URL_SIZE_MAX - strlen("http://a")}, &url),
		REDIRECT_OK);
	ck_assert_uint_eq(url.text.size, URL_SIZE_MAX);
	ck_assert_int_eq(
		test_resolve("http://a/b",
			(struct text){long_path, URL_SIZE_MAX - strlen("http://a") + 1}, &url),
		REDIRECT_E_INVALID);
	ck_assert_int_eq(
		test_resolve("http://a/b", (struct text){long_path, URL_SIZE_MAX + 1}, &url),
		REDIRECT_E_INVALID);
	/* The longest of both, and all to be encoded: too long, but not out of room. */
	memset(base, 0xff, URL_SIZE_MAX);
	memcpy(base, "http://a/", strlen("http://a/"));
	base[URL_SIZE_MAX - 1] = '/';
	base[URL_SIZE_MAX] = '\0';
	memset(long_path, ' ', URL_SIZE_MAX);
	long_path[0] = 'x';
	long_path[URL_SIZE_MAX - 1] = 'x';
	ck_assert_int_eq(test_resolve(base, (struct text){long_path, URL_SIZE_MAX}, &url),
		REDIRECT_E_INVALID);
	free(long_path);
	free(base);
}
END_TEST

START_TEST(takes_a_path_of_nothing_but_dots_in_one_go)
{
	static char dots[URL_SIZE_MAX - 100 + 1];
	struct url url;

	for (size_t i = 0; i + 3 < sizeof(dots); i += 3)
		memcpy(dots + i, "../", 3);
	ck_assert_int_eq(test_resolve("http://a/b/c/d", text_from(dots), &url), REDIRECT_OK);
	ck_assert(text_is(url.text, "http://a/"));
}
END_TEST

START_TEST(appends_behind_a_base_in_the_same_buffer)
{
	struct buffer out;
	struct url base, url;
	const char *why;
	size_t size;

	buffer_init(&out, 1000);
	ck_assert_int_eq(url_parse(TEXT("https://a/b/c"), &out, &base), URL_OK);
	size = out.size;
	ck_assert_int_eq(redirect_resolve(&base, TEXT("d"), &out, &url, &why), REDIRECT_OK);
	ck_assert(text_is(url.text, "https://a/b/d"));
	ck_assert(url.text.data == out.data + size);
	ck_assert(text_is(buffer_text(&out), "https://a/b/chttps://a/b/d"));
	base = url;
	size = out.size;
	ck_assert_int_eq(
		redirect_resolve(&base, TEXT("http://a/"), &out, &url, &why), REDIRECT_E_BLOCKED);
	ck_assert_str_eq(why, "the redirect leads from https to http");
	ck_assert_uint_eq(out.size, size);
	buffer_deinit(&out);
}
END_TEST

START_TEST(tells_when_there_is_no_memory)
{
	struct buffer bases, out;
	struct url base, url = {.port = 4711};
	const char *why;

	buffer_init(&bases, 100);
	buffer_init(&out, 10);
	ck_assert_int_eq(url_parse(TEXT("http://a/b"), &bases, &base), URL_OK);
	ck_assert_int_eq(
		redirect_resolve(&base, TEXT("long-enough"), &out, &url, &why), REDIRECT_E_MEMORY);
	buffer_deinit(&out);
	buffer_init(&out, 100);
	for (unsigned n = 0; n < 2; n++) {
		memory_fail_after(n);
		ck_assert_int_eq(
			redirect_resolve(&base, TEXT("c"), &out, &url, &why), REDIRECT_E_MEMORY);
		ck_assert(memory_has_failed());
		ck_assert_uint_eq(out.size, 0);
		buffer_clear(&out);
	}
	ck_assert_uint_eq(url.port, 4711);
	buffer_deinit(&bases);
	buffer_deinit(&out);
}
END_TEST

START_TEST(knows_the_statuses)
{
	for (uint16_t status = 0; status < 1000; status++) {
		bool is_one = status == 301 || status == 302 || status == 303 || status == 307 ||
			      status == 308;

		ck_assert_msg(redirect_is_status(status) == is_one, "%d", status);
	}
}
END_TEST

START_TEST(changes_methods_as_the_fetch_standard)
{
	static const struct {
		uint16_t status;
		const char *method;
		bool has_body;
		const char *next;
		bool keeps_body;
	} cases[] = {
		{301, "GET", false, "GET", false},
		{301, "GET", true, "GET", true},
		{301, "HEAD", false, "HEAD", false},
		{301, "POST", true, "GET", false},
		{301, "POST", false, "GET", false},
		{301, "PUT", true, "PUT", true},
		{301, "DELETE", false, "DELETE", false},
		/* Methods have a case. */
		{301, "post", true, "post", true},
		{302, "GET", false, "GET", false},
		{302, "HEAD", false, "HEAD", false},
		{302, "POST", true, "GET", false},
		{302, "PATCH", true, "PATCH", true},
		{303, "GET", false, "GET", false},
		{303, "GET", true, "GET", false},
		{303, "HEAD", false, "HEAD", false},
		{303, "HEAD", true, "HEAD", false},
		{303, "POST", true, "GET", false},
		{303, "PUT", true, "GET", false},
		{303, "DELETE", false, "GET", false},
		{307, "GET", false, "GET", false},
		{307, "POST", true, "POST", true},
		{307, "POST", false, "POST", false},
		{307, "PUT", true, "PUT", true},
		{308, "HEAD", false, "HEAD", false},
		{308, "POST", true, "POST", true},
		{308, "OPTIONS", true, "OPTIONS", true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct redirect_request next = redirect_next(
			cases[i].status, text_from(cases[i].method), cases[i].has_body);

		ck_assert_msg(text_is(next.method, cases[i].next), "%d %s", cases[i].status,
			cases[i].method);
		ck_assert_msg(next.keeps_body == cases[i].keeps_body, "%d %s", cases[i].status,
			cases[i].method);
	}
}
END_TEST

START_TEST(compares_origins)
{
	static const struct {
		const char *a;
		const char *b;
		bool is_same;
	} cases[] = {
		{"http://a/", "http://a/x?y", true},
		{"http://a/", "http://A:80/", true},
		{"https://a:443/", "https://a/", true},
		{"http://[::1]/", "http://[::1]:80/", true},
		{"http://a/", "http://b/", false},
		{"http://a/", "http://a.b/", false},
		{"http://a/", "http://a./", false},
		{"http://a/", "http://a:81/", false},
		{"http://a/", "https://a/", false},
		{"http://a:443/", "https://a/", false},
		{"http://a/", "https://a:80/", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buffer a, b;
		struct url from, to;

		buffer_init(&a, 100);
		buffer_init(&b, 100);
		ck_assert_int_eq(url_parse(text_from(cases[i].a), &a, &from), URL_OK);
		ck_assert_int_eq(url_parse(text_from(cases[i].b), &b, &to), URL_OK);
		ck_assert_msg(redirect_is_same_origin(&from, &to) == cases[i].is_same, "%s %s",
			cases[i].a, cases[i].b);
		ck_assert_msg(redirect_is_same_origin(&to, &from) == cases[i].is_same, "%s %s",
			cases[i].b, cases[i].a);
		buffer_deinit(&a);
		buffer_deinit(&b);
	}
}
END_TEST

/* Each to: the same origin with the body and without; another with it and without. */
START_TEST(lets_only_harmless_headers_change_the_origin)
{
	static const struct {
		const char *name;
		bool same_body, same, other_body, other;
	} cases[] = {
		{"accept", true, true, true, true},
		{"Accept", true, true, true, true},
		{"accept-encoding", true, true, true, true},
		{"Accept-Language", true, true, true, true},
		{"user-agent", true, true, true, true},
		{"range", true, true, true, true},
		{"content-type", true, false, true, false},
		{"Content-Type", true, false, true, false},
		{"content-encoding", true, false, true, false},
		{"content-language", true, false, true, false},
		{"content-location", true, false, true, false},
		/* Of the body, but not known to be harmless. */
		{"content-disposition", true, false, false, false},
		{"content-security", true, false, false, false},
		{"authorization", true, true, false, false},
		{"proxy-authorization", true, true, false, false},
		{"cookie", true, true, false, false},
		{"cookie2", true, true, false, false},
		{"origin", true, true, false, false},
		{"referer", true, true, false, false},
		{"if-range", true, true, false, false},
		{"if-none-match", true, true, false, false},
		{"idempotency-key", true, true, false, false},
		{"x-api-key", true, true, false, false},
		{"x-accept", true, true, false, false},
		/* Like those that travel, and none of them. */
		{"accept_token", true, true, false, false},
		{"acceptor", true, true, false, false},
		{"ranges", true, true, false, false},
		{"user-agent-key", true, true, false, false},
		{"contents", true, true, false, false},
		{"content", true, true, false, false},
		{"a", true, true, false, false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text name = text_from(cases[i].name);

		ck_assert_msg(redirect_header_travels(name, true, true) == cases[i].same_body,
			"%s, same origin, with body", cases[i].name);
		ck_assert_msg(redirect_header_travels(name, true, false) == cases[i].same,
			"%s, same origin", cases[i].name);
		ck_assert_msg(redirect_header_travels(name, false, true) == cases[i].other_body,
			"%s, another origin, with body", cases[i].name);
		ck_assert_msg(redirect_header_travels(name, false, false) == cases[i].other,
			"%s, another origin", cases[i].name);
	}
}
END_TEST

UNIT_MAIN("http/redirect", &resolves_the_normal_examples_of_rfc_3986,
	&resolves_the_abnormal_examples_of_rfc_3986, &resolves_what_servers_send,
	&blocks_other_schemes_and_http_after_https, &refuses_what_can_be_read_in_two_ways,
	&refuses_nul, &bounds_the_whole, &takes_a_path_of_nothing_but_dots_in_one_go,
	&appends_behind_a_base_in_the_same_buffer, &tells_when_there_is_no_memory,
	&knows_the_statuses, &changes_methods_as_the_fetch_standard, &compares_origins,
	&lets_only_harmless_headers_change_the_origin)
