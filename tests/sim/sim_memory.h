/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon takes from malloc: counted, filled with rubbish on both ends of its life, and
 * refused where the world says so. The linker's --wrap puts this between the daemon and libc.
 * Shared libraries are not seen.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Forget what is left of the last world; refuse the allocation number `fail_at` and `n_fail - 1`
 * after it (0: none). */
void sim_memory_begin(uint64_t fail_at, uint64_t n_fail);

/* Allocations asked for since the beginning. */
uint64_t sim_memory_asked(void);

/* Fails the world where anything is not given back. */
void sim_memory_check(void);
