/* SPDX-License-Identifier: MIT */

/*
 * The first byte chooses the base, the rest is a Location. What it resolves to is what RFC 3986 5
 * comes to when it is done word for word, step by step; it never is another scheme, nor http after
 * https, nor another origin than the base's unless the Location names one.
 */

#include <stdlib.h>

#include "http/header.h"
#include "http/redirect.h"
#include "tests/fuzz/fuzz.h"
#include "util/container.h"

#define FUZZ_BEFORE   "what was there"
#define FUZZ_SIZE_MAX ((size_t)16 * URL_SIZE_MAX)

static const char *const fuzz_bases[] = {
	"http://a/b/c/d;p?q",
	"https://a/b/c/d;p?q",
	"http://a",
	"https://a:8443/?x/../y",
	"http://[::1]:81//b//c/",
	"http://a/b/../c/./d",
	"https://127.0.0.1/../..",
	"http://a/%2e%2e/gr%C3%BC%C3%9F?%20",
};

/* RFC 3986 5.2.4, by its letters. */
static void fuzz_remove_dots(struct text in, struct buffer *out)
{
	size_t root = out->size;

	while (in.size > 0) {
		bool is_up = text_starts_with(in, TEXT("/../")) || text_is(in, "/..");
		bool is_here = text_starts_with(in, TEXT("/./")) || text_is(in, "/.");

		if (text_starts_with(in, TEXT("../"))) { /* A */
			in = text_from_at(in, 3);
		} else if (text_starts_with(in, TEXT("./"))) {
			in = text_from_at(in, 2);
		} else if (is_up || is_here) { /* B, C */
			size_t n = is_up ? 3 : 2;

			in = in.size == n ? TEXT("/") : text_from_at(in, n);
			while (is_up && out->size > root && out->data[--out->size] != '/')
				continue;
		} else if (text_is(in, ".") || text_is(in, "..")) { /* D */
			in.size = 0;
		} else { /* E */
			size_t n = 1 + text_find(text_from_at(in, 1), '/');

			buffer_append(out, in.data, n);
			in = text_from_at(in, n);
		}
	}
}

/* 5.2.3. */
static void fuzz_merge(struct text base_path, struct text path, struct buffer *out)
{
	struct buffer merged;

	buffer_init(&merged, FUZZ_SIZE_MAX);
	while (base_path.size > 0 && base_path.data[base_path.size - 1] != '/')
		base_path.size--;
	buffer_append_text(&merged, base_path);
	buffer_append_text(&merged, path);
	fuzz_remove_dots(buffer_text(&merged), out);
	buffer_deinit(&merged);
}

/* Takes what stands before the first of `stops` off *rest (appendix B). */
static struct text fuzz_take(struct text *rest, const char *stops)
{
	struct text taken = {rest->data, 0};

	while (taken.size < rest->size && !strchr(stops, rest->data[taken.size]))
		taken.size++;
	*rest = text_from_at(*rest, taken.size);
	return taken;
}

/* 5.2.2, of a Location without NUL. False: a scheme without an authority, whose path must not
 * become one ("http:/..//host"). */
static bool fuzz_transform(const struct url *base, struct text location, struct buffer *out)
{
	struct text base_path = {base->target.data, text_find(base->target, '?')};
	struct text rest = location;
	struct text scheme = fuzz_take(&rest, ":/?#"), authority, path;
	bool has_scheme = scheme.size > 0 && text_starts_with(rest, TEXT(":"));
	bool has_authority;

	rest = has_scheme ? text_from_at(rest, 1) : location;
	has_authority = text_starts_with(rest, TEXT("//"));
	rest = has_authority ? text_from_at(rest, 2) : rest;
	authority = has_authority ? fuzz_take(&rest, "/?#") : base->authority;
	path = fuzz_take(&rest, "?#");
	rest.size = text_find(rest, '#');

	buffer_append_text(out, has_scheme       ? scheme
				: base->is_https ? TEXT("https")
						 : TEXT("http"));
	buffer_append_literal(out, "://");
	buffer_append_text(out, authority);
	if (has_scheme || has_authority || text_starts_with(path, TEXT("/"))) {
		fuzz_remove_dots(path, out);
	} else if (path.size > 0) {
		fuzz_merge(base_path, path, out);
	} else {
		buffer_append_text(out, base_path);
		if (rest.size == 0)
			rest = text_from_at(base->target, base_path.size);
	}
	buffer_append_text(out, rest);
	return has_authority || !has_scheme;
}

/* Spaces behind the authority as %20. */
static void fuzz_encode(struct text text, struct buffer *out)
{
	size_t slashes = 0;

	for (size_t i = 0; i < text.size; i++) {
		slashes += text.data[i] == '/' || text.data[i] == '?';
		if (text.data[i] == ' ' && slashes > 2)
			buffer_append_literal(out, "%20");
		else
			buffer_append_byte(out, text.data[i]);
	}
}

static bool fuzz_has_control(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < ' ' || c == '\\' || c == 0x7f)
			return true;
	}
	return false;
}

/* What http/url says to what stands before the first colon: of a URL that is fine but for that.
 * A colon there always ends a scheme (4.2). */
static enum url_error fuzz_check_scheme(struct text location)
{
	struct text rest = location;
	struct text scheme = fuzz_take(&rest, ":/?#");
	struct buffer out, parsed;
	enum url_error error;
	struct url url;

	if (!text_starts_with(rest, TEXT(":")))
		return URL_OK;
	buffer_init(&out, FUZZ_SIZE_MAX);
	buffer_append_text(&out, scheme);
	buffer_append_literal(&out, "://host/");
	buffer_init(&parsed, FUZZ_SIZE_MAX);
	error = url_parse(buffer_text(&out), &parsed, &url);
	buffer_deinit(&out);
	buffer_deinit(&parsed);
	return error;
}

/* What must come of it: by the letters of the RFC, and http/url's. */
static enum redirect_error fuzz_expect(
	const struct url *base, struct text location, struct buffer *out, struct url *ret_url)
{
	struct buffer merged, encoded;
	enum url_error error;
	bool is_whole;

	location = header_trim(location);
	if (fuzz_has_control(location) || location.size > URL_SIZE_MAX)
		return REDIRECT_E_INVALID;
	error = fuzz_check_scheme(location);
	if (error)
		return error == URL_E_SCHEME ? REDIRECT_E_BLOCKED : REDIRECT_E_INVALID;
	buffer_init(&merged, FUZZ_SIZE_MAX);
	buffer_init(&encoded, FUZZ_SIZE_MAX);
	is_whole = fuzz_transform(base, location, &merged);
	fuzz_encode(buffer_text(&merged), &encoded);
	expect(!merged.failed && !encoded.failed);
	error = url_parse(buffer_text(&encoded), out, ret_url);
	buffer_deinit(&merged);
	buffer_deinit(&encoded);
	if (error || !is_whole)
		return REDIRECT_E_INVALID;
	return base->is_https && !ret_url->is_https ? REDIRECT_E_BLOCKED : REDIRECT_OK;
}

static void fuzz_check(const struct url *base, struct text location, const struct url *url)
{
	struct buffer out;
	struct url again;
	const char *why;

	expect(!base->is_https || url->is_https);
	/* Its own origin it keeps, unless it is told another. */
	if (text_find(location, ':') == location.size && text_find(location, '/') == location.size)
		expect(redirect_is_same_origin(base, url));
	/* Resolved, it stays what it is. */
	buffer_init(&out, FUZZ_SIZE_MAX);
	if (url->text.size <= URL_SIZE_MAX && location.size > 0) {
		expect(redirect_resolve(url, TEXT(""), &out, &again, &why) == REDIRECT_OK);
		expect(text_equal(again.text, url->text));
		expect(redirect_is_same_origin(&again, url));
	}
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text location = {(const char *)data + (size > 0), size - (size > 0)};
	size_t at = size > 0 ? data[0] % countof(fuzz_bases) : 0;
	struct url base, url = {.port = 4711}, expected = {.port = 4711};
	struct buffer bases, out, expected_out;
	enum redirect_error error;
	const char *why = NULL;

	buffer_init(&bases, FUZZ_SIZE_MAX);
	buffer_init(&out, FUZZ_SIZE_MAX);
	buffer_init(&expected_out, FUZZ_SIZE_MAX);
	expect(url_parse(text_from(fuzz_bases[at]), &bases, &base) == URL_OK);
	buffer_append_literal(&out, FUZZ_BEFORE);
	error = redirect_resolve(&base, location, &out, &url, &why);
	expect(text_starts_with(buffer_text(&out), TEXT(FUZZ_BEFORE)));
	expect(error == fuzz_expect(&base, location, &expected_out, &expected));
	if (error == REDIRECT_OK) {
		expect(out.size == strlen(FUZZ_BEFORE) + url.text.size);
		expect(text_equal(url.text, expected.text));
		fuzz_check(&base, location, &url);
	} else {
		expect(out.size == strlen(FUZZ_BEFORE) && url.port == 4711);
		expect(why && why[0] != '\0');
	}
	/* Any bytes are a name and a method too. */
	expect(!redirect_header_travels(location, false, false) ||
		redirect_header_travels(location, true, false));
	redirect_next(303, location, true);
	buffer_deinit(&bases);
	buffer_deinit(&out);
	buffer_deinit(&expected_out);
	return 0;
}
