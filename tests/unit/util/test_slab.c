/* SPDX-License-Identifier: MIT */
#include "util/slab.h"

#include <stdalign.h>
#include <stdint.h>

#include "tests/unit/unit.h"

struct test_object {
	int id;
	char more[100];
};

static int test_inits, test_deinits, test_inits_allowed;

static bool test_init(void *object)
{
	struct test_object *it = object;

	if (test_inits == test_inits_allowed)
		return false;
	it->id = ++test_inits;
	return true;
}

static void test_deinit(void *object)
{
	const struct test_object *it = object;

	ck_assert_int_gt(it->id, 0);
	test_deinits++;
}

START_TEST(takes_up_to_its_bound)
{
	enum { N = 1000 };
	struct slab slab;
	struct test_object *all[N];

	slab_init(&slab, sizeof(struct test_object), N);
	ck_assert_uint_eq(slab.n_total, 0);
	for (int i = 0; i < N; i++) {
		all[i] = slab_take(&slab);
		ck_assert_ptr_nonnull(all[i]);
		ck_assert_uint_eq((uintptr_t)all[i] % alignof(max_align_t), 0);
		memset(all[i], i % 251, sizeof(*all[i]));
	}
	ck_assert_ptr_null(slab_take(&slab));
	ck_assert_uint_eq(slab.n_used, N);
	ck_assert_uint_eq(slab.n_total, N);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq((unsigned char)all[i]->more[99], i % 251);
	for (int i = 0; i < N; i++)
		slab_give(&slab, all[i]);
	ck_assert_uint_eq(slab.n_used, 0);
	slab_deinit(&slab);
}
END_TEST

START_TEST(gives_the_last_first_with_its_content)
{
	struct slab slab;
	struct test_object *a, *b;

	slab_init(&slab, sizeof(struct test_object), 100);
	a = slab_take(&slab);
	b = slab_take(&slab);
	ck_assert_ptr_ne(a, b);
	a->id = 1;
	b->id = 2;
	slab_give(&slab, a);
	slab_give(&slab, b);
	ck_assert_ptr_eq(slab_take(&slab), b);
	ck_assert_int_eq(b->id, 2);
	ck_assert_ptr_eq(slab_take(&slab), a);
	ck_assert_int_eq(a->id, 1);
	slab_give(&slab, a);
	slab_give(&slab, b);
	slab_deinit(&slab);
}
END_TEST

START_TEST(makes_and_unmakes_each_once)
{
	struct slab slab;

	test_inits = 0;
	test_deinits = 0;
	test_inits_allowed = 10000;
	slab_init(&slab, sizeof(struct test_object), 1000);
	slab.init = test_init;
	slab.deinit = test_deinit;
	for (int i = 0; i < 100; i++)
		slab_give(&slab, slab_take(&slab));
	ck_assert_int_eq(test_inits, (int)slab.n_total);
	ck_assert_int_eq(test_deinits, 0);
	slab_deinit(&slab);
	ck_assert_int_eq(test_deinits, test_inits);
}
END_TEST

START_TEST(gives_back_all_when_a_burst_is_over)
{
	enum { N = 1000 };
	static struct test_object *all[N];
	struct slab slab;

	test_inits = 0;
	test_deinits = 0;
	test_inits_allowed = 10000;
	slab_init(&slab, sizeof(struct test_object), N);
	slab.init = test_init;
	slab.deinit = test_deinit;
	for (int i = 0; i < N; i++)
		all[i] = slab_take(&slab);
	for (int i = 0; i < N; i++)
		slab_give(&slab, all[i]);
	ck_assert_int_eq(test_deinits, N);
	ck_assert_uint_eq(slab.n_total, 0);
	ck_assert_ptr_nonnull(all[0] = slab_take(&slab));
	slab_give(&slab, all[0]);
	slab_deinit(&slab);
	ck_assert_int_eq(test_deinits, test_inits);
}
END_TEST

START_TEST(uses_what_could_be_made)
{
	struct slab slab;
	void *all[3];

	test_inits = 0;
	test_deinits = 0;
	test_inits_allowed = 3;
	slab_init(&slab, sizeof(struct test_object), 1000);
	slab.init = test_init;
	slab.deinit = test_deinit;
	for (int i = 0; i < 3; i++) {
		all[i] = slab_take(&slab);
		ck_assert_ptr_nonnull(all[i]);
	}
	ck_assert_ptr_null(slab_take(&slab));
	for (int i = 0; i < 3; i++)
		slab_give(&slab, all[i]);
	slab_deinit(&slab);
	ck_assert_int_eq(test_deinits, 3);
}
END_TEST

START_TEST(holds_objects_larger_than_a_chunk)
{
	struct slab slab;
	char *a, *b;

	slab_init(&slab, 100000, 2);
	a = slab_take(&slab);
	b = slab_take(&slab);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	memset(a, 1, 100000);
	memset(b, 2, 100000);
	ck_assert_int_eq(a[99999], 1);
	ck_assert_ptr_null(slab_take(&slab));
	slab_give(&slab, a);
	slab_give(&slab, b);
	slab_deinit(&slab);
}
END_TEST

UNIT_MAIN("util/slab", &takes_up_to_its_bound, &gives_the_last_first_with_its_content,
	&makes_and_unmakes_each_once,
	&gives_back_all_when_a_burst_is_over, &uses_what_could_be_made,
	&holds_objects_larger_than_a_chunk)
