/* SPDX-License-Identifier: MIT */
#include "util/table.h"

#include <stdlib.h>

#include "util/panic.h"

#define TABLE_SLOTS_MIN 16

static uint64_t table_k0, table_k1;

void table_seed(uint64_t k0, uint64_t k1)
{
	table_k0 = k0;
	table_k1 = k1;
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t table_hash(struct text key)
{
	uint64_t v[4] = {
		table_k0 ^ UINT64_C(0x736f6d6570736575),
		table_k1 ^ UINT64_C(0x646f72616e646f6d),
		table_k0 ^ UINT64_C(0x6c7967656e657261),
		table_k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)key.size << 56;
	size_t whole = key.size & ~(size_t)7;
	uint64_t word;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, key.data + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = whole; i < key.size; i++)
		last |= (uint64_t)(unsigned char)key.data[i] << (8 * (i - whole));
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void table_init(struct table *table)
{
	*table = (struct table){0};
}

void table_deinit(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}

static void table_place(struct table *table, uint64_t hash, void *value)
{
	size_t at = hash & table->mask;

	while (table->slots[at].value)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct table_slot){hash, value};
}

bool table_reserve(struct table *table, size_t count)
{
	struct table old = *table;
	size_t n = old.slots ? old.mask + 1 : TABLE_SLOTS_MIN;

	while (count > n / 4 * 3)
		n *= 2;
	if (old.slots && n == old.mask + 1)
		return true;
	table->slots = calloc(n, sizeof(*table->slots));
	if (!table->slots) {
		*table = old;
		return false;
	}
	table->mask = n - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++) {
		if (old.slots[i].value)
			table_place(table, old.slots[i].hash, old.slots[i].value);
	}
	free(old.slots);
	return true;
}

void *table_find(const struct table *table, uint64_t hash, table_match match, const void *key)
{
	if (!table->slots)
		return NULL;
	for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
		const struct table_slot *slot = &table->slots[at];

		if (!slot->value)
			return NULL;
		if (slot->hash == hash && match(slot->value, key))
			return slot->value;
	}
}

bool table_insert(struct table *table, uint64_t hash, void *value)
{
	expect(value);
	if (!table_reserve(table, table->count + 1))
		return false;
	table_place(table, hash, value);
	table->count++;
	return true;
}

/* What follows a hole moves back into it, unless that would put it before its own place. */
static void table_close_hole(struct table *table, size_t hole)
{
	for (size_t at = (hole + 1) & table->mask; table->slots[at].value;
		at = (at + 1) & table->mask) {
		size_t home = table->slots[at].hash & table->mask;

		if (((at - home) & table->mask) < ((at - hole) & table->mask))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, const void *value)
{
	expect(table->slots);
	for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
		expect(table->slots[at].value);
		if (table->slots[at].value != value)
			continue;
		table_close_hole(table, at);
		table->count--;
		return;
	}
}

void *table_next(const struct table *table, size_t *cursor)
{
	while (table->slots && *cursor <= table->mask) {
		void *value = table->slots[(*cursor)++].value;

		if (value)
			return value;
	}
	return NULL;
}
