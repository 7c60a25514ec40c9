/* SPDX-License-Identifier: MIT */
/*
 * The problem: standard input is what the shell, a service manager or a runtime made it: /dev/null,
 * a terminal, a socket. The daemon takes files and pipes, whose reads it understands.
 *
 * The idea: a thread reads, and writes into a pipe. It takes no signals (they are to interrupt the
 * thread that waits for the daemon), and ends with its input, when nobody reads any more, or with
 * the process.
 *
 * The limit: a pipe cannot tell its reader that what came before its end is not all. Where a read
 * fails the pipe stays open, therefore, so that no half body is taken for a whole one, and the
 * process is asked to end as by SIGTERM.
 */
#include "client/cli/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/file.h"
#include "client/cli/message.h"
#include "util/text.h"

#define PUMP_PIECE_SIZE (64 * 1024)

struct pump {
	int from, to;
};

static void *pump_run(void *context)
{
	struct pump pump = *(struct pump *)context;
	char piece[PUMP_PIECE_SIZE];
	ssize_t size;
	int r = 0;

	free(context);
	do {
		size = read(pump.from, piece, sizeof(piece));
		if (size > 0)
			r = file_write(pump.to, (struct text){piece, (size_t)size});
	} while (r == 0 && (size > 0 || (size < 0 && errno == EINTR)));
	if (size < 0) {
		message_print("cannot read what is to be sent: %s", strerror(errno));
		kill(getpid(), SIGTERM);
		return NULL;
	}
	close(pump.to);
	return NULL;
}

/* A thread that takes no signals, and is waited for by nobody. 0 or -errno. */
static int pump_start(int from, int to)
{
	struct pump *pump = malloc(sizeof(*pump));
	sigset_t all, before;
	pthread_t thread;
	int r;

	if (!pump)
		return -ENOMEM;
	*pump = (struct pump){from, to};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, pump_run, pump);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		free(pump);
	else
		pthread_detach(thread);
	return -r;
}

int pump_open(int fd, int *ret_fd)
{
	struct stat status;
	int ends[2];
	int r;

	*ret_fd = fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode))
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	r = pump_start(fd, ends[1]);
	if (r < 0) {
		close(ends[0]);
		close(ends[1]);
		return r;
	}
	*ret_fd = ends[0];
	return 0;
}
