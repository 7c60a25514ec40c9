/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a session has to say and the kernel has not taken yet: a queue of chunks. Small messages
 * share a chunk, so that many records leave in one send; a large body is a chunk of its own, in
 * the memory it was received in. A chunk never moves, so it may be in flight while it still grows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

/* One send of the steady state. */
#define OUTBOX_CHUNK_SIZE (64 * 1024)

/* Empty chunks kept for all sessions. */
struct outbox_pool {
	struct list free;
	uint32_t n_free;
};

struct outbox {
	struct outbox_pool *pool;
	struct list chunks;
	/* Bytes that wait, those in flight included. */
	size_t bytes;
	/* What the daemon holds in all for who has not taken it yet: they are counted there, too.
	 */
	size_t *held_bytes;
	/* True exactly when something was lost for lack of memory. */
	bool failed;
};

void outbox_pool_init(struct outbox_pool *pool);
void outbox_pool_deinit(struct outbox_pool *pool);

/* `held_bytes` is borrowed. */
void outbox_init(struct outbox *outbox, struct outbox_pool *pool, size_t *held_bytes);

/* Nothing of it may be in flight. What waited is gone. */
void outbox_clear(struct outbox *outbox);

/* A copy of the bytes. */
void outbox_append(struct outbox *outbox, const void *data, size_t size);

/* The bytes themselves, malloc'ed and now the outbox's (also where it fails). */
void outbox_append_memory(struct outbox *outbox, char *data, size_t size);

/* What to send next; false where nothing waits. */
bool outbox_front(const struct outbox *outbox, const char **ret_data, size_t *ret_size);

/* So many bytes of the front are with the kernel for good. */
void outbox_sent(struct outbox *outbox, size_t size);
