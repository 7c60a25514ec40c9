/* SPDX-License-Identifier: MIT */
#include "http/redirect.h"

#include "http/header.h"
#include "util/container.h"

/*
 * A Location is written by somebody who may not be a friend, so it goes through the same parser
 * as a URL of the job's author: here it is only cut into its parts (RFC 3986 appendix B), merged
 * with what the base has of them (5.2.2), and put together again (5.3); url_parse() says whether
 * that is a URL, where it leads, and encodes what is not ASCII. What resolution and parser could
 * see in two ways (a colon in the first segment, a scheme without slashes) is refused here.
 *
 * Dot segments are taken out while the path is written: a segment is appended, or ".." takes the
 * last one back. The path of the base without its last segment is written by the same rule, so
 * merging is writing both (5.2.3).
 */

/* A base in normal form and a Location, each three times as long as its text at most. */
#define REDIRECT_SIZE_MAX ((size_t)8 * URL_SIZE_MAX)

/* A reference, cut apart: data == NULL where a part is absent, which is not the same as empty. */
struct redirect_parts {
	/* Without ':', without "//", without '?'. */
	struct text scheme;
	struct text authority;
	struct text path;
	struct text query;
};

bool redirect_is_status(uint16_t status)
{
	switch (status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308: return true;
	default: return false;
	}
}

/* What url_parse() refuses anywhere, but for the spaces; a fragment is looked at too. */
static bool redirect_bytes_are_valid(struct text location)
{
	for (size_t i = 0; i < location.size; i++) {
		unsigned char c = (unsigned char)location.data[i];

		if (c < ' ' || c == '\\' || c == 0x7f)
			return false;
	}
	return true;
}

/* Where the first of the bytes stands, or the text's size. */
static size_t redirect_find_any(struct text text, struct text bytes)
{
	size_t at = 0;

	while (at < text.size && text_find(bytes, text.data[at]) == bytes.size)
		at++;
	return at;
}

/* RFC 3986 3.1. */
static bool redirect_scheme_is_valid(struct text scheme)
{
	for (size_t i = 0; i < scheme.size; i++) {
		char c = text_lower(scheme.data[i]);
		bool is_alpha = c >= 'a' && c <= 'z';
		bool is_later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

		if (!is_alpha && (i == 0 || !is_later))
			return false;
	}
	return scheme.size > 0;
}

/* RFC 3986 appendix B, the fragment dropped. False: a colon in the first segment that ends no
 * scheme (4.2). */
static bool redirect_split(struct text rest, struct redirect_parts *parts)
{
	size_t end;

	*parts = (struct redirect_parts){.scheme = {NULL, 0}};
	rest.size = text_find(rest, '#');
	end = redirect_find_any(rest, TEXT(":/?"));
	if (end < rest.size && rest.data[end] == ':') {
		parts->scheme = (struct text){rest.data, end};
		if (!redirect_scheme_is_valid(parts->scheme))
			return false;
		rest = text_from_at(rest, end + 1);
	}
	if (text_starts_with(rest, TEXT("//"))) {
		rest = text_from_at(rest, 2);
		parts->authority = (struct text){rest.data, redirect_find_any(rest, TEXT("/?"))};
		rest = text_from_at(rest, parts->authority.size);
	}
	parts->path = (struct text){rest.data, text_find(rest, '?')};
	if (parts->path.size < rest.size)
		parts->query = text_from_at(rest, parts->path.size + 1);
	return true;
}

/* What is not ASCII url_parse() encodes; a space would be refused by it. */
static void redirect_append(struct buffer *out, struct text text)
{
	while (text.size > 0) {
		size_t space = text_find(text, ' ');

		buffer_append(out, text.data, space);
		if (space < text.size)
			buffer_append_literal(out, "%20");
		text = text_from_at(text, space + 1);
	}
}

/* One segment; `root` is where the path begins (RFC 3986 5.2.4). */
static void redirect_append_segment(
	struct buffer *out, size_t root, struct text segment, bool is_last)
{
	bool is_up = text_is(segment, "..");

	if (!is_up && !text_is(segment, ".")) {
		buffer_append_byte(out, '/');
		redirect_append(out, segment);
		return;
	}
	while (is_up && out->size > root && out->data[--out->size] != '/')
		continue;
	if (is_last)
		buffer_append_byte(out, '/');
}

/* All segments of a path without its first '/'. */
static void redirect_append_segments(
	struct buffer *out, size_t root, struct text path, bool is_last)
{
	size_t at = 0;

	while (at <= path.size) {
		struct text rest = text_from_at(path, at);
		struct text segment = {rest.data, text_find(rest, '/')};

		redirect_append_segment(out, root, segment, is_last && segment.size == rest.size);
		at += segment.size + 1;
	}
}

/* The base's path but for its last segment and the '/' before it. */
static struct text redirect_directory(struct text path)
{
	while (path.size > 0 && path.data[path.size - 1] != '/')
		path.size--;
	path.size -= path.size > 0;
	return path;
}

/* RFC 3986 5.2.3 and 5.2.4: the path of a reference without authority, and not empty. */
static void redirect_append_merged(struct buffer *out, struct text base, struct text path)
{
	size_t root = out->size;
	struct text directory = redirect_directory(base);

	if (text_starts_with(path, TEXT("/"))) {
		redirect_append_segments(out, root, text_from_at(path, 1), true);
		return;
	}
	if (directory.size > 0)
		redirect_append_segments(out, root, text_from_at(directory, 1), false);
	redirect_append_segments(out, root, path, true);
}

static void redirect_append_query(struct buffer *out, struct text query)
{
	if (!query.data)
		return;
	buffer_append_byte(out, '?');
	redirect_append(out, query);
}

/* RFC 3986 5.2.2 and 5.3. */
static void redirect_append_target(
	struct buffer *out, const struct url *base, const struct redirect_parts *parts)
{
	struct text base_path = {base->target.data, text_find(base->target, '?')};

	if (parts->authority.data) {
		redirect_append_merged(out, TEXT(""), parts->path);
	} else if (parts->path.size > 0) {
		redirect_append_merged(out, base_path, parts->path);
	} else {
		buffer_append_text(out, parts->query.data ? base_path : base->target);
	}
	redirect_append_query(out, parts->query);
}

static void redirect_append_url(
	struct buffer *out, const struct url *base, const struct redirect_parts *parts)
{
	if (parts->scheme.data)
		buffer_append_text(out, parts->scheme);
	else if (base->is_https)
		buffer_append_literal(out, "https");
	else
		buffer_append_literal(out, "http");
	buffer_append_literal(out, "://");
	/* With its spaces: there, nothing is to be encoded. */
	buffer_append_text(out, parts->authority.data ? parts->authority : base->authority);
	redirect_append_target(out, base, parts);
}

/* Is the reference one that can be merged? */
static enum redirect_error redirect_check(
	struct text location, struct redirect_parts *parts, const char **ret_why)
{
	bool is_web;

	*ret_why = "the Location is too long";
	if (location.size > URL_SIZE_MAX)
		return REDIRECT_E_INVALID;
	*ret_why = "a backslash or a control character stands in the Location";
	if (!redirect_bytes_are_valid(location))
		return REDIRECT_E_INVALID;
	*ret_why = "what stands before the first colon of the Location is no scheme";
	if (!redirect_split(location, parts))
		return REDIRECT_E_INVALID;
	is_web = text_equal_nocase(parts->scheme, TEXT("http")) ||
		 text_equal_nocase(parts->scheme, TEXT("https"));
	*ret_why = "the redirect leads to another scheme than http or https";
	if (parts->scheme.data && !is_web)
		return REDIRECT_E_BLOCKED;
	*ret_why = "the Location has a scheme but no host";
	if (parts->scheme.data && !parts->authority.data)
		return REDIRECT_E_INVALID;
	return REDIRECT_OK;
}

/* What was put together has to be a URL that may be gone to. `was_https`: the base is. */
static enum redirect_error redirect_parse(struct text merged, struct buffer *out, bool was_https,
	struct url *ret_url, const char **ret_why)
{
	size_t begin = out->size;
	struct url url;
	enum url_error error = url_parse(merged, out, &url);

	*ret_why = url_error_text(error);
	if (error)
		return error == URL_E_MEMORY ? REDIRECT_E_MEMORY : REDIRECT_E_INVALID;
	if (was_https && !url.is_https) {
		out->size = begin;
		*ret_why = "the redirect leads from https to http";
		return REDIRECT_E_BLOCKED;
	}
	*ret_url = url;
	return REDIRECT_OK;
}

enum redirect_error redirect_resolve(const struct url *base, struct text location,
	struct buffer *out, struct url *ret_url, const char **ret_why)
{
	bool was_https = base->is_https;
	struct redirect_parts parts;
	struct buffer merged;
	enum redirect_error error = redirect_check(header_trim(location), &parts, ret_why);

	if (error)
		return error;
	buffer_init(&merged, REDIRECT_SIZE_MAX);
	redirect_append_url(&merged, base, &parts);
	*ret_why = url_error_text(URL_E_MEMORY);
	error = REDIRECT_E_MEMORY;
	if (!merged.failed)
		error = redirect_parse(buffer_text(&merged), out, was_https, ret_url, ret_why);
	buffer_deinit(&merged);
	return error;
}

struct redirect_request redirect_next(uint16_t status, struct text method, bool has_body)
{
	bool is_post = text_is(method, "POST");
	bool is_head = text_is(method, "HEAD");

	if (status == 303)
		return (struct redirect_request){is_head ? method : TEXT("GET"), false};
	if ((status == 301 || status == 302) && is_post)
		return (struct redirect_request){TEXT("GET"), false};
	return (struct redirect_request){method, has_body};
}

bool redirect_is_same_origin(const struct url *from, const struct url *to)
{
	return from->is_https == to->is_https && from->port == to->port &&
	       text_equal(from->host, to->host);
}

static bool redirect_starts_with(struct text name, struct text prefix)
{
	struct text head = {name.data, prefix.size};

	return name.size >= prefix.size && text_equal_nocase(head, prefix);
}

bool redirect_header_travels(struct text name, bool is_same_origin, bool keeps_body)
{
	/* The Fetch standard's request-body-headers that are not the daemon's own. */
	static const struct text of_body[] = {
		TEXT_INIT("content-encoding"),
		TEXT_INIT("content-language"),
		TEXT_INIT("content-location"),
		TEXT_INIT("content-type"),
	};
	static const struct text of_request[] = {
		TEXT_INIT("accept"),
		TEXT_INIT("range"),
		TEXT_INIT("user-agent"),
	};

	if (redirect_starts_with(name, TEXT("content-")) && !keeps_body)
		return false;
	if (is_same_origin)
		return true;
	return redirect_starts_with(name, TEXT("accept-")) ||
	       header_is_one_of(name, of_request, countof(of_request)) ||
	       header_is_one_of(name, of_body, countof(of_body));
}
