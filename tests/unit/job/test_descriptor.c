/* SPDX-License-Identifier: MIT */
#include "job/descriptor.h"

#include "tests/unit/front/memory.h"
#include "tests/unit/net/fake_file.h"
#include "tests/unit/unit.h"

START_TEST(keeps_them_in_their_order_and_closes_them)
{
	struct ring *ring = fake_ring_begin();
	int fds[] = {fake_pipe(), fake_file(""), fake_odd()};
	struct descriptors *descriptors = descriptors_new(ring, fds, 3);

	ck_assert_uint_eq(descriptors->n, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(descriptors->all[i].fd, fds[i]);
		ck_assert(!descriptors->all[i].is_spent);
		ck_assert(fake_is_open(fds[i]));
	}
	ck_assert_ptr_null(descriptors_free(ring, descriptors));
	ck_assert_uint_eq(fake_n_open(), 0);
	fake_ring_end();
}
END_TEST

START_TEST(none_are_nothing)
{
	struct ring *ring = fake_ring_begin();

	ck_assert_ptr_null(descriptors_new(ring, NULL, 0));
	ck_assert_ptr_null(descriptors_free(ring, NULL));
	fake_ring_end();
}
END_TEST

START_TEST(without_memory_they_are_closed)
{
	struct ring *ring = fake_ring_begin();
	int fds[] = {fake_pipe(), fake_file("")};

	memory_fail_next();
	ck_assert_ptr_null(descriptors_new(ring, fds, 2));
	ck_assert(memory_has_failed());
	ck_assert_uint_eq(fake_n_open(), 0);
	fake_ring_end();
}
END_TEST

UNIT_MAIN("job/descriptor", &keeps_them_in_their_order_and_closes_them, &none_are_nothing,
	&without_memory_they_are_closed)
