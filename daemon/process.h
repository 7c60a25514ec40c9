/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a daemon sets right about its own process before it starts.
 */

#include <stdbool.h>

/* The limit on open descriptors becomes what it may be. */
void process_raise_descriptors(void);

/* Writing to the log never blocks: a line that nobody reads is lost. A socket is left as it is
 * unless it is ours alone, as the journal's is: others that share it would write without blocking,
 * too. */
void process_unblock_stderr(bool owns_socket);
