/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A private daemon: where none answers, settle runs one for itself over a socket pair. It serves
 * that one session and ends with it, however settle ends.
 */

#include <sys/types.h>

/* 0, the connected socket (the caller's) and the daemon's pid; -errno, -ENOENT where there is no
 * daemon to run. Waits for nothing: what is sent before the daemon is up waits in the socket. */
int spawn_daemon(int *ret_fd, pid_t *ret_pid);

/* After the session was closed, from either side: how it ended, as of waitpid(2); -1 where it does
 * not end within a moment. */
int spawn_wait(pid_t pid);
