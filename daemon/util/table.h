/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hash table of pointers: open addressing, linear probing, at most three quarters full. The
 * keys live in the values; the caller says how to compare. Job ids and hosts are chosen by
 * others, so the hash is keyed (SipHash-1-3, "SipHash: a fast short-input PRF", 2012).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

struct table_slot {
	uint64_t hash;
	void *value;
};

struct table {
	struct table_slot *slots;
	/* Slots less one; 0 while there are none. */
	size_t mask;
	size_t count;
};

/* True exactly when `value` is the one `key` asks for. */
typedef bool (*table_match)(const void *value, const void *key);

/* The process's key: set once, before the first hash. Unset, it is zero (the simulator's). */
void table_seed(uint64_t k0, uint64_t k1);

uint64_t table_hash(struct text key);

/* Allocates nothing. */
void table_init(struct table *table);

/* The values are the caller's. */
void table_deinit(struct table *table);

/* Room for `count` values in all, so that as many inserts cannot fail. False: no memory. */
bool table_reserve(struct table *table, size_t count);

/* The value, or NULL. */
void *table_find(const struct table *table, uint64_t hash, table_match match, const void *key);

/* The caller has made sure that it is not there yet. False: no memory. */
bool table_insert(struct table *table, uint64_t hash, void *value);

/* It must be there. */
void table_remove(struct table *table, uint64_t hash, const void *value);

/* The next value at or after *cursor, which starts at 0; NULL at the end. The table must not
 * change meanwhile. */
void *table_next(const struct table *table, size_t *cursor);
