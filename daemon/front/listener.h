/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Accepts sessions. When descriptors run out it waits a moment and tries again: who connects
 * waits in the backlog meanwhile.
 */

#include "front/front.h"
#include "ring/op.h"
#include "ring/timer.h"

struct listener {
	struct front *front;
	/* The owner's; -1: it does not listen. */
	int fd;
	struct op op;
	struct timer retry;
};

/* Does not listen yet. */
void listener_init(struct listener *listener, struct front *front);

void listener_start(struct listener *listener, int fd);

/* No more sessions. What is in flight ends by itself; see listener_is_idle(). */
void listener_stop(struct listener *listener);

bool listener_is_idle(const struct listener *listener);
