/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"

/* Beyond a million descriptors the tables of the kernel cost more than they bring. */
#define PROCESS_DESCRIPTORS_MAX (1u << 20)

/* As many descriptors as we may have: the daemon knows its own bounds. */
void process_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur =
		limit.rlim_max < PROCESS_DESCRIPTORS_MAX ? limit.rlim_max : PROCESS_DESCRIPTORS_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the number of descriptors: %s", strerror(errno));
}

/* A reader of our log that stops must not stop the loop. The flag belongs to all that share the
 * open file, so it is opened anew where that is possible. */
void process_unblock_stderr(bool owns_socket)
{
	struct stat status;
	int fd, flags;

	if (fstat(STDERR_FILENO, &status) < 0)
		return;
	if (S_ISSOCK(status.st_mode)) {
		if (!owns_socket)
			return;
		flags = fcntl(STDERR_FILENO, F_GETFL);
		if (flags >= 0)
			(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	} else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0) {
			(void)dup2(fd, STDERR_FILENO);
			(void)close(fd);
		}
	}
}
