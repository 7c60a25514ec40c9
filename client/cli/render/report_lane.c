/* SPDX-License-Identifier: MIT */
/*
 * The waterfall: a table with a row per job, whose last cell is a drawing, a lane of pieces by
 * phase. All drawings are as wide as their cell, and everything in them stands at a percentage of
 * it, so that the page fits whatever it is shown on and text is never stretched.
 *
 *   Job            Result   Time     0        10 ms      20 ms
 *   user           200      10 ms    [=======]
 *     posts        3 of 3   12 ms             :[=====]
 *
 * Rows are of one height, because two drawings of the whole lie on top of each other in the last
 * column: below the lanes the grid of the time axis, above them the arrows (report_arrow.c).
 *
 * What a lane shows is told in words by its title, for who cannot see it, and for the pointer.
 */
#include "client/cli/render/report_private.h"

#include <inttypes.h>

#include "client/cli/render/measure.h"

/* Ticks on the time axis, about. */
#define REPORT_TICKS 6

/* Deeper than this nothing is indented further; as in report.css. */
#define REPORT_DEPTH_MAX 8

/* Of each phase, as in report.css. */
static const char *const report_lane_classes[TIMELINE_PHASES] = {
	[TIMELINE_WAIT] = "w",
	[TIMELINE_QUEUE] = "q",
	[TIMELINE_DNS] = "d",
	[TIMELINE_CONNECT] = "c",
	[TIMELINE_TLS] = "t",
	[TIMELINE_FIRST_BYTE] = "f",
	[TIMELINE_BODY] = "b",
	[TIMELINE_BACKOFF] = "k",
	[TIMELINE_OTHER] = "o",
};

static void report_lane_legend_entry(struct buffer *out, const char *class, const char *name)
{
	/* Positions are those of report.css; here a piece fills its drawing. */
	buffer_printf(out,
		"<li><svg width=\"14\" height=\"12\" aria-hidden=\"true\"><rect class=\"%s\" "
		"width=\"14\" height=\"12\"/></svg>%s</li>\n",
		class, name);
}

/* Of what there is on the page. */
static void report_lane_legend(struct report_page *page)
{
	bool has[TIMELINE_PHASES] = {false}, has_rejected = false;

	for (uint32_t i = 0; i < page->rows.n; i++) {
		const struct timeline_job *job = page->rows.rows[i].job;

		for (uint32_t k = 0; job && !job->is_group && k < job->n_pieces; k++)
			has[job->pieces[k].phase] = true;
		has_rejected |= job && job->is_rejected && !job->is_cancelled;
	}
	buffer_append_literal(page->out, "<ul class=\"legend\">\n");
	for (int i = 0; i < TIMELINE_PHASES; i++) {
		if (has[i])
			report_lane_legend_entry(page->out, report_lane_classes[i],
				report_html_phase((enum timeline_phase)i));
	}
	if (page->n_path > 0)
		report_lane_legend_entry(page->out, "x", "critical path");
	if (has_rejected)
		report_lane_legend_entry(page->out, "e", "rejected");
	buffer_append_literal(page->out, "</ul>\n");
}

/* -- The axis ---------------------------------------------------------------------------------- */

static uint64_t report_lane_step(const struct report_page *page)
{
	return measure_step(page->width_us / REPORT_TICKS);
}

static void report_lane_axis(struct report_page *page)
{
	uint64_t step = report_lane_step(page);

	buffer_append_literal(page->out,
		"<svg class=\"axis\" width=\"100%\" height=\"22\" role=\"img\">"
		"<title>Time axis</title><desc>From 0 to ");
	measure_append_us(page->out, page->width_us);
	buffer_append_literal(page->out, ", the end of the graph</desc>");
	for (uint64_t at = 0; at <= page->width_us; at += step) {
		const char *anchor = at == 0                                     ? "start"
				     : at > page->width_us - page->width_us / 20 ? "end"
										 : "middle";

		buffer_append_literal(page->out, "<text y=\"15\" x=\"");
		report_html_percent(page->out, page, at);
		buffer_printf(page->out, "\" text-anchor=\"%s\">", anchor);
		measure_append_tick(page->out, at);
		buffer_append_literal(page->out, "</text>");
	}
	buffer_append_literal(page->out, "</svg>");
}

static void report_lane_grid(struct report_page *page)
{
	uint64_t step = report_lane_step(page);

	buffer_printf(page->out,
		"<svg class=\"over grid\" height=\"%u\" aria-hidden=\"true\"><defs>"
		"<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><rect class=\"h\" width=\"6\" height=\"6\"/>"
		"<rect class=\"k2\" width=\"3\" height=\"6\"/></pattern></defs>",
		page->rows.n * REPORT_ROW_HEIGHT);
	for (uint64_t at = 0; at <= page->width_us; at += step) {
		for (int end = 1; end <= 2; end++) {
			buffer_printf(
				page->out, end == 1 ? "<line y2=\"100%%\" x1=\"" : "\" x2=\"");
			report_html_percent(page->out, page, at);
		}
		buffer_append_literal(page->out, "\"/>");
	}
	buffer_append_literal(page->out, "</svg>\n");
}

/* -- A lane ------------------------------------------------------------------------------------ */

static void report_lane_rect(struct report_page *page, const char *class, struct timeline_span span)
{
	buffer_printf(page->out, "<rect class=\"%s\" x=\"", class);
	report_html_percent(page->out, page, span.from);
	buffer_append_literal(page->out, "\" width=\"");
	report_html_length(page->out, page, span.to - span.from);
	buffer_append_literal(page->out, "\"/>");
}

/* The lane in words: "ready after 2.0 ms, took 12.0 ms: queue 1.0 ms, …". */
static void report_lane_title(struct report_page *page, const struct timeline_job *job)
{
	struct buffer *out = page->out;
	uint64_t phases[TIMELINE_PHASES] = {0};
	const char *separator = ": ";

	for (uint32_t i = 0; i < job->n_pieces; i++)
		phases[job->pieces[i].phase] += job->pieces[i].span.to - job->pieces[i].span.from;
	buffer_append_literal(out, "<title>");
	report_html_text(out, job->id);
	buffer_append_literal(out, ": ready after ");
	measure_append_us(out, job->whole.from);
	buffer_append_literal(out, ", took ");
	measure_append_us(out, report_html_took(job));
	for (int i = TIMELINE_QUEUE; i < TIMELINE_PHASES; i++) {
		if (phases[i] == 0 || job->is_group)
			continue;
		buffer_printf(out, "%s%s ", separator, report_html_phase((enum timeline_phase)i));
		measure_append_us(out, phases[i]);
		separator = ", ";
	}
	if (job->attempts > 1)
		buffer_printf(out, "; %u attempts", job->attempts);
	if (job->is_critical)
		buffer_append_literal(out, "; on the critical path");
	buffer_append_literal(out, "</title>");
}

static void report_lane_draw(struct report_page *page, const struct timeline_job *job)
{
	buffer_append_literal(page->out, "<svg width=\"100%\" height=\"22\" role=\"img\">");
	report_lane_title(page, job);
	if (job->is_group) {
		report_lane_rect(page, "g", job->whole);
	} else {
		for (uint32_t i = 0; i < job->n_pieces; i++)
			report_lane_rect(page, report_lane_classes[job->pieces[i].phase],
				job->pieces[i].span);
	}
	if (job->is_critical)
		report_lane_rect(page, "x", job->whole);
	if (job->is_rejected) {
		buffer_printf(page->out, "<rect class=\"%s\" width=\"3\" x=\"",
			job->is_cancelled ? "n" : "e");
		report_html_percent(page->out, page, job->whole.to);
		buffer_append_literal(page->out, "\"/>");
	}
	buffer_append_literal(page->out, "</svg>");
}

static void report_lane_name_cell(struct report_page *page, uint32_t at)
{
	const struct report_row *row = &page->rows.rows[at];

	if (row->has_detail)
		buffer_printf(page->out, "<a href=\"#j%u\">", at);
	report_html_text(page->out, row->job->id);
	if (row->has_detail)
		buffer_append_literal(page->out, "</a>");
}

static void report_lane_append(struct report_page *page, uint32_t at)
{
	const struct report_row *row = &page->rows.rows[at];
	uint32_t depth = row->depth < REPORT_DEPTH_MAX ? row->depth : REPORT_DEPTH_MAX;
	struct buffer *out = page->out;

	buffer_printf(out, "<tr id=\"r%u\" class=\"", at);
	report_html_classes(out, row);
	buffer_printf(out, "%s\"><th scope=\"row\" class=\"d%u\">", row->job ? "" : "fold", depth);
	if (!row->job) {
		buffer_printf(out, "%u more</th><td></td><td></td><td>", row->n_folded);
		if (row->n_folded_rejected > 0)
			buffer_printf(out, "%u of them rejected", row->n_folded_rejected);
		buffer_append_literal(out, "</td></tr>\n");
		return;
	}
	report_lane_name_cell(page, at);
	buffer_append_literal(out, "</th><td>");
	report_html_result(out, row->job);
	buffer_append_literal(out, "</td><td>");
	measure_append_us(out, report_html_took(row->job));
	buffer_append_literal(out, "</td><td>");
	report_lane_draw(page, row->job);
	buffer_append_literal(out, "</td></tr>\n");
}

static void report_lanes_fold_note(struct report_page *page)
{
	if (page->rows.n_folded == 0)
		return;
	buffer_append_literal(page->out, "<p class=\"note\">");
	report_html_count(page->out, page->rows.n_folded, "row is", "rows are");
	buffer_append_literal(page->out, " folded: those that say \"more\" stand for them.</p>\n");
}

void report_lanes_append(struct report_page *page)
{
	struct buffer *out = page->out;
	uint32_t n;

	buffer_append_literal(out, "<section aria-labelledby=\"h-lanes\">\n"
				   "<h2 id=\"h-lanes\">Waterfall</h2>\n");
	report_lanes_fold_note(page);
	report_lane_legend(page);
	if (report_arrows_exist(page))
		buffer_append_literal(out, "<p class=\"switch\"><label><input type=\"checkbox\" "
					   "id=\"show-arrows\"> show "
					   "who waits for whom</label></p>\n");
	buffer_append_literal(out, "<div class=\"chart\">\n");
	report_lane_grid(page);
	buffer_append_literal(out,
		"<table class=\"lanes\">\n<caption>A lane for each job, from when it was accepted "
		"to the end of the graph.</caption>\n"
		"<thead><tr><th scope=\"col\">Job</th><th scope=\"col\">Result</th>"
		"<th scope=\"col\">Time</th><th scope=\"col\" aria-label=\"Timeline\">");
	report_lane_axis(page);
	buffer_append_literal(out, "</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < page->rows.n; i++)
		report_lane_append(page, i);
	buffer_append_literal(out, "</tbody>\n</table>\n");
	n = report_arrows_append(page);
	buffer_append_literal(out, "</div>\n");
	if (n > REPORT_ARROWS_MAX)
		buffer_printf(out, "<p class=\"note\">%u arrows are left out.</p>\n",
			n - REPORT_ARROWS_MAX);
	buffer_append_literal(out, "</section>\n");
}
