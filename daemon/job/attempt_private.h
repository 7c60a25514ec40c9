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

static inline const struct plan_spec *attempt_spec(const struct attempt *attempt)
{
	return job_plan(attempt->job)->spec;
}

/* True where the request is on a stream of a shared connection. */
static inline bool attempt_is_shared(const struct attempt *attempt)
{
	return attempt->mux_user.mux;
}

/* The connection that it has, shares or awaits; NULL: none. */
const struct conn *attempt_conn(const struct attempt *attempt);

/* attempt.c */

extern const struct conn_events attempt_conn_events;
void attempt_on_timer(struct timer *timer);
void attempt_on_go_on(struct task *task);

/* Asks for a connection. */
void attempt_lease(struct attempt *attempt);

/* A limit may now be nearer than the timer stands. */
void attempt_watch(struct attempt *attempt);

/* The request is about to go out. */
void attempt_begin(struct attempt *attempt);

/* All of it has. */
void attempt_note_sent(struct attempt *attempt);

/* A byte of the response has come. */
void attempt_note_received(struct attempt *attempt);

/* What came of bytes that came. */
void attempt_heed(struct attempt *attempt, enum exchange_result result);

/* It failed: it is rejected, unless the same may be said again on another connection. */
void attempt_fail(struct attempt *attempt, const struct fault *fault);

/* The same is said again, on another connection. */
void attempt_replay(struct attempt *attempt);

/* attempt_stream.c */

extern const struct mux_events attempt_mux_events;
extern const struct h2_stream_events attempt_stream_events;

/* The request, on a stream of that connection. */
void attempt_open_stream(struct attempt *attempt, struct mux *mux);

/* What was held of the body has been taken. */
void attempt_consume(struct attempt *attempt);

/* attempt_upload.c */

extern const struct source_events attempt_source_events;

/* True where the job's next request has a body that comes from a descriptor. */
bool attempt_has_source(const struct job *job);

/* Opens the request's body where that is a descriptor's: a pipe is its own from then on. False: the
 * fault. */
bool attempt_open_source(struct attempt *attempt, struct fault *ret_fault);

/* HTTP/1: what was being sent has gone. */
void attempt_send_more(struct attempt *attempt);

/* HTTP/2: at most `size` bytes of the next piece. */
enum h2_pull attempt_pull(struct attempt *attempt, size_t size, struct text *ret_piece);

/* attempt_sink.c */

extern const struct exchange_events attempt_exchange_events;
extern const struct store_events attempt_store_events;

/* The response has come whole: it is settled by it, at once or when its file is written. */
void attempt_complete(struct attempt *attempt);

/* attempt_retry.c */

/* What came of it. */
struct attempt_result {
	/* NULL: fulfilled. */
	const struct fault *fault;
	bool retryable;
	bool show_response;
	enum record_by by;
};

/* True where the job goes into its backoff. */
bool attempt_try_again(struct attempt *attempt, struct job *job,
	const struct attempt_result *result, enum record_stopped *ret_stopped);

/* Into the job's trial; false: no memory for the first one. */
bool attempt_note_try(
	const struct attempt *attempt, struct job *job, const struct attempt_result *result);

/* What it took the job, who may have joined late. */
void attempt_count(struct attempt *attempt, const struct job *job);

/* An origin that asks for it is left alone for a while, by all graphs of its user. */
void attempt_pause_origin(struct attempt *attempt);

/* attempt_end.c */

/* The job settles by that, or is tried again. `leader`: whose flight it was, if not its own.
 * `body_memory` may be NULL. */
void attempt_settle_job(struct attempt *attempt, struct job *job, const char *leader,
	const struct attempt_result *result, char **body_memory);

/* True where a response of that status fulfils the job. */
bool attempt_status_is_ok(const struct plan_spec *spec, uint16_t status);

/* Nothing of it is on the wire: its places are free. */
void attempt_release(struct attempt *attempt);

/* One of those that it waited for in JOIN has ended. */
void attempt_joined(struct attempt *attempt);

/* Memory beyond what an ordinary request takes goes back. */
void attempt_forget_texts(struct attempt *attempt);

/* It failed, for all who share it. */
void attempt_reject(struct attempt *attempt, const struct fault *fault);

/* Its job's own time is up, or that of its job's redirects: who follows it goes on. */
void attempt_time_out(struct attempt *attempt, const struct fault *fault);

/* The response is complete. */
void attempt_on_response(struct attempt *attempt);
