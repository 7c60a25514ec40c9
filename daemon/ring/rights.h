/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A receive on a Unix socket that takes the descriptors passed with the bytes (SCM_RIGHTS,
 * unix(7)). Used by ring.c alone.
 */

#include <stdbool.h>
#include <stddef.h>

struct rights {
	/* Room for RING_FDS_MAX, borrowed; those that came are the caller's. */
	int *fds;
	unsigned n_fds;
	/* True exactly when some that were passed have not come. */
	bool lost_fds;
};

/* What is there, without waiting: the number of bytes, 0 at the end, or -errno. Descriptors are
 * closed on exec. */
int rights_receive(int fd, char *data, size_t size, struct rights *rights);
