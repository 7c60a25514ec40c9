/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include <stdio.h>

#include "http/url.h"

/*
 * `proxy`: "http://user:password@host:port". Where it is and who is shown there become two things,
 * because the one is put into messages and keys and the other is not.
 *
 *   http:// user:password @ proxy.local:3128 /
 *           userinfo        authority
 *
 * The userinfo is cut off first (http/url refuses any), at the last '@' before a '/', '?' or '#',
 * which a host cannot hold; what is left must be the URL of a host and a port. Nothing of it is
 * quoted: where a mistake is, the password may stand in any part of it.
 */

#define DOCUMENT_PROXY_SCHEME "http://"

/* ":65535" */
#define DOCUMENT_PORT_MORE 6

static bool document_refuse_proxy(
	struct document *document, const struct document_at *at, const char *why)
{
	document_refuse(document, at, FAULT_GRAPH_VALUE, "%s", why);
	return false;
}

/* *ret_rest: behind "http://". */
static bool document_cut_proxy_scheme(struct document *document, struct text text,
	const struct document_at *at, struct text *ret_rest)
{
	static const struct text later[] = {TEXT_INIT("https"), TEXT_INIT("socks4"),
		TEXT_INIT("socks4a"), TEXT_INIT("socks5"), TEXT_INIT("socks5h")};
	struct text scheme = {text.data, text_find(text, ':')};

	*ret_rest = text_from_at(text, scheme.size + 3);
	if (!text_starts_with(text_from_at(text, scheme.size), TEXT("://")))
		return document_refuse_proxy(
			document, at, "must be \"http://host:port\", the URL of a proxy");
	if (text_equal_nocase(scheme, TEXT("http")))
		return true;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (text_equal_nocase(scheme, later[i]))
			return document_refuse_proxy(document, at,
				"a proxy of that scheme is not supported by this version, only one "
				"of http:// is");
	}
	return document_refuse_proxy(document, at, "a proxy's URL begins with http://");
}

static int document_hex_digit(char c)
{
	char lower = text_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Without percent-encoding (RFC 3986 2.1), behind what is at `out`. NULL: it is malformed, or holds
 * a control character, which may be in no credentials (RFC 7617 section 2). */
static char *document_decode_percent(struct text text, char *out)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == '%') {
			int high = i + 2 < text.size ? document_hex_digit(text.data[i + 1]) : -1;
			int low = i + 2 < text.size ? document_hex_digit(text.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return NULL;
		*out++ = c;
	}
	return out;
}

/* "user:password", a user alone, or "secret:NAME". */
static bool document_read_userinfo(struct document *document, struct text userinfo,
	const struct document_at *at, struct plan_proxy *proxy)
{
	struct text user = {userinfo.data, text_find(userinfo, ':')};
	struct text password = text_from_at(userinfo, user.size + 1);
	char *memory, *end;

	if (userinfo.size == 0)
		return document_refuse_proxy(
			document, at, "before the '@' must be \"user:password\"");
	if (text_starts_with(userinfo, TEXT("secret:"))) {
		proxy->credentials = plan_secret_name(userinfo);
		proxy->is_secret = true;
		return proxy->credentials.data ||
		       document_refuse_proxy(document, at,
			       "the name of a secret is 1 to 64 letters, digits, '_' and '-'");
	}
	if (text_find(userinfo, '@') < userinfo.size)
		return document_refuse_proxy(
			document, at, "'@' in user or password is written \"%40\"");
	memory = document_alloc(document, userinfo.size + 1, 1);
	if (!memory)
		return false;
	end = document_decode_percent(user, memory);
	if (end && memchr(memory, ':', (size_t)(end - memory)))
		return document_refuse_proxy(document, at, "a user may not have a ':' in its name");
	if (end) {
		*end = ':';
		end = document_decode_percent(password, end + 1);
	}
	if (!end)
		return document_refuse_proxy(document, at,
			"user and password may hold no control characters, and \"%\" is written "
			"\"%25\"");
	proxy->credentials = (struct text){memory, (size_t)(end - memory)};
	return true;
}

/* "host:port" or "host"; the port is written down in any case. */
static bool document_read_proxy_host(struct document *document, struct text authority,
	const struct document_at *at, struct plan_proxy *proxy)
{
	size_t scheme_size = sizeof(DOCUMENT_PROXY_SCHEME) - 1, room;
	struct buffer whole;
	enum url_error error;
	struct url url;
	char *memory;
	int size;

	buffer_init(&whole, scheme_size + authority.size);
	buffer_append_literal(&whole, DOCUMENT_PROXY_SCHEME);
	buffer_append_text(&whole, authority);
	buffer_clear(&document->scratch);
	error = whole.failed ? URL_E_MEMORY
			     : url_parse(buffer_text(&whole), &document->scratch, &url);
	buffer_deinit(&whole);
	if (error == URL_E_MEMORY)
		document->no_memory = true;
	if (error != URL_OK)
		return document_refuse_proxy(document, at, url_error_text(error));
	room = scheme_size + url.authority.size + DOCUMENT_PORT_MORE + 1;
	memory = document_alloc(document, room, 1);
	if (!memory)
		return false;
	size = snprintf(memory, room, DOCUMENT_PROXY_SCHEME "%s%.*s%s:%u", url.is_ipv6 ? "[" : "",
		TEXT_ARGS(url.host), url.is_ipv6 ? "]" : "", url.port);
	proxy->url = (struct text){memory, (size_t)size};
	proxy->host = (struct text){memory + scheme_size + url.is_ipv6, url.host.size};
	proxy->port = url.port;
	return true;
}

void document_read_proxy(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct plan_proxy proxy = {.port = 0};
	struct text text, rest;
	size_t end = 0, host = 0;

	job->says_proxy = true;
	job->spec.proxy = proxy;
	/* Nothing is none, also where the defaults have one. */
	if (!document_read_string(document, value, at, &text) || text.size == 0 ||
		!document_cut_proxy_scheme(document, text, at, &rest))
		return;
	while (end < rest.size && !memchr("/?#", rest.data[end], 3))
		end++;
	if (rest.size > end && !text_is(text_from_at(rest, end), "/")) {
		document_refuse_proxy(
			document, at, "behind host and port of a proxy's URL nothing may stand");
		return;
	}
	for (size_t i = 0; i < end; i++) {
		if (rest.data[i] == '@')
			host = i + 1;
	}
	rest.size = end;
	if (host > 0 &&
		!document_read_userinfo(document, (struct text){rest.data, host - 1}, at, &proxy))
		return;
	if (document_read_proxy_host(document, text_from_at(rest, host), at, &proxy))
		job->spec.proxy = proxy;
}
