/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Descriptors that travel with a line to the daemon (SCM_RIGHTS, unix(7)): copies, which are its
 * own until they are sent or it is freed.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/settle.h"
#include "util/text.h"

struct parcel {
	/* Of those that wait to be sent; NULL: the last one. */
	struct parcel *next;
	/* Where its line begins and ends among the bytes to be sent. */
	size_t at, end;
	uint32_t n;
	int fds[SETTLE_FDS_MAX];
};

/* NULL: no memory. */
struct parcel *parcel_new(void);

/* Closes what it holds. Takes NULL, returns NULL. */
struct parcel *parcel_free(struct parcel *parcel);

/* Adds a copy of a descriptor: its index, or -errno; -E2BIG: it is full. */
int parcel_add(struct parcel *parcel, int fd);

/* Sends as much of `bytes` as the socket takes, the descriptors with the first of them. How many,
 * at least one; -1 and errno: nothing was sent, and all is as it was. Waits for nothing. */
ssize_t parcel_send(const struct parcel *parcel, int socket, struct text bytes);
