/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Flights: while a GET or HEAD is on the wire, a job of the same graph that asks for the same, to
 * the same place, within the same limits, shares it. What has settled is not shared: this is no
 * cache.
 */

#include <stdbool.h>

struct attempt;
struct job;

/* The job, which a bound refuses or would, shares a flight if there is one. */
bool flight_join(struct job *job);

/* The same for one whose attempt has its URL and route: true, and the attempt is not needed. */
bool flight_join_instead(struct attempt *attempt);

/* The job shares its flight no longer; what the peer may have had of it stays known. Nothing where
 * it shares none. */
void flight_leave(struct job *job);

/* The attempt's request is filled in: others may share it from now on. */
void flight_open(struct attempt *attempt);

/* It is over. Twice is once. */
void flight_close(struct attempt *attempt);
