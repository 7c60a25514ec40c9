/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One try of a job: places in the bounds, a connection, one request and its response, and the
 * limits on how long each part may take. Taken from the scheduler's slab when a job starts to
 * run, given back when nothing of it is on the wire any more, which may be long after its job has
 * settled: only then do its places become free.
 *
 *   LEASE (for a connection) -> EXCHANGE -> given back
 *        REPLAY: the idle connection it got was dead; when that is closed, LEASE again
 *        JOIN: its job is settled; when the connection is closed, given back
 *
 * Other jobs of its graph that ask for the same may follow it (job/flight): they have no attempt
 * of their own, and what comes of this one is theirs, too.
 */

#include "http/url.h"
#include "job/budget.h"
#include "job/exchange.h"
#include "net/conn.h"
#include "proto/record.h"
#include "ring/timer.h"
#include "util/bound.h"
#include "util/slab.h"

struct job;
struct scheduler;

enum attempt_state {
	ATTEMPT_LEASE,
	ATTEMPT_EXCHANGE,
	ATTEMPT_REPLAY,
	ATTEMPT_JOIN,
};

struct attempt {
	/* In its graph's list. */
	struct list link;
	struct scheduler *scheduler;
	struct graph *graph;
	/* NULL from ATTEMPT_JOIN on. */
	struct job *job;
	/* Jobs that share it. */
	struct list followers;
	/* Where its places are: it stays until they are given back. */
	struct scope *scope;
	/* Its key among the graph's flights; is_flight: it is there. */
	uint64_t flight_hash;
	enum attempt_state state;
	struct claim claim;
	struct route *route;
	struct conn *conn;
	struct conn_user user;
	/* Set to the earliest limit, or earlier: what it means is found out when it fires. */
	struct timer timer;
	struct exchange exchange;
	/* The request's bytes: the connection reads them until the send is done. */
	struct buffer request;
	struct buffer url_text;
	struct url url;
	/* When it had all its places; when the request was begun, and fully sent; when the first
	 * byte came; when the last body byte moved. 0: not yet. */
	uint64_t slot_ns, begun_ns, sent_ns, first_byte_ns, active_ns;
	/* What the connection's taken_size was when last looked at. */
	uint64_t uploaded;
	/* What the peer may have had of the request before it was sent again. */
	enum record_sent sent_before;
	/* True exactly when it was sent again because a reused connection was dead. */
	bool is_replay;
	/* The connection had served a request before. */
	bool is_reused;
	bool is_safe;
	bool is_flight;
};

void attempt_slab_init(struct slab *slab, uint32_t n_max);

/* Runs the job: the daemon's bound and those of what it is in have room. NULL: it runs, shares a
 * flight or has settled; else the bound (its origin's, or its user's share of that) that refuses
 * it. `is_new`: it did not wait for any before. */
struct bound *attempt_start(struct scheduler *scheduler, struct job *job, bool is_new);

/* Of a job that a bound refuses: it shares a flight, or has settled. False: neither. */
bool attempt_follow(struct scheduler *scheduler, struct job *job);

/* Settles its job as cancelled. Who follows it goes on with it; without any, the wire is cleared.
 * Nothing where the job has settled. */
void attempt_cancel(struct attempt *attempt, enum fault_code code, enum record_by by);

static inline struct attempt *attempt_of_link(struct list *link)
{
	return list_entry(link, struct attempt, link);
}
