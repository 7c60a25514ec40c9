/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The redirects that a job has followed (settled-graph(5), "Redirects"), and where it asks next. A
 * job gets one with its first redirect, and keeps it until it has settled or begins anew.
 *
 * A hop is not an attempt: the places of the request before are given back, and the next one
 * waits for its own like any other, but all hops together have one attempt's time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/response.h"
#include "http/url.h"
#include "proto/fault.h"
#include "proto/record.h"
#include "util/arena.h"

struct plan_spec;

struct trail {
	/* Of the next request: views into the arena. */
	struct url url;
	struct text method;
	/* False: no body any more, and none of its headers. */
	bool keeps_body;
	/* Another origin has been asked: from then on no header of the job's own goes along but the
	 * few that redirect_header_travels() names, no secret, and no client certificate. */
	bool is_foreign;
	/* When the attempt began: its first request was ready, and had all its places, or a flight
	 * to share. */
	uint64_t turn_ns, slot_ns;
	/* What the peers before may have had. */
	enum record_sent sent;
	struct record_hop *hops;
	uint32_t n_hops, room;
	/* URLs and methods: they stay where they are. */
	struct arena arena;
};

/* What a response is to a job. */
enum trail_verdict {
	/* A response like another. */
	TRAIL_ENDS,
	/* There is a hop to be made. */
	TRAIL_GOES_ON,
	/* The fault: REDIRECT_LIMIT, REDIRECT_INVALID, REDIRECT_BLOCKED, OVERLOADED. */
	TRAIL_FAULT,
};

/* The request that was answered. */
struct trail_request {
	const struct url *url;
	struct text method;
	bool has_body;
};

/* True where the job of that spec would follow such a response, or be rejected for it: its body
 * is of no interest. */
bool trail_wants(const struct plan_spec *spec, const struct response_head *head);

/* Notes the hop: *trailp is made where it is the first. */
enum trail_verdict trail_follow(struct trail **trailp, const struct plan_spec *spec,
	const struct trail_request *request, const struct response_head *head,
	struct fault *ret_fault);

/* Takes NULL, returns NULL. */
struct trail *trail_free(struct trail *trail);
