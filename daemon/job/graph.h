/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A plan at run time: which jobs still wait for what, when the graph's outcome is decided, and
 * when it is done, which is when every job has settled and nothing of it is left on the wire.
 *
 * Owned by the session that submitted it, which frees it in on_done and nowhere else; a session
 * that goes first cancels, and waits for on_done.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/job.h"
#include "job/known.h"
#include "proto/plan.h"
#include "proto/record.h"
#include "ring/task.h"
#include "ring/timer.h"
#include "util/bound.h"

struct graph;
struct scheduler;

/* What a graph tells its session. Upcalls. */
struct graph_events {
	/* A job has settled. The body as of job_settle(). Must not end the graph. */
	void (*on_settled)(struct graph *graph, const struct record *record, struct text body,
		char **body_memory);
	/* The outcome is known before all jobs have settled. Must not end the graph. */
	void (*on_decided)(struct graph *graph, const struct record_summary *summary);
	/* The last word. The graph is to be freed. */
	void (*on_done)(struct graph *graph, const struct record_summary *summary);
};

/* Why a graph ends before its jobs do. */
struct graph_end {
	/* RECORD_BY_NONE: it runs to its end. */
	enum record_by by;
	/* CANCELLED, or SHUTDOWN. */
	enum fault_code code;
};

/* Embedded in who has the graph. */
struct graph_owner {
	const struct graph_events *events;
};

struct graph {
	struct graph_owner *owner;
	struct scheduler *scheduler;
	struct plan *plan;
	/* In the scheduler's list of graphs. */
	struct list link;
	struct job *jobs;
	/* Where it sent its last request. */
	struct known known;
	/* The graph's concurrency. */
	struct bound requests;
	/* Attempts of this graph: also those whose job has settled. */
	struct list attempts;
	uint32_t n_attempts;
	uint32_t n_settled, n_fulfilled, n_rejected, n_skipped;
	uint64_t accepted_ns;
	/* What jobs took, without their waits. */
	uint64_t sum_ns;
	uid_t uid;
	/* True exactly when the outcome is rejected; why, and by which job (JOB_NONE: none). */
	bool is_decided, is_rejected;
	struct fault reason;
	uint32_t reason_job;
	struct graph_end end;
	/* Where a cancelled graph's settling has come to, a slice a tick. */
	uint32_t sweep_next;
	struct timer sweep_timer, deadline_timer;
	/* When the next slice of doomed jobs is settled. */
	struct timer doom_timer;
	/* Jobs whose dependency was rejected, to be settled before the turn ends. */
	struct list doomed;
	struct task doom_task, finish_task;
	/* The job settled last. */
	uint32_t last_settled;
	/* True exactly when on_done was called. */
	bool is_done;
};

/* Takes the plan and starts: jobs without dependencies are ready. 0; or -ENOMEM, and the plan
 * stays. No upcall comes before this returns. */
int graph_new(struct scheduler *scheduler, struct plan **planp, uid_t uid,
	struct graph_owner *owner, struct graph **ret_graph);

/* Done, or never started. Takes NULL, returns NULL. */
struct graph *graph_free(struct graph *graph);

/* End it: what waits is never sent, what is in flight is aborted on the wire, every job that has
 * not settled is rejected CANCELLED (or SHUTDOWN). The first end counts. */
void graph_cancel(struct graph *graph, enum record_by by);

/* The same for one job. False: no such job. One that has settled stays as it is. */
bool graph_cancel_job(struct graph *graph, struct text id);

/* Start nothing more while true: its reader is slow. */
void graph_pause(struct graph *graph, bool paused);

/* For the job layer alone. */

/* A job that waited for nothing any more is ready. */
void graph_release(struct graph *graph, struct job *job);

/* A job has settled: its dependents and the mode hear of it. */
void graph_on_settled(struct graph *graph, struct job *job);

/* An attempt has begun, or is gone from the wire. */
void graph_on_attempt(struct graph *graph, struct list *link);
void graph_on_attempt_gone(struct graph *graph, struct list *link);

/* True where nothing of it may be sent any more. */
static inline bool graph_is_ended(const struct graph *graph)
{
	return graph->end.by != RECORD_BY_NONE;
}

static inline const struct plan_job *job_plan(const struct job *job)
{
	return &job->graph->plan->jobs[job->index];
}
