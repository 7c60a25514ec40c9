/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool's insides, for its own files: pool.c lends and keeps connections, pool_route.c knows
 * the ways to origins, share.c what a user has of one.
 */

#include "net/pool.h"

#define POOL_PLAINTEXT_MAX (16 * 1024)

struct pool {
	struct ring *ring;
	struct resolver *resolver;
	struct tls_store *tls_store;
	struct pool_options options;
	/* NULL: nobody wants to know. */
	struct pool_owner *owner;
	struct slab conns, dials;
	struct table routes, origins;
	/* All routes, all origins; all idle connections, the one idle longest first; and all that
	 * are dialled for nobody, the one dialled first first. */
	struct list all_routes, all_origins, idle, warming;
	uint32_t n_idle, n_warming;
	/* Connections that are not being closed. */
	uint32_t n_open;
	struct timer sweep;
	/* When routes were looked through last. */
	uint64_t dropped_ns;
	struct dial_gate gate;
	/* Keys are put together here. */
	struct buffer key;
	struct pool_counters counters;
	char plaintext[POOL_PLAINTEXT_MAX];
};

/* Something is due at another time than before: age, or what is not used any more. */
void pool_watch(struct pool *pool);

/* Routes, shares and origins that nobody uses are freed; with `all`, which the pool's end asks
 * for, also those that are kept for their memory alone. */
void pool_drop_unused(struct pool *pool, bool all);
