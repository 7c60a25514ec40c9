/* SPDX-License-Identifier: MIT */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK_MIN 4096
#define ARENA_BLOCK_MAX (1024 * 1024)
#define ARENA_ALIGN     alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	alignas(max_align_t) char memory[];
};

void arena_init(struct arena *arena, size_t bytes_max)
{
	*arena = (struct arena){.bytes_max = bytes_max};
}

void arena_deinit(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	*arena = (struct arena){0};
}

/* Blocks double with the arena, so that a small plan costs a page and a large one few calls. */
static bool arena_grow(struct arena *arena, size_t size)
{
	size_t want = arena->bytes;
	struct arena_block *block;

	if (want < ARENA_BLOCK_MIN)
		want = ARENA_BLOCK_MIN;
	if (want > ARENA_BLOCK_MAX)
		want = ARENA_BLOCK_MAX;
	if (want < size + sizeof(*block))
		want = size + sizeof(*block);
	if (want > arena->bytes_max - arena->bytes)
		return false;
	block = calloc(1, want);
	if (!block)
		return false;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->bytes += want;
	arena->at = block->memory;
	arena->left = want - sizeof(*block);
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *memory;

	if (size > SIZE_MAX / 2)
		return NULL;
	/* Nothing has an address of its own, too. */
	size = size ? size : 1;
	size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (arena->left < size && !arena_grow(arena, size))
		return NULL;
	memory = arena->at;
	arena->at += size;
	arena->left -= size;
	return memory;
}

void *arena_alloc_array(struct arena *arena, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / 2 / size)
		return NULL;
	return arena_alloc(arena, n * size);
}

struct text arena_copy(struct arena *arena, struct text text)
{
	char *copy = arena_alloc(arena, text.size + 1);

	if (!copy)
		return (struct text){NULL, 0};
	if (text.size)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return (struct text){copy, text.size};
}
