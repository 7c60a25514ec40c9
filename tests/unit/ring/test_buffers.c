/* SPDX-License-Identifier: MIT */
#include "ring/buffers.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

START_TEST(gives_each_buffer_its_own_memory)
{
	struct buffers buffers;
	struct io_uring uring;

	ck_assert_int_eq(io_uring_queue_init(4, &uring, 0), 0);
	ck_assert_int_eq(buffers_init(&buffers, &uring, 4, 64, 7), 0);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t flags = i << IORING_CQE_BUFFER_SHIFT | IORING_CQE_F_BUFFER;

		ck_assert_ptr_eq(buffers_get(&buffers, flags), buffers.memory + i * 64);
	}
	io_uring_queue_exit(&uring);
	buffers_deinit(&buffers);
}
END_TEST

START_TEST(a_buffer_put_back_is_used_again)
{
	struct buffers buffers;
	struct io_uring uring;
	int pair[2];

	ck_assert_int_eq(io_uring_queue_init(4, &uring, 0), 0);
	ck_assert_int_eq(buffers_init(&buffers, &uring, 1, 64, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < 5; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&uring);
		struct io_uring_cqe *cqe;

		io_uring_prep_recv(sqe, pair[0], NULL, 0, 0);
		sqe->flags = IOSQE_BUFFER_SELECT;
		ck_assert_int_eq(write(pair[1], "abc", 3), 3);
		ck_assert_int_eq(io_uring_submit_and_wait(&uring, 1), 1);
		ck_assert_int_eq(io_uring_peek_cqe(&uring, &cqe), 0);
		ck_assert_int_eq(cqe->res, 3);
		ck_assert_mem_eq(buffers_get(&buffers, cqe->flags), "abc", 3);
		buffers_put(&buffers, cqe->flags);
		io_uring_cqe_seen(&uring, cqe);
	}
	close(pair[0]);
	close(pair[1]);
	io_uring_queue_exit(&uring);
	buffers_deinit(&buffers);
}
END_TEST

START_TEST(a_single_buffer_needs_no_ring)
{
	struct buffers buffers;

	ck_assert_int_eq(buffers_init_single(&buffers, 4096), 0);
	ck_assert_ptr_nonnull(buffers.memory);
	ck_assert_ptr_null(buffers.entries);
	buffers_deinit(&buffers);
	ck_assert_ptr_null(buffers.memory);
}
END_TEST

UNIT_MAIN("ring/buffers", &gives_each_buffer_its_own_memory, &a_buffer_put_back_is_used_again,
	&a_single_buffer_needs_no_ring)
