/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SIGINT and SIGTERM: the first asks for a cancel, the second for the end. They are counted, make
 * a descriptor readable and interrupt a blocked write(2); the third ends the process at once.
 * SIGPIPE is ignored: EPIPE says the same, at a place that can act on it.
 */

/* Once, before anything else. 0 or -errno. A signal that was ignored stays ignored. */
int interrupt_init(void);

/* Readable once a signal has come, until interrupt_drain(). */
int interrupt_fd(void);
void interrupt_drain(void);

/* How many have come. */
unsigned interrupt_count(void);

/* The first one's number, 0 where none has come. */
int interrupt_signal(void);
