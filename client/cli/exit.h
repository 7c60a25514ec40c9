/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The exit statuses of settle(1).
 */

enum exit_status {
	EXIT_FULFILLED = 0,
	/* A required job was rejected, or the graph. */
	EXIT_REJECTED = 1,
	EXIT_USAGE = 2,
	/* The graph was refused for what it says. */
	EXIT_REFUSED = 3,
	/* It was refused by policy or quota. */
	EXIT_POLICY = 4,
	/* No daemon, or the connection to it was lost. */
	EXIT_DAEMON = 5,
	EXIT_LOCAL_IO = 6,
	EXIT_GRAPH_TIMEOUT = 124,
	/* And the signal's number. */
	EXIT_SIGNAL = 128,
};
