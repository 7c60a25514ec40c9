/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request's body that is read from a descriptor, a piece at a time, and not a piece ahead:
 * who sends it asks for the next one when the one before has gone.
 *
 *   CLOSED -> OPEN <-> READING -> CLOSED
 *
 * A regular file or memfd is read from where its descriptor stands, to its end, and can be read
 * again; a pipe until it ends, once. What else there is (sockets, terminals, directories) is
 * refused.
 */

#include <stdbool.h>
#include <stdint.h>

#include "job/descriptor.h"
#include "proto/fault.h"
#include "ring/ring.h"
#include "util/text.h"

/* The length of a pipe's. */
#define SOURCE_LENGTH_OPEN UINT64_MAX

struct source;

/* Upcalls, never from within a call of source_next() or source_close(). */
struct source_events {
	/* The next bytes, good until source_next() or source_close(); the last piece may be empty,
	 * the others are not. Of a regular file as many in all as its length was. */
	void (*on_piece)(struct source *source, struct text piece, bool is_last);
	/* BODY_SOURCE: it cannot be read, or it is shorter than it was. */
	void (*on_fault)(struct source *source, const struct fault *fault);
	/* Nothing of it is in flight any more, after a source_close() that said false. */
	void (*on_closed)(struct source *source);
};

struct source {
	const struct source_events *events;
	struct ring *ring;
	struct op op;
	struct descriptor *descriptor;
	/* The piece; owned while open. And the largest there can be. */
	char *memory;
	size_t room;
	/* Where the next piece begins; how much there is in all, and how much is left. Of a pipe
	 * RING_HERE and SOURCE_LENGTH_OPEN. */
	uint64_t offset, length, left;
	bool is_open, is_closing;
	/* True exactly when no more pieces come. */
	bool has_ended;
};

/* `events` is borrowed. Allocates nothing. */
void source_init(struct source *source, const struct source_events *events);

/* Looks at what it is: false and BODY_SOURCE, or OVERLOADED. The descriptor must stay until it is
 * closed, and a pipe be opened by nobody else meanwhile. */
bool source_open(struct source *source, struct ring *ring, struct descriptor *descriptor,
	struct fault *ret_fault);

/* Of an open one: how many bytes there are in all, or SOURCE_LENGTH_OPEN. */
uint64_t source_length(const struct source *source);

/* Of an open one. False: what was read of it cannot be read again. A read in flight may still make
 * that so. */
bool source_can_rewind(const struct source *source);

/* Asks for the next piece: open, none asked for, and the last one not given. */
void source_next(struct source *source);

/* True: it is closed, at once. False: on_closed comes. Also of one that is closed. */
bool source_close(struct source *source);
