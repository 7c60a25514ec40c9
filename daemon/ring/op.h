/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One operation that the kernel has: embedded in the object that waits for it, so that an I/O
 * allocates nothing. The owner must stay until the last completion has come (`op_is_idle`),
 * also after a cancel: a cancel is a request, and may be too late.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/container.h"
#include "util/panic.h"

struct op;

/* What the kernel said. */
struct completion {
	/* As of the system call: bytes, a descriptor, 0; or -errno. */
	int result;
	/* The bytes received, where the operation takes its buffer from the ring's own: valid until
	 * the callback returns. Else NULL. */
	const char *data;
	/* Descriptors that came with it (ring_receive_message), now the callback's own: valid until
	 * it returns. */
	const int *fds;
	unsigned n_fds;
	/* True exactly when more were passed than could be taken: there was no room for them in the
	 * table of this process, and they are closed. */
	bool lost_fds;
	/* True exactly when the operation stays in flight: more completions follow. */
	bool more;
	/* True where the socket is known to hold more bytes already. */
	bool nonempty;
};

/* An upcall: the owner may start the operation again, cancel it, or free itself if it is idle. */
typedef void (*op_callback)(struct op *op, const struct completion *completion);

struct op {
	op_callback on_complete;
	int fd;
	/* Completions must name the flight they belong to: a stale one is our mistake. */
	uint16_t generation;
	/* What the ring makes of its completion: the ring's own. */
	uint8_t kind;
	bool in_flight;
	/* True exactly when a cancel was asked for this flight. */
	bool cancelled;
};

static inline bool op_is_idle(const struct op *op)
{
	return !op->in_flight;
}

/* For the ring alone: the flight begins. */
static inline void op_begin(struct op *op, int fd, op_callback on_complete)
{
	expect(!op->in_flight);
	op->on_complete = on_complete;
	op->fd = fd;
	op->generation++;
	op->in_flight = true;
	op->cancelled = false;
}
