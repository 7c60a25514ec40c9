/* SPDX-License-Identifier: MIT */
#include "util/slab.h"

#include <stdalign.h>
#include <stdlib.h>

#include "util/panic.h"

#define SLAB_CHUNK_BYTES (32 * 1024)

/* As many objects stay when none is in use, and a chunk in any case: what a quiet daemon needs
 * now and then. */
#define SLAB_KEEP 512

/* Before each object: its link among the free ones. */
struct slab_header {
	alignas(max_align_t) struct list link;
};

struct slab_chunk {
	struct slab_chunk *next;
	size_t n;
	alignas(max_align_t) char memory[];
};

static size_t slab_stride(const struct slab *slab)
{
	size_t align = alignof(max_align_t);

	return sizeof(struct slab_header) + ((slab->object_size + align - 1) & ~(align - 1));
}

static struct slab_header *slab_header_at(struct slab *slab, struct slab_chunk *chunk, size_t i)
{
	return (struct slab_header *)(void *)(chunk->memory + i * slab_stride(slab));
}

void slab_init(struct slab *slab, size_t object_size, size_t n_max)
{
	*slab = (struct slab){.object_size = object_size, .n_max = n_max};
	list_init(&slab->free);
}

static void slab_free_all(struct slab *slab)
{
	while (slab->chunks) {
		struct slab_chunk *chunk = slab->chunks;

		slab->chunks = chunk->next;
		for (size_t i = 0; slab->deinit && i < chunk->n; i++)
			slab->deinit(slab_header_at(slab, chunk, i) + 1);
		free(chunk);
	}
	list_init(&slab->free);
	slab->n_total = 0;
}

void slab_deinit(struct slab *slab)
{
	expect(slab->n_used == 0);
	slab_free_all(slab);
}

static bool slab_grow(struct slab *slab)
{
	size_t n = SLAB_CHUNK_BYTES / slab_stride(slab);
	struct slab_chunk *chunk;

	if (n == 0)
		n = 1;
	if (n > slab->n_max - slab->n_total)
		n = slab->n_max - slab->n_total;
	if (n == 0)
		return false;
	chunk = calloc(1, sizeof(*chunk) + n * slab_stride(slab));
	if (!chunk)
		return false;
	chunk->next = slab->chunks;
	slab->chunks = chunk;
	for (size_t i = 0; i < n; i++) {
		struct slab_header *header = slab_header_at(slab, chunk, i);

		if (slab->init && !slab->init(header + 1))
			break;
		list_push_back(&slab->free, &header->link);
		chunk->n++;
	}
	slab->n_total += chunk->n;
	return chunk->n > 0;
}

void *slab_take(struct slab *slab)
{
	struct list *link;

	if (list_is_empty(&slab->free) && !slab_grow(slab))
		return NULL;
	link = list_pop_front(&slab->free);
	slab->n_used++;
	return list_entry(link, struct slab_header, link) + 1;
}

void slab_give(struct slab *slab, void *object)
{
	struct slab_header *header = (struct slab_header *)object - 1;

	expect(slab->n_used > 0);
	expect(!list_is_linked(&header->link));
	slab->n_used--;
	list_push_front(&slab->free, &header->link);
	if (slab->n_used == 0 && slab->n_total > SLAB_KEEP && slab->chunks->next)
		slab_free_all(slab);
}
