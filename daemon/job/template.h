/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A job's request with its references filled from what has settled. The position decides the
 * encoding, so that no response can inject a header, a parameter, a path step or a JSON key
 * unless the author wrote `raw` (settled-graph(5), "References").
 */

#include <stdbool.h>
#include <stdint.h>

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

/* The whole HTTP/1.1 request to that URL into `out` (emptied first); of a job on the trail of a
 * redirect as much as goes along (job/trail). Where the body comes from a descriptor its head
 * alone: `length` is that of the body, UINT64_MAX: not known, and it will be chunked. As above, or
 * SECRET_UNKNOWN. */
bool template_request(struct job *job, const struct url *url, uint64_t length, struct buffer *out,
	struct fault *ret_fault);

/* The method that will be used. */
struct text template_method(const struct job *job);

/* The job's own, whatever redirects have made of it. */
struct text template_first_method(const struct job *job);

/* True where the request has a body, be it empty. */
bool template_has_body(const struct job *job);

/* True where a part of the response may be asked for though its author has not: of a GET that says
 * nothing of ranges. */
bool template_may_resume(const struct job *job);

/* The graph's `return`: what has no value is null. */
void template_result(struct graph *graph, struct buffer *out);
