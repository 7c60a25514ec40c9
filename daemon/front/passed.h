/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Descriptors that a client has passed, until the line that they came with is read: then they are
 * taken, or closed.
 *
 * Which line that is: the kernel ends a receive behind the send that passed descriptors (unix(7)),
 * so their place in the stream is that of the last byte they came with, wherever their send began.
 */

#include <stdbool.h>
#include <stdint.h>

#include "job/descriptor.h"

struct ring;

/* Of a session. All zero: none. */
struct passed {
	/* Those that wait, in order; owned; NULL where there are none. */
	struct passed_fd *all;
	uint32_t n;
	/* How many of them came with the line being read, from the first on. */
	uint32_t n_line;
	/* Behind the last byte that should have brought more than it did; 0: none. */
	uint64_t lost_at;
	/* True exactly when the line being read should have. */
	bool line_lost;
};

/* Takes what came with a piece of the stream that ends at `end`; `lost`: not all did. False: there
 * are more than PLAN_FDS_MAX, or no memory, and these are closed. */
bool passed_add(struct passed *passed, struct ring *ring, const int *fds, uint32_t n, uint64_t end);
void passed_lose(struct passed *passed, uint64_t end);

/* No line will have these: they are closed. */
void passed_refuse(struct ring *ring, const int *fds, uint32_t n);

/* The next line is read, which begins at `begin` and ends at `end`; what came before it, with empty
 * lines, is closed. */
void passed_begin_line(struct passed *passed, struct ring *ring, uint64_t begin, uint64_t end);

/* Those that came with it, n_line of them, are the caller's. NULL: there are none, or no memory,
 * and they are closed. */
struct descriptors *passed_take(struct passed *passed, struct ring *ring);

/* The line was read: those that nobody took are closed. */
void passed_end_line(struct passed *passed, struct ring *ring);

/* No line is read any more: all are closed. */
void passed_close(struct passed *passed, struct ring *ring);
