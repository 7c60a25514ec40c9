/* SPDX-License-Identifier: MIT */
#include "http/h2_memory.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

#define MAX 4096

static struct h2_memory memory;
static nghttp2_mem functions;

static void begin(void)
{
	memory = (struct h2_memory){.used_max = MAX};
	functions = h2_memory_functions(&memory);
}

START_TEST(counts_what_is_used)
{
	char *a, *b;

	begin();
	a = functions.malloc(100, &memory);
	b = functions.calloc(10, 20, &memory);
	ck_assert_uint_eq(memory.used, 300);
	ck_assert_uint_eq((uintptr_t)a % _Alignof(max_align_t), 0);
	ck_assert_uint_eq((uintptr_t)b % _Alignof(max_align_t), 0);
	for (unsigned i = 0; i < 200; i++)
		ck_assert_int_eq(b[i], 0);
	memset(a, 'a', 100);
	a = functions.realloc(a, 1000, &memory);
	ck_assert_uint_eq(memory.used, 1200);
	ck_assert_int_eq(a[99], 'a');
	a = functions.realloc(a, 10, &memory);
	ck_assert_uint_eq(memory.used, 210);
	functions.free(a, &memory);
	functions.free(NULL, &memory);
	functions.free(b, &memory);
	ck_assert_uint_eq(memory.used, 0);
}
END_TEST

START_TEST(gives_nothing_beyond_its_bound)
{
	char *a, *b;

	begin();
	ck_assert_ptr_null(functions.malloc(MAX + 1, &memory));
	ck_assert_ptr_null(functions.malloc(SIZE_MAX, &memory));
	ck_assert_ptr_null(functions.calloc(SIZE_MAX / 2, 3, &memory));
	ck_assert_ptr_null(functions.calloc(3, SIZE_MAX / 2, &memory));
	a = functions.malloc(MAX - 1, &memory);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_null(functions.calloc(2, 1, &memory));
	b = functions.calloc(1, 1, &memory);
	ck_assert_ptr_nonnull(b);
	/* The old block stays. */
	memset(a, 'a', MAX - 1);
	ck_assert_ptr_null(functions.realloc(a, MAX, &memory));
	ck_assert_int_eq(a[MAX - 2], 'a');
	ck_assert_uint_eq(memory.used, MAX);
	functions.free(b, &memory);
	a = functions.realloc(a, MAX, &memory);
	ck_assert_ptr_nonnull(a);
	functions.free(a, &memory);
	a = functions.realloc(NULL, 0, &memory);
	ck_assert_ptr_nonnull(a);
	functions.free(a, &memory);
	ck_assert_uint_eq(memory.used, 0);
}
END_TEST

UNIT_MAIN("http/h2_memory", &counts_what_is_used, &gives_nothing_beyond_its_bound)
