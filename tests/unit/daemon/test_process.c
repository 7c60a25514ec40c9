/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static struct rlimit limit_get(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit;
}

START_TEST(raises_the_soft_limit_to_the_hard_one)
{
	struct rlimit before = limit_get(), lower = {64, before.rlim_max};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lower), 0);
	process_raise_descriptors();
	ck_assert_uint_gt(limit_get().rlim_cur, 64);
	process_raise_descriptors();
	ck_assert_uint_le(limit_get().rlim_cur, limit_get().rlim_max);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* Puts `fd` in stderr's place, calls, and says whether writing there may still block. */
static bool stderr_blocks_with(int fd, bool owns_socket)
{
	int before = dup(STDERR_FILENO);
	bool blocks;

	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	process_unblock_stderr(owns_socket);
	blocks = !(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
	ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
	close(before);
	return blocks;
}

START_TEST(a_pipe_does_not_block_and_stays_as_it_was_for_others)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(!stderr_blocks_with(ends[1], false));
	ck_assert(!(fcntl(ends[1], F_GETFL) & O_NONBLOCK));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_socket_does_not_block_where_it_is_ours)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert(stderr_blocks_with(ends[1], false));
	ck_assert(!stderr_blocks_with(ends[1], true));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

UNIT_MAIN("daemon/process", &raises_the_soft_limit_to_the_hard_one,
	&a_pipe_does_not_block_and_stays_as_it_was_for_others,
	&a_socket_does_not_block_where_it_is_ours)
