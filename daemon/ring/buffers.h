/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Receive buffers shared by all connections: the kernel takes one when data is there, we look at
 * it and put it back in the same turn. An idle connection so holds no buffer, and the ones in use
 * stay in the cache. Used by ring.c alone.
 */

#include <liburing.h>
#include <stdint.h>

struct buffers {
	/* NULL where the kernel has no such rings: then `memory` is one buffer, for receives made
	 * by ourselves when a poll says that data is there. */
	struct io_uring_buf_ring *entries;
	char *memory;
	unsigned n;
	unsigned size;
	uint16_t group;
};

/* `n` (a power of two) buffers of `size`, as group `group` of the ring. 0 or -errno. */
int buffers_init(
	struct buffers *buffers, struct io_uring *uring, unsigned n, unsigned size, uint16_t group);

/* One buffer, unknown to the kernel. 0 or -ENOMEM. */
int buffers_init_single(struct buffers *buffers, unsigned size);

/* The kernel's side must be gone already. */
void buffers_deinit(struct buffers *buffers);

/* The buffer a completion names. */
char *buffers_get(const struct buffers *buffers, uint32_t completion_flags);

/* It is empty again. */
void buffers_put(struct buffers *buffers, uint32_t completion_flags);
