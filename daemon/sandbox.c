/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/container.h"
#include "util/log.h"

/*
 * The problem: what a ring does passes seccomp by, so code that got into the process could make
 * a ring of its own, without our ring's restrictions, and do with it what the fence around the
 * service forbids. The idea: our ring is made first, and then io_uring_setup(2) is refused.
 *
 * The filter is no fence by itself and does not try to be one: that is the unit's
 * SystemCallFilter=. It lets all other calls pass.
 */

/* Debug builds are traced, by debuggers and by the leak sanitizer. */
#ifndef SANDBOX_DUMPABLE
#define SANDBOX_DUMPABLE 0
#endif

/* The bit that marks x32's numbers of the same calls. */
#define SANDBOX_X32_BIT 0x40000000u

/* The number is the same on every architecture that a process of ours can call into: calls since
 * 5.1 share one table. */
static struct sock_filter sandbox_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~SANDBOX_X32_BIT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* 0 or -errno. */
static int sandbox_filter_calls(void)
{
	struct sock_fprog program = {countof(sandbox_filter), sandbox_filter};

	/* TSYNC: for the threads there are as well. SPEC_ALLOW: a filter must not make every
	 * branch of the process slower; kernels before 5.16 would. */
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return 0;
	/* A fence around us may refuse the call; then for the threads to come. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return 0;
	return -errno;
}

void sandbox_enter(void)
{
	int rc = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sandbox_filter_calls();
	if (rc < 0)
		log_warning("sandbox: a second ring is not refused: %s", strerror(-rc));
	if (!SANDBOX_DUMPABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		log_warning("sandbox: core dumps are not switched off: %s", strerror(errno));
}
