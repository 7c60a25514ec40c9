/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn(3) is a vfork in glibc: the child borrows our memory until it runs the daemon, so
 * that the size of the graph in our memory costs nothing. The daemon gets a process group of its
 * own, because a terminal's ^C is for settle, which cancels and still wants the records.
 *
 * The pair's other end arrives as descriptor 3. The daemon asks for its parent's death signal
 * itself, and sees the end of the session as an end of file. It is waited for, so that it never
 * outlives the command, and leaves no zombie where process 1 buries none (containers).
 */
#include "client/cli/spawn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/container.h"

#define SPAWN_FD     3
#define SPAWN_FD_ARG "3"

/* How long a daemon whose session is over may take to end. */
#define SPAWN_WAIT_MS 1000

extern char **environ;

/* Beside us where installed together, and where a build tree has it. */
static const char *const spawn_places[] = {
	"settled",
	"../daemon/settled",
	"../../daemon/settled",
};

static int spawn_find_beside(char *path, size_t size)
{
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (length < 0)
		return -errno;
	own[length] = '\0';
	slash = strrchr(own, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	for (size_t i = 0; i < countof(spawn_places); i++) {
		int n = snprintf(path, size, "%s/%s", own, spawn_places[i]);

		if (n > 0 && (size_t)n < size && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

static int spawn_find(char *path, size_t size)
{
	const char *named = getenv("SETTLE_DAEMON");
	int n;

	if (!named || !*named) {
		if (spawn_find_beside(path, size) == 0)
			return 0;
		named = SETTLED_PATH;
	}
	n = snprintf(path, size, "%s", named);
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	return access(path, X_OK) < 0 ? -errno : 0;
}

static int spawn_run(const char *path, int fd, pid_t *ret_pid)
{
	char name[] = "settled", option[] = "--private", number[] = SPAWN_FD_ARG;
	char *const argv[] = {name, option, number, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int r;

	/* glibc allocates in none of these but the first action. */
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	/* Onto itself it only loses its close-on-exec. */
	r = posix_spawn_file_actions_adddup2(&actions, fd, SPAWN_FD);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int spawn_daemon(int *ret_fd, pid_t *ret_pid)
{
	char path[PATH_MAX];
	int pair[2], r;

	r = spawn_find(path, sizeof(path));
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = spawn_run(path, pair[1], ret_pid);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	*ret_fd = pair[0];
	return 0;
}

int spawn_wait(pid_t pid)
{
	struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int status, r;

	if (ended.fd < 0)
		return -1;
	do {
		r = poll(&ended, 1, SPAWN_WAIT_MS);
	} while (r < 0 && errno == EINTR);
	close(ended.fd);
	if (r <= 0 || waitpid(pid, &status, WNOHANG) != pid)
		return -1;
	return status;
}
