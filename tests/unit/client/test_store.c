/* SPDX-License-Identifier: MIT */
#include "client/cli/render/store.h"

#include "tests/unit/unit.h"

START_TEST(gives_back_by_index)
{
	static const uint32_t order[] = {3, 0, 2, 1};
	struct store store;

	store_init(&store);
	for (size_t i = 0; i < 4; i++) {
		buffer_printf(store_begin(&store), "text %u", order[i]);
		store_end(&store, order[i], order[i] == 2);
	}
	store_sort(&store);
	ck_assert_uint_eq(store_count(&store), 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct store_entry *entry = store_get(&store, i);
		char text[] = "text 0";

		text[5] = (char)('0' + i);
		ck_assert_uint_eq(entry->index, i);
		ck_assert(entry->is_rejected == (i == 2));
		ck_assert(text_is(store_text(&store, entry), text));
	}
	store_deinit(&store);
}
END_TEST

START_TEST(keeps_what_it_has_when_memory_ends)
{
	static const char large[65536];
	struct store store;

	store_init(&store);
	buffer_append_literal(store_begin(&store), "first");
	store_end(&store, 0, false);
	store.texts.size_max = store.texts.size;
	buffer_append(store_begin(&store), large, sizeof(large));
	store_end(&store, 1, false);
	ck_assert(store_failed(&store));
	ck_assert_uint_eq(store_count(&store), 1);
	ck_assert(text_is(store_text(&store, store_get(&store, 0)), "first"));
	store_deinit(&store);
}
END_TEST

UNIT_MAIN("client/store", &gives_back_by_index, &keeps_what_it_has_when_memory_ends)
