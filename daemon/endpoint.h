/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The socket clients connect to: passed in by the service manager (sd_listen_fds(3)), or bound
 * by the daemon at a path of its own.
 *
 * A path of our own is held by a lock file beside it ("PATH.lock", left behind), so that of two
 * daemons the second one fails, and is given back at the end. A socket that was passed in is the
 * manager's, and stays.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "util/buffer.h"

/* What the service manager calls our socket (FileDescriptorName=). */
#define ENDPOINT_NAME "api"

/* Connections that may wait to be accepted. */
#define ENDPOINT_BACKLOG 4096

enum {
	/* It is not to be had: `why` has the sentence. */
	ENDPOINT_E_REFUSED = 1,
};

struct endpoint {
	/* -1: none. */
	int fd;
	/* -1: the socket was passed in. */
	int lock_fd;
	/* Of a bound socket: its path, and what stood there when it was made. */
	char *path;
	dev_t device;
	ino_t inode;
};

/* Nothing is open. */
void endpoint_init(struct endpoint *endpoint);

/* Closes, and takes away the path if it still is ours. */
void endpoint_deinit(struct endpoint *endpoint);

/* Takes the socket that was passed in, and the variables out of the environment. 0, with fd < 0
 * where none was passed to this process; ENDPOINT_E_REFUSED. */
int endpoint_inherit(struct endpoint *endpoint, struct buffer *why);

/* Makes and binds a socket at `path`, mode 0660. 0 or ENDPOINT_E_REFUSED. Before there are
 * threads: it sets the umask for a moment. */
int endpoint_bind(struct endpoint *endpoint, const char *path, struct buffer *why);

/* The default path of this user, in a directory that is made if need be; to free(). NULL: `why`. */
char *endpoint_default_path(struct buffer *why);
