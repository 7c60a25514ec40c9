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

START_TEST(one_is_found_by_its_number)
{
	struct ring *ring = fake_ring_begin();
	int fds[] = {fake_pipe(), fake_file("")};
	struct descriptors *descriptors = descriptors_new(ring, fds, 2);

	ck_assert_int_eq(descriptors_find(descriptors, 0)->fd, fds[0]);
	ck_assert_int_eq(descriptors_find(descriptors, 1)->fd, fds[1]);
	ck_assert_ptr_null(descriptors_find(descriptors, 2));
	ck_assert_ptr_null(descriptors_find(descriptors, UINT32_MAX));
	ck_assert_ptr_null(descriptors_find(NULL, 0));
	descriptors_free(ring, descriptors);
	fake_ring_end();
}
END_TEST

START_TEST(one_writes_it_and_one_reads_it_at_a_time)
{
	struct ring *ring = fake_ring_begin();
	int fd = fake_pipe();
	struct descriptors *descriptors = descriptors_new(ring, &fd, 1);
	struct descriptor *descriptor = descriptors_find(descriptors, 0);

	ck_assert_uint_eq(descriptor->writers.limit, 1);
	ck_assert_uint_eq(descriptor->readers.limit, 1);
	descriptor->readers.used = 1;
	ck_assert(!bound_has_room(&descriptor->readers));
	ck_assert(bound_has_room(&descriptor->writers));
	/* There is nothing left to wait for. */
	descriptor_spend(descriptor);
	ck_assert(descriptor->is_spent);
	ck_assert(bound_has_room(&descriptor->readers));
	descriptor->readers.used = 0;
	descriptors_free(ring, descriptors);
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

UNIT_MAIN("job/descriptor", &keeps_them_in_their_order_and_closes_them, &one_is_found_by_its_number,
	&one_writes_it_and_one_reads_it_at_a_time, &none_are_nothing,
	&without_memory_they_are_closed)
