/* SPDX-License-Identifier: MIT */
#include "client/cli/render/store.h"

#include <stdlib.h>

void store_init(struct store *store)
{
	buffer_init(&store->texts, SIZE_MAX / 4);
	buffer_init(&store->entries, SIZE_MAX / 4);
}

void store_deinit(struct store *store)
{
	buffer_deinit(&store->texts);
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

void store_end(struct store *store, uint32_t index, bool is_rejected)
{
	struct store_entry entry = {.index = index, .is_rejected = is_rejected};

	if (store_failed(store))
		return;
	entry.offset = store_used(store);
	entry.size = store->texts.size - entry.offset;
	buffer_append(&store->entries, &entry, sizeof(entry));
}

static int store_compare(const void *a, const void *b)
{
	const struct store_entry *left = a, *right = b;

	return (left->index > right->index) - (left->index < right->index);
}

void store_sort(struct store *store)
{
	if (store_count(store) > 1)
		qsort(store->entries.data, store_count(store), sizeof(struct store_entry),
			store_compare);
}

struct text store_text(const struct store *store, const struct store_entry *entry)
{
	return (struct text){store->texts.data + entry->offset, entry->size};
}

bool store_failed(const struct store *store)
{
	return store->texts.failed || store->entries.failed;
}
