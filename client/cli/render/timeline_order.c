/* SPDX-License-Identifier: MIT */
/*
 * Input order is by index, so that all the posts[i] of a fan-out of groups stand before all its
 * comments[i]. Who looks at a picture wants each instance together:
 *
 *   author                 4
 *     author[0]            4 0
 *       profile[0]         4 0 5
 *     author[1]            4 1
 *       profile[1]         4 1 5
 *
 * A job's key is the way to it from the top of the document: the index of each group and fan-out
 * around it and its own, and the item's number where the way leads through a fan-out. Sorted by
 * key, what is in something stands right behind it; the length of the key is the depth. Each number
 * is four bytes, the highest first, so that keys compare as bytes. Without a plan nothing is known
 * of groups, and the key is the index and the items.
 */
#include "client/cli/render/timeline_order.h"

#include <stdlib.h>

#include "client/cli/render/place.h"

struct order_key {
	unsigned char bytes[4 * TIMELINE_DEPTHS];
	uint32_t n;
	/* True exactly when the last number is an item's. */
	bool is_child;
};

static void order_key_add(struct order_key *key, uint32_t number, bool is_child)
{
	unsigned char *at = key->bytes + 4 * (size_t)key->n;

	if (key->n == TIMELINE_DEPTHS)
		return;
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(number >> (24 - 8 * i));
	key->n++;
	key->is_child = is_child;
}

static void order_key_from_plan(struct order_key *key, const struct plan *plan,
	const struct plan_job *job, struct text items)
{
	uint32_t way[TIMELINE_DEPTHS], n = 0, item;

	for (uint32_t at = plan_index(plan, job); at != PLAN_NONE && n < TIMELINE_DEPTHS;
		at = plan->jobs[at].parent)
		way[n++] = at;
	while (n-- > 0) {
		const struct plan_job *one = &plan->jobs[way[n]];
		bool is_child =
			one->parent != PLAN_NONE && plan->jobs[one->parent].kind == PLAN_EACH;

		if (is_child && place_next_item(&items, &item))
			order_key_add(key, item, true);
		else
			order_key_add(key, one->index, false);
	}
}

static void order_key_from_id(struct order_key *key, const struct timeline_job *job)
{
	struct text items = place_items(job->id);
	uint32_t item;

	order_key_add(key, job->index, false);
	while (place_next_item(&items, &item))
		order_key_add(key, item, true);
}

static bool order_fill(struct timeline_entry *entry, const struct plan *plan, struct arena *arena)
{
	const struct plan_job *planned = place_find(plan, entry->job->id);
	struct order_key key = {.n = 0};

	if (planned)
		order_key_from_plan(&key, plan, planned, place_items(entry->job->id));
	else
		order_key_from_id(&key, entry->job);
	entry->key = arena_copy(arena, (struct text){(char *)key.bytes, 4 * (size_t)key.n});
	entry->depth = key.n - 1;
	entry->is_child = key.is_child;
	return entry->key.data != NULL;
}

static int order_compare(const void *a, const void *b)
{
	const struct timeline_entry *left = a, *right = b;
	size_t size = left->key.size < right->key.size ? left->key.size : right->key.size;
	int r = memcmp(left->key.data, right->key.data, size);

	return r != 0 ? r : (left->key.size > right->key.size) - (left->key.size < right->key.size);
}

struct timeline_entry *timeline_order(const struct timeline *timeline, struct arena *arena)
{
	struct timeline_entry *entries =
		arena_alloc_array(arena, (size_t)timeline->n_jobs + 1, sizeof(*entries));

	for (uint32_t i = 0; entries && i < timeline->n_jobs; i++) {
		entries[i].job = &timeline->jobs[i];
		if (!order_fill(&entries[i], timeline->plan, arena))
			return NULL;
	}
	if (entries && timeline->n_jobs > 1)
		qsort(entries, timeline->n_jobs, sizeof(*entries), order_compare);
	return entries;
}
