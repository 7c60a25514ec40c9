/* SPDX-License-Identifier: MIT */
#include "http/h2_memory.h"

#include <stdint.h>
#include <stdlib.h>

#include "util/panic.h"

/*
 * free() is not told how much it gives back, so each block has its size before it, in as many
 * bytes as keep the block aligned for any object.
 */

struct h2_memory_block {
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

static struct h2_memory_block *h2_memory_block(void *bytes)
{
	return (struct h2_memory_block *)(void *)((char *)bytes - sizeof(struct h2_memory_block));
}

static size_t h2_memory_size(const struct h2_memory_block *block)
{
	return block ? block->size : 0;
}

/* NULL: a new one. The block is unchanged where there is no memory. */
static void *h2_memory_resize(struct h2_memory *memory, struct h2_memory_block *block, size_t size)
{
	size_t others = memory->used - h2_memory_size(block);

	if (size > memory->used_max - others)
		return NULL;
	block = realloc(block, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	memory->used = others + size;
	return block->bytes;
}

static void *h2_memory_malloc(size_t size, void *memory)
{
	return h2_memory_resize(memory, NULL, size);
}

static void *h2_memory_realloc(void *bytes, size_t size, void *memory)
{
	return h2_memory_resize(memory, bytes ? h2_memory_block(bytes) : NULL, size);
}

static void *h2_memory_calloc(size_t n, size_t size, void *user)
{
	struct h2_memory *memory = user;
	struct h2_memory_block *block;

	if (size > 0 && n > (memory->used_max - memory->used) / size)
		return NULL;
	block = calloc(1, sizeof(*block) + n * size);
	if (!block)
		return NULL;
	block->size = n * size;
	memory->used += n * size;
	return block->bytes;
}

static void h2_memory_free(void *bytes, void *user)
{
	struct h2_memory *memory = user;
	struct h2_memory_block *block;

	if (!bytes)
		return;
	block = h2_memory_block(bytes);
	expect(block->size <= memory->used);
	memory->used -= block->size;
	free(block);
}

nghttp2_mem h2_memory_functions(struct h2_memory *memory)
{
	return (nghttp2_mem){
		.mem_user_data = memory,
		.malloc = h2_memory_malloc,
		.free = h2_memory_free,
		.calloc = h2_memory_calloc,
		.realloc = h2_memory_realloc,
	};
}
