/* SPDX-License-Identifier: MIT */
/*
 * A page about a run that needs nothing but itself: it can be mailed, kept, and opened in ten
 * years.
 *
 *   header     what became of the graph, in numbers; the critical path
 *   filter     by words and by kind (report.js; without it, it is not there)
 *   failed     with what the peer said
 *   waterfall  a lane per job, phases by colour, arrows if wanted
 *   slow       and where their time went
 *   records    each in full, folded
 *
 * It is whole without its script: the script hides what is not looked for, and no more. Its policy
 * lets the browser fetch nothing and run nothing but the one script and the one style sheet, told
 * by their hashes; so even if words of an upstream's got between the tags as they are, they would
 * stay words. That they do not is up to report_html_text().
 *
 * A page is put together in the sink's buffer, when the graph is done.
 */
#include "client/cli/render/report_private.h"

#include <stdlib.h>

#include "client/cli/render/report_asset.h"
#include "util/container.h"

struct render_report {
	struct render render;
	struct timeline timeline;
};

static struct render_report *report_from(struct render *render)
{
	return container_of(render, struct render_report, render);
}

static int report_record(struct render *render, const struct render_record *record)
{
	timeline_add(&report_from(render)->timeline, record);
	return 0;
}

static void report_begin(struct report_page *page)
{
	struct buffer *out = page->out;

	buffer_printf(out,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
		report_asset_css_hash, report_asset_js_hash);
	report_html_text(out, page->timeline->name.size > 0 ? page->timeline->name : TEXT("graph"));
	buffer_append_literal(out, " - settle</title>\n<style>");
	buffer_append_text(out, text_from(report_asset_css));
	buffer_append_literal(out, "</style>\n</head>\n<body>\n");
}

/* The script shows it. */
static void report_filter_append(struct buffer *out)
{
	buffer_append_literal(out,
		"<form id=\"filter\" role=\"search\" hidden>\n"
		"<label>Filter <input type=\"search\" id=\"filter-text\" autocomplete=\"off\" "
		"placeholder=\"name, status, code, url\"></label>\n"
		"<label>Show <select id=\"filter-kind\"><option value=\"\">all jobs</option>"
		"<option value=\"bad\">failed</option><option value=\"slow\">slow</option>"
		"<option value=\"crit\">critical path</option>"
		"<option value=\"skip\">skipped</option>"
		"<option value=\"cut\">cancelled</option></select></label>\n"
		"<output id=\"filter-count\" for=\"filter-text filter-kind\"></output>\n</form>\n");
}

static void report_end(struct report_page *page)
{
	buffer_append_literal(page->out,
		"</main>\n<footer><p class=\"dim\">Made by settle " SETTLED_VERSION
		".</p></footer>\n<script>");
	buffer_append_text(page->out, text_from(report_asset_js));
	buffer_append_literal(page->out, "</script>\n</body>\n</html>\n");
}

/* How far the waterfall reaches: to the end of the graph, or of what of it is known. */
static uint64_t report_width(const struct timeline *timeline)
{
	uint64_t width = timeline->wall_us > 0 ? timeline->wall_us : 1;

	for (uint32_t i = 0; i < timeline->n_jobs; i++) {
		if (timeline->jobs[i].whole.to > width)
			width = timeline->jobs[i].whole.to;
	}
	return width;
}

static void report_finish(struct render *render, const struct render_end *end)
{
	struct render_report *report = report_from(render);
	struct report_page page = {
		.out = &render->options.sink->buffer,
		.timeline = &report->timeline,
		.submitted_unix_ns = render->options.submitted_unix_ns,
	};

	timeline_finish(&report->timeline, end);
	page.width_us = report_width(&report->timeline);
	page.no_memory = !report_rows_make(&page, &report->timeline.arena);
	report_begin(&page);
	report_head_append(&page);
	buffer_append_literal(page.out, "<main>\n");
	report_filter_append(page.out);
	report_table_append_failed(&page);
	report_lanes_append(&page);
	report_table_append_slow(&page);
	report_details_append(&page);
	report_end(&page);
}

static void report_free(struct render *render)
{
	struct render_report *report = report_from(render);

	timeline_deinit(&report->timeline);
	free(report);
}

struct render *render_report_new(const struct render_options *options)
{
	static const struct render_class class = {report_record, report_finish, report_free, NULL};
	struct render_report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->render = (struct render){&class, *options};
	timeline_init(&report->timeline, options->plan);
	return &report->render;
}
