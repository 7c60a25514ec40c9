/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the simulator's other parts ask of its ring beside ring/ring.h.
 */

#include <sys/types.h>

#include "sim_net.h"
#include "sim_world.h"
#include "util/clock.h"

/* The longest that the daemon is made slow, which a deadline may then be late. */
#define SIM_SLOW_TURN_NS (3 * NS_PER_MS)

struct sim_call {
	struct sim_call *next;
	sim_action run;
	void *context;
};

/* Run this in the ring's thread: at the end of a turn's completions. */
void sim_ring_call(sim_action run, void *context);

/* The uid of the client at the other end. Given by sim_client.c. */
uid_t sim_ring_uid_of(const struct sim_end *daemon_end);
