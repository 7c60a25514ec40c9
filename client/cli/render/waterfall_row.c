/* SPDX-License-Identifier: MIT */
/*
 * Input order is by index, so that all posts[i] of a fan-out of groups stand before all
 * comments[i] of it. Who looks at a waterfall wants each instance together:
 *
 *   author                 key 4
 *     author[0]            key 4 0
 *       profile[0]         key 4 0 5
 *     author[1]            key 4 1
 *       profile[1]         key 4 1 5
 *
 * A job's key is the way to it from the top of the document: the index of each group and
 * fan-out around it and its own, and the item's number where the way leads through a fan-out.
 * Sorted by key, what is in something stands right behind it, and the length of the key is the
 * depth. Without a plan nothing is known of groups, and the key is the index and the items.
 *
 * Of a fan-out with many children the slowest are kept and the rest is one row behind them. A
 * child that is left out takes what is in it along.
 */
#include "client/cli/render/waterfall_row.h"

#include <stdlib.h>

#include "client/cli/render/place.h"

/* Groups and fan-outs around a job, each with an item, and itself. */
#define ROW_KEY_MAX (2 * PLAN_DEPTH_MAX + 2)

/* A job on its way to become a row. */
struct row_entry {
	const struct timeline_job *job;
	const uint32_t *key;
	uint32_t n_key;
	/* True exactly when the key's last number is an item's. */
	bool is_item;
	bool is_hidden;
	/* Of a fan-out. */
	uint32_t n_folded, n_folded_rejected;
};

struct row_key {
	uint32_t parts[ROW_KEY_MAX];
	uint32_t n;
	bool is_item;
};

/* -- Keys -------------------------------------------------------------------------------------- */

static void row_key_add(struct row_key *key, uint32_t part, bool is_item)
{
	if (key->n == ROW_KEY_MAX)
		return;
	key->parts[key->n++] = part;
	key->is_item = is_item;
}

/* The job and all that is around it, innermost first. */
static uint32_t row_ancestry(
	const struct plan *plan, const struct plan_job *job, uint32_t ret_places[ROW_KEY_MAX])
{
	uint32_t n = 0;

	for (uint32_t place = plan_index(plan, job); place != PLAN_NONE && n < ROW_KEY_MAX;
		place = plan->jobs[place].parent)
		ret_places[n++] = place;
	return n;
}

static void row_key_from_plan(
	struct row_key *key, const struct plan *plan, const struct plan_job *job, struct text items)
{
	uint32_t places[ROW_KEY_MAX], item;

	for (uint32_t n = row_ancestry(plan, job, places); n > 0; n--) {
		const struct plan_job *one = &plan->jobs[places[n - 1]];
		bool is_child =
			one->parent != PLAN_NONE && plan->jobs[one->parent].kind == PLAN_EACH;

		if (is_child && place_next_item(&items, &item))
			row_key_add(key, item, true);
		else
			row_key_add(key, one->index, false);
	}
}

static void row_key_from_id(struct row_key *key, const struct timeline_job *job)
{
	struct text items = place_items(job->id);
	uint32_t item;

	row_key_add(key, job->index, false);
	while (place_next_item(&items, &item))
		row_key_add(key, item, true);
}

static bool row_set_key(struct row_entry *entry, const struct plan *plan, struct arena *arena)
{
	const struct plan_job *planned = place_find(plan, entry->job->id);
	struct row_key key = {.n = 0};
	uint32_t *parts;

	if (planned)
		row_key_from_plan(&key, plan, planned, place_items(entry->job->id));
	else
		row_key_from_id(&key, entry->job);
	parts = arena_alloc_array(arena, key.n, sizeof(*parts));
	if (!parts)
		return false;
	memcpy(parts, key.parts, key.n * sizeof(*parts));
	entry->key = parts;
	entry->n_key = key.n;
	entry->is_item = key.is_item;
	return true;
}

static int row_compare(const void *a, const void *b)
{
	const struct row_entry *left = a, *right = b;

	for (uint32_t i = 0; i < left->n_key && i < right->n_key; i++) {
		if (left->key[i] != right->key[i])
			return left->key[i] < right->key[i] ? -1 : 1;
	}
	return (left->n_key > right->n_key) - (left->n_key < right->n_key);
}

/* -- Folding ----------------------------------------------------------------------------------- */

struct row_list {
	struct row_entry *entries;
	uint32_t n;
};

/* Behind the entry and all that is in it. */
static uint32_t row_end(const struct row_list *list, uint32_t at)
{
	uint32_t end = at + 1;

	while (end < list->n && list->entries[end].n_key > list->entries[at].n_key)
		end++;
	return end;
}

static uint64_t row_length(const struct row_entry *entry)
{
	return entry->job->whole.to - entry->job->whole.from;
}

/* Keeps `at` among the slowest so far, the slowest first. */
static void row_rank(
	const struct row_list *list, uint32_t at, uint32_t slowest[WATERFALL_SLOWEST], uint32_t n)
{
	uint32_t last = n < WATERFALL_SLOWEST ? n : WATERFALL_SLOWEST - 1;

	if (n >= WATERFALL_SLOWEST &&
		row_length(&list->entries[slowest[last]]) >= row_length(&list->entries[at]))
		return;
	while (last > 0 &&
		row_length(&list->entries[slowest[last - 1]]) < row_length(&list->entries[at])) {
		slowest[last] = slowest[last - 1];
		last--;
	}
	slowest[last] = at;
}

static void row_hide(struct row_list *list, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		list->entries[i].is_hidden = true;
}

/* Hides all children but the slowest. */
static void row_fold(
	struct row_list *list, uint32_t at, uint32_t end, const uint32_t slowest[WATERFALL_SLOWEST])
{
	struct row_entry *parent = &list->entries[at];
	uint32_t next;

	for (uint32_t child = at + 1; child < end; child = next) {
		bool is_kept = false;

		next = row_end(list, child);
		for (size_t i = 0; i < WATERFALL_SLOWEST; i++)
			is_kept |= slowest[i] == child;
		if (is_kept)
			continue;
		row_hide(list, child, next);
		parent->n_folded++;
		parent->n_folded_rejected += list->entries[child].job->is_rejected;
	}
}

static void row_fold_children(struct row_list *list, uint32_t at)
{
	uint32_t slowest[WATERFALL_SLOWEST], n = 0, end = row_end(list, at);

	for (uint32_t child = at + 1; child < end; child = row_end(list, child)) {
		if (!list->entries[child].is_item)
			return;
		row_rank(list, child, slowest, n++);
	}
	if (n > WATERFALL_CHILDREN)
		row_fold(list, at, end, slowest);
}

/* -- Rows -------------------------------------------------------------------------------------- */

static void row_add(struct waterfall_rows *rows, const struct row_entry *entry)
{
	rows->rows[rows->n++] = (struct waterfall_row){
		.job = entry->job,
		.depth = entry->n_key - 1,
	};
}

static void row_add_folded(struct waterfall_rows *rows, const struct row_entry *parent)
{
	rows->rows[rows->n++] = (struct waterfall_row){
		.depth = parent->n_key,
		.n_folded = parent->n_folded,
		.n_folded_rejected = parent->n_folded_rejected,
	};
}

/* What is not hidden, and a row behind each fan-out that was folded. */
static void row_emit(const struct row_list *list, struct waterfall_rows *rows)
{
	const struct row_entry *open[ROW_KEY_MAX];
	uint32_t n_open = 0;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct row_entry *entry = &list->entries[i];

		while (n_open > 0 && open[n_open - 1]->n_key >= entry->n_key)
			row_add_folded(rows, open[--n_open]);
		if (entry->is_hidden)
			continue;
		row_add(rows, entry);
		/* Each one that is open is shorter than the next, so that there is room. */
		if (entry->n_folded > 0)
			open[n_open++] = entry;
	}
	while (n_open > 0)
		row_add_folded(rows, open[--n_open]);
}

bool waterfall_rows_make(struct timeline *timeline, struct waterfall_rows *ret_rows)
{
	struct row_list list = {.n = timeline->n_jobs};

	/* A fan-out that is folded hides more rows than the one that it gets. */
	list.entries = arena_alloc_array(&timeline->arena, list.n, sizeof(*list.entries));
	ret_rows->rows = arena_alloc_array(&timeline->arena, list.n, sizeof(*ret_rows->rows));
	ret_rows->n = 0;
	if (list.n == 0)
		return true;
	if (!list.entries || !ret_rows->rows)
		return false;
	for (uint32_t i = 0; i < list.n; i++) {
		list.entries[i].job = &timeline->jobs[i];
		if (!row_set_key(&list.entries[i], timeline->plan, &timeline->arena))
			return false;
	}
	qsort(list.entries, list.n, sizeof(*list.entries), row_compare);
	for (uint32_t i = 0; i < list.n; i++) {
		if (!list.entries[i].is_hidden)
			row_fold_children(&list, i);
	}
	row_emit(&list, ret_rows);
	return true;
}
