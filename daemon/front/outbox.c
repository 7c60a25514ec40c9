/* SPDX-License-Identifier: MIT */
#include "front/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "util/panic.h"

#define POOL_FREE_MAX 16

struct chunk {
	struct list link;
	/* `memory`, or a body's own memory, owned. */
	char *data;
	size_t size, sent;
	char memory[];
};

void outbox_pool_init(struct outbox_pool *pool)
{
	list_init(&pool->free);
	pool->n_free = 0;
}

void outbox_pool_deinit(struct outbox_pool *pool)
{
	struct list *link;

	while ((link = list_pop_front(&pool->free)))
		free(list_entry(link, struct chunk, link));
	pool->n_free = 0;
}

void outbox_init(struct outbox *outbox, struct outbox_pool *pool, size_t *held_bytes)
{
	*outbox = (struct outbox){.pool = pool, .held_bytes = held_bytes};
	list_init(&outbox->chunks);
}

static bool chunk_is_shared(const struct chunk *chunk)
{
	return chunk->data == chunk->memory;
}

static void chunk_free(struct outbox *outbox, struct chunk *chunk)
{
	struct outbox_pool *pool = outbox->pool;

	list_remove(&chunk->link);
	if (!chunk_is_shared(chunk)) {
		free(chunk->data);
		free(chunk);
		return;
	}
	if (pool->n_free >= POOL_FREE_MAX) {
		free(chunk);
		return;
	}
	pool->n_free++;
	list_push_front(&pool->free, &chunk->link);
}

void outbox_clear(struct outbox *outbox)
{
	while (!list_is_empty(&outbox->chunks))
		chunk_free(outbox, list_entry(outbox->chunks.next, struct chunk, link));
	*outbox->held_bytes -= outbox->bytes;
	outbox->bytes = 0;
}

static void outbox_count(struct outbox *outbox, size_t size)
{
	outbox->bytes += size;
	*outbox->held_bytes += size;
}

/* The last chunk where it has room, else a new one; NULL: no memory. */
static struct chunk *outbox_tail(struct outbox *outbox)
{
	struct list *link = outbox->chunks.previous;
	struct chunk *chunk;

	if (!list_is_empty(&outbox->chunks)) {
		chunk = list_entry(link, struct chunk, link);
		if (chunk_is_shared(chunk) && chunk->size < OUTBOX_CHUNK_SIZE)
			return chunk;
	}
	link = list_pop_front(&outbox->pool->free);
	if (link)
		outbox->pool->n_free--;
	chunk = link ? list_entry(link, struct chunk, link)
		     : malloc(sizeof(*chunk) + OUTBOX_CHUNK_SIZE);
	if (!chunk)
		return NULL;
	chunk->data = chunk->memory;
	chunk->size = 0;
	chunk->sent = 0;
	list_push_back(&outbox->chunks, &chunk->link);
	return chunk;
}

void outbox_append(struct outbox *outbox, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0 && !outbox->failed) {
		struct chunk *chunk = outbox_tail(outbox);
		size_t n = size;

		if (!chunk) {
			outbox->failed = true;
			return;
		}
		if (n > OUTBOX_CHUNK_SIZE - chunk->size)
			n = OUTBOX_CHUNK_SIZE - chunk->size;
		memcpy(chunk->data + chunk->size, at, n);
		chunk->size += n;
		outbox_count(outbox, n);
		at += n;
		size -= n;
	}
}

void outbox_append_memory(struct outbox *outbox, char *data, size_t size)
{
	struct chunk *chunk = outbox->failed ? NULL : malloc(sizeof(*chunk));

	if (!chunk) {
		outbox->failed = true;
		free(data);
		return;
	}
	chunk->data = data;
	chunk->size = size;
	chunk->sent = 0;
	outbox_count(outbox, size);
	list_push_back(&outbox->chunks, &chunk->link);
}

bool outbox_front(const struct outbox *outbox, const char **ret_data, size_t *ret_size)
{
	const struct chunk *chunk;

	if (outbox->bytes == 0)
		return false;
	chunk = list_entry(outbox->chunks.next, struct chunk, link);
	*ret_data = chunk->data + chunk->sent;
	*ret_size = chunk->size - chunk->sent;
	return true;
}

void outbox_sent(struct outbox *outbox, size_t size)
{
	struct chunk *chunk = list_entry(outbox->chunks.next, struct chunk, link);

	expect(size <= chunk->size - chunk->sent);
	chunk->sent += size;
	outbox->bytes -= size;
	*outbox->held_bytes -= size;
	if (chunk->sent == chunk->size)
		chunk_free(outbox, chunk);
}
