/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include <arpa/inet.h>

#include "util/panic.h"

/*
 * One parser decides where to connect, what Host says and what a policy looks at, so that no two
 * can disagree (CVE-2022-27780, CVE-2016-8624). It goes from left to right, once: the bytes that
 * may stand nowhere, scheme, authority, target. Each step takes a view of its own part and
 * appends the normal form of it; views are made at the end, when the buffer no longer moves.
 *
 * A host is one of three: an IPv6 address in brackets, four decimal numbers, or a name. What
 * some resolvers take for an address though it looks like a name (0x7f.1, 127.1, 017700000001)
 * is refused by the rule of the URL standard: a host whose last label is a number is an address,
 * so it must be one. Nor has an IPv6 address two forms: what is compared as text (the origin, the
 * route, a secret's hosts, `resolve`) would take them for two hosts.
 *
 * Dot segments stay: to remove them is to ask for another resource than the author wrote.
 */

#define URL_HOST_SIZE_MAX  253
#define URL_LABEL_SIZE_MAX 63
#define URL_PORT_HTTP      80
#define URL_PORT_HTTPS     443

/* RFC 3986 2.3. */
#define URL_UNRESERVED                                                                             \
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['0' ... '9'] = true,              \
	['A' ... 'Z'] = true, ['a' ... 'z'] = true

static const bool url_unreserved_bytes[256] = {URL_UNRESERVED};

/* pchar, '/', '?' and '%' (RFC 3986 3.3, 3.4). */
static const bool url_target_bytes[256] = {
	URL_UNRESERVED,
	['!'] = true,
	['$'] = true,
	['%'] = true,
	['&'] = true,
	['\''] = true,
	['('] = true,
	[')'] = true,
	['*'] = true,
	['+'] = true,
	[','] = true,
	['/'] = true,
	[':'] = true,
	[';'] = true,
	['='] = true,
	['?'] = true,
	['@'] = true,
};

/* URL standard 5.2. */
static const bool url_form_bytes[256] = {
	['*'] = true,
	['-'] = true,
	['.'] = true,
	['_'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

/* What the steps find out; sizes, because the buffer may still move. */
struct url_parts {
	struct text host;
	struct text port_digits;
	size_t authority_size;
	uint16_t port;
	bool is_https;
	bool is_ipv6;
	bool is_ipv4;
};

const char *url_error_text(enum url_error error)
{
	switch (error) {
	case URL_OK: return "the URL is fine";
	case URL_E_SYNTAX: return "this is not an absolute URL";
	case URL_E_SCHEME: return "the scheme is neither http nor https";
	case URL_E_USERINFO: return "a user or password must not stand in a URL";
	case URL_E_HOST: return "the host is not a valid name";
	case URL_E_ADDRESS: return "the host is not a valid IP address";
	case URL_E_ADDRESS_FORM:
		return "the IPv6 address is not written in its one canonical form (RFC 5952), as "
		       "[2001:db8::1]";
	case URL_E_PORT: return "the port is not a number from 1 to 65535";
	case URL_E_CHARACTER: return "a space, a backslash or a control character stands in it";
	case URL_E_TOO_LONG: return "the URL is too long";
	case URL_E_MEMORY: return "there is no memory for the URL";
	}
	unreachable("every error has a sentence");
}

bool url_is_target_byte(unsigned char byte)
{
	return url_target_bytes[byte];
}

static void url_append_byte_encoded(struct buffer *out, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};

	buffer_append(out, encoded, sizeof(encoded));
}

/* The bytes of `plain` as they stand, in runs; all others encoded. */
static void url_append_filtered(struct buffer *out, struct text text, const bool plain[256])
{
	size_t run = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (plain[(unsigned char)text.data[i]])
			continue;
		buffer_append(out, text.data + run, i - run);
		url_append_byte_encoded(out, (unsigned char)text.data[i]);
		run = i + 1;
	}
	buffer_append_text(out, text_from_at(text, run));
}

void url_append_encoded(struct buffer *out, struct text text)
{
	url_append_filtered(out, text, url_unreserved_bytes);
}

void url_append_form_encoded(struct buffer *out, struct text text)
{
	while (text.size > 0) {
		size_t space = text_find(text, ' ');

		url_append_filtered(out, (struct text){text.data, space}, url_form_bytes);
		if (space < text.size)
			buffer_append_byte(out, '+');
		text = text_from_at(text, space + 1);
	}
}

/* Spaces, controls and backslashes are refused anywhere, the fragment included: browsers drop
 * or turn some of them, other parsers do not. */
static bool url_bytes_are_valid(struct text input)
{
	for (size_t i = 0; i < input.size; i++) {
		unsigned char c = (unsigned char)input.data[i];

		if (c <= ' ' || c == '\\' || c == 0x7f)
			return false;
	}
	return true;
}

static bool url_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool url_is_alpha(char c)
{
	return text_lower(c) >= 'a' && text_lower(c) <= 'z';
}

static bool url_scheme_is_valid(struct text scheme)
{
	if (scheme.size == 0 || !url_is_alpha(scheme.data[0]))
		return false;
	for (size_t i = 1; i < scheme.size; i++) {
		char c = scheme.data[i];

		if (!url_is_alpha(c) && !url_is_digit(c) && c != '+' && c != '-' && c != '.')
			return false;
	}
	return true;
}

/* Takes "scheme://" off *rest. */
static enum url_error url_take_scheme(struct text *rest, bool *ret_is_https)
{
	struct text scheme = {rest->data, text_find(*rest, ':')};

	if (scheme.size == rest->size || !url_scheme_is_valid(scheme))
		return URL_E_SYNTAX;
	if (text_equal_nocase(scheme, TEXT("https")))
		*ret_is_https = true;
	else if (text_equal_nocase(scheme, TEXT("http")))
		*ret_is_https = false;
	else
		return URL_E_SCHEME;
	*rest = text_from_at(*rest, scheme.size + 1);
	if (!text_starts_with(*rest, TEXT("//")))
		return URL_E_SYNTAX;
	*rest = text_from_at(*rest, 2);
	return URL_OK;
}

/* Takes the authority off *rest: all before the first '/', '?' or '#' (RFC 3986 3.2). */
static struct text url_take_authority(struct text *rest)
{
	struct text authority = *rest;
	size_t at = 0;

	while (at < rest->size && !memchr("/?#", rest->data[at], 3))
		at++;
	authority.size = at;
	*rest = text_from_at(*rest, at);
	return authority;
}

/* "host", "host:port" or "[address]:port", cut apart. */
static enum url_error url_split_authority(struct text authority, struct url_parts *parts)
{
	struct text after;
	size_t end;

	if (text_find(authority, '@') < authority.size)
		return URL_E_USERINFO;
	if (text_starts_with(authority, TEXT("["))) {
		end = text_find(authority, ']');
		if (end == authority.size)
			return URL_E_ADDRESS;
		parts->host = (struct text){authority.data + 1, end - 1};
		parts->is_ipv6 = true;
		after = text_from_at(authority, end + 1);
	} else {
		end = text_find(authority, ':');
		parts->host = (struct text){authority.data, end};
		after = text_from_at(authority, end);
	}
	if (after.size > 0 && after.data[0] != ':')
		return URL_E_HOST;
	parts->port_digits = text_from_at(after, 1);
	return URL_OK;
}

/* None, or ":" alone, is the scheme's own (RFC 3986 6.2.3). */
static enum url_error url_check_port(struct url_parts *parts)
{
	struct text digits = parts->port_digits;
	uint64_t port;

	if (digits.size == 0) {
		parts->port = parts->is_https ? URL_PORT_HTTPS : URL_PORT_HTTP;
		return URL_OK;
	}
	if (!text_to_u64(digits, UINT16_MAX, &port) || port == 0)
		return URL_E_PORT;
	parts->port = (uint16_t)port;
	return URL_OK;
}

/* inet_pton() takes exactly the forms of RFC 4291 2.2, and no zone; inet_ntop() gives the one of
 * RFC 5952. */
static enum url_error url_check_address6(struct text host)
{
	char terminated[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.size == 0 || host.size >= sizeof(terminated))
		return URL_E_ADDRESS;
	memcpy(terminated, host.data, host.size);
	terminated[host.size] = '\0';
	if (inet_pton(AF_INET6, terminated, &address) != 1)
		return URL_E_ADDRESS;
	inet_ntop(AF_INET6, &address, terminated, sizeof(terminated));
	return text_equal_nocase(host, text_from(terminated)) ? URL_OK : URL_E_ADDRESS_FORM;
}

bool url_is_ipv6(struct text host)
{
	return url_check_address6(host) == URL_OK;
}

/* One number of four: 0 to 255 without a leading zero. */
static bool url_octet_is_valid(struct text octet)
{
	uint64_t value;

	return text_to_u64(octet, 255, &value) && (octet.size == 1 || octet.data[0] != '0');
}

static bool url_address4_is_valid(struct text host)
{
	for (int i = 0; i < 3; i++) {
		size_t dot = text_find(host, '.');

		if (dot == host.size || !url_octet_is_valid((struct text){host.data, dot}))
			return false;
		host = text_from_at(host, dot + 1);
	}
	return url_octet_is_valid(host);
}

/* The URL standard's "ends in a number": decimal digits, or 0x and any hexadecimal ones. */
static bool url_label_is_number(struct text label)
{
	bool is_hex = label.size >= 2 && label.data[0] == '0' && text_lower(label.data[1]) == 'x';

	for (size_t i = is_hex ? 2 : 0; i < label.size; i++) {
		char c = text_lower(label.data[i]);

		if (!url_is_digit(c) && !(is_hex && c >= 'a' && c <= 'f'))
			return false;
	}
	return label.size > 0;
}

/* Letters, digits, '-' and '_' (which names in use have, if not RFC 1123). */
static bool url_label_is_valid(struct text label)
{
	if (label.size == 0 || label.size > URL_LABEL_SIZE_MAX)
		return false;
	for (size_t i = 0; i < label.size; i++) {
		char c = label.data[i];

		if (!url_is_alpha(c) && !url_is_digit(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* A name, with one dot at its end or none, or four decimal numbers. */
static enum url_error url_check_name(struct url_parts *parts)
{
	struct text name = parts->host;
	struct text rest, label = {NULL, 0};

	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	if (name.size == 0 || name.size > URL_HOST_SIZE_MAX)
		return URL_E_HOST;
	rest = name;
	for (size_t at = 0; at <= name.size; at += label.size + 1) {
		rest = text_from_at(name, at);
		label = (struct text){rest.data, text_find(rest, '.')};
		if (!url_label_is_valid(label))
			return URL_E_HOST;
	}
	if (!url_label_is_number(label))
		return URL_OK;
	if (!url_address4_is_valid(parts->host))
		return URL_E_ADDRESS;
	parts->is_ipv4 = true;
	return URL_OK;
}

static enum url_error url_check_host(struct url_parts *parts)
{
	return parts->is_ipv6 ? url_check_address6(parts->host) : url_check_name(parts);
}

static void url_append_lower(struct buffer *out, struct text text)
{
	if (!buffer_reserve(out, text.size))
		return;
	for (size_t i = 0; i < text.size; i++)
		out->data[out->size++] = text_lower(text.data[i]);
}

static void url_append_authority(struct buffer *out, struct url_parts *parts)
{
	uint16_t own = parts->is_https ? URL_PORT_HTTPS : URL_PORT_HTTP;
	size_t begin = out->size;

	if (parts->is_ipv6)
		buffer_append_byte(out, '[');
	url_append_lower(out, parts->host);
	if (parts->is_ipv6)
		buffer_append_byte(out, ']');
	if (parts->port != own) {
		buffer_append_byte(out, ':');
		buffer_append_u64(out, parts->port);
	}
	parts->authority_size = out->size - begin;
}

static void url_append_target(struct buffer *out, struct text rest)
{
	rest.size = text_find(rest, '#');
	if (!text_starts_with(rest, TEXT("/")))
		buffer_append_byte(out, '/');
	url_append_filtered(out, rest, url_target_bytes);
}

/* The views of what stands in `text` now. */
static struct url url_view(struct text text, const struct url_parts *parts)
{
	size_t scheme_size = parts->is_https ? strlen("https://") : strlen("http://");
	const char *authority = text.data + scheme_size;

	return (struct url){
		.text = text,
		.host = {authority + (parts->is_ipv6 ? 1 : 0), parts->host.size},
		.authority = {authority, parts->authority_size},
		.target = text_from_at(text, scheme_size + parts->authority_size),
		.port = parts->port,
		.is_https = parts->is_https,
		.is_ipv6 = parts->is_ipv6,
		.is_ipv4 = parts->is_ipv4,
	};
}

static enum url_error url_check(struct text input, struct url_parts *parts, struct text *ret_rest)
{
	struct text rest = input;
	enum url_error error;

	if (input.size > URL_SIZE_MAX)
		return URL_E_TOO_LONG;
	if (!url_bytes_are_valid(input))
		return URL_E_CHARACTER;
	error = url_take_scheme(&rest, &parts->is_https);
	if (!error)
		error = url_split_authority(url_take_authority(&rest), parts);
	if (!error)
		error = url_check_host(parts);
	if (!error)
		error = url_check_port(parts);
	*ret_rest = rest;
	return error;
}

enum url_error url_parse(struct text input, struct buffer *out, struct url *ret_url)
{
	struct url_parts parts = {0};
	size_t begin = out->size;
	struct text rest;
	enum url_error error = url_check(input, &parts, &rest);

	if (error)
		return error;
	if (parts.is_https)
		buffer_append_literal(out, "https://");
	else
		buffer_append_literal(out, "http://");
	url_append_authority(out, &parts);
	url_append_target(out, rest);
	if (out->failed) {
		out->size = begin;
		return URL_E_MEMORY;
	}
	*ret_url = url_view(text_from_at(buffer_text(out), begin), &parts);
	return URL_OK;
}
