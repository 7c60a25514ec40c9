/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A redirect (RFC 9110 15.4): where it leads, what is asked there, and which headers go along.
 * Pure: how many hops there may be, and what to do about a response without a Location, is the
 * caller's.
 *
 * Location is resolved by RFC 3986 5, strictly ("http:g" is no relative reference, a colon must
 * not stand in the first segment of one), and then has to be a URL by http/url. Dot segments go,
 * as 5.2.4 has it, also those of an absolute Location; %2e is no dot. Lenient, as browsers are:
 * spaces and bytes that are not ASCII are percent-encoded where they stand in path or query.
 * Refused, unlike by browsers: control characters (tab too), backslashes and userinfo. A fragment
 * is dropped, and none is inherited, since URLs have none here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/url.h"
#include "util/buffer.h"
#include "util/text.h"

enum redirect_error {
	REDIRECT_OK,
	/* REDIRECT_INVALID: it does not parse. */
	REDIRECT_E_INVALID,
	/* REDIRECT_BLOCKED: another scheme than http and https, or http after https. */
	REDIRECT_E_BLOCKED,
	/* No memory, here or in `out`. */
	REDIRECT_E_MEMORY,
};

/* What is asked at the new place. */
struct redirect_request {
	struct text method;
	/* False: body and content headers go. */
	bool keeps_body;
};

/* 301, 302, 303, 307 or 308. */
bool redirect_is_status(uint16_t status);

/* Resolves a Location against the URL it came from, and appends the URL's normal form to `out`;
 * the views of *ret_url point into it. Nothing is written to *ret_url unless REDIRECT_OK;
 * otherwise *ret_why is a sentence without a full stop, static. `base` may lie in `out`: its views
 * are invalid afterwards, as `out` may have moved. */
enum redirect_error redirect_resolve(const struct url *base, struct text location,
	struct buffer *out, struct url *ret_url, const char **ret_why);

/* As the Fetch standard has it (4.4): 303 becomes GET unless it was HEAD, 301 and 302 turn POST
 * into GET, each without the body; else all stays. Beyond it, a 303 never keeps a body: what it
 * leads to is an answer, not another recipient. `status` is a redirect's; the method is the
 * caller's text, or static. */
struct redirect_request redirect_next(uint16_t status, struct text method, bool has_body);

/* True where scheme, host and port are equal, in writing: 127.0.0.1 and localhost are two, and
 * so are a host with and without the dot at its end. */
bool redirect_is_same_origin(const struct url *from, const struct url *to);

/* True where a header of the job goes along, its name in any case. To another origin go accept
 * and accept-*, user-agent, range, and the kept body's content-encoding, content-language,
 * content-location and content-type: no authorization, no cookie, nothing of the user's own. To
 * the same one all go, but for content-* where the body does not. */
bool redirect_header_travels(struct text name, bool is_same_origin, bool keeps_body);
