/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that lives and dies together: a plan and what a graph keeps. Allocation bumps a pointer
 * within a block; only the whole is given back.
 */

#include <stddef.h>

#include "util/text.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
	char *at;
	size_t left;
	/* Bytes taken from the host in all, and how many there may be. */
	size_t bytes;
	size_t bytes_max;
};

/* Allocates nothing. */
void arena_init(struct arena *arena, size_t bytes_max);

/* Gives back all of it. */
void arena_deinit(struct arena *arena);

/* Zeroed, aligned for any object; NULL beyond the bound or without memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* `n` objects of `size`; NULL also where the product does not fit. */
void *arena_alloc_array(struct arena *arena, size_t n, size_t size);

/* A copy, terminated with a NUL that does not count. data == NULL where there is no memory. */
struct text arena_copy(struct arena *arena, struct text text);
