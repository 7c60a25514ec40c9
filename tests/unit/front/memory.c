/* SPDX-License-Identifier: MIT */
#include "tests/unit/front/memory.h"

#include <stdint.h>

static size_t fail_min, fail_max;
static unsigned n_spared;
static bool is_armed, has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);

void memory_fail(size_t size_min, size_t size_max)
{
	fail_min = size_min;
	fail_max = size_max;
	n_spared = 0;
	has_failed = false;
	is_armed = true;
}

void memory_fail_next(void)
{
	memory_fail(0, SIZE_MAX);
}

void memory_fail_after(unsigned n)
{
	memory_fail_next();
	n_spared = n;
}

bool memory_has_failed(void)
{
	is_armed = false;
	return has_failed;
}

static bool memory_fails(size_t size)
{
	if (!is_armed || size < fail_min || size > fail_max)
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
	return memory_fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_fails(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return memory_fails(size) ? NULL : __real_realloc(at, size);
}
