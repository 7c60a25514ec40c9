/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that runs out when a test wants it. Linked with --wrap for malloc, calloc,
 * realloc and reallocarray.
 */

#include <stdbool.h>
#include <stddef.h>

/* From then on one allocation fails: the next one of all, or the one after `n` more. Only where
 * nothing but what is tested allocates until memory_has_failed(). */
void memory_fail_next(void);
void memory_fail_after(unsigned n);

/* The next object (calloc) of that size, or the next bytes (malloc, realloc…) of at least that
 * size, bytes of a test or of libcheck being smaller; or the ones after `n` more of such. */
void memory_fail_object(size_t size);
void memory_fail_bytes(size_t size_min);
void memory_fail_bytes_after(size_t size_min, unsigned n);

/* No failure any more. True where one has failed since. */
bool memory_has_failed(void);
