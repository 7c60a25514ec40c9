/* SPDX-License-Identifier: MIT */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "util/container.h"

#include "tests/unit/unit.h"

START_TEST(gives_zeroed_aligned_memory)
{
	static const size_t sizes[] = {1, 7, 16, 100, 4096, 5000, 3, 100000};
	struct arena arena;

	arena_init(&arena, 1024 * 1024);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < countof(sizes); i++) {
			char *memory = arena_alloc(&arena, sizes[i]);

			ck_assert_ptr_nonnull(memory);
			ck_assert_uint_eq((uintptr_t)memory % alignof(max_align_t), 0);
			for (size_t j = 0; j < sizes[i]; j++)
				ck_assert_int_eq(memory[j], 0);
			/* So that the next would show it if it were the same memory. */
			memset(memory, 0xaa, sizes[i]);
		}
	}
	arena_deinit(&arena);
}
END_TEST

START_TEST(gives_what_does_not_overlap)
{
	enum { N = 2000, SIZE = 24 };
	struct arena arena;
	unsigned char *all[N];

	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < N; i++) {
		all[i] = arena_alloc(&arena, SIZE);
		memset(all[i], (int)(i % 251), SIZE);
	}
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < SIZE; j++)
			ck_assert_uint_eq(all[i][j], i % 251);
	}
	arena_deinit(&arena);
}
END_TEST

START_TEST(refuses_beyond_its_bound)
{
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 64 * 1024);
	ck_assert_ptr_null(arena_alloc(&arena, 64 * 1024));
	while (arena_alloc(&arena, 1000))
		n++;
	ck_assert_uint_ge(n, 32);
	ck_assert_uint_le(n, 64);
	ck_assert_uint_le(arena.bytes, 64 * 1024);
	arena_deinit(&arena);
}
END_TEST

START_TEST(refuses_sizes_that_do_not_fit)
{
	static const struct {
		size_t n;
		size_t size;
	} cases[] = {
		{SIZE_MAX, 1},
		{1, SIZE_MAX},
		{SIZE_MAX / 2, 3},
		{SIZE_MAX / 8 + 1, 16},
		{(size_t)1 << 32, (size_t)1 << 32},
	};
	struct arena arena;

	arena_init(&arena, SIZE_MAX);
	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_ptr_null(arena_alloc_array(&arena, cases[i].n, cases[i].size));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_nonnull(arena_alloc_array(&arena, 10, 10));
	arena_deinit(&arena);
}
END_TEST

START_TEST(copies_texts)
{
	struct arena arena;
	struct text copy;
	char original[] = "a\0b";

	arena_init(&arena, 64 * 1024);
	copy = arena_copy(&arena, (struct text){original, 3});
	memset(original, 'x', sizeof(original));
	ck_assert(text_equal(copy, (struct text){"a\0b", 3}));
	ck_assert_int_eq(copy.data[3], '\0');
	copy = arena_copy(&arena, (struct text){NULL, 0});
	ck_assert_ptr_nonnull(copy.data);
	ck_assert_str_eq(copy.data, "");
	arena_deinit(&arena);

	arena_init(&arena, 0);
	ck_assert_ptr_null(arena_copy(&arena, TEXT("x")).data);
	arena_deinit(&arena);
}
END_TEST

UNIT_MAIN("util/arena", &gives_zeroed_aligned_memory, &gives_what_does_not_overlap,
	&refuses_beyond_its_bound, &refuses_sizes_that_do_not_fit, &copies_texts)
