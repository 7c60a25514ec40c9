/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Clients: they connect, submit graphs, read at their own pace, and go, politely or not.
 */

#include "daemon/settled.h"
#include "sim_kernel.h"
#include "sim_model.h"

/* Draws this world's clients and their graphs, and sets them off. One may be adopted by the
 * daemon instead of connecting. */
void sim_clients_draw(struct settled *settled);

/* The daemon accepts no more: who is not accepted yet gives up. */
void sim_clients_drain(void);

/* True where all clients are gone. */
bool sim_clients_are_over(void);

/* Say whatever is wrong with clients that stayed to the end. */
void sim_clients_check(void);

/* Who looks at an accepted session. */
extern const struct sim_watch sim_client_watch;
