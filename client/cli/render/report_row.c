/* SPDX-License-Identifier: MIT */
/*
 * Which jobs the page shows. Nearly always all of them; but a page of a hundred thousand rows is of
 * no use to anybody, and no browser likes it. So the children of a big fan-out are folded behind
 * the first few, but for those one looks for: on the critical path, and rejected. What is folded is
 * counted in a row of its own.
 *
 * Records in full have a bound of their own, in bytes; failed and critical jobs are first in line.
 */
#include "client/cli/render/report_private.h"

#include <stdlib.h>

/* A row with its job's time, to find the slowest. */
struct report_candidate {
	uint64_t took_us;
	uint32_t row;
};

/* The children of a fan-out, as far as they have been looked at. */
struct report_children {
	uint32_t n, n_rejected;
	/* The row that folds what was not shown; NULL: there is none yet. */
	struct report_row *fold;
};

struct report_folder {
	struct report_page *page;
	/* Of the fan-out around what is at that depth. */
	struct report_children children[TIMELINE_DEPTHS + 1];
	/* What is below the child that was folded last is folded with it. REPORT_NONE: it was not
	 * folded. */
	uint32_t folded_depth;
	/* The row for all that comes behind the last row; NULL: there is room. */
	struct report_row *rest;
};

/* True where the job has a row of its own. */
static bool report_row_is_shown(struct report_folder *folder, const struct timeline_entry *entry)
{
	struct report_children *children = &folder->children[entry->depth];

	if (folder->rest)
		return false;
	if (entry->job->is_critical)
		return true;
	if (folder->folded_depth != REPORT_NONE)
		return false;
	if (!entry->is_child || children->n++ < REPORT_CHILDREN_MAX)
		return true;
	return entry->job->is_rejected && !entry->job->is_cancelled &&
	       children->n_rejected++ < REPORT_CHILDREN_REJECTED_MAX;
}

static struct report_row *report_row_push(struct report_folder *folder, uint32_t depth)
{
	struct report_rows *rows = &folder->page->rows;
	struct report_row *row = &rows->rows[rows->n++];

	*row = (struct report_row){.depth = depth};
	return row;
}

static void report_row_fold(struct report_folder *folder, const struct timeline_entry *entry)
{
	struct report_row **foldp = &folder->rest;

	if (!folder->rest) {
		if (folder->folded_depth == REPORT_NONE)
			folder->folded_depth = entry->depth;
		foldp = &folder->children[folder->folded_depth].fold;
		if (!*foldp)
			*foldp = report_row_push(folder, folder->folded_depth);
	}
	(*foldp)->n_folded++;
	(*foldp)->n_folded_rejected += entry->job->is_rejected;
	folder->page->rows.n_folded++;
}

static void report_row_add(struct report_folder *folder, const struct timeline_entry *entry)
{
	if (entry->depth <= folder->folded_depth && folder->folded_depth != REPORT_NONE)
		folder->folded_depth = REPORT_NONE;
	folder->children[entry->depth + 1] = (struct report_children){0};
	if (folder->page->rows.n >= REPORT_ROWS_MAX && !folder->rest)
		folder->rest = report_row_push(folder, 0);
	if (report_row_is_shown(folder, entry))
		report_row_push(folder, entry->depth)->job = entry->job;
	else
		report_row_fold(folder, entry);
}

static int report_row_compare(const void *a, const void *b)
{
	const struct report_candidate *left = a, *right = b;

	if (left->took_us != right->took_us)
		return left->took_us > right->took_us ? -1 : 1;
	return left->row < right->row ? -1 : 1;
}

/* A job is slow if it is among the slowest and took a good part of the time. */
static bool report_row_mark_slow(struct report_page *page, struct arena *arena)
{
	struct report_candidate *all =
		arena_alloc_array(arena, (size_t)page->rows.n + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return false;
	for (uint32_t i = 0; i < page->rows.n; i++) {
		const struct timeline_job *job = page->rows.rows[i].job;

		if (job && !job->is_group && !job->is_skipped && !job->is_cancelled &&
			job->attempts > 0)
			all[n++] = (struct report_candidate){report_html_took(job), i};
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), report_row_compare);
	page->slowest = arena_alloc_array(arena, REPORT_SLOW_MAX, sizeof(*page->slowest));
	for (uint32_t i = 0; page->slowest && i < n && i < REPORT_SLOW_MAX; i++) {
		if (all[i].took_us < page->width_us / 10)
			break;
		page->rows.rows[all[i].row].is_slow = true;
		page->slowest[page->n_slowest++] = all[i].row;
	}
	return page->slowest != NULL;
}

/* Twice: first those that somebody will want to see. */
static void report_row_choose_details(struct report_rows *rows)
{
	size_t bytes = 0;

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < rows->n; i++) {
			struct report_row *row = &rows->rows[i];
			bool is_first = row->job && (row->job->is_rejected ||
							    row->job->is_critical || row->is_slow);

			if (!row->job || is_first != (round == 0))
				continue;
			bytes += row->job->json.size + row->job->body.size;
			row->has_detail = bytes <= REPORT_DETAIL_BYTES_MAX;
			rows->n_without_detail += !row->has_detail;
		}
	}
}

static int report_row_compare_ends(const void *a, const void *b)
{
	const struct timeline_job *const *left = a, *const *right = b;

	if ((*left)->whole.to != (*right)->whole.to)
		return (*left)->whole.to < (*right)->whole.to ? -1 : 1;
	return *left < *right ? -1 : 1;
}

/* Of two jobs on a path the first has settled before the second. */
static bool report_row_find_path(struct report_page *page, struct arena *arena)
{
	const struct timeline *timeline = page->timeline;

	page->path = arena_alloc_array(arena, (size_t)timeline->n_jobs + 1, sizeof(*page->path));
	if (!page->path)
		return false;
	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		if (timeline->jobs[i].is_critical)
			page->path[page->n_path++] = &timeline->jobs[i];
	}
	if (page->n_path > 1)
		qsort(page->path, page->n_path, sizeof(*page->path), report_row_compare_ends);
	return true;
}

bool report_rows_make(struct report_page *page, struct arena *arena)
{
	const struct timeline *timeline = page->timeline;
	struct timeline_entry *entries = timeline_order(timeline, arena);
	struct report_folder folder = {.page = page, .folded_depth = REPORT_NONE};

	/* Who folds has more below it than the one row it gets. */
	page->rows.rows =
		arena_alloc_array(arena, (size_t)timeline->n_jobs + 2, sizeof(*page->rows.rows));
	if (!entries || !page->rows.rows)
		return false;
	for (uint32_t i = 0; i < timeline->n_jobs; i++)
		report_row_add(&folder, &entries[i]);
	if (!report_row_mark_slow(page, arena) || !report_row_find_path(page, arena))
		return false;
	report_row_choose_details(&page->rows);
	return true;
}
