/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom, as the plan has it: from the end of a job along its lane to where the other
 * one was ready, then up or down to that. Across a percentage of the width, down a number of rows:
 * no path can say that, so an arrow is two lines. Its ends' rows stand beside it for the script,
 * which moves arrows when rows are filtered out.
 *
 * Arrows are drawn between jobs that are made once: of a fan-out the fan-out itself.
 */
#include "client/cli/render/report_private.h"

#include "client/cli/render/place.h"

/* From the middle of a row to where an arrow ends. */
#define REPORT_ARROW_GAP 7

struct report_arrow {
	uint32_t from, to;
};

/* The row of each job of the plan, or REPORT_NONE. */
static uint32_t *report_arrow_rows(struct report_page *page, struct arena *arena)
{
	const struct plan *plan = page->timeline->plan;
	uint32_t *rows = arena_alloc_array(arena, (size_t)plan->n_jobs + 1, sizeof(*rows));

	if (!rows)
		return NULL;
	for (uint32_t i = 0; i < plan->n_jobs; i++)
		rows[i] = REPORT_NONE;
	for (uint32_t i = 0; i < page->rows.n; i++) {
		const struct timeline_job *job = page->rows.rows[i].job;
		const struct plan_job *planned =
			job && !job->has_item ? place_find(plan, job->id) : NULL;

		if (planned)
			rows[plan_index(plan, planned)] = i;
	}
	return rows;
}

bool report_arrows_exist(const struct report_page *page)
{
	return page->timeline->plan && page->timeline->plan->n_edges > 0;
}

static void report_arrow_line(
	struct report_page *page, const uint64_t x_us[2], const uint32_t y[2], const char *rest)
{
	buffer_append_literal(page->out, "<line x1=\"");
	report_html_percent(page->out, page, x_us[0]);
	buffer_append_literal(page->out, "\" x2=\"");
	report_html_percent(page->out, page, x_us[1]);
	buffer_printf(page->out, "\" y1=\"%u\" y2=\"%u\"%s/>", y[0], y[1], rest);
}

/* True where one follows the other on the critical path. */
static bool report_arrow_is_critical(const struct report_page *page,
	const struct timeline_job *from, const struct timeline_job *to)
{
	if (!from->is_critical || !to->is_critical)
		return false;
	for (uint32_t i = 1; i < page->n_path; i++) {
		if (page->path[i] == to)
			return page->path[i - 1] == from;
	}
	return false;
}

static void report_arrow_draw(struct report_page *page, struct report_arrow arrow)
{
	const struct timeline_job *from = page->rows.rows[arrow.from].job;
	const struct timeline_job *to = page->rows.rows[arrow.to].job;
	uint32_t y_from = arrow.from * REPORT_ROW_HEIGHT + REPORT_ROW_HEIGHT / 2;
	uint32_t y_to = arrow.to * REPORT_ROW_HEIGHT + REPORT_ROW_HEIGHT / 2;

	y_to = arrow.to > arrow.from ? y_to - REPORT_ARROW_GAP : y_to + REPORT_ARROW_GAP;
	buffer_printf(page->out, "<g data-from=\"%u\" data-to=\"%u\"%s>", arrow.from, arrow.to,
		report_arrow_is_critical(page, from, to) ? " class=\"crit\"" : "");
	report_arrow_line(page, (uint64_t[]){from->whole.to, to->whole.from},
		(uint32_t[]){y_from, y_from}, "");
	report_arrow_line(page, (uint64_t[]){to->whole.from, to->whole.from},
		(uint32_t[]){y_from, y_to}, " marker-end=\"url(#head)\"");
	buffer_append_literal(page->out, "</g>\n");
}

/* Those of one job. Returns how many there are. */
static uint32_t report_arrow_draw_job(
	struct report_page *page, const uint32_t *rows, uint32_t at, uint32_t n_before)
{
	const struct plan *plan = page->timeline->plan;
	const struct plan_job *job = &plan->jobs[at];
	uint32_t n = 0;

	for (uint32_t i = 0; i < job->n_dependencies; i++) {
		uint32_t from = rows[plan->dependencies[job->first_dependency + i]];

		if (from == REPORT_NONE || rows[at] == REPORT_NONE)
			continue;
		if (n_before + n < REPORT_ARROWS_MAX)
			report_arrow_draw(page, (struct report_arrow){from, rows[at]});
		n++;
	}
	return n;
}

uint32_t report_arrows_append(struct report_page *page)
{
	struct arena arena;
	uint32_t *rows, n = 0;

	if (!report_arrows_exist(page))
		return 0;
	arena_init(&arena, SIZE_MAX / 4);
	rows = report_arrow_rows(page, &arena);
	buffer_printf(page->out,
		"<svg class=\"over arrows\" height=\"%u\" aria-hidden=\"true\"><defs><marker "
		"id=\"head\" "
		"viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
		"orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
		page->rows.n * REPORT_ROW_HEIGHT);
	for (uint32_t i = 0; rows && i < page->timeline->plan->n_jobs; i++)
		n += report_arrow_draw_job(page, rows, i, n);
	buffer_append_literal(page->out, "</svg>\n");
	page->no_memory |= !rows;
	arena_deinit(&arena);
	return n;
}
