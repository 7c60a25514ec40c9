/* SPDX-License-Identifier: MIT */
#include "tests/unit/front/memory.h"

#include <stdint.h>

static size_t bytes_min, object_min, object_max;
static unsigned n_spared;
static bool is_armed, has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_reallocarray(void *at, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_reallocarray(void *at, size_t n, size_t size);

static void memory_arm(unsigned n)
{
	n_spared = n;
	has_failed = false;
	is_armed = true;
}

void memory_fail_after(unsigned n)
{
	bytes_min = 0;
	object_min = 0;
	object_max = SIZE_MAX;
	memory_arm(n);
}

void memory_fail_next(void)
{
	memory_fail_after(0);
}

void memory_fail_object(size_t size)
{
	bytes_min = SIZE_MAX;
	object_min = size;
	object_max = size;
	memory_arm(0);
}

void memory_fail_bytes_after(size_t size_min, unsigned n)
{
	bytes_min = size_min;
	object_min = SIZE_MAX;
	object_max = SIZE_MAX;
	memory_arm(n);
}

void memory_fail_bytes(size_t size_min)
{
	memory_fail_bytes_after(size_min, 0);
}

bool memory_has_failed(void)
{
	is_armed = false;
	return has_failed;
}

static bool memory_fails(bool is_meant)
{
	if (!is_armed || !is_meant)
		return false;
	if (n_spared > 0) {
		n_spared--;
		return false;
	}
	is_armed = false;
	has_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return memory_fails(size >= bytes_min) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	bool is_meant = n * size >= object_min && n * size <= object_max;

	return memory_fails(is_meant) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return memory_fails(size >= bytes_min) ? NULL : __real_realloc(at, size);
}

void *__wrap_reallocarray(void *at, size_t n, size_t size)
{
	return memory_fails(n * size >= bytes_min) ? NULL : __real_reallocarray(at, n, size);
}
