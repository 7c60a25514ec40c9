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

/* What all sessions share. A process has a bound of descriptors, and whatever clients pass,
 * connections must have theirs. */
struct passed_common {
	struct ring *ring;
	/* Those that were passed and are not closed, waiting or a graph's; and how many there may
	 * be. */
	uint32_t n, n_max;
};

/* Of a session. All zero: none. */
struct passed {
	/* Those that wait, in order; owned; NULL where there are none. */
	struct passed_fd *all;
	uint32_t n;
	/* How many of them came with the line being read, from the first on. */
	uint32_t n_line;
	/* Behind the first and the last byte of those that should have brought more than they did;
	 * 0: none. All but the last are of the line that has begun. */
	uint64_t lost_first, lost_last;
	/* True exactly when the line being read should have. */
	bool line_lost;
};

/* The ring is borrowed. */
void passed_common_init(struct passed_common *common, struct ring *ring, uint32_t n_max);

/* Takes what came with a piece of the stream that ends at `end`. Those beyond common->n_max are
 * closed, and lost. False: a session has more than PLAN_FDS_MAX, or there is no memory, and these
 * are closed. */
bool passed_add(struct passed *passed, struct passed_common *common, const int *fds, uint32_t n,
	uint64_t end);

/* Not all came that should have come with that piece. */
void passed_lose(struct passed *passed, uint64_t end);

/* No line will have these, which were not added: they are closed. */
void passed_refuse(struct passed_common *common, const int *fds, uint32_t n);

/* The next line is read, which begins at `begin` and ends at `end`; what came before it, with empty
 * lines, is closed. */
void passed_begin_line(
	struct passed *passed, struct passed_common *common, uint64_t begin, uint64_t end);

/* Those that came with it, n_line of them, are the caller's, who says when they are closed. NULL:
 * there are none, or no memory, and they are closed. */
struct descriptors *passed_take(struct passed *passed, struct passed_common *common);

/* So many of those that were taken are closed. */
void passed_on_closed(struct passed_common *common, uint32_t n);

/* The line was read: those that nobody took are closed. */
void passed_end_line(struct passed *passed, struct passed_common *common);

/* No line is read any more: all are closed. */
void passed_close(struct passed *passed, struct passed_common *common);
