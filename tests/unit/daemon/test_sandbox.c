/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* What io_uring_setup(2) says to nonsense: EPERM only where it is refused before it is read (or
 * by a host that refuses it anyway). */
static int ask_for_a_ring(void)
{
	return syscall(__NR_io_uring_setup, 0, NULL) < 0 ? errno : 0;
}

static void *ask_from_a_thread(void *context)
{
	atomic_int *stage = context;

	atomic_store(stage, 1);
	while (atomic_load(stage) != 2)
		(void)sched_yield();
	return ask_for_a_ring() == EPERM ? stage : NULL;
}

/* The exit status says which check failed: the sandbox is for good, so it is tried in a child. */
static int try_in_child(void)
{
	atomic_int stage = 0;
	pthread_t thread;
	void *refused;

	if (pthread_create(&thread, NULL, ask_from_a_thread, &stage) != 0)
		return 1;
	while (atomic_load(&stage) != 1)
		(void)sched_yield();
	sandbox_enter();
	atomic_store(&stage, 2);
	if (ask_for_a_ring() != EPERM)
		return 2;
	if (pthread_join(thread, &refused) != 0 || refused == NULL)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	/* All else passes. */
	return getppid() > 0 ? 0 : 5;
}

START_TEST(refuses_a_second_ring_to_all_threads)
{
	int status = -1;
	pid_t pid = fork();

	ck_assert(pid >= 0);
	if (pid == 0)
		_exit(try_in_child());
	ck_assert(waitpid(pid, &status, 0) == pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

UNIT_MAIN("daemon/sandbox", &refuses_a_second_ring_to_all_threads)
