/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The descriptors that a client passed with a graph: the graph's, until it is freed. What they are
 * is found out when a job needs one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/bound.h"

struct ring;

struct descriptor {
	int fd;
	/* A pipe that something was read of: it can be read once only. */
	bool is_spent;
	/* Attempts that write it, and attempts that read it where it is a pipe: one at a time,
	 * until nothing of it is in flight any more. */
	struct bound writers, readers;
};

struct descriptors {
	uint32_t n;
	struct descriptor all[];
};

/* Takes `n` descriptors (also where it fails). NULL: no memory, or n is 0. */
struct descriptors *descriptors_new(struct ring *ring, const int *fds, uint32_t n);

/* How many there are. Takes NULL. */
static inline uint32_t descriptors_count(const struct descriptors *descriptors)
{
	return descriptors ? descriptors->n : 0;
}

/* That number of them; NULL: there is none. Takes NULL. */
struct descriptor *descriptors_find(struct descriptors *descriptors, uint32_t n);

/* Something was read of a pipe: who waits to read it need wait no longer. */
void descriptor_spend(struct descriptor *descriptor);

/* Closes them; no operation may be in flight on any, and nobody wait for one. Takes NULL, returns
 * NULL. */
struct descriptors *descriptors_free(struct ring *ring, struct descriptors *descriptors);
