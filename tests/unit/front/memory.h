/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that runs out when a test wants it. Linked with --wrap for malloc, calloc and realloc.
 */

#include <stdbool.h>
#include <stddef.h>

/* The next allocation of such a size fails; only that one. By its size, because the tests' own
 * ring allocates as well. */
void memory_fail(size_t size_min, size_t size_max);

/* The next allocation of all, or the one after `n` more. */
void memory_fail_next(void);
void memory_fail_after(unsigned n);

/* No failure any more. True where one has failed since. */
bool memory_has_failed(void);
