/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A response's head, as http/h1 and http/h2 show it: the same, whichever it came by.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/body.h"
#include "http/header.h"
#include "util/text.h"

/* The final response's head. All views stay until the next request. */
struct response_head {
	/* Empty in HTTP/2, which has none. */
	struct text reason;
	/* In the order received; names in lower case; trailers are not among them. */
	const struct header *headers;
	uint32_t n_headers;
	uint16_t status;
	/* 1.0, 1.1 or 2.0. */
	uint8_t version_major, version_minor;
	/* In HTTP/2, where DATA frames end a body, BODY_CHUNKED is one without a Content-Length. */
	enum body_framing framing;
	/* True exactly when it is, byte for byte, the head that the same reader showed before it.
	 */
	bool is_again;
	/* The body's length where the framing is BODY_LENGTH. */
	uint64_t length;
};
