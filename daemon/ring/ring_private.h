/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ring.c and setup.c share.
 */

#include <liburing.h>

#include "ring/buffers.h"
#include "ring/ring.h"
#include "ring/slots.h"

struct ring {
	struct io_uring uring;
	struct ring_features features;
	struct ring_counters counters;
	struct timer_wheel timers;
	struct task_queue tasks;
	struct buffers small, large;
	/* One buffer for messages on Unix sockets, and the descriptors of the last one: they are
	 * received when a poll says that there is one. */
	struct buffers message;
	int message_fds[RING_FDS_MAX];
	struct slots slots;
	uint64_t now_ns;
	/* Flags every entry carries. */
	unsigned enter_flags;
	/* The descriptor other threads write to, the read armed on it, and where that reads to. */
	int wake_fd;
	struct op wake_op;
	uint64_t wake_value;
	ring_wake_callback on_wake;
	void *wake_context;
};

enum buffer_group {
	BUFFER_GROUP_SMALL,
	BUFFER_GROUP_LARGE,
};

/* What a completion is to become. */
enum op_kind {
	OP_PLAIN,
	OP_RECEIVE_SMALL,
	OP_RECEIVE_LARGE,
	/* A poll; the receive is made when it completes. */
	OP_POLL_SMALL,
	OP_POLL_LARGE,
	OP_POLL_MESSAGE,
	/* The slot is free when it completes. */
	OP_CLOSE_SLOT,
	/* It was done when it was started, and failed: the errno is added. */
	OP_FAILED,
};

/* A cleared entry. A full queue is handed over first. */
struct io_uring_sqe *ring_sqe(struct ring *ring);

/* The entry is the operation's. */
void ring_start(struct io_uring_sqe *sqe, struct op *op, enum op_kind kind);

/* Makes the kernel's ring and its buffers, finds the features. As ring_new(). */
int ring_set_up(struct ring *ring, const struct ring_options *options, const char **ret_why);
