/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/text.h"

/*
 * The problem: a path is not a lock. Two daemons that both find a stale socket would both remove
 * it, the second one the fresh socket of the first; a link or a file at the path may be somebody
 * else's; and at the end the path may be another daemon's by now.
 *
 * The idea: who wants the path takes an advisory lock on a file beside it first and keeps it
 * while alive, whatever way it dies. The lock file is never removed, because a lock on a removed
 * file excludes nobody. Under the lock, what stands at the path is removed only if it is a
 * socket of ours that nobody listens on. At the end it is removed only if it still is the inode
 * that we made.
 *
 * The rights come from the umask at bind(2): there is no moment at which everybody may connect.
 */

/* The first descriptor that is passed (sd_listen_fds(3)). */
#define ENDPOINT_FIRST_FD 3
#define ENDPOINT_FDS_MAX  64

void endpoint_init(struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){.fd = -1, .lock_fd = -1};
}

static int endpoint_refuse(struct buffer *why, const char *path, const char *what, int error)
{
	buffer_printf(why, "%s: %s", path, what);
	if (error)
		buffer_printf(why, ": %s", strerror(error));
	return ENDPOINT_E_REFUSED;
}

/* -- Passed in -------------------------------------------------------------------------------- */

static bool endpoint_option_is(int fd, int option, int expected)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

static int endpoint_check(int fd, struct buffer *why)
{
	int flags = fcntl(fd, F_GETFL);

	if (!endpoint_option_is(fd, SO_DOMAIN, AF_UNIX) ||
		!endpoint_option_is(fd, SO_TYPE, SOCK_STREAM) ||
		!endpoint_option_is(fd, SO_ACCEPTCONN, 1)) {
		buffer_printf(why,
			"descriptor %d was passed as \"" ENDPOINT_NAME "\" but is not a "
			"listening Unix stream socket (ListenStream=/PATH)",
			fd);
		return ENDPOINT_E_REFUSED;
	}
	/* The ring waits by itself; on a non-blocking socket it would not. */
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		buffer_printf(why, "descriptor %d: %s", fd, strerror(errno));
		return ENDPOINT_E_REFUSED;
	}
	return 0;
}

/* The names of n descriptors, with colons between; NULL: all are ours. */
static int endpoint_check_names(const char *names, uint64_t n, struct buffer *why)
{
	struct text rest = text_from(names ? names : "");
	uint64_t n_names = 0;

	while (names && n_names < ENDPOINT_FDS_MAX) {
		struct text name = {rest.data, text_find(rest, ':')};

		n_names++;
		if (!text_is(name, ENDPOINT_NAME)) {
			buffer_printf(why,
				"a descriptor was passed as \"%.*s\"; this version "
				"knows \"" ENDPOINT_NAME "\" (FileDescriptorName=)",
				TEXT_ARGS(name));
			return ENDPOINT_E_REFUSED;
		}
		if (name.size == rest.size)
			break;
		rest = text_from_at(rest, name.size + 1);
	}
	if (names && n_names != n) {
		buffer_printf(why, "LISTEN_FDNAMES has %ju names for %ju descriptors",
			(uintmax_t)n_names, (uintmax_t)n);
		return ENDPOINT_E_REFUSED;
	}
	if (n != 1) {
		buffer_printf(
			why, "%ju sockets were passed; this version serves one", (uintmax_t)n);
		return ENDPOINT_E_REFUSED;
	}
	return 0;
}

static int endpoint_take(struct endpoint *endpoint, const char *pid_text, const char *fds_text,
	const char *names, struct buffer *why)
{
	uint64_t pid, n;
	int rc;

	if (!fds_text || !pid_text)
		return 0;
	if (!text_to_u64(text_from(pid_text), INT32_MAX, &pid) ||
		!text_to_u64(text_from(fds_text), ENDPOINT_FDS_MAX, &n)) {
		buffer_printf(why, "LISTEN_PID=%s LISTEN_FDS=%s: not numbers", pid_text, fds_text);
		return ENDPOINT_E_REFUSED;
	}
	/* Meant for a process before us. */
	if (pid != (uint64_t)getpid() || n == 0)
		return 0;
	rc = endpoint_check_names(names, n, why);
	if (rc == 0)
		rc = endpoint_check(ENDPOINT_FIRST_FD, why);
	if (rc == 0)
		endpoint->fd = ENDPOINT_FIRST_FD;
	return rc;
}

int endpoint_inherit(struct endpoint *endpoint, struct buffer *why)
{
	int rc = endpoint_take(endpoint, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
		getenv("LISTEN_FDNAMES"), why);

	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return rc;
}

/* -- Our own ---------------------------------------------------------------------------------- */

static int endpoint_set_address(const char *path, struct sockaddr_un *address, struct buffer *why)
{
	size_t size = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (size == 0) {
		buffer_printf(why, "the path of the socket is empty");
		return ENDPOINT_E_REFUSED;
	}
	if (size >= sizeof(address->sun_path)) {
		buffer_printf(why, "%s: longer than the path of a socket may be (%zu bytes)", path,
			sizeof(address->sun_path) - 1);
		return ENDPOINT_E_REFUSED;
	}
	memcpy(address->sun_path, path, size);
	return 0;
}

/* Nobody else may be able to put something in our place. */
static int endpoint_check_directory(const char *path, struct buffer *why)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	const char *slash = strrchr(path, '/');
	struct stat status;

	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	if (stat(directory, &status) < 0)
		return endpoint_refuse(why, directory, "no directory for the socket", errno);
	if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
		return endpoint_refuse(why, directory,
			"every user can replace the socket in this directory (chmod o-w)", 0);
	return 0;
}

/* The lock is ours until the descriptor is closed, and that is when we die. */
static int endpoint_lock(struct endpoint *endpoint, const char *path, struct buffer *why)
{
	char lock[sizeof(((struct sockaddr_un *)NULL)->sun_path) + sizeof(".lock")];
	struct stat status;

	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	endpoint->lock_fd =
		open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	if (endpoint->lock_fd < 0)
		return endpoint_refuse(why, lock, "cannot open the lock file", errno);
	if (fstat(endpoint->lock_fd, &status) < 0 || !S_ISREG(status.st_mode))
		return endpoint_refuse(why, lock, "not a regular file", 0);
	if (flock(endpoint->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return endpoint_refuse(why, path, "another settled serves this socket", 0);
	return endpoint_refuse(why, lock, "cannot lock the file", errno);
}

/* True where who listens is dead: the kernel closes a killed daemon's ring, and with it the socket,
 * some time after the process. */
static bool endpoint_listener_is_dead(int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
		return false;
	return kill(peer.pid, 0) < 0 && errno == ESRCH;
}

/* 0 where nobody listens on the socket at the path. */
static int endpoint_probe(const char *path, const struct sockaddr_un *address, struct buffer *why)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return endpoint_refuse(why, path, "no socket", errno);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		error = errno;
	else if (endpoint_listener_is_dead(fd))
		error = ECONNREFUSED;
	(void)close(fd);
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: return 0;
	/* Its queue is full. */
	case EAGAIN:
	case 0: return endpoint_refuse(why, path, "another process serves this socket", 0);
	default: return endpoint_refuse(why, path, "cannot tell whose socket this is", error);
	}
}

/* Takes away what a daemon left that could not do so itself. */
static int endpoint_clear(const char *path, const struct sockaddr_un *address, struct buffer *why)
{
	struct stat status;
	int rc;

	if (lstat(path, &status) < 0) {
		if (errno == ENOENT)
			return 0;
		return endpoint_refuse(why, path, "cannot be examined", errno);
	}
	if (S_ISLNK(status.st_mode))
		return endpoint_refuse(why, path, "a symbolic link, not followed", 0);
	if (!S_ISSOCK(status.st_mode))
		return endpoint_refuse(why, path, "exists and is not a socket", 0);
	if (status.st_uid != geteuid())
		return endpoint_refuse(why, path, "a socket of another user", 0);
	rc = endpoint_probe(path, address, why);
	if (rc != 0)
		return rc;
	if (unlink(path) < 0 && errno != ENOENT)
		return endpoint_refuse(why, path, "cannot remove the stale socket", errno);
	return 0;
}

static int endpoint_open(struct endpoint *endpoint, const char *path,
	const struct sockaddr_un *address, struct buffer *why)
{
	struct stat status;
	mode_t before;
	int rc;

	endpoint->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (endpoint->fd < 0)
		return endpoint_refuse(why, path, "no socket", errno);
	before = umask(0117);
	rc = bind(endpoint->fd, (const struct sockaddr *)address, sizeof(*address));
	(void)umask(before);
	if (rc < 0)
		return endpoint_refuse(why, path, "cannot bind the socket", errno);
	endpoint->path = strdup(path);
	if (lstat(path, &status) < 0 || !endpoint->path)
		return endpoint_refuse(why, path, "cannot keep the socket", errno);
	endpoint->device = status.st_dev;
	endpoint->inode = status.st_ino;
	if (listen(endpoint->fd, ENDPOINT_BACKLOG) < 0)
		return endpoint_refuse(why, path, "cannot listen", errno);
	return 0;
}

int endpoint_bind(struct endpoint *endpoint, const char *path, struct buffer *why)
{
	struct sockaddr_un address;
	int rc = endpoint_set_address(path, &address, why);

	if (rc == 0)
		rc = endpoint_check_directory(path, why);
	if (rc == 0)
		rc = endpoint_lock(endpoint, path, why);
	if (rc == 0)
		rc = endpoint_clear(path, &address, why);
	if (rc == 0)
		rc = endpoint_open(endpoint, path, &address, why);
	if (rc != 0)
		endpoint_deinit(endpoint);
	return rc;
}

void endpoint_deinit(struct endpoint *endpoint)
{
	struct stat status;

	if (endpoint->path && lstat(endpoint->path, &status) == 0 &&
		status.st_dev == endpoint->device && status.st_ino == endpoint->inode)
		(void)unlink(endpoint->path);
	free(endpoint->path);
	if (endpoint->fd >= 0)
		(void)close(endpoint->fd);
	/* Last: the path is free before the lock is. */
	if (endpoint->lock_fd >= 0)
		(void)close(endpoint->lock_fd);
	endpoint_init(endpoint);
}

char *endpoint_default_path(struct buffer *why)
{
	const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	char *path = NULL;

	if (!base || base[0] != '/') {
		buffer_printf(why, "XDG_RUNTIME_DIR is not set: say where the socket is to be with "
				   "--listen PATH");
		return NULL;
	}
	if (asprintf(&path, "%s/settled", base) < 0) {
		buffer_printf(why, "no memory");
		return NULL;
	}
	/* The way /run itself is: the socket's own mode says who may connect. */
	if (mkdir(path, geteuid() == 0 ? 0755 : 0700) < 0 && errno != EEXIST) {
		(void)endpoint_refuse(why, path, "cannot make the directory", errno);
		free(path);
		return NULL;
	}
	free(path);
	if (asprintf(&path, "%s/settled/settled.sock", base) < 0) {
		buffer_printf(why, "no memory");
		return NULL;
	}
	return path;
}
