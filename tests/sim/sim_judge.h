/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The reference model: whether a record is true, and what follows from it. It goes through the
 * records in their order, and knows of the world what the origins know.
 *
 *   sim_judge.c   a record: what it is, and that its instance may settle so now
 *   sim_fate.c    when an instance begins, or why it never does
 *   sim_leaf.c    of a job that ran: its requests, responses, attempts and times
 *   sim_reason.c  whether the world did what a rejection says
 *   sim_group.c   what children decide, and what a group's record says
 *   sim_stream.c  bodies that come in pieces
 *   sim_done.c    the end of a graph: the summary, and what can only be seen then
 */

#include "sim_fill.h"
#include "sim_ring.h"
#include "util/clock.h"

/* How late a deadline may be: a slow turn, and the wheel's tick. */
#define SIM_LATE_US ((SIM_SLOW_TURN_NS + 2 * NS_PER_MS) / 1000)
/* Times are written in milliseconds with three digits behind the point. */
#define SIM_ROUNDING_US 2

/* What is cancelled is so in that turn. */
#define SIM_CANCEL_US SIM_ROUNDING_US

#define SIM_ATTEMPTS_MAX 8

/* One attempt, as a record has it. */
struct sim_attempt {
	enum fault_code code;
	uint16_t status;
	uint64_t start_us, queue_us, end_us, backoff_us;
};

/* A record, read. */
struct sim_record {
	struct sim_graph *graph;
	struct sim_instance *instance;
	yyjson_val *object, *value;
	/* Of a rejection, or what a fallback covers. */
	yyjson_val *reason, *response;
	/* Whose flight it shared, or NULL. */
	struct sim_instance *leader;
	struct text payload;
	bool is_rejected;
	enum fault_code code;
	enum sim_via via;
	enum sim_by by;
	uint64_t start_us, queue_us, end_us;
	struct sim_attempt attempts[SIM_ATTEMPTS_MAX];
	unsigned n_attempts;
	/* Of those, the first that is known in detail: all or none. */
	bool has_tries;
};

/* "" where it is not there. */
const char *sim_member(yyjson_val *object, const char *name);

static inline const char *sim_code_name(enum fault_code code)
{
	return code == FAULT_NONE ? "fulfilled" : fault_name(code);
}

/* Where nothing is to be expected of it: without memory, or because its client reads slowly. */
bool sim_is_hurried(const struct sim_graph *graph);

/* In the graph's time. */
static inline uint64_t sim_graph_us(const struct sim_graph *graph, uint64_t at_ns)
{
	uint64_t at_us = at_ns / 1000;

	return at_us > graph->accepted_us ? at_us - graph->accepted_us : 0;
}

/* The same moment, as far as it is written. */
static inline bool sim_is_at(uint64_t a_us, uint64_t b_us, uint64_t slack_us)
{
	return a_us + SIM_ROUNDING_US >= b_us && a_us <= b_us + slack_us + SIM_ROUNDING_US;
}

void sim_judge(struct sim_graph *graph, yyjson_val *object, struct text payload);

/* -- Streams (sim_stream.c) -------------------------------------------------------------------- */

/* A piece of a body. */
void sim_stream_judge(struct sim_graph *graph, yyjson_val *chunk, struct text payload);

/* All pieces together are the body, or the begin of it. */
void sim_stream_check(const struct sim_instance *leaf, const struct sim_try *try, bool is_complete);

/* -- Fates -------------------------------------------------------------------------------- */

enum sim_fate_kind {
	/* Something it needs has not settled. */
	SIM_WAITS,
	SIM_READY,
	/* What it needs was rejected. */
	SIM_DOOMED,
	SIM_SKIPS,
};

struct sim_fate {
	enum sim_fate_kind kind;
	uint64_t at_us, slack_us;
	/* Whose fate it is: the instance itself, or what it is in. */
	struct sim_instance *holder;
	/* SIM_DOOMED: the first dependency that was rejected, or with `any` the last. */
	const struct sim_instance *cause;
	/* Whose condition may have held or not, by what came first in one turn; NULL: nobody's. */
	struct sim_instance *open;
};

struct sim_fate sim_fate_of(struct sim_instance *instance);

/* What may have been known of the node's dependencies when it looked: with `needs: any` that is
 * not certain. The number of cases, from 1 on; each is what was hidden. */
unsigned sim_views(const struct sim_instance *instance, uint64_t until_us, unsigned hidden[64]);

/* The items of a fan-out whose turn it is; a code where it has none. */
enum fault_code sim_fate_expand(struct sim_instance *each);

/* -- Leaves, reasons, groups -------------------------------------------------------------- */

/* It ran, or was to. */
void sim_leaf_judge(struct sim_record *record);

/* It was taken down: what was sent for it was its own. */
void sim_leaf_take_down(const struct sim_record *record);

/* Nobody else makes its requests: its attempts are its own. */
bool sim_leaf_is_alone(const struct sim_instance *leaf);

/* Something bounds its requests, or may make them wait. */
bool sim_leaf_is_bounded(const struct sim_record *record);

/* How an attempt ended; `last` is the request that belongs to it, or NULL. */
bool sim_reason_is_fair(const struct sim_record *record, const struct sim_attempt *attempt,
	const struct sim_try *last);
bool sim_cancel_is_fair(const struct sim_record *record);

/* What the record says of what was sent; one of the job's requests, or NULL. */
void sim_reason_check_sent(const struct sim_record *record, const struct sim_try *any);

/* The instance has settled: its parent hears of it. */
void sim_group_tell(struct sim_instance *child);

/* A group's or a fan-out's record that says how its children decided it. */
void sim_group_judge(const struct sim_record *record);

/* The errors of an ALL_REJECTED. */
void sim_group_check_errors(const struct sim_instance *group, yyjson_val *reason);

/* True where the client wanted it cancelled by then, itself or what it is in. */
bool sim_cancel_covers(const struct sim_instance *instance, uint64_t end_us);

/* The summary. */
void sim_done_judge(struct sim_graph *graph, yyjson_val *done);
