/* SPDX-License-Identifier: MIT */
#include "front/passed.h"

#include "proto/plan.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/net/fake_file.h"
#include "tests/unit/unit.h"

static struct passed_common common;
static struct passed passed;

static void begin(void)
{
	passed_common_init(&common, fake_ring_begin(), 1000);
	passed = (struct passed){0};
}

static void end(void)
{
	passed_close(&passed, &common);
	ck_assert_ptr_null(passed.all);
	ck_assert_uint_eq(common.n, 0);
	ck_assert_uint_eq(fake_n_open(), 0);
	fake_ring_end();
}

static bool add(uint32_t n, uint64_t at)
{
	int fds[PLAN_FDS_MAX + 1];

	for (uint32_t i = 0; i < n; i++)
		fds[i] = fake_odd();
	return passed_add(&passed, &common, fds, n, at);
}

START_TEST(a_line_has_those_whose_last_byte_is_in_it)
{
	begin();
	ck_assert(add(1, 5));
	ck_assert(add(2, 10));
	ck_assert(add(3, 11));
	passed_begin_line(&passed, &common, 0, 4);
	ck_assert_uint_eq(passed.n_line, 0);
	passed_end_line(&passed, &common);
	passed_begin_line(&passed, &common, 4, 10);
	ck_assert_uint_eq(passed.n_line, 3);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(fake_n_open(), 3);
	passed_begin_line(&passed, &common, 10, 20);
	ck_assert_uint_eq(passed.n_line, 3);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(fake_n_open(), 0);
	ck_assert_ptr_null(passed.all);
	end();
}
END_TEST

START_TEST(what_came_before_the_line_began_is_closed)
{
	begin();
	ck_assert(add(1, 5));
	ck_assert(add(2, 6));
	passed_lose(&passed, 5);
	passed_begin_line(&passed, &common, 5, 6);
	ck_assert_uint_eq(fake_n_open(), 2);
	ck_assert_uint_eq(passed.n_line, 2);
	ck_assert(!passed.line_lost);
	passed_end_line(&passed, &common);
	end();
}
END_TEST

START_TEST(what_is_taken_keeps_its_order_and_stays_open)
{
	struct descriptors *descriptors;
	int first;

	begin();
	first = fake_end_fd();
	ck_assert(add(2, 5));
	ck_assert(add(1, 6));
	ck_assert(add(1, 7));
	passed_begin_line(&passed, &common, 0, 6);
	descriptors = passed_take(&passed, &common);
	ck_assert_uint_eq(descriptors->n, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(descriptors->all[i].fd, first + i);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(fake_n_open(), 4);
	passed_begin_line(&passed, &common, 6, 8);
	ck_assert_uint_eq(passed.n_line, 1);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(fake_n_open(), 3);
	ck_assert_uint_eq(common.n, 3);
	descriptors_free(common.ring, descriptors);
	passed_on_closed(&common, 3);
	end();
}
END_TEST

START_TEST(none_are_nothing)
{
	begin();
	ck_assert(passed_add(&passed, &common, NULL, 0, 5));
	passed_begin_line(&passed, &common, 0, 5);
	ck_assert_ptr_null(passed_take(&passed, &common));
	passed_end_line(&passed, &common);
	end();
}
END_TEST

START_TEST(more_than_a_message_can_have_are_closed)
{
	begin();
	ck_assert(add(PLAN_FDS_MAX, 5));
	ck_assert(!add(1, 6));
	ck_assert_uint_eq(fake_n_open(), PLAN_FDS_MAX);
	passed_begin_line(&passed, &common, 0, 6);
	passed_end_line(&passed, &common);
	ck_assert(!add(PLAN_FDS_MAX + 1, 7));
	ck_assert_uint_eq(fake_n_open(), 0);
	ck_assert(add(1, 8));
	end();
}
END_TEST

START_TEST(the_line_that_has_lost_some_knows)
{
	begin();
	passed_lose(&passed, 9);
	passed_begin_line(&passed, &common, 0, 8);
	ck_assert(!passed.line_lost);
	passed_end_line(&passed, &common);
	passed_begin_line(&passed, &common, 8, 9);
	ck_assert(passed.line_lost);
	passed_end_line(&passed, &common);
	passed_begin_line(&passed, &common, 9, 20);
	ck_assert(!passed.line_lost);
	passed_end_line(&passed, &common);
	end();
}
END_TEST

/* Where lines end, and where something was lost that no line was read for yet. */
START_TEST(each_line_that_has_lost_some_knows)
{
	static const struct {
		uint64_t lost[4];
		/* Of the lines that end at 10, 20 and 30. */
		bool is_lost[3];
	} cases[] = {
		{{5}, {true, false, false}},
		{{5, 10}, {true, false, false}},
		{{5, 15}, {true, true, false}},
		{{5, 8, 25}, {true, false, true}},
		{{15, 18, 30}, {false, true, true}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		for (size_t k = 0; k < 4 && cases[i].lost[k]; k++)
			passed_lose(&passed, cases[i].lost[k]);
		for (uint64_t line = 0; line < 3; line++) {
			passed_begin_line(&passed, &common, line * 10, line * 10 + 10);
			ck_assert_msg(passed.line_lost == cases[i].is_lost[line], "%zu: %ju", i,
				(uintmax_t)line);
			passed_end_line(&passed, &common);
		}
		end();
	}
}
END_TEST

START_TEST(beyond_what_all_sessions_may_have_they_are_closed_and_lost)
{
	struct passed other = {0};
	struct descriptors *descriptors;
	int fd;

	begin();
	common.n_max = 5;
	ck_assert(add(3, 5));
	ck_assert(add(3, 6));
	ck_assert_uint_eq(fake_n_open(), 3);
	/* What there is room for may come all the same, also to another session. */
	fd = fake_odd();
	ck_assert(passed_add(&other, &common, &fd, 1, 3));
	ck_assert(add(1, 8));
	ck_assert(add(1, 9));
	ck_assert_uint_eq(common.n, 5);
	passed_begin_line(&passed, &common, 0, 5);
	ck_assert(!passed.line_lost);
	/* Taken ones count until they are closed. */
	descriptors = passed_take(&passed, &common);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(common.n, 5);
	passed_begin_line(&passed, &common, 5, 8);
	ck_assert(passed.line_lost);
	ck_assert_uint_eq(passed.n_line, 1);
	passed_end_line(&passed, &common);
	ck_assert_uint_eq(common.n, 4);
	descriptors_free(common.ring, descriptors);
	passed_on_closed(&common, 3);
	passed_begin_line(&passed, &common, 8, 9);
	ck_assert(passed.line_lost);
	passed_end_line(&passed, &common);
	ck_assert(add(4, 10));
	passed_close(&other, &common);
	ck_assert_ptr_null(other.all);
	end();
}
END_TEST

START_TEST(without_memory_they_are_closed)
{
	begin();
	memory_fail_object(PLAN_FDS_MAX * 16);
	ck_assert(!add(2, 5));
	ck_assert(memory_has_failed());
	ck_assert_uint_eq(fake_n_open(), 0);
	ck_assert(add(2, 5));
	passed_begin_line(&passed, &common, 0, 5);
	memory_fail_object(sizeof(struct descriptors) + 2 * sizeof(struct descriptor));
	ck_assert_ptr_null(passed_take(&passed, &common));
	ck_assert(memory_has_failed());
	ck_assert_uint_eq(fake_n_open(), 0);
	end();
}
END_TEST

UNIT_MAIN("front/passed", &a_line_has_those_whose_last_byte_is_in_it,
	&what_came_before_the_line_began_is_closed, &what_is_taken_keeps_its_order_and_stays_open,
	&none_are_nothing, &more_than_a_message_can_have_are_closed,
	&the_line_that_has_lost_some_knows, &each_line_that_has_lost_some_knows,
	&beyond_what_all_sessions_may_have_they_are_closed_and_lost,
	&without_memory_they_are_closed)
