/* SPDX-License-Identifier: MIT */
/*
 * Of a fan-out with many children the slowest are kept and the rest is one row behind them. A
 * child that is left out takes what is in it along.
 */
#include "client/cli/render/waterfall_row.h"

#include "client/cli/render/timeline_order.h"

/* -- Folding ----------------------------------------------------------------------------------- */

/* What becomes of an entry. */
struct row_fold {
	bool is_hidden;
	/* Of a fan-out: children that are left out. */
	uint32_t n, n_rejected;
};

struct row_list {
	const struct timeline_entry *entries;
	struct row_fold *folds;
	uint32_t n;
};

/* Behind the entry and all that is in it. */
static uint32_t row_end(const struct row_list *list, uint32_t at)
{
	uint32_t end = at + 1;

	while (end < list->n && list->entries[end].depth > list->entries[at].depth)
		end++;
	return end;
}

static uint64_t row_length(const struct timeline_entry *entry)
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
		list->folds[i].is_hidden = true;
}

/* Hides all children but the slowest. */
static void row_fold(
	struct row_list *list, uint32_t at, uint32_t end, const uint32_t slowest[WATERFALL_SLOWEST])
{
	struct row_fold *fold = &list->folds[at];
	uint32_t next;

	for (uint32_t child = at + 1; child < end; child = next) {
		bool is_kept = false;

		next = row_end(list, child);
		for (size_t i = 0; i < WATERFALL_SLOWEST; i++)
			is_kept |= slowest[i] == child;
		if (is_kept)
			continue;
		row_hide(list, child, next);
		fold->n++;
		fold->n_rejected += list->entries[child].job->is_rejected;
	}
}

static void row_fold_children(struct row_list *list, uint32_t at)
{
	uint32_t slowest[WATERFALL_SLOWEST], n = 0, end = row_end(list, at);

	for (uint32_t child = at + 1; child < end; child = row_end(list, child)) {
		if (!list->entries[child].is_child)
			return;
		row_rank(list, child, slowest, n++);
	}
	if (n > WATERFALL_CHILDREN)
		row_fold(list, at, end, slowest);
}

/* -- Rows -------------------------------------------------------------------------------------- */

static void row_add(struct waterfall_rows *rows, const struct timeline_entry *entry)
{
	rows->rows[rows->n++] = (struct waterfall_row){
		.job = entry->job,
		.depth = entry->depth,
	};
}

static void row_add_folded(
	struct waterfall_rows *rows, const struct row_list *list, uint32_t parent)
{
	rows->rows[rows->n++] = (struct waterfall_row){
		.depth = list->entries[parent].depth + 1,
		.n_folded = list->folds[parent].n,
		.n_folded_rejected = list->folds[parent].n_rejected,
	};
}

/* What is not hidden, and a row behind each fan-out that was folded. */
static void row_emit(const struct row_list *list, struct waterfall_rows *rows)
{
	uint32_t open[TIMELINE_DEPTHS], n_open = 0;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct timeline_entry *entry = &list->entries[i];

		while (n_open > 0 && list->entries[open[n_open - 1]].depth >= entry->depth)
			row_add_folded(rows, list, open[--n_open]);
		if (list->folds[i].is_hidden)
			continue;
		row_add(rows, entry);
		/* Each one that is open is less deep than the next, so that there is room. */
		if (list->folds[i].n > 0)
			open[n_open++] = i;
	}
	while (n_open > 0)
		row_add_folded(rows, list, open[--n_open]);
}

bool waterfall_rows_make(struct timeline *timeline, struct waterfall_rows *ret_rows)
{
	struct arena *arena = &timeline->arena;
	struct row_list list = {.n = timeline->n_jobs};

	/* A fan-out that is folded hides more rows than the one that it gets. */
	list.entries = timeline_order(timeline, arena);
	list.folds = arena_alloc_array(arena, list.n, sizeof(*list.folds));
	ret_rows->rows = arena_alloc_array(arena, list.n, sizeof(*ret_rows->rows));
	ret_rows->n = 0;
	if (list.n == 0)
		return true;
	if (!list.entries || !list.folds || !ret_rows->rows)
		return false;
	for (uint32_t i = 0; i < list.n; i++) {
		if (!list.folds[i].is_hidden)
			row_fold_children(&list, i);
	}
	row_emit(&list, ret_rows);
	return true;
}
