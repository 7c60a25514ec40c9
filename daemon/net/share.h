/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one user has of one origin (struct share in net/origin.h): made with the user's first
 * route to it, gone after the last one, when nobody waits for it, it is not paused and its rates
 * have run down.
 */

#include "net/origin.h"

/* The user's share of the origin, made where it is new; NULL: no memory. */
struct share *share_of(struct pool *pool, struct origin *origin, uid_t uid);

/* Takes no routes, nobody waits. Takes NULL, returns NULL. */
struct share *share_free(struct share *share);

/* True where there is nothing in it that anybody could miss. */
bool share_is_unused(struct share *share, uint64_t now_ns);

/* The user's requests to the origin are to wait until then: requests.paused, and the owner's
 * on_resumed when it is over. Of several times the latest counts; one that has passed is none. */
void share_pause(struct pool *pool, struct share *share, uint64_t until_ns);
