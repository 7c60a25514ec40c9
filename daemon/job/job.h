/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One node of a graph at run time. Its memory is the graph's: a few words for each of up to a
 * million, everything a request needs being an attempt's, which only a running job has.
 *
 *   WAITING (for dependencies) -> READY -> QUEUED (in a bound's queue) -> RUNNING -> SETTLED
 *
 * From any state but the last a job can settle. It does so once, in job_settle().
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/plan.h"
#include "proto/record.h"
#include "ring/timer.h"
#include "util/list.h"

struct attempt;
struct graph;
struct outcome;

enum job_state {
	JOB_WAITING,
	/* To be tried at the end of this turn. */
	JOB_READY,
	/* A bound has no room for it. */
	JOB_QUEUED,
	/* It has an attempt. */
	JOB_RUNNING,
	JOB_SETTLED,
};

#define JOB_NONE UINT32_MAX

struct job {
	/* Among the ready ones, in a bound's queue, or among those to be rejected. */
	struct list link;
	struct graph *graph;
	/* While running: its. */
	struct attempt *attempt;
	/* Once settled, where others need it, until they have settled too. */
	struct outcome *outcome;
	/* Only armed where the job has a queue_timeout. */
	struct timer queue_timer;
	/* When its last dependency settled; 0 before. */
	uint64_t ready_ns;
	/* In the order of becoming ready, over all graphs. */
	uint64_t order;
	uint32_t index;
	/* Dependencies that have not settled. */
	uint32_t n_waiting;
	/* The dependency that settled last, JOB_NONE without any: the critical path runs there. */
	uint32_t released_by;
	/* Where rejected: the first cause, itself or a dependency's root; and the direct one. */
	uint32_t root, cause;
	enum job_state state : 8;
	bool is_rejected;
	/* True exactly when a dependency's rejection has sealed its fate. */
	bool is_doomed;
};

void job_init(struct job *job, struct graph *graph, uint32_t index);

/* A record of this job, to be completed: its id, index, and the times known. */
struct record job_record(const struct job *job);

/* The job is settled: here and nowhere else. The record says how; `body` is the response's, and
 * becomes the client's where *body_memory (malloc'ed, its start) is taken and set to NULL.
 * The job's attempt, if it had one, is no longer its own. */
void job_settle(struct job *job, const struct record *record, struct text body, char **body_memory);

/* Nobody refers to it any more, if anybody did. */
void job_forget(struct job *job);

/* Rejects a job that has no attempt. */
void job_reject(struct job *job, const struct fault *fault, enum record_by by);
