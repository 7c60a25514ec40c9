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
		store_end(&store,
			&(struct render_record){
				.job = TEXT("x"), .index = order[i], .is_rejected = order[i] == 2});
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

START_TEST(puts_a_fan_out_before_its_children)
{
	static const struct {
		const char *job;
		uint32_t index;
	} arrivals[] = {{"b[0]", 2}, {"a[10]", 1}, {"a[2]", 1}, {"a[0]", 1}, {"c", 3}, {"b[1]", 2},
		{"a", 1}, {"first", 0}};
	static const char *const order[] = {
		"first", "a", "a[0]", "a[2]", "a[10]", "b[0]", "b[1]", "c"};
	struct store store;

	store_init(&store);
	for (size_t i = 0; i < sizeof(arrivals) / sizeof(arrivals[0]); i++) {
		struct text job = text_from(arrivals[i].job);

		buffer_append_text(store_begin(&store), job);
		store_end(&store, &(struct render_record){.job = job, .index = arrivals[i].index});
	}
	store_sort(&store);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		ck_assert(text_is(store_text(&store, store_get(&store, i)), order[i]));
	store_deinit(&store);
}
END_TEST

START_TEST(keeps_what_it_has_when_memory_ends)
{
	static const char large[65536];
	struct store store;

	store_init(&store);
	buffer_append_literal(store_begin(&store), "first");
	store_end(&store, &(struct render_record){.index = 0});
	store.texts.size_max = store.texts.size;
	buffer_append(store_begin(&store), large, sizeof(large));
	store_end(&store, &(struct render_record){.index = 1});
	ck_assert(store_failed(&store));
	ck_assert_uint_eq(store_count(&store), 1);
	ck_assert(text_is(store_text(&store, store_get(&store, 0)), "first"));
	store_deinit(&store);
}
END_TEST

UNIT_MAIN("client/store", &gives_back_by_index, &puts_a_fan_out_before_its_children,
	&keeps_what_it_has_when_memory_ends)
