/* SPDX-License-Identifier: MIT */
/*
 * The top of the page: what became of the graph, in a sentence and in numbers.
 */
#include "client/cli/render/report_private.h"

#include <time.h>

#include "client/cli/render/measure.h"

/* Names of a critical path that are shown. */
#define REPORT_PATH_MAX 40

static void report_head_number(struct buffer *out, const char *name, uint32_t n, const char *class)
{
	buffer_printf(out, "<div class=\"%s\"><dt>%s</dt><dd>%u</dd></div>\n", n > 0 ? class : "",
		name, n);
}

static void report_head_numbers(struct report_page *page)
{
	const struct timeline *timeline = page->timeline;
	struct buffer *out = page->out;

	buffer_append_literal(out, "<dl class=\"numbers\">\n<div><dt>wall time</dt><dd>");
	measure_append_us(out, timeline->wall_us);
	buffer_append_literal(out, "</dd></div>\n");
	report_head_number(out, "jobs", timeline->n_fulfilled + timeline->n_rejected, "");
	report_head_number(out, "fulfilled", timeline->n_fulfilled, "good");
	report_head_number(out, "rejected", timeline->n_rejected, "bad");
	report_head_number(out, "skipped", timeline->n_skipped, "");
	buffer_append_literal(out, "</dl>\n");
}

static void report_head_speed(struct report_page *page)
{
	const struct timeline *timeline = page->timeline;
	uint64_t wall = timeline->wall_us > 0 ? timeline->wall_us : 1;
	uint64_t tenths = timeline->sum_us / wall * 10 + timeline->sum_us % wall * 10 / wall;

	if (timeline->sum_us == 0)
		return;
	buffer_append_literal(page->out, "<p>One after the other it would have taken ");
	measure_append_us(page->out, timeline->sum_us);
	if (tenths > 10)
		buffer_printf(page->out, " (%ju.%ju times as long)", (uintmax_t)(tenths / 10),
			(uintmax_t)(tenths % 10));
	buffer_append_literal(page->out, ".</p>\n");
}

static void report_head_path(struct report_page *page)
{
	uint32_t n = 0;

	if (page->n_path < 2)
		return;
	buffer_append_literal(page->out, "<p class=\"path\"><strong>Critical path</strong>: ");
	for (; n < page->n_path && n < REPORT_PATH_MAX; n++) {
		if (n > 0)
			buffer_append_literal(page->out, " &rarr; ");
		buffer_append_literal(page->out, "<span>");
		report_html_text(page->out, page->path[n]->id);
		buffer_append_literal(page->out, "</span>");
	}
	if (n < page->n_path)
		buffer_printf(page->out, " and %u more", page->n_path - n);
	buffer_append_literal(page->out, "</p>\n");
}

/* RFC 3339, UTC. */
static void report_head_when(struct report_page *page)
{
	time_t seconds = (time_t)(page->submitted_unix_ns / 1000000000);
	char text[32];
	struct tm tm;

	if (page->submitted_unix_ns == 0 || !gmtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return;
	buffer_printf(page->out,
		"<p class=\"dim\">Submitted <time datetime=\"%s\">%.10s %.8s UTC</time></p>\n",
		text, text, text + 11);
}

static void report_head_reason(struct report_page *page)
{
	const struct timeline *timeline = page->timeline;
	struct buffer *out = page->out;

	if (!timeline->has_summary) {
		buffer_append_literal(out, "<p class=\"note bad\">The connection to the daemon was "
					   "lost before the graph "
					   "was done: what had settled is here.</p>\n");
	} else if (timeline->code.size > 0) {
		buffer_append_literal(out, "<p class=\"note bad\"><code>");
		report_html_text(out, timeline->code);
		buffer_append_literal(out, "</code> ");
		report_html_text(out, timeline->message);
		buffer_append_literal(out, "</p>\n");
	}
	if (page->no_memory || timeline->no_memory)
		buffer_append_literal(
			out, "<p class=\"note bad\">There was no memory for all jobs.</p>\n");
}

void report_head_append(struct report_page *page)
{
	const struct timeline *timeline = page->timeline;
	struct buffer *out = page->out;
	const char *verdict = !timeline->has_summary  ? "cut short"
			      : timeline->is_rejected ? "rejected"
						      : "fulfilled";

	buffer_append_literal(out, "<header>\n<h1>");
	report_html_text(out, timeline->name.size > 0 ? timeline->name : TEXT("graph"));
	buffer_printf(out, " <span class=\"verdict %s\">%s</span></h1>\n",
		timeline->has_summary && !timeline->is_rejected ? "good" : "bad", verdict);
	report_head_reason(page);
	report_head_numbers(page);
	report_head_speed(page);
	report_head_path(page);
	report_head_when(page);
	buffer_append_literal(out, "</header>\n");
}
