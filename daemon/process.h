/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a daemon sets right about its own process before it starts.
 */

/* The limit on open descriptors becomes what it may be. */
void process_raise_descriptors(void);

/* Writing to the log never blocks: a line that nobody reads is lost. */
void process_unblock_stderr(void);
