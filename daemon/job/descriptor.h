/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The descriptors that a client passed with a graph: the graph's, until it is freed. What they are
 * is found out when a job needs one.
 */

#include <stdbool.h>
#include <stdint.h>

struct ring;

struct descriptor {
	int fd;
	/* A pipe that a job has read from: it can be read once only. */
	bool is_spent;
};

struct descriptors {
	uint32_t n;
	struct descriptor all[];
};

/* Takes `n` descriptors (also where it fails). NULL: no memory, or n is 0. */
struct descriptors *descriptors_new(struct ring *ring, const int *fds, uint32_t n);

/* Closes them; no operation may be in flight on any. Takes NULL, returns NULL. */
struct descriptors *descriptors_free(struct ring *ring, struct descriptors *descriptors);
