/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Several riders of one connection, for the tests of net/mux.
 */

#include "tests/unit/net/mux_world.h"

#define RIDERS 6

static struct mux_world world;
static struct rider riders[RIDERS];

static inline void begin_with(struct pool_options options, unsigned n, const char *path)
{
	mux_world_begin_with(&world, options);
	for (unsigned i = 0; i < n; i++)
		rider_init(&riders[i], &world, path);
}

static inline void begin(unsigned n, const char *path)
{
	begin_with((struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE}, n, path);
}

static inline void end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rider_end(&riders[i]);
	mux_world_end(&world);
}

/* All of them on one connection, their requests sent. */
static inline void ride(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		rider_lease(&riders[i]);
	mux_world_pass(&world);
	for (unsigned i = from; i < to; i++) {
		ck_assert_ptr_eq(riders[i].mux, riders[0].mux);
		riders[i].said[0] = '\0';
	}
}

static inline struct pool_counters counters(void)
{
	return pool_counters(world.conns.pool);
}

static inline int fd_of(const struct rider *rider)
{
	return mux_conn(rider->mux)->fd;
}

static inline struct server_stream *stream_of(struct peer *peer, int32_t id)
{
	return server_stream_of(&peer->server, id);
}
