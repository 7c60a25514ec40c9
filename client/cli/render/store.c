/* SPDX-License-Identifier: MIT */
#include "client/cli/render/store.h"

#include <stdlib.h>

#include "client/cli/render/place.h"

void store_init(struct store *store)
{
	buffer_init(&store->texts, SIZE_MAX / 4);
	buffer_init(&store->items, SIZE_MAX / 4);
	buffer_init(&store->entries, SIZE_MAX / 4);
}

void store_deinit(struct store *store)
{
	buffer_deinit(&store->texts);
	buffer_deinit(&store->items);
	buffer_deinit(&store->entries);
}

static struct store_entry *store_entries(const struct store *store)
{
	return (struct store_entry *)(void *)store->entries.data;
}

size_t store_count(const struct store *store)
{
	return store->entries.size / sizeof(struct store_entry);
}

const struct store_entry *store_get(const struct store *store, size_t i)
{
	return &store_entries(store)[i];
}

/* Texts stand behind each other: a new one begins where the last one ends. */
static size_t store_used(const struct store *store)
{
	size_t n = store_count(store);
	const struct store_entry *last = n ? store_get(store, n - 1) : NULL;

	return last ? last->offset + last->size : 0;
}

struct buffer *store_begin(struct store *store)
{
	return &store->texts;
}

void store_end(struct store *store, const struct render_record *record)
{
	struct text items = place_items(record->job);
	struct store_entry entry = {
		.index = record->index,
		.items_offset = store->items.size,
		.items_size = items.size,
		.is_rejected = record->is_rejected,
		.is_group = record->is_group,
	};

	buffer_append_text(&store->items, items);
	if (store_failed(store))
		return;
	entry.offset = store_used(store);
	entry.size = store->texts.size - entry.offset;
	buffer_append(&store->entries, &entry, sizeof(entry));
}

static struct text store_items(const struct store *store, const struct store_entry *entry)
{
	if (entry->items_size == 0)
		return TEXT("");
	return (struct text){store->items.data + entry->items_offset, entry->items_size};
}

static int store_compare(const void *a, const void *b, void *context)
{
	const struct store_entry *left = a, *right = b;
	const struct store *store = context;
	int order;

	if (left->index != right->index)
		return left->index < right->index ? -1 : 1;
	order = place_compare_items(store_items(store, left), store_items(store, right));
	if (order != 0)
		return order;
	/* In the order of arrival. */
	return (left->offset > right->offset) - (left->offset < right->offset);
}

void store_sort(struct store *store)
{
	if (store_count(store) > 1)
		qsort_r(store->entries.data, store_count(store), sizeof(struct store_entry),
			store_compare, store);
}

struct text store_text(const struct store *store, const struct store_entry *entry)
{
	return (struct text){store->texts.data + entry->offset, entry->size};
}

bool store_failed(const struct store *store)
{
	return store->texts.failed || store->items.failed || store->entries.failed;
}
