/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connection to a daemon: one that answers, or a private one.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "client/cli/option.h"
#include "client/settle.h"

struct session {
	struct settle *settle;
	/* Of the private daemon; 0 where it is not ours. */
	pid_t pid;
};

/* 0; EXIT_DAEMON, which was said. */
int session_open(const struct options *options, bool may_spawn, struct session *ret_session);

/* The daemon cancels what is not done; a private one ends. */
void session_close(struct session *session);

/* After the connection was lost: says so, and what became of a private daemon. */
void session_tell_lost(struct session *session, int error);
