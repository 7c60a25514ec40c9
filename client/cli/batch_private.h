/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of a batch have in common: client/cli/batch.c has the loop, batch_graph.c the
 * graphs that lines become, batch_record.c the records that come of them.
 */

#include "client/cli/batch.h"
#include "client/cli/batch_chunk.h"
#include "client/cli/intake.h"
#include "client/cli/order.h"
#include "client/cli/watch.h"

/* Graphs that are not done: the daemon bounds them for a session, and each is looked for. */
#define BATCH_GRAPHS_MAX 512

enum batch_ending {
	BATCH_GOING,
	BATCH_DONE,
	/* The connection broke: `error`. */
	BATCH_LOST,
	/* Nobody wants the output any more, or it cannot be written. */
	BATCH_SINK,
	/* A second signal. */
	BATCH_QUIT,
};

struct batch {
	const struct batch_options *options;
	enum batch_ending ending;
	struct intake intake;
	/* Lines that are to be submitted; NULL: none. */
	struct batch_chunk *pending;
	/* In the order of submission. */
	struct batch_chunk *chunks[BATCH_GRAPHS_MAX];
	uint32_t n_chunks;
	/* Jobs submitted that have not settled. */
	uint32_t n_outstanding;
	/* Requests that may be on the wire now: the sum of the chunks' shares. */
	uint32_t n_wire;
	/* Since when, of a window of records, how many came; whether the last one came quickly. */
	uint64_t lap_ns;
	uint32_t n_lap;
	bool is_fast;
	/* The next line's turn. */
	uint64_t next_turn;
	struct order order;
	/* Of lines: done before, and refused. */
	uint64_t n_resumed, n_refused;
	uint64_t start_ns;
	struct watch watch;
	/* Records since the last wait. */
	uint32_t burst;
	/* Documents and records are put together here. */
	struct buffer document, rewritten, name;
	/* EXIT_FULFILLED, or why nothing more is submitted. */
	int status;
	/* True exactly when nothing came for as long as pending lines may wait for more. */
	bool is_due;
	/* True exactly while no more lines are asked for: the end, a signal, or `status`. */
	bool is_closed;
	bool cancel_sent;
	/* -errno of the connection. */
	int error;
	/* -errno of a file of the user's; 0: none. */
	int local_error;
};

/* Lines that are waiting and may be submitted. 0; or the exit status, which was said. */
void batch_graph_submit(struct batch *batch);

/* The daemon's word about a graph. */
void batch_graph_take_accepted(struct batch *batch, uint64_t graph);
void batch_graph_take_refused(struct batch *batch, uint64_t graph, struct text json);
void batch_graph_take_done(struct batch *batch, uint64_t graph);

/* The graph of that number, or NULL. */
struct batch_chunk *batch_graph_find(const struct batch *batch, uint64_t graph);

void batch_graph_cancel(struct batch *batch);

/* A job has settled. */
void batch_record_take(struct batch *batch, const struct settle_event *event);

/* A line that was refused has no record: its turn is over. */
void batch_record_pass(struct batch *batch, uint64_t turn);

/* At the end, whoever's turn it is. */
void batch_record_flush(struct batch *batch);

/* A line that was refused, here or by the daemon; views that live for the call. */
struct batch_refusal {
	/* From 0 on. */
	uint64_t line;
	struct text code, message;
	/* The line itself; empty: it was not kept. */
	struct text text;
};

/* Said, counted, and in the log. */
void batch_refuse_line(struct batch *batch, const struct batch_refusal *refusal);
