/* SPDX-License-Identifier: MIT */
/*
 * Input order is by index, so that all the posts[i] of a fan-out of groups stand before all its
 * comments[i]. On the page each instance stands together:
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
#include "client/cli/render/report_private.h"

#include <stdlib.h>

#include "client/cli/render/place.h"

struct report_key {
	unsigned char bytes[4 * REPORT_DEPTHS];
	uint32_t n;
	/* True exactly when the last number is an item's. */
	bool is_child;
};

static void report_key_add(struct report_key *key, uint32_t number, bool is_child)
{
	unsigned char *at = key->bytes + 4 * (size_t)key->n;

	if (key->n == REPORT_DEPTHS)
		return;
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(number >> (24 - 8 * i));
	key->n++;
	key->is_child = is_child;
}

static void report_key_from_plan(struct report_key *key, const struct plan *plan,
	const struct plan_job *job, struct text items)
{
	uint32_t way[REPORT_DEPTHS], n = 0, item;

	for (uint32_t at = plan_index(plan, job); at != PLAN_NONE && n < REPORT_DEPTHS;
		at = plan->jobs[at].parent)
		way[n++] = at;
	while (n-- > 0) {
		const struct plan_job *one = &plan->jobs[way[n]];
		bool is_child =
			one->parent != PLAN_NONE && plan->jobs[one->parent].kind == PLAN_EACH;

		if (is_child && place_next_item(&items, &item))
			report_key_add(key, item, true);
		else
			report_key_add(key, one->index, false);
	}
}

static void report_key_from_id(struct report_key *key, const struct timeline_job *job)
{
	struct text items = place_items(job->id);
	uint32_t item;

	report_key_add(key, job->index, false);
	while (place_next_item(&items, &item))
		report_key_add(key, item, true);
}

static bool report_order_fill(
	struct report_entry *entry, const struct plan *plan, struct arena *arena)
{
	const struct plan_job *planned = place_find(plan, entry->job->id);
	struct report_key key = {.n = 0};

	if (planned)
		report_key_from_plan(&key, plan, planned, place_items(entry->job->id));
	else
		report_key_from_id(&key, entry->job);
	entry->key = arena_copy(arena, (struct text){(char *)key.bytes, 4 * (size_t)key.n});
	entry->depth = key.n - 1;
	entry->is_child = key.is_child;
	return entry->key.data != NULL;
}

static int report_order_compare(const void *a, const void *b)
{
	const struct report_entry *left = a, *right = b;
	size_t size = left->key.size < right->key.size ? left->key.size : right->key.size;
	int r = memcmp(left->key.data, right->key.data, size);

	return r != 0 ? r : (left->key.size > right->key.size) - (left->key.size < right->key.size);
}

struct report_entry *report_order_make(const struct timeline *timeline, struct arena *arena)
{
	struct report_entry *entries =
		arena_alloc_array(arena, (size_t)timeline->n_jobs + 1, sizeof(*entries));

	for (uint32_t i = 0; entries && i < timeline->n_jobs; i++) {
		entries[i].job = &timeline->jobs[i];
		if (!report_order_fill(&entries[i], timeline->plan, arena))
			return NULL;
	}
	if (entries && timeline->n_jobs > 1)
		qsort(entries, timeline->n_jobs, sizeof(*entries), report_order_compare);
	return entries;
}
