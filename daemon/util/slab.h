/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Objects of one size, taken and given back at no cost: grown in chunks up to a bound, last in
 * first out so that what is used is warm. An object keeps its content while it is free, so that
 * what it owns (a buffer with capacity) can be used again; `init` runs once for each, when its
 * chunk is made, and `deinit` once, when that goes. When the last object of many comes back, a
 * burst is over, and all memory goes back.
 */

#include <stddef.h>

#include "util/list.h"

struct slab_chunk;

struct slab {
	struct slab_chunk *chunks;
	struct list free;
	size_t object_size;
	size_t n_used;
	size_t n_total;
	size_t n_max;
	/* False: no memory. NULL: nothing to do. */
	bool (*init)(void *object);
	void (*deinit)(void *object);
};

/* Allocates nothing. */
void slab_init(struct slab *slab, size_t object_size, size_t n_max);

/* All objects must be back. */
void slab_deinit(struct slab *slab);

/* NULL at the bound or without memory. */
void *slab_take(struct slab *slab);

/* The object may be gone after it. */
void slab_give(struct slab *slab, void *object);
