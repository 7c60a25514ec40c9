/* SPDX-License-Identifier: MIT */
#include "sim_memory.h"

#include <stdlib.h>
#include <string.h>

#include "sim_world.h"
#include "util/panic.h"

/*
 * Live blocks stand in a hash table beside the heap, not in headers: a pointer that came from
 * elsewhere (a shared library) is then simply not found, and goes to libc.
 *
 * Fresh memory is filled so that who reads it uninitialised reads the same in every run; freed
 * memory so that who uses it late is seen without a sanitizer.
 */

#define SIM_BLOCKS_MIN 4096
#define SIM_FILL_MAX   4096

struct sim_block {
	void *at;
	size_t size;
	void *caller;
};

static struct sim_block *blocks;
static size_t n_blocks, n_slots;
static uint64_t n_asked, fail_first, fail_end;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void __wrap_free(void *at);

static size_t sim_block_home(const void *at)
{
	return (size_t)(((uintptr_t)at >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (n_slots - 1);
}

/* Where the block stands, or the free slot it would take. */
static size_t sim_block_slot(const void *at)
{
	size_t slot = sim_block_home(at);

	while (blocks[slot].at && blocks[slot].at != at)
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

static void sim_blocks_grow(void)
{
	struct sim_block *old = blocks;
	size_t n_old = n_slots;

	n_slots = n_old ? n_old * 2 : SIM_BLOCKS_MIN;
	blocks = __real_calloc(n_slots, sizeof(*blocks));
	expect(blocks);
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].at)
			blocks[sim_block_slot(old[i].at)] = old[i];
	}
	__real_free(old);
}

static void sim_block_add(void *at, size_t size, void *caller)
{
	size_t slot;

	if (2 * n_blocks >= n_slots)
		sim_blocks_grow();
	slot = sim_block_slot(at);
	if (!blocks[slot].at)
		n_blocks++;
	blocks[slot] = (struct sim_block){at, size, caller};
}

/* False where it is none of ours. Those that follow are moved up, so that none is lost. */
static bool sim_block_remove(const void *at, size_t *ret_size)
{
	size_t hole, next;

	if (n_slots == 0)
		return false;
	hole = sim_block_slot(at);
	if (!blocks[hole].at)
		return false;
	*ret_size = blocks[hole].size;
	n_blocks--;
	next = hole;
	for (;;) {
		size_t home;

		next = (next + 1) & (n_slots - 1);
		if (!blocks[next].at)
			break;
		home = sim_block_home(blocks[next].at);
		if (((next - home) & (n_slots - 1)) >= ((next - hole) & (n_slots - 1))) {
			blocks[hole] = blocks[next];
			hole = next;
		}
	}
	blocks[hole].at = NULL;
	return true;
}

static void sim_memory_fill(void *at, size_t size, int byte)
{
	memset(at, byte, size < SIM_FILL_MAX ? size : SIM_FILL_MAX);
}

/* True where this one is to be refused. */
static bool sim_memory_refuses(void)
{
	uint64_t n = ++n_asked;

	if (n < fail_first || n >= fail_end)
		return false;
	sim_trace("memory: allocation %llu is refused", (unsigned long long)n);
	sim_world.memory_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *at = sim_memory_refuses() ? NULL : __real_malloc(size);

	if (at) {
		sim_memory_fill(at, size, 0xcd);
		sim_block_add(at, size, __builtin_return_address(0));
	}
	return at;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *at = sim_memory_refuses() ? NULL : __real_calloc(n, size);

	if (at)
		sim_block_add(at, n * size, __builtin_return_address(0));
	return at;
}

void *__wrap_realloc(void *at, size_t size)
{
	size_t old = 0;
	bool is_ours = at && n_slots && blocks[sim_block_slot(at)].at == at;
	void *fresh;

	if (sim_memory_refuses())
		return NULL;
	if (at && !is_ours)
		return __real_realloc(at, size);
	/* Always elsewhere: who kept a pointer into the old place is found out. */
	fresh = __real_malloc(size);
	if (!fresh)
		return NULL;
	sim_memory_fill(fresh, size, 0xcd);
	if (at) {
		sim_block_remove(at, &old);
		memcpy(fresh, at, old < size ? old : size);
		sim_memory_fill(at, old, 0xdd);
		__real_free(at);
	}
	sim_block_add(fresh, size, __builtin_return_address(0));
	return fresh;
}

void __wrap_free(void *at)
{
	size_t size;

	if (at && sim_block_remove(at, &size))
		sim_memory_fill(at, size, 0xdd);
	__real_free(at);
}

void sim_memory_begin(uint64_t fail_at, uint64_t n_fail)
{
	if (n_blocks > 0)
		memset(blocks, 0, n_slots * sizeof(*blocks));
	n_blocks = 0;
	n_asked = 0;
	fail_first = fail_at;
	fail_end = fail_at ? fail_at + n_fail : 0;
	if (fail_at == 0)
		fail_first = UINT64_MAX;
}

uint64_t sim_memory_asked(void)
{
	return n_asked;
}

void sim_memory_check(void)
{
	if (n_blocks == 0)
		return;
	for (size_t i = 0; i < n_slots; i++) {
		if (!blocks[i].at)
			continue;
		sim_trace("memory: %zu bytes from %p", blocks[i].size, blocks[i].caller);
	}
	for (size_t i = 0; i < n_slots; i++) {
		if (blocks[i].at)
			sim_fail("%zu blocks of memory were not given back, one of %zu bytes taken "
				 "at %p",
				n_blocks, blocks[i].size, blocks[i].caller);
	}
}
