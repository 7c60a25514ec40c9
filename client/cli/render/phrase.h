/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Status lines as people know them: "HTTP/1.1 404 Not Found". A record has no reason phrase but
 * that of a status it was rejected for; the others are the registered ones (RFC 9110 section 15).
 * HTTP/2 has none at all (RFC 9113 section 8.3.2).
 */

#include "proto/json.h"
#include "util/buffer.h"
#include "util/text.h"

/* "Not Found"; data == NULL: there is none for that status. */
struct text phrase_registered(uint64_t status);

/* The status line of a record's response, without its end: nothing where it has no response. `root`
 * is the record, `response` its value or its reason's response. It is clean. */
void phrase_append(struct buffer *out, yyjson_val *root, yyjson_val *response);

/* The same of a redirect before it, one of the response's "hops". What version it came with stands
 * nowhere: without TLS there is one only, with it it is taken for the response's. */
void phrase_append_hop(struct buffer *out, yyjson_val *response, yyjson_val *hop);

/* Where the i-th of the response's hops has led to; data == NULL: it is not there. */
struct text phrase_hop_target(yyjson_val *response, size_t i);
