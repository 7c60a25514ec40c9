/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The descriptors that go with a graph, in the order in which its document counts them.
 */

#include <stdint.h>

#include "client/settle.h"

struct passed {
	int fds[SETTLE_FDS_MAX];
	uint32_t n;
	/* A bit for each that is borrowed. */
	uint64_t borrowed[(SETTLE_FDS_MAX + 63) / 64];
};

/* Takes the descriptor; *ret_index is its number. 0; EXIT_USAGE: there are too many, which was
 * said, and it is closed. */
int passed_take(struct passed *passed, int fd, uint32_t *ret_index);

/* The same, the descriptor stays the caller's. */
int passed_borrow(struct passed *passed, int fd, uint32_t *ret_index);

/* What is to be read by the daemon: the file at `path`, or standard input where that is NULL; by
 * way of a pump where it is neither a file nor a pipe. 0; EXIT_LOCAL_IO or EXIT_USAGE, which was
 * said. */
int passed_read(struct passed *passed, const char *path, uint32_t *ret_index);

/* Closes those it took. */
void passed_close(struct passed *passed);

/* Passes all with the graph that is submitted next. 0 or -errno. */
int passed_hand_over(const struct passed *passed, struct settle *settle);
