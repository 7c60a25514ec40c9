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

#include "job/group.h"
#include "job/known.h"
#include "job/scope.h"
#include "proto/plan.h"
#include "proto/record.h"
#include "ring/task.h"
#include "ring/timer.h"
#include "util/table.h"

struct descriptors;
struct graph;
struct scheduler;

/* What a graph tells its session. Upcalls. */
struct graph_events {
	/* A job has settled. The body as of job_settle(). Must not end the graph. */
	void (*on_settled)(struct graph *graph, const struct record *record, struct text body,
		char **body_memory);
	/* The next piece of a response's body, of a job whose output is a stream: `offset` bytes
	 * came before it. 0 again: the job has begun anew. Who takes pieces more slowly than they
	 * come pauses the graph. Must not end the graph. */
	void (*on_chunk)(
		struct graph *graph, struct text job, uint64_t offset, struct text data);
	/* The outcome is known before all jobs have settled. Must not end the graph. */
	void (*on_decided)(struct graph *graph, const struct record_summary *summary);
	/* The last word. The graph is to be freed. */
	void (*on_done)(struct graph *graph, const struct record_summary *summary);
};

/* Embedded in who has the graph. */
struct graph_owner {
	const struct graph_events *events;
};

struct graph {
	struct graph_owner *owner;
	/* What came with it; owned; NULL: none. */
	struct descriptors *descriptors;
	struct scheduler *scheduler;
	struct plan *plan;
	/* In the scheduler's list of graphs. */
	struct list link;
	/* Its jobs, but for those inside fan-outs; and how they are decided. */
	struct scope *root;
	struct group group;
	/* Items of all fan-outs that have begun. */
	uint64_t n_items;
	/* Scopes inside it, and those of which no job has had its turn. */
	uint32_t n_scopes, n_fresh;
	/* In the order of their acceptance. */
	uint64_t number;
	/* Where it sent its last request. */
	struct known known;
	/* Requests on the wire that may be shared, by URL. */
	struct table flights;
	/* Attempts of this graph: also those whose job has settled. */
	struct list attempts;
	uint32_t n_attempts;
	/* Leaves that are known of, and those that have settled. */
	uint32_t n_leaves, n_settled, n_fulfilled, n_rejected, n_skipped;
	uint64_t accepted_ns;
	/* What jobs took, without their waits. */
	uint64_t sum_ns;
	uid_t uid;
	/* To be worked off at the end of the turn, a slice at a time: jobs that are due, sweeps,
	 * fan-outs with children to make, scopes to be freed. */
	struct list due, sweeps, makers, spent;
	/* Fan-outs that could have children to make, but for the limits of the graph. */
	struct list starved;
	/* Among the graphs that have some of it; and when the next slice is. */
	struct list work_link;
	struct timer work_timer;
	struct task finish_task;
	/* Its reader is slow: nothing is started, and nothing is settled but what is on the wire.
	 */
	bool is_paused;
	/* True exactly when on_done was called. */
	bool is_done;
};

/* Takes the plan and starts: jobs without dependencies are ready. 0; or -ENOMEM, and the plan
 * stays. No upcall comes before this returns. */
int graph_new(struct scheduler *scheduler, struct plan **planp, uid_t uid,
	struct graph_owner *owner, struct graph **ret_graph);

/* The descriptors that came with its document, before this turn ends: it takes them. */
void graph_take_descriptors(struct graph *graph, struct descriptors *descriptors);

/* Done, or never started. Takes NULL, returns NULL. */
struct graph *graph_free(struct graph *graph);

/* End it: what waits is never sent, what is in flight is aborted on the wire, every job that has
 * not settled is rejected CANCELLED (or SHUTDOWN). The first end counts. */
void graph_cancel(struct graph *graph, enum record_by by);

/* The same for one job, with all that is in it: "posts", or "posts[3]". False: there is none. One
 * that has settled stays as it is. */
bool graph_cancel_job(struct graph *graph, struct text name);

/* Start nothing more while true: its reader is slow. */
void graph_pause(struct graph *graph, bool paused);

/* For the job layer alone. */

/* The group the job is in has begun. */
void graph_open(struct job *job);

/* A fan-out's child was made. */
void graph_start_scope(struct scope *scope);

/* The job is to be settled so before the turn ends. */
void graph_due(struct job *job, enum job_due due);

/* There is something to work off. */
void graph_kick(struct graph *graph);

/* Works off up to `n` jobs, a slice at most. Returns how many are left of `n`. */
uint32_t graph_work(struct graph *graph, uint32_t n);

/* A job has settled: its dependents and its group hear of it. */
void graph_on_settled(struct graph *graph, struct job *job, const struct record *record);

/* It ends before all its jobs have settled. */
void graph_on_ended(struct graph *graph);

/* What is on the wire below that group is aborted at once. */
void graph_abort_below(struct group *group);

/* An attempt has begun, or is gone from the wire. */
void graph_on_attempt(struct graph *graph, struct list *link);
void graph_on_attempt_gone(struct graph *graph, struct list *link);

/* True where nothing of it may be sent any more. */
static inline bool graph_is_ended(const struct graph *graph)
{
	return group_is_ended(&graph->group);
}

static inline struct graph *job_graph(const struct job *job)
{
	return job->scope->graph;
}

static inline const struct plan_job *job_plan(const struct job *job)
{
	return &job->scope->graph->plan->jobs[job->place];
}
