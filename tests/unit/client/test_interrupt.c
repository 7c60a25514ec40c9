/* SPDX-License-Identifier: MIT */
#include "client/cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static bool interrupt_is_readable(void)
{
	return poll(&(struct pollfd){.fd = interrupt_fd(), .events = POLLIN}, 1, 0) == 1;
}

START_TEST(counts_and_wakes)
{
	ck_assert_int_eq(interrupt_init(), 0);
	ck_assert_uint_eq(interrupt_count(), 0);
	ck_assert_int_eq(interrupt_signal(), 0);
	ck_assert(!interrupt_is_readable());
	raise(SIGTERM);
	ck_assert_uint_eq(interrupt_count(), 1);
	ck_assert(interrupt_is_readable());
	interrupt_drain();
	ck_assert(!interrupt_is_readable());
	raise(SIGINT);
	ck_assert_uint_eq(interrupt_count(), 2);
	ck_assert_int_eq(interrupt_signal(), SIGTERM);
}
END_TEST

START_TEST(leaves_an_ignored_signal_ignored)
{
	sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	ck_assert_int_eq(interrupt_init(), 0);
	raise(SIGINT);
	ck_assert_uint_eq(interrupt_count(), 0);
}
END_TEST

START_TEST(ends_at_the_third)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		interrupt_init();
		raise(SIGTERM);
		raise(SIGTERM);
		raise(SIGTERM);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 128 + SIGTERM);
}
END_TEST

/* Each runs in a process of its own: signals are counted for good. */
int main(void)
{
	const TTest *const *tests[] = {
		&counts_and_wakes,
		&leaves_an_ignored_signal_ignored,
		&ends_at_the_third,
	};

	/* Also where a sanitizer asked for one process. */
	setenv("CK_FORK", "yes", 1);
	return unit_run("client/interrupt", tests, sizeof(tests) / sizeof(tests[0]));
}
