/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A response's body that goes into a file: the descriptor of a client, which it opened itself.
 * Bytes are copied and written behind each other, one write in flight at a time, so that no disk
 * holds the loop.
 *
 *   CLOSED -> OPEN -> FINISHING -> (on_finished) OPEN -> CLOSED
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job/descriptor.h"
#include "proto/fault.h"
#include "ring/ring.h"

struct store;

/* Upcalls, never from within a call of store_take(), store_finish() or store_close(). */
struct store_events {
	/* It was full, and is not any more. */
	void (*on_room)(struct store *store);
	/* All that it took is written, and the file is as long as that. */
	void (*on_finished)(struct store *store);
	/* SINK_FULL (no room, quota, too large a file), or SINK_WRITE. Once; then it is closed by
	 * its user. */
	void (*on_fault)(struct store *store, const struct fault *fault);
	/* Nothing of it is in flight any more, after a store_close() that said false. */
	void (*on_closed)(struct store *store);
};

/* What all stores of a scheduler share. */
struct store_common {
	struct ring *ring;
	/* What all bodies in memory come to, and may come to. */
	size_t *held_bytes;
	size_t held_bytes_max;
};

struct store {
	const struct store_events *events;
	struct store_common *common;
	struct op op;
	struct descriptor *descriptor;
	/* What is being written, and what comes next; owned while open. Their capacities are among
	 * the held bytes. */
	char *memory[2];
	size_t sizes[2], capacities[2];
	/* Which of them is in flight or next to be, and how much of it is written. */
	uint32_t front;
	size_t written;
	/* Where the next write goes in the file; where the file began to be ours; and where it
	 * ended when it was opened. */
	uint64_t offset, start, end;
	/* Where there was nothing left to write when it was to finish. */
	struct task task;
	bool is_open, is_closing, is_finishing, was_full, has_failed;
};

/* The ring and `held_bytes` are borrowed. */
void store_common_init(
	struct store_common *common, struct ring *ring, size_t *held_bytes, size_t held_bytes_max);

/* `events` is borrowed. Allocates nothing. */
void store_init(struct store *store, const struct store_events *events);

/* Looks at what it is: a regular file, open for writing without O_APPEND; written from `offset`
 * bytes behind where its descriptor stands (0, or store_written() of an earlier attempt). False and
 * SINK_WRITE. The descriptor must stay until it is closed; `common` is borrowed. */
bool store_open(struct store *store, struct store_common *common, struct descriptor *descriptor,
	uint64_t offset, struct fault *ret_fault);

/* Takes all of it, however full it is: `size` bytes are copied. False: no memory, or it is full and
 * bodies have as much as they may. */
bool store_take(struct store *store, const char *data, size_t size);

/* True where it would rather have no more for now: on_room comes. */
bool store_is_full(const struct store *store);

/* How much is in the file for sure, from where the descriptor stands; also when it is closed, until
 * it is opened again. */
uint64_t store_written(const struct store *store);

/* No more comes: on_finished or on_fault follows. */
void store_finish(struct store *store);

/* True: it is closed, at once. False: on_closed comes. Also of one that is closed. What it took
 * and has not written is lost. */
bool store_close(struct store *store);
