/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Origins: they are found (or not), connected to (or not), and answer each request as its job
 * planned.
 */

#include "sim_kernel.h"
#include "sim_model.h"

/* Draws this world's origins. */
void sim_origins_draw(void);

/* What comes of a connection to that address: 0 or -errno, *ret_delay_ns from now. */
int sim_origin_dial(const struct sockaddr *address, uint64_t *ret_delay_ns);

/* Then: the daemon's end. */
struct sim_end *sim_origin_accept(
	const struct sockaddr *address, const struct sim_watch **ret_watch);

/* The daemon was told of a trouble of this machine's own. */
void sim_origin_told_local(void);
