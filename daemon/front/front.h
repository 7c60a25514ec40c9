/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all sessions share: who runs their graphs, the memory of their output, their limits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/outbox.h"
#include "front/passed.h"
#include "job/scheduler.h"
#include "ring/ring.h"
#include "util/buffer.h"
#include "util/list.h"

struct front;

struct front_options {
	uint32_t sessions_max;
	uint32_t jobs_max;
	/* Graphs of a session that are not done. */
	uint32_t graphs_max;
	/* Descriptors that clients have passed, of all sessions. */
	uint32_t passed_max;
	size_t line_max;
	/* A session's output: where its graphs start nothing more, and where they go on. */
	size_t out_high, out_low;
	/* Writes the status object. */
	void (*write_status)(void *context, struct buffer *out);
	void *context;
};

struct front {
	struct ring *ring;
	struct scheduler *scheduler;
	struct front_options options;
	struct list sessions;
	uint32_t n_sessions;
	uint64_t sessions_total;
	/* The number of the last graph, daemon-wide; the first is 1. */
	uint64_t graph_number;
	struct outbox_pool outbox_pool;
	struct passed_common passed;
	/* Messages are put together here. */
	struct buffer message;
	/* True exactly when no graph is taken on any more. */
	bool is_draining;
};

void front_init(struct front *front, struct ring *ring, struct scheduler *scheduler,
	const struct front_options *options);

/* No session may be left. */
void front_deinit(struct front *front);

/* Take on no more graphs; sessions without one are closed, the others when theirs are done. */
void front_drain(struct front *front);

/* End every graph as SHUTDOWN. */
void front_shut_down(struct front *front);
