/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A job's request with its references filled from what has settled. The position decides the
 * encoding, so that no response can inject a header, a parameter, a path step or a JSON key
 * unless the author wrote `raw` (settled-graph(5), "References").
 */

#include <stdbool.h>

#include "http/url.h"
#include "proto/fault.h"
#include "util/buffer.h"

struct graph;
struct job;

/* The URL in normal form, with the job's query: views into `out` (emptied first) or into the
 * document. False and the fault:
 * REF_MISSING, REF_NOT_JSON, TEMPLATE_UNSAFE, URL_INVALID, OVERLOADED (memory). */
bool template_url(
	struct job *job, struct buffer *out, struct url *ret_url, struct fault *ret_fault);

/* The whole HTTP/1.1 request into `out` (emptied first). As above, or SECRET_UNKNOWN. */
bool template_request(
	struct job *job, const struct url *url, struct buffer *out, struct fault *ret_fault);

/* The method that will be used. */
struct text template_method(const struct job *job);

/* The graph's `return`: what has no value is null. */
void template_result(struct graph *graph, struct buffer *out);
