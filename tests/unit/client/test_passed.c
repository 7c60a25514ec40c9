/* SPDX-License-Identifier: MIT */
#include "client/cli/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "tests/unit/client/peer.h"

START_TEST(counts_and_closes_what_it_took)
{
	struct passed passed = {.n = 0};
	uint32_t index;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(passed_take(&passed, fds[0], &index), 0);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(passed_borrow(&passed, fds[1], &index), 0);
	ck_assert_uint_eq(index, 1);
	passed_close(&passed);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	ck_assert_int_ge(fcntl(fds[1], F_GETFD), 0);
	close(fds[1]);
}
END_TEST

START_TEST(has_a_bound)
{
	struct passed passed = {.n = 0};
	uint32_t index = 0;
	int fd = dup(STDERR_FILENO);

	message_silence();
	for (uint32_t i = 0; i < SETTLE_FDS_MAX; i++)
		ck_assert_int_eq(passed_borrow(&passed, STDERR_FILENO, &index), 0);
	ck_assert_uint_eq(index, SETTLE_FDS_MAX - 1);
	ck_assert_int_eq(passed_borrow(&passed, STDERR_FILENO, &index), EXIT_USAGE);
	ck_assert_int_eq(passed_take(&passed, fd, &index), EXIT_USAGE);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(goes_with_the_next_graph)
{
	struct passed passed = {.n = 0};
	struct peer peer = peer_open();
	uint32_t index;

	passed_borrow(&passed, STDERR_FILENO, &index);
	passed_borrow(&passed, STDERR_FILENO, &index);
	ck_assert_int_eq(passed_hand_over(&passed, peer.settle), 0);
	ck_assert_uint_eq(peer.settle->parcel->n, 2);
	passed_borrow(&passed, -1, &index);
	ck_assert_int_eq(passed_hand_over(&passed, peer.settle), -EBADF);
	peer_close(&peer);
}
END_TEST

UNIT_MAIN("client/passed", &counts_and_closes_what_it_took, &has_a_bound, &goes_with_the_next_graph)
