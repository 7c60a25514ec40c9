/* SPDX-License-Identifier: MIT */
#include "ring/ring.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/unit/unit.h"

static const struct ring_options options = {
	.entries = 8,
	.completions = 64,
	.n_buffers = 4,
	.buffer_size = 64,
	.n_large_buffers = 2,
	.large_buffer_size = 4096,
};

/* From now on, in this process, io_uring_setup answers `error`. */
static void refuse_setup(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void expect_refusal(int error, const char *word)
{
	struct ring *ring = NULL;
	const char *why = NULL;

	refuse_setup(error);
	ck_assert_int_eq(ring_new(&options, &ring, &why), -error);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, word), "no '%s' in: %s", word, why);
}

/* Each runs in a process of its own: a filter cannot be taken back. */
START_TEST(says_what_to_do_where_the_kernel_has_none)
{
	expect_refusal(ENOSYS, "Linux 6.1");
}
END_TEST

START_TEST(says_what_to_do_where_it_is_forbidden)
{
	expect_refusal(EPERM, "seccomp");
}
END_TEST

START_TEST(says_what_to_do_without_memory)
{
	expect_refusal(ENOMEM, "LimitMEMLOCK");
}
END_TEST

START_TEST(says_what_to_do_where_the_kernel_is_too_old)
{
	expect_refusal(EINVAL, "6.1");
}
END_TEST

START_TEST(says_what_to_do_without_descriptors)
{
	struct rlimit before, limit;
	struct ring *ring = NULL;
	const char *why = NULL;
	int r;

	/* For the call alone: at its end the leak sanitizer opens what it looks at. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){3, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	r = ring_new(&options, &ring, &why);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(r, -EMFILE);
	ck_assert(strstr(why, "LimitNOFILE"));
}
END_TEST

int main(void)
{
	const TTest *const *tests[] = {
		&says_what_to_do_where_the_kernel_has_none,
		&says_what_to_do_where_it_is_forbidden,
		&says_what_to_do_without_memory,
		&says_what_to_do_where_the_kernel_is_too_old,
		&says_what_to_do_without_descriptors,
	};

	/* Also where a sanitizer asked for one process. */
	setenv("CK_FORK", "yes", 1);
	return unit_run("ring/setup", tests, sizeof(tests) / sizeof(tests[0]));
}
