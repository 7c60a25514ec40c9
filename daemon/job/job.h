/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One node of a graph at run time: a leaf, a group or a fan-out. Its memory is its scope's: a few
 * words for each of up to a million, everything a request needs being an attempt's, which only a
 * running leaf has.
 *
 *   WAITING (for dependencies) -> READY -> QUEUED (in a bound's queue) -> RUNNING -> SETTLED
 *                                   ^------------- BACKOFF <----------------'
 *
 * A redirect leads from RUNNING to READY again; and from there or from QUEUED to BACKOFF, where the
 * attempt's time is up meanwhile.
 *
 * A group or fan-out that is ready is RUNNING while its children are. From any state but the last
 * a job can settle. It does so once, in job_settle().
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/plan.h"
#include "proto/record.h"
#include "ring/timer.h"
#include "util/list.h"
#include "util/queue.h"

/* What becomes of a job, or of a group's children that have not settled. */
enum group_fate {
	GROUP_GOES_ON,
	/* `code` and `by` say why. */
	GROUP_CANCELLED,
	GROUP_SKIPPED,
	/* A dependency was rejected. */
	GROUP_DOOMED,
};

struct group_end {
	enum group_fate fate;
	/* Where cancelled: CANCELLED, or SHUTDOWN. */
	enum fault_code code;
	enum record_by by;
};

struct attempt;
struct bound;
struct graph;
struct group;
struct outcome;
struct scope;
struct trail;
struct trial;

enum job_state {
	JOB_WAITING,
	/* To be tried at the end of this turn. */
	JOB_READY,
	/* A bound has no room for it. */
	JOB_QUEUED,
	/* It has an attempt, alone or with others; or children. */
	JOB_RUNNING,
	/* Until its next attempt. */
	JOB_BACKOFF,
	JOB_SETTLED,
};

/* What is to become of a job at the end of this turn. */
enum job_due {
	JOB_DUE_NOTHING,
	/* One that waits for nothing any more: a group or fan-out, or with a condition. */
	JOB_DUE_BEGIN,
	/* A dependency was rejected: so is it. */
	JOB_DUE_DOOM,
	JOB_DUE_SKIP,
	/* There was no memory to find out. */
	JOB_DUE_LOSE,
	/* It has waited too long. */
	JOB_DUE_TIME,
	/* A group or fan-out whose children have all settled. */
	JOB_DUE_CLOSE,
};

#define JOB_NONE PLAN_NONE

struct job {
	/* Among the ready ones (`queue` NULL), or in a bound's queue. */
	struct queue_node queued;
	struct bound *queue;
	/* Among those that are due, or that share a flight. */
	struct list link;
	struct scope *scope;
	/* While running: its; or that of the job whose flight it shares. */
	struct attempt *attempt;
	/* Once settled, where others need it, until they have settled too. */
	struct outcome *outcome;
	/* What its attempts have come to; NULL before the first was followed by a backoff. */
	struct trial *trial;
	/* The redirects that its attempt has followed; NULL: none. */
	struct trail *trail;
	/* Of a group or fan-out; NULL: a leaf. */
	struct group *group;
	/* READY and QUEUED for the first time: queue_timeout; later, and following another one's
	 * attempt: job_waits_until(); BACKOFF: its end. */
	struct timer timer;
	/* When its last dependency settled; when it first had a place, or a flight to share. 0:
	 * not yet. */
	uint64_t ready_ns, slot_ns;
	/* Since when it competes for a place, and the order of coming to that, over all graphs;
	 * when it got this one, or a flight to share. */
	uint64_t turn_ns, order, held_ns;
	/* In plan->jobs. */
	uint32_t place;
	/* Dependencies that have not settled. */
	uint32_t n_waiting;
	/* The dependency that settled last, JOB_NONE without any: the critical path runs there. */
	uint32_t released_by;
	/* Where rejected: the first cause, itself or a dependency's root; and the direct one. */
	uint32_t root, cause;
	enum job_state state : 8;
	enum job_due due : 8;
	/* It has shared a flight, of which the peer may have had so much. */
	enum record_sent flown_sent : 8;
	bool has_flown;
	/* The group it is in has begun. */
	bool is_open;
	/* Of its dependencies one is. */
	bool has_fulfilled, has_rejected;
	bool is_rejected, is_skipped;
	/* Its body is a value of the document's, or made of its children's: JSON, whatever it looks
	 * like. */
	bool has_value;
	/* There was no memory for its body: who asks for it is told so. */
	bool is_lost;
	/* True exactly when a dependency's rejection has sealed its fate. */
	bool is_doomed;
};

void job_init(struct job *job, struct scope *scope, uint32_t place);

/* What it holds is given back. It has settled, or its scope never began. */
void job_deinit(struct job *job);

/* A record of this job, to be completed: its id, index, and the times known. The texts are good
 * until the next call for any job of the same scheduler. */
void job_record(const struct job *job, struct record *ret_record);

/* The job is settled: here and nowhere else. The record says how; `body` is the response's, and
 * becomes the client's where *body_memory (malloc'ed, its start) is taken and set to NULL;
 * body_memory is NULL where others need the body, too.
 * The job's attempt, if it had one, is no longer its own. A rejection that is no cancellation
 * becomes what the job's `fallback` says. */
void job_settle(struct job *job, struct record *record, struct text body, char **body_memory);

/* Nobody refers to it any more, if anybody did. */
void job_forget(struct job *job);

/* Settles a job that has no attempt of its own: rejected so; skipped; or rejected because its
 * dependency was. */
void job_reject(struct job *job, const struct fault *fault, enum record_by by);
void job_skip(struct job *job);
void job_doom(struct job *job);

/* Ends it so, wherever it is: a leaf at once, a group or fan-out after its children. Nothing
 * where it has settled. */
void job_end(struct job *job, struct group_end end);

/* How long one that has begun may be without an attempt of its own, be it that it competes for a
 * place again or that it follows another one's: as long as it has time itself, and behind a
 * redirect as long as its attempt has. TIMER_NEVER: there is no limit. */
uint64_t job_waits_until(const struct job *job);

/* One that has waited too long for a place, or whose own time is up, is rejected; one whose attempt
 * has no more time as well, unless it is tried again. It has no attempt of its own. */
void job_time_out(struct job *job);

/* Waits for its next attempt. It has no attempt. */
void job_back_off(struct job *job, uint64_t delay_ns);

/* Its attempt goes on elsewhere (job->trail): it competes for a place there. It has no attempt. */
void job_hop(struct job *job);

/* The group or fan-out it is in; that of the graph where it is in none. */
struct group *job_parent(const struct job *job);

/* How the nearest of what is around it is being ended; NULL: nothing of it is. */
const struct group_end *job_end_above(const struct job *job);

static inline bool job_is_ended(const struct job *job)
{
	return job_end_above(job) != NULL;
}

/* True where it is known what becomes of it in this turn, and why: not by itself. */
static inline bool job_is_sealed(const struct job *job)
{
	return job->due == JOB_DUE_DOOM || job->due == JOB_DUE_SKIP;
}

/* The earliest deadline of what is around it; TIMER_NEVER: none. */
uint64_t job_deadline_above(const struct job *job);

/* The first of the bounds around it that refuses it; NULL: none does. Not that of the daemon and
 * not that of its origin. `is_new`: it did not wait for any before. */
struct bound *job_refusing_bound(const struct job *job, bool is_new);
