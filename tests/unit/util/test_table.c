/* SPDX-License-Identifier: MIT */
#include "util/table.h"

#include "util/container.h"

#include "tests/unit/unit.h"

struct test_value {
	uint64_t key;
	uint64_t hash;
	bool is_in;
};

static bool test_match(const void *value, const void *key)
{
	return ((const struct test_value *)value)->key == *(const uint64_t *)key;
}

static struct test_value *test_find(const struct table *table, const struct test_value *value)
{
	return table_find(table, value->hash, test_match, &value->key);
}

/* Key 00 01 .. 0f, message 00 01 02 ..; the hashes are what OpenSSL's SIPHASH gives for one and
 * three rounds (its bytes are the number in little endian). */
START_TEST(hashes_as_siphash_1_3)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} cases[] = {
		{0, UINT64_C(0xabac0158050fc4dc)},
		{1, UINT64_C(0xc9f49bf37d57ca93)},
		{7, UINT64_C(0xd3927d989bb11140)},
		{8, UINT64_C(0x369095118d299a8e)},
		{15, UINT64_C(0xd320d86d2a519956)},
		{16, UINT64_C(0xcc4fdd1a7d908b66)},
		{63, UINT64_C(0x9d199062b7bbb3a8)},
	};
	char message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (char)i;
	table_seed(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t hash = table_hash((struct text){message, cases[i].size});

		ck_assert_msg(
			hash == cases[i].hash, "size %zu: %016jx", cases[i].size, (uintmax_t)hash);
	}
	table_seed(0, 0);
}
END_TEST

START_TEST(hashes_by_content_size_and_key)
{
	static const char zeros[20];
	uint64_t seen[countof(zeros)];

	for (size_t i = 0; i < countof(zeros); i++) {
		seen[i] = table_hash((struct text){zeros, i});
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(seen[i], seen[j]);
	}
	ck_assert_uint_eq(table_hash(TEXT("a key")), table_hash(text_from("a key")));
	ck_assert_uint_ne(table_hash(TEXT("a key")), table_hash(TEXT("a kez")));
	table_seed(1, 2);
	ck_assert_uint_ne(table_hash((struct text){zeros, 8}), seen[8]);
	table_seed(0, 0);
	ck_assert_uint_eq(table_hash((struct text){zeros, 8}), seen[8]);
}
END_TEST

START_TEST(is_empty_at_first)
{
	struct test_value value = {.key = 1, .hash = 1};
	struct table table;
	size_t cursor = 0;

	table_init(&table);
	ck_assert_ptr_null(table.slots);
	ck_assert_ptr_null(test_find(&table, &value));
	ck_assert_ptr_null(table_next(&table, &cursor));
	table_deinit(&table);
}
END_TEST

/* Every value that is in is found, and no other; the cursor meets each once. */
static void test_check(const struct table *table, const struct test_value *values, size_t n)
{
	size_t n_in = 0, n_met = 0, cursor = 0;

	for (size_t i = 0; i < n; i++) {
		n_in += values[i].is_in;
		ck_assert_ptr_eq(test_find(table, &values[i]), values[i].is_in ? &values[i] : NULL);
	}
	while (table_next(table, &cursor))
		n_met++;
	ck_assert_uint_eq(table->count, n_in);
	ck_assert_uint_eq(n_met, n_in);
}

/* Inserts and removes at random, against the flags in the values. Few different hashes make long
 * runs and holes in them, also over the end of the slots. */
static void test_churn(uint64_t hash_mask)
{
	enum { N = 200, STEPS = 20000 };
	static struct test_value values[N];
	struct table table;
	uint64_t state = 88172645463325252;

	table_init(&table);
	for (size_t i = 0; i < N; i++) {
		uint64_t hash = (i * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

		values[i] = (struct test_value){.key = i, .hash = hash & hash_mask};
	}
	for (int step = 0; step < STEPS; step++) {
		struct test_value *value;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		value = &values[state % N];
		if (value->is_in)
			table_remove(&table, value->hash, value);
		else
			ck_assert(table_insert(&table, value->hash, value));
		value->is_in = !value->is_in;
		if (step % 50 == 0)
			test_check(&table, values, N);
	}
	test_check(&table, values, N);
	table_deinit(&table);
}

START_TEST(finds_exactly_what_is_in)
{
	test_churn(UINT64_MAX);
	test_churn(0xff);
	test_churn(0xf0);
	test_churn(7);
	test_churn(0);
}
END_TEST

START_TEST(reserves_so_that_inserts_keep_the_slots)
{
	static struct test_value values[1000];
	struct table_slot *slots;
	struct table table;

	table_init(&table);
	ck_assert(table_reserve(&table, countof(values)));
	slots = table.slots;
	for (size_t i = 0; i < countof(values); i++) {
		values[i].hash = i * 7919;
		ck_assert(table_insert(&table, values[i].hash, &values[i]));
	}
	ck_assert_ptr_eq(table.slots, slots);
	/* At most three quarters full. */
	ck_assert_uint_le(table.count * 4, (table.mask + 1) * 3);
	table_deinit(&table);
}
END_TEST

UNIT_MAIN("util/table", &hashes_as_siphash_1_3, &hashes_by_content_size_and_key, &is_empty_at_first,
	&finds_exactly_what_is_in, &reserves_so_that_inserts_keep_the_slots)
