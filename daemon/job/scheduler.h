/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is ready runs next: at the end of the turn in which it became ready, all at once, as far
 * as the bounds have room. Also what the jobs of all graphs share: the ring, the pool, the
 * daemon's own bound, and the memory of attempts.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/exchange.h"
#include "job/name.h"
#include "job/store.h"
#include "net/pool.h"
#include "ring/ring.h"
#include "util/bound.h"
#include "util/queue.h"
#include "util/random.h"
#include "util/slab.h"

struct job;

/* Where {{secret.NAME}} is filled from. */
struct secret_source {
	/* The secret's value for that user and host; false: none. */
	bool (*find)(void *context, struct text name, uid_t uid, struct text host,
		struct text *ret_value);
	void *context;
};

struct scheduler_options {
	/* Requests on the wire in all; BOUND_NONE: no bound. */
	uint32_t requests_max;
	/* Attempts that may exist: those on the wire, and those being ended. */
	uint32_t attempts_max;
	/* Bytes of bodies held in memory at once, until nobody needs them and the client has them.
	 */
	size_t body_bytes_max;
	uint64_t dns_timeout_ns;
	bool insecure_allowed;
	/* Connections are made while their jobs still wait for others. */
	bool prewarm;
	/* The longest that a Retry-After is obeyed. */
	uint64_t retry_after_max_ns;
	/* Of the jitter of backoffs. */
	uint64_t seed;
	/* find == NULL: there are none. */
	struct secret_source secrets;
};

struct scheduler_counters {
	uint64_t jobs_settled, attempts, replays, retries;
};

/* Where the names in a record are put together. */
struct scheduler_names {
	char job[JOB_NAME_MAX], cause[JOB_NAME_MAX], root[JOB_NAME_MAX], of[JOB_NAME_MAX];
};

struct scheduler {
	struct ring *ring;
	struct pool *pool;
	struct pool_owner pool_owner;
	struct scheduler_options options;
	struct bound requests;
	/* Jobs that became ready in this turn. */
	struct queue ready;
	/* Bounds with room again, and somebody waiting. */
	struct list freed;
	/* Graphs with jobs to be worked off. */
	struct list working;
	struct task task;
	/* When what was left over is gone on with; what was left of this turn's slice. */
	struct timer timer;
	uint64_t slice_turn_ns, slice_began_ns;
	uint32_t slice_left;
	/* In the middle of trying those that are ready. */
	bool is_trying;
	struct slab attempts;
	/* All graphs. */
	struct list graphs;
	uint32_t n_graphs;
	uint64_t next_order;
	size_t body_bytes;
	struct exchange_common exchanges;
	struct store_common stores;
	/* A request's, while it is put on a stream. */
	struct header_list request_headers;
	struct scheduler_counters counters;
	struct random random;
	struct scheduler_names names;
};

/* The ring and the pool are borrowed. */
void scheduler_init(struct scheduler *scheduler, struct ring *ring, struct pool *pool,
	const struct scheduler_options *options);

/* No graph may be left. */
void scheduler_deinit(struct scheduler *scheduler);

/* The job's dependencies allow it to run: it will be tried before this turn ends. */
void scheduler_ready(struct scheduler *scheduler, struct job *job);

/* As above of one that has begun: its turn is the one it had. */
void scheduler_go_on(struct scheduler *scheduler, struct job *job);

/* The job waits neither for its turn nor for a place any longer. */
void scheduler_forget(struct scheduler *scheduler, struct job *job);

/* True where jobs have had so much of this turn that the rest is put off to the next. */
bool scheduler_is_late(const struct scheduler *scheduler);

/* Something has room again (scheduler->freed): who waits is tried before this turn ends. */
void scheduler_kick(struct scheduler *scheduler);
