/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How several jobs are decided as one: the graph as a whole, a group, or a fan-out, by its mode.
 * Once it is decided early, what is left is ended. It settles (a graph: is done) when all its
 * children have, which is at once then, but for thousands of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "job/each.h"
#include "job/job.h"
#include "job/sweep.h"
#include "proto/fault.h"
#include "proto/plan.h"
#include "proto/record.h"
#include "ring/timer.h"
#include "util/bound.h"

struct graph;

/* A rejection of mode `any`. */
struct group_error {
	/* Its place among the children. */
	uint32_t order;
	enum fault_code code;
	/* malloc'ed: the job's name, and behind it the message. */
	char *text;
	uint32_t name_size, message_size;
};

/* Errors kept: a group may have a million children. */
#define GROUP_ERRORS_MAX 10000

struct group {
	struct graph *graph;
	/* NULL: the graph's own. */
	struct job *job;
	enum plan_mode mode;
	/* Requests of it on the wire. */
	struct bound requests;
	/* Its timeout. */
	struct timer timer;
	struct sweep sweep;
	/* Children that have not settled; of a fan-out, those that were made. */
	uint32_t n_open;
	/* Leaves below it that have settled. */
	uint32_t n_leaves, n_fulfilled, n_rejected;
	struct group_end end;
	/* Its outcome is known. */
	bool is_decided, is_rejected;
	struct fault reason;
	/* The child that decided it, the winner or the first rejected one: its place, of a fan-out
	 * its item; JOB_NONE: none. */
	uint32_t decider;
	/* The first cause of its rejection where that is inside a fan-out: malloc'ed. */
	char *root_name;
	/* The child that settled last. */
	uint32_t last;
	struct group_error *errors;
	uint32_t n_errors, errors_room;
	struct each each;
};

void group_init(struct group *group, struct graph *graph, struct job *job, enum plan_mode mode,
	uint32_t concurrency);
void group_deinit(struct group *group);

/* Of a job that is a group or a fan-out. NULL: no memory. */
struct group *group_new(struct graph *graph, struct job *job);
struct group *group_free(struct group *group);

/* Its dependencies have settled: the children may begin. */
void group_begin(struct group *group);

/* A child has settled; the record says how. */
void group_on_child(struct group *group, struct job *child, const struct record *record);

/* Its job is due where all its children have settled. */
void group_check(struct group *group);

/* Settles its job: all its children have settled. */
void group_close(struct group *group);

/* Decides it, if it is not. */
void group_decide(struct group *group, bool is_rejected, enum fault_code code, uint32_t decider);

/* What has not settled of it ends so; its own job settles after that. The first time counts. */
void group_end(struct group *group, struct group_end end);

/* As above, for one inside of what ends: its children are swept with those around it. */
void group_join_end(struct group *group, struct group_end end);

/* The decider's name, into JOB_NAME_MAX bytes; data == NULL: there is none. */
struct text group_decider_name(const struct group *group, char *memory);

/* The errors of ALL_REJECTED in input order, to be freed; NULL: none, or no memory. Views. */
struct record_error *group_errors(const struct group *group, uint32_t *ret_n);

/* True where the job is below it, however deep. */
bool group_is_above(const struct group *group, const struct job *job);

static inline bool group_is_ended(const struct group *group)
{
	return group->end.fate != GROUP_GOES_ON;
}
