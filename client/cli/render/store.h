/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records kept as text until they can be written in the document's order: by index, and of one
 * index a fan-out before its children, those by item.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/render.h"
#include "util/buffer.h"
#include "util/text.h"

struct store_entry {
	uint32_t index;
	/* Where its text stands. */
	size_t offset, size;
	/* Where its items stand ("[3]"), of a fan-out's child. */
	size_t items_offset, items_size;
	bool is_rejected, is_group;
};

struct store {
	/* All texts, one behind the other. */
	struct buffer texts;
	/* All items, as the texts. */
	struct buffer items;
	/* struct store_entry, in the order of arrival until store_sort(). */
	struct buffer entries;
};

void store_init(struct store *store);
void store_deinit(struct store *store);

/* Where to append the text of a record, between the two calls. */
struct buffer *store_begin(struct store *store);
void store_end(struct store *store, const struct render_record *record);

/* Into the document's order. */
void store_sort(struct store *store);

size_t store_count(const struct store *store);
const struct store_entry *store_get(const struct store *store, size_t i);
struct text store_text(const struct store *store, const struct store_entry *entry);

/* True where memory ran out; what was kept before is there. */
bool store_failed(const struct store *store);
