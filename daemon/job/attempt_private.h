/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of attempt share, and nobody else.
 */

#include "job/attempt.h"
#include "job/graph.h"
#include "job/scheduler.h"
#include "util/panic.h"

static inline uint64_t attempt_now(const struct attempt *attempt)
{
	return ring_now(attempt->scheduler->ring);
}

static inline void attempt_enter(struct attempt *attempt, enum attempt_state state)
{
	expect(attempt->state != ATTEMPT_JOIN);
	attempt->state = state;
}

/* attempt.c */

extern const struct conn_events attempt_conn_events;
void attempt_on_timer(struct timer *timer);

/* Asks for a connection. */
void attempt_lease(struct attempt *attempt);

/* A limit may now be nearer than the timer stands. */
void attempt_watch(struct attempt *attempt);

/* attempt_end.c */

/* Nothing of it is on the wire: its places are free. */
void attempt_release(struct attempt *attempt);

/* Memory beyond what an ordinary request takes goes back. */
void attempt_forget_texts(struct attempt *attempt);

/* It failed, for all who share it. */
void attempt_reject(struct attempt *attempt, const struct fault *fault);

/* Its job's own time is up: who follows it goes on. */
void attempt_time_out(struct attempt *attempt, const struct fault *fault);

/* The response is complete. */
void attempt_on_response(struct attempt *attempt);
