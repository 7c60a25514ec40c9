/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request as HTTP/1.1 bytes (RFC 9112): head and body in one buffer, so that a small request is
 * one send. Names and values were checked before: here they are expected to be valid.
 *
 *   request_begin(out, TEXT("GET"), &url);
 *   request_header(out, TEXT("accept"), TEXT("text/plain"));      each header of the job's own
 *   request_end(out, TEXT("GET"), body, has_body);
 *
 * What was written so can be cut into its parts again: they are what HTTP/2 sends of it.
 */

#include <stdbool.h>

#include "http/header.h"
#include "http/url.h"
#include "util/buffer.h"
#include "util/text.h"

/* Request line and Host. */
void request_begin(struct buffer *out, struct text method, const struct url *url);

/* The same in absolute form, as a proxy wants it that is to pass it on (RFC 9112 3.2.2). */
void request_begin_absolute(struct buffer *out, struct text method, const struct url *url);

void request_header(struct buffer *out, struct text name, struct text value);

/* Content-Length where there is a body, or where the method is one that expects one (POST, PUT,
 * PATCH: RFC 9110 8.6) and there is none; the empty line; the body. */
void request_end(struct buffer *out, struct text method, struct text body, bool has_body);

/* Of a body that is sent behind the head, as much as is known of its length: so many bytes, or all
 * that comes, chunked. */
void request_end_length(struct buffer *out, uint64_t length);
void request_end_chunked(struct buffer *out);

/* What a request is made of, as views into it. */
struct request_parts {
	struct text method, target, authority;
	/* What stands behind the head. */
	struct text body;
	/* It says that it has a body, be it empty or sent later. */
	bool has_body;
};

/* Cuts what was written as above, and its headers but those that are ours (header_is_ours) into
 * `headers`, which is emptied first. False: no memory. */
bool request_cut(struct text request, struct header_list *headers, struct request_parts *ret_parts);

/* POST, PUT, PATCH: a request without a body says so. */
bool request_method_expects_body(struct text method);

/* A method is a token; CONNECT is not for us. */
bool request_method_is_valid(struct text method);

/* RFC 9110 9.2.1 (GET HEAD OPTIONS TRACE), and 9.2.2 (those, PUT and DELETE). */
bool request_method_is_safe(struct text method);
bool request_method_is_idempotent(struct text method);
