/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Absolute http and https URLs (RFC 3986), strictly: what two parsers could read in two ways is
 * refused, because the same result decides where to connect and what Host says.
 *
 * Refused: other schemes, userinfo, backslashes, spaces and control characters anywhere, an
 * empty host, a port that is 0 or above 65535, IPv4 in any form but four decimal numbers without
 * leading zeros (a host whose last label is a number must be such an address), IPv6 in any form
 * but the canonical one (RFC 5952; letters of either case) or with a zone, non-ASCII hosts, a host
 * label or name that is too long, percent-encoding in the host. Normalised: scheme and host in
 * lower case, one trailing dot of the host kept as it is, the default port left out, an empty path
 * "/", non-ASCII bytes of path and query percent-encoded, the fragment dropped. What is already
 * encoded stays as it stands, dot segments included.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* Longest accepted, before normalising. */
#define URL_SIZE_MAX (64 * 1024)

enum url_error {
	URL_OK,
	URL_E_SYNTAX,
	URL_E_SCHEME,
	URL_E_USERINFO,
	URL_E_HOST,
	URL_E_ADDRESS,
	URL_E_ADDRESS_FORM,
	URL_E_PORT,
	URL_E_CHARACTER,
	URL_E_TOO_LONG,
	/* No memory in `out`. */
	URL_E_MEMORY,
};

/* Offsets into the normalised text. */
struct url {
	struct text text;
	/* Without brackets. */
	struct text host;
	/* As Host wants it: brackets, and the port unless it is the default. */
	struct text authority;
	/* Path and query: begins with '/'. */
	struct text target;
	uint16_t port;
	bool is_https;
	/* The host is an IPv6 address (it stood in brackets), or four decimal numbers. */
	bool is_ipv6;
	bool is_ipv4;
};

/* Parses `input`, appends its normal form to `out`; the views of *ret_url point into it, valid
 * until the buffer changes. Nothing is written to *ret_url unless URL_OK. */
enum url_error url_parse(struct text input, struct buffer *out, struct url *ret_url);

/* One sentence without a full stop: "the port is not a number from 1 to 65535". */
const char *url_error_text(enum url_error error);

/* True where it is an IPv6 address as a URL may have it between its brackets. */
bool url_is_ipv6(struct text host);

/* True where url_parse() would leave the byte as it is in a path or query: RFC 3986 pchar, '/',
 * '?', and '%'. */
bool url_is_target_byte(unsigned char byte);

/* Percent-encode all but unreserved characters (RFC 3986 2.3): for a value put into a path
 * segment or a query. */
void url_append_encoded(struct buffer *out, struct text text);

/* As application/x-www-form-urlencoded (URL standard 5.2): space is '+', all but
 * A-Z a-z 0-9 * - . _ is percent-encoded. */
void url_append_form_encoded(struct buffer *out, struct text text);
