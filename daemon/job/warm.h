/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections for jobs that still wait for others: made while those are under way, so that name,
 * TCP and TLS are behind them when their turn comes.
 */

struct job;
struct route;

/* The job's request is about to be sent, by that route: its dependents are next. */
void warm_dependents(const struct job *job, const struct route *route);
