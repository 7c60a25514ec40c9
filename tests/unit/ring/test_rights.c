/* SPDX-License-Identifier: MIT */
#include "ring/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring/ring.h"
#include "tests/unit/ring/passing.h"
#include "tests/unit/unit.h"

static char data[65536];
static int fds[RING_FDS_MAX];

/* Descriptors of this process that are open. */
static unsigned n_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 2048; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static struct rights receive(int fd, const char *text)
{
	struct rights rights = {.fds = fds};

	ck_assert_int_eq(rights_receive(fd, data, sizeof(data), &rights), (int)strlen(text));
	ck_assert_mem_eq(data, text, strlen(text));
	return rights;
}

START_TEST(takes_none_where_none_were_passed)
{
	struct rights rights = {.fds = fds};
	int pair[2];

	pair_make(pair);
	ck_assert_int_eq(rights_receive(pair[0], data, sizeof(data), &rights), -EAGAIN);
	ck_assert_uint_eq(rights.n_fds, 0);
	pass(pair[1], "hello", 0);
	rights = receive(pair[0], "hello");
	ck_assert_uint_eq(rights.n_fds, 0);
	ck_assert(!rights.lost_fds);
	close(pair[1]);
	ck_assert_int_eq(rights_receive(pair[0], data, sizeof(data), &rights), 0);
	close(pair[0]);
}
END_TEST

static const unsigned counts[] = {1, 2, 17, RING_FDS_MAX};

START_TEST(takes_as_many_as_one_message_can_pass)
{
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned before = n_open();
		struct rights rights;
		int pair[2];

		pair_make(pair);
		pass(pair[1], "x", counts[i]);
		rights = receive(pair[0], "x");
		ck_assert_uint_eq(rights.n_fds, counts[i]);
		ck_assert(!rights.lost_fds);
		for (unsigned k = 0; k < counts[i]; k++) {
			ck_assert_int_eq(fcntl(rights.fds[k], F_GETFD), FD_CLOEXEC);
			close(rights.fds[k]);
		}
		close(pair[0]);
		close(pair[1]);
		ck_assert_uint_eq(n_open(), before);
	}
}
END_TEST

/* What the daemon's rule stands on: which bytes come with which descriptors. */
START_TEST(a_receive_ends_behind_the_send_that_passed_them)
{
	struct rights rights;
	int pair[2];

	pair_make(pair);
	pass(pair[1], "aaaa", 0);
	pass(pair[1], "b", 1);
	pass(pair[1], "c", 2);
	pass(pair[1], "dd", 0);
	pass(pair[1], "ee", 0);
	rights = receive(pair[0], "aaaab");
	ck_assert_uint_eq(rights.n_fds, 1);
	close(rights.fds[0]);
	rights = receive(pair[0], "c");
	ck_assert_uint_eq(rights.n_fds, 2);
	close(rights.fds[0]);
	close(rights.fds[1]);
	rights = receive(pair[0], "ddee");
	ck_assert_uint_eq(rights.n_fds, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(they_come_with_the_first_byte_of_their_send)
{
	struct rights rights = {.fds = fds};
	int pair[2];

	pair_make(pair);
	pass(pair[1], "aa", 0);
	pass(pair[1], "bcd", 1);
	ck_assert_int_eq(rights_receive(pair[0], data, 3, &rights), 3);
	ck_assert_uint_eq(rights.n_fds, 1);
	close(rights.fds[0]);
	rights = receive(pair[0], "cd");
	ck_assert_uint_eq(rights.n_fds, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(says_where_there_was_no_room_for_all_and_leaks_none)
{
	struct rlimit limit, narrow;
	unsigned before;
	struct rights rights;
	int pair[2];

	pair_make(pair);
	pass(pair[1], "x", 10);
	before = n_open();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	narrow = (struct rlimit){(rlim_t)next_fd() + 3, limit.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &narrow), 0);
	rights = receive(pair[0], "x");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(rights.lost_fds);
	ck_assert_uint_le(rights.n_fds, 3);
	ck_assert_uint_eq(n_open(), before + rights.n_fds);
	for (unsigned k = 0; k < rights.n_fds; k++)
		close(rights.fds[k]);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

UNIT_MAIN("ring/rights", &takes_none_where_none_were_passed, &takes_as_many_as_one_message_can_pass,
	&a_receive_ends_behind_the_send_that_passed_them,
	&they_come_with_the_first_byte_of_their_send,
	&says_where_there_was_no_room_for_all_and_leaks_none)
