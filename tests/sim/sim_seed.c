/* SPDX-License-Identifier: MIT */
#include "sim_seed.h"

#include "util/container.h"

/*
 * What a seed draws changes with what may be drawn: then it is one like any other, and what it has
 * found is kept by the test that stands beside the mend.
 */

const struct sim_seed sim_seeds[] = {
	{25620, "a flight goes on with another job before its request was sent"},
	{52943, "a request of HTTP/1.1 is sent again on a fresh connection that others share"},
	{52946, "a flight goes on in another group, whose bound is full"},
	{65973, "a connection opens more than 100 streams before the peer has said how many"},
	{349852, "a group's child decides it in the turn in which its dependency was rejected"},
};

const unsigned sim_n_seeds = countof(sim_seeds);
