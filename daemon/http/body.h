/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How long a response's body is (RFC 9112 6.3), decided from its head alone, strictly: where a
 * message could be read in two ways it is refused.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/header.h"

enum body_framing {
	/* HEAD, 1xx, 204, 304, or Content-Length 0. */
	BODY_NONE,
	BODY_LENGTH,
	BODY_CHUNKED,
	/* Until the connection is closed. */
	BODY_CLOSE,
};

/* A received head, as far as framing wants it. */
struct body_head {
	const struct header *headers;
	uint32_t n_headers;
	uint16_t status;
	/* 0 for HTTP/1.0. */
	uint8_t version_minor;
	/* The request was a HEAD. */
	bool is_head;
};

/* NULL and the framing (with its length for BODY_LENGTH); or what is wrong with it: the job is
 * rejected HTTP_FRAMING with that sentence. */
const char *body_decide(
	const struct body_head *head, enum body_framing *ret_framing, uint64_t *ret_length);

/* True where the connection may serve another request as far as the head says (RFC 9112 9.3):
 * HTTP/1.1 without "close", HTTP/1.0 with "keep-alive". */
bool body_keeps_alive(const struct body_head *head);
