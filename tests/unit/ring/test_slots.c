/* SPDX-License-Identifier: MIT */
#include "ring/slots.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int socket_new(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(a_socket_moves_into_a_slot_and_its_descriptor_is_free)
{
	struct slots slots = {0};
	struct io_uring uring;
	int fd, slot;

	ck_assert_int_eq(io_uring_queue_init(4, &uring, 0), 0);
	ck_assert_int_eq(slots_init(&slots, &uring, 2), 0);
	fd = socket_new();
	slot = slots_take(&slots, &uring, fd);
	ck_assert(slots_has(slot));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_uint_eq(slots.n_free, 1);
	io_uring_queue_exit(&uring);
	slots_deinit(&slots);
}
END_TEST

START_TEST(a_full_table_leaves_the_descriptor_as_it_is)
{
	struct slots slots = {0};
	struct io_uring uring;
	int fd, first, again;

	ck_assert_int_eq(io_uring_queue_init(4, &uring, 0), 0);
	ck_assert_int_eq(slots_init(&slots, &uring, 1), 0);
	first = slots_take(&slots, &uring, socket_new());
	ck_assert(slots_has(first));
	fd = socket_new();
	ck_assert_int_eq(slots_take(&slots, &uring, fd), fd);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	slots_give(&slots, (uint32_t)(first - SLOTS_BASE));
	again = slots_take(&slots, &uring, fd);
	ck_assert_int_eq(again, first);
	io_uring_queue_exit(&uring);
	slots_deinit(&slots);
}
END_TEST

START_TEST(without_a_table_everything_stays_a_descriptor)
{
	struct slots slots = {0};
	struct io_uring uring;
	int fd = socket_new();

	ck_assert_int_eq(io_uring_queue_init(4, &uring, 0), 0);
	ck_assert_int_eq(slots_take(&slots, &uring, fd), fd);
	ck_assert(!slots_has(fd));
	close(fd);
	io_uring_queue_exit(&uring);
}
END_TEST

UNIT_MAIN("ring/slots", &a_socket_moves_into_a_slot_and_its_descriptor_is_free,
	&a_full_table_leaves_the_descriptor_as_it_is,
	&without_a_table_everything_stays_a_descriptor)
