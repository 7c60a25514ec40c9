/* SPDX-License-Identifier: MIT */
#include "client/cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A daemon that says its arguments and waits for the end of its session. */
static const char spawn_script[] = "#!/bin/sh\n"
				   "printf '%s %s\\n' \"$1\" \"$2\" >&3\n"
				   "cat <&3 >/dev/null\n"
				   "exit 7\n";

static void spawn_write(char *path)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, spawn_script, sizeof(spawn_script) - 1),
		(ssize_t)sizeof(spawn_script) - 1);
	ck_assert_int_eq(fchmod(fd, 0700), 0);
	close(fd);
	setenv("SETTLE_DAEMON", path, 1);
}

START_TEST(runs_a_daemon_that_ends_with_its_session)
{
	char path[] = "/tmp/settle-test.XXXXXX", said[64];
	int fd = -1, status;
	pid_t pid = 0;
	ssize_t size;

	spawn_write(path);
	ck_assert_int_eq(spawn_daemon(&fd, &pid), 0);
	ck_assert_int_gt(pid, 0);
	/* A terminal's signals are not for it. */
	ck_assert_int_eq(getpgid(pid), pid);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	size = read(fd, said, sizeof(said) - 1);
	ck_assert_int_gt(size, 0);
	said[size] = '\0';
	ck_assert_str_eq(said, "--private 3\n");
	close(fd);
	status = spawn_wait(pid);
	ck_assert(status >= 0 && WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	/* No zombie is left. */
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), -1);
	unlink(path);
}
END_TEST

START_TEST(tells_that_there_is_none)
{
	int fd = -1;
	pid_t pid;

	setenv("SETTLE_DAEMON", "/nonexistent/settled", 1);
	ck_assert_int_eq(spawn_daemon(&fd, &pid), -ENOENT);
	ck_assert_int_eq(fd, -1);
}
END_TEST

UNIT_MAIN("client/spawn", &runs_a_daemon_that_ends_with_its_session, &tells_that_there_is_none)
