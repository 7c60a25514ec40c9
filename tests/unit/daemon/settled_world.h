/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon's composition over the fake ring, with clients by hand.
 */

#include "net/pool.h"
#include "settled_private.h"
#include "tests/unit/front/client.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"

static struct settled *settled;

static inline void settled_world_begin_with(const struct settled_options *options)
{
	settled = NULL;
	ck_assert_int_eq(settled_new(fake_ring_begin(), options, &settled), 0);
	ck_assert_ptr_nonnull(settled);
}

static inline void settled_world_begin(void)
{
	settled_world_begin_with(&settled_options_default);
}

/* Drains twice: what still runs is shut down, in a few ticks of the clock. */
static inline void settled_world_end(void)
{
	fake_holds = (struct fake_holds){0};
	for (int i = 0; i < 2; i++) {
		settled_drain(settled);
		fake_pass(10 * NS_PER_MS);
	}
	ck_assert_msg(settled_is_idle(settled), "%u sessions, %u graphs, %u connections",
		settled->front.n_sessions, settled->scheduler.n_graphs,
		pool_counters(settled->pool).n_conns);
	settled = settled_free(settled);
	ck_assert_ptr_null(settled);
	fake_ring_end();
}

static inline int settled_world_connect(void)
{
	int fd = fake_descriptor(1000);

	ck_assert_int_eq(settled_adopt(settled, fd, 1000), 0);
	fake_run();
	return fd;
}
