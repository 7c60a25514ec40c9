/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool's insides, for its own files: pool.c lends and keeps connections, pool_route.c knows
 * the ways to origins, pool_share.c has those who wait for a connection and those that are shared;
 * share.c has what a user has of an origin.
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
	/* Connections that are shared and open, and streams on them. */
	uint32_t n_shared, n_streams;
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

/* The first of the idle ones, or of the warming ones; NULL: there is none. */
struct conn *pool_first(const struct list *conns);

/* A new connection, where there is room for it or some can be made. `user` is NULL where it is for
 * nobody or for several. NULL: no room, or no memory. */
struct conn *pool_dial(struct pool *pool, struct route *route, struct conn_user *user);

/* The user's alone: one that is idle (not `fresh`), warming or dialled; it is user->conn. False:
 * neither. */
bool pool_lend(struct pool *pool, struct route *route, struct conn_user *user, bool fresh);

/* It is idle from now on, or goes where there are too many. */
void pool_keep(struct pool *pool, struct conn *conn);

/* It is dialled for nobody from now on, or goes where there are too many. */
void pool_keep_warm(struct pool *pool, struct conn *conn);

/* pool_share.c */

/* The user waits with others for what the route's connections come to. False: it cannot. */
bool pool_await(struct pool *pool, struct route *route, struct conn_user *user, bool fresh);

/* Of those that are shared one with room, made after so many others; NULL: none. */
struct mux *pool_find_mux(const struct route *route, uint64_t muxes_seen);

/* route->serve */
void pool_on_serve(struct task *task);

/* Something is due at another time than before: age, or what is not used any more. */
void pool_watch(struct pool *pool);

/* Routes, shares and origins that nobody uses are freed; with `all`, which the pool's end asks
 * for, also those that are kept for their memory alone. */
void pool_drop_unused(struct pool *pool, bool all);
