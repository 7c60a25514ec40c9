/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request's body that the daemon does not read by itself. It reads files and pipes; from what is
 * neither (a terminal, a socket, a device) a thread copies into a pipe as long as somebody reads.
 */

/* *ret_fd is what to pass for `fd`: itself, or the reading end of such a pipe, the caller's to
 * close; `fd` is then in use until the process ends. 0; -EISDIR; another -errno. */
int pump_open(int fd, int *ret_fd);
