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

/* Makes the kernel's ring and its buffers, finds the features. As ring_new(). */
int ring_set_up(struct ring *ring, const struct ring_options *options, const char **ret_why);
