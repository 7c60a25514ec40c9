/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One request of a job: places in the bounds, a connection or a stream of a shared one, the request
 * and its response, and the limits on how long each part may take. Mostly that is an attempt as
 * its record counts them; where redirects are followed, each hop is one more (job/trail). Taken
 * from the scheduler's slab when a job starts to run, given back when nothing of it is on the wire
 * any more, which may be long after its job has settled: only then do its places become free.
 *
 *   LEASE (for a connection) -> EXCHANGE (-> STORE) -> given back
 *        REPLAY: the idle connection it got was dead; when that is closed, LEASE again
 *        JOIN: its job is settled; when the connection is closed, the stream reset and nothing
 *        of its files in flight, given back
 *
 * Other jobs of its graph that ask for the same may follow it (job/flight): they have no attempt
 * of their own, and what comes of this one is theirs, too.
 */

#include "http/url.h"
#include "job/budget.h"
#include "job/exchange.h"
#include "job/source.h"
#include "job/store.h"
#include "net/conn.h"
#include "net/mux.h"
#include "proto/record.h"
#include "ring/timer.h"
#include "util/bound.h"
#include "util/slab.h"

struct job;
struct scheduler;

enum attempt_state {
	ATTEMPT_LEASE,
	ATTEMPT_EXCHANGE,
	/* The response is complete, its body on the way into its file. */
	ATTEMPT_STORE,
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
	/* Its own connection: ready, or being made; NULL: none, one that is awaited, or a stream of
	 * a shared one. */
	struct conn *conn;
	struct conn_user user;
	struct mux_user mux_user;
	struct h2_stream stream;
	/* Bytes of the stream's body that came and are held. */
	size_t unconsumed;
	/* The request's body, where it comes from a descriptor, and a piece of it that waits to be
	 * sent on a stream; and the response's, where it goes into one. */
	struct source source;
	struct text piece;
	bool is_last_piece, has_piece;
	struct store store;
	/* To go on with what is held. */
	struct task go_on;
	/* Set to the earliest limit, or earlier: what it means is found out when it fires. */
	struct timer timer;
	struct exchange exchange;
	/* The request's bytes: the connection reads them until the send is done. */
	struct buffer request;
	struct buffer url_text;
	struct url url;
	/* When the first of its requests had all its places; when it asked for a connection; when
	 * the request was begun, and fully sent; when the first byte came; when the last body byte
	 * moved. 0: not yet. */
	uint64_t slot_ns, lease_ns, begun_ns, sent_ns, first_byte_ns, active_ns;
	/* What had gone out when last looked at. */
	uint64_t uploaded;
	/* What of it has not ended yet, in JOIN. */
	uint32_t n_joining;
	/* What the peer may have had of the request before it was sent again. */
	enum record_sent sent_before;
	/* True exactly when it was sent again: a reused connection was dead, or the peer has not
	 * looked at it. */
	bool is_replay;
	/* The connection had served a request before. */
	bool is_reused;
	bool is_safe;
	bool is_flight;
	/* The response is a redirect that will be followed: its body does not matter. */
	bool is_hop;
	/* The client has had a piece of the body. */
	bool has_given;
	/* Its body is sent in chunks, or as it is (source). */
	bool is_chunked;
};

void attempt_slab_init(struct slab *slab, uint32_t n_max);

/* Runs the job: the daemon's bound and those of what it is in have room. NULL: it runs, shares a
 * flight or has settled; else the bound (its origin's, its user's share of that, or that of a
 * descriptor) that refuses it. `is_new`: it did not wait for any before. */
struct bound *attempt_start(struct scheduler *scheduler, struct job *job, bool is_new);

/* Of a job that a bound refuses: it shares a flight, or has settled. False: neither. */
bool attempt_follow(struct scheduler *scheduler, struct job *job);

/* Of a job that has gone on elsewhere (job->trail) and has no attempt there: its time is up. It is
 * tried again, or settles. */
void attempt_time_out_waiting(struct job *job);

/* The graph's client takes more again: what was held for it goes on. */
void attempt_resume(struct attempt *attempt);

/* Settles its job as cancelled. Who follows it goes on with it; without any, the wire is cleared.
 * Nothing where the job has settled. */
void attempt_cancel(struct attempt *attempt, enum fault_code code, enum record_by by);

static inline struct attempt *attempt_of_link(struct list *link)
{
	return list_entry(link, struct attempt, link);
}
