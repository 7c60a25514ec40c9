/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connected byte streams: two ends each, what one writes arrives at the other some time later,
 * in order. Ends live as long as the world.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_end;
struct sim_graph;

/* Descriptors that go with the bytes of a stream from one offset up to another. */
struct sim_pass {
	struct sim_pass *next;
	uint64_t from, to;
	struct sim_graph *graph;
	bool is_over;
};

/* Something arrived, or there is room again, or the other end is gone. May do nothing but look:
 * the end may be in the middle of a write or a take. */
typedef void (*sim_end_callback)(struct sim_end *end);

/* Bytes, first in first out. */
struct sim_bytes {
	char *data;
	size_t start, size, capacity;
};

struct sim_end {
	struct sim_end *peer;
	/* What has arrived and was not taken. */
	struct sim_bytes in;
	/* Bytes on their way to this end. */
	size_t on_the_way;
	/* How many bytes may be on their way or untaken. */
	size_t window;
	/* How long bytes take to get here, and when the last of them does. */
	uint64_t latency_ns, arrival_ns;
	/* Bytes ever written by this end, and ever taken at it. */
	uint64_t written, taken;
	/* What arrived here: the end of the stream, a reset, that the other end is closed. */
	bool end, reset, hangup;
	/* What was done here: said the last byte, closed. */
	bool shut, closed;
	/* What was passed to this end and is not all taken. */
	struct sim_pass *passes;
	sim_end_callback on_change;
	void *owner;
};

void sim_bytes_append(struct sim_bytes *bytes, const char *data, size_t size);
void sim_bytes_take(struct sim_bytes *bytes, size_t size);

/* Two ends joined; callbacks and owners are set by the caller. */
void sim_end_join(struct sim_end *a, struct sim_end *b, uint64_t latency_ns, size_t window);

/* How much may be written now. */
size_t sim_end_room(const struct sim_end *end);

/* Write, whatever the room. Nothing after a shut. */
void sim_end_write(struct sim_end *end, const char *data, size_t size);

/* Take `size` bytes of what has arrived. */
void sim_end_take(struct sim_end *end, size_t size);

/* Say that no more will be written. */
void sim_end_shut(struct sim_end *end);

/* Close: a reset where bytes were not taken (as TCP and Unix sockets do). Twice is once. */
void sim_end_close(struct sim_end *end);

/* Close with a reset. */
void sim_end_reset(struct sim_end *end);
