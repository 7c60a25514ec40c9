/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ring's own table of sockets: an operation on one of them needs no look-up in the process's
 * table, which a daemon with threads shares with them. A socket is made by socket(2), so that what
 * the process may make is still decided there, moved into a slot, and its descriptor closed.
 *
 * A slot is told from a descriptor by its number: it begins at SLOTS_BASE. Where the table is full
 * or absent a descriptor stays what it is. Used by ring.c alone.
 */

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

/* Above any descriptor (the kernel's own limit is 1 << 20 unless raised). */
#define SLOTS_BASE (1 << 28)

struct slots {
	/* The free ones, the one used last on top. */
	uint32_t *free;
	uint32_t n_free;
};

/* A table of `n`, all empty. 0 or -errno. */
int slots_init(struct slots *slots, struct io_uring *uring, uint32_t n);

void slots_deinit(struct slots *slots);

/* Moves the socket into the table: its new number; or `fd` itself, untouched. */
int slots_take(struct slots *slots, struct io_uring *uring, int fd);

/* The kernel has closed it. */
void slots_give(struct slots *slots, uint32_t slot);

static inline bool slots_has(int fd)
{
	return fd >= SLOTS_BASE;
}
