/* SPDX-License-Identifier: MIT */
/*
 * The jobs one looks for after a run: what failed, with what the peer said, and what took longest.
 * A group is not among them: what is in it is. Nor is what was cancelled or never sent because of
 * another's failure, as long as there is one that failed by itself.
 */
#include "client/cli/render/report_private.h"

#include "client/cli/render/measure.h"
#include "proto/json.h"

/* True where the job failed by itself. */
static bool report_table_has_failed(const struct timeline_job *job)
{
	return job && job->is_rejected && !job->is_group && !job->is_cancelled &&
	       !(job->code.data && text_is(job->code, "DEPENDENCY_REJECTED"));
}

static void report_table_cell(struct buffer *out, struct text text)
{
	buffer_append_literal(out, "<td>");
	report_html_text(out, text);
	buffer_append_literal(out, "</td>");
}

/* What the reason says beside code and message. */
static void report_table_reason(struct buffer *out, const struct timeline_job *job)
{
	struct json_error error;
	yyjson_doc *doc = json_read(job->json, &error);
	yyjson_val *reason = yyjson_obj_get(yyjson_doc_get_root(doc), "reason");

	report_table_cell(out, json_string(yyjson_obj_get(reason, "sent")));
	report_table_cell(out, json_string(yyjson_obj_get(reason, "stopped")));
	yyjson_doc_free(doc);
}

static void report_table_request(struct buffer *out, const struct timeline_job *job)
{
	if (job->url.size == 0)
		return;
	buffer_append_literal(out, "<p class=\"url\">");
	report_html_text(out, job->method);
	buffer_append_byte(out, ' ');
	report_html_text(out, job->url);
	buffer_append_literal(out, "</p>");
}

/* Message, URL and body share a cell: they are as long as they like. */
static void report_table_story(struct buffer *out, const struct timeline_job *job)
{
	if (job->message.size > 0) {
		buffer_append_literal(out, "<p>");
		report_html_text(out, job->message);
		buffer_append_literal(out, "</p>");
	}
	report_table_request(out, job);
	if (job->body.size > 0) {
		buffer_append_literal(out, "<pre>");
		report_html_text(out, job->body);
		buffer_append_literal(out, "</pre>");
	}
}

/* The row's beginning: name and status. */
static void report_table_open_row(struct report_page *page, uint32_t at)
{
	const struct report_row *row = &page->rows.rows[at];
	struct buffer *out = page->out;

	buffer_printf(out, "<tr data-row=\"%u\" class=\"", at);
	report_html_classes(out, row);
	buffer_append_literal(out, "\"><th scope=\"row\">");
	if (row->has_detail)
		buffer_printf(out, "<a href=\"#j%u\">", at);
	report_html_text(out, row->job->id);
	if (row->has_detail)
		buffer_append_literal(out, "</a>");
	buffer_append_literal(out, "</th><td>");
	if (row->job->status > 0)
		buffer_append_u64(out, row->job->status);
	buffer_append_literal(out, "</td>");
}

static void report_table_time(struct buffer *out, const struct timeline_job *job)
{
	buffer_append_literal(out, "<td class=\"number\">");
	measure_append_us(out, report_html_took(job));
	buffer_printf(out, "</td><td class=\"number\">%u</td>", job->attempts);
}

static void report_table_open(
	struct buffer *out, const char *id, const char *title, const char *const *columns)
{
	buffer_printf(out,
		"<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<div class=\"wide\">\n"
		"<table class=\"jobs\">\n<thead><tr>",
		id, id, title);
	for (; *columns; columns++)
		buffer_printf(out, "<th scope=\"col\">%s</th>", *columns);
	buffer_append_literal(out, "</tr></thead>\n<tbody>\n");
}

/* -- Failed jobs ------------------------------------------------------------------------------- */

static void report_table_failed_row(struct report_page *page, uint32_t at)
{
	const struct timeline_job *job = page->rows.rows[at].job;

	report_table_open_row(page, at);
	report_table_cell(page->out, job->code);
	buffer_append_literal(page->out, "<td class=\"story\">");
	report_table_story(page->out, job);
	buffer_append_literal(page->out, "</td>");
	report_table_time(page->out, job);
	report_table_reason(page->out, job);
	buffer_append_literal(page->out, "</tr>\n");
}

/* Those that say nothing new: they are in the waterfall. */
static void report_table_dependents(struct report_page *page, uint32_t n)
{
	if (n == 0)
		return;
	buffer_append_literal(page->out, "<p class=\"note\">");
	report_html_count(page->out, n, "job was", "jobs were");
	buffer_append_literal(
		page->out, " cancelled, or not sent because of another's rejection.</p>\n");
}

void report_table_append_failed(struct report_page *page)
{
	static const char *const columns[] = {"Job", "Status", "Code", "What happened", "Time",
		"Attempts", "Sent", "Stopped by", NULL};
	uint32_t n = 0, n_dependent = 0;

	for (uint32_t i = 0; i < page->rows.n; i++) {
		const struct timeline_job *job = page->rows.rows[i].job;

		if (!report_table_has_failed(job)) {
			n_dependent += job && job->is_rejected && !job->is_group;
			continue;
		}
		if (n == 0)
			report_table_open(page->out, "h-failed", "Failed jobs", columns);
		if (n++ < REPORT_FAILED_MAX)
			report_table_failed_row(page, i);
	}
	if (n > 0)
		buffer_append_literal(page->out, "</tbody>\n</table>\n</div>\n");
	if (n > REPORT_FAILED_MAX)
		buffer_printf(
			page->out, "<p class=\"note\">And %u more.</p>\n", n - REPORT_FAILED_MAX);
	report_table_dependents(page, n_dependent);
	if (n > 0)
		buffer_append_literal(page->out, "</section>\n");
}

/* -- Slow jobs --------------------------------------------------------------------------------- */

/* Where most of the time went. */
static void report_table_most(struct buffer *out, const struct timeline_job *job)
{
	uint64_t phases[TIMELINE_PHASES] = {0};
	enum timeline_phase most = TIMELINE_OTHER;

	for (uint32_t i = 0; i < job->n_pieces; i++)
		phases[job->pieces[i].phase] += job->pieces[i].span.to - job->pieces[i].span.from;
	for (int i = TIMELINE_QUEUE; i < TIMELINE_PHASES; i++) {
		if (phases[i] > phases[most])
			most = (enum timeline_phase)i;
	}
	buffer_printf(out, "<td class=\"most\">%s, ", report_html_phase(most));
	measure_append_us(out, phases[most]);
	buffer_append_literal(out, "</td>");
}

void report_table_append_slow(struct report_page *page)
{
	static const char *const columns[] = {
		"Job", "Status", "Request", "Most of it", "Time", "Attempts", NULL};

	if (page->n_slowest == 0)
		return;
	report_table_open(page->out, "h-slow", "Slowest jobs", columns);
	for (uint32_t i = 0; i < page->n_slowest; i++) {
		const struct timeline_job *job = page->rows.rows[page->slowest[i]].job;

		report_table_open_row(page, page->slowest[i]);
		buffer_append_literal(page->out, "<td class=\"story\">");
		report_table_request(page->out, job);
		buffer_append_literal(page->out, "</td>");
		report_table_most(page->out, job);
		report_table_time(page->out, job);
		buffer_append_literal(page->out, "</tr>\n");
	}
	buffer_append_literal(page->out, "</tbody>\n</table>\n</div>\n</section>\n");
}
