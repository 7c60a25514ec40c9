/* SPDX-License-Identifier: MIT */
/*
 * Every job's record as it came, behind a line that says the most important. The browser's own
 * <details> opens it, so that this works without a script.
 */
#include "client/cli/render/report_private.h"

#include <stdlib.h>

#include "client/cli/render/measure.h"
#include "proto/json.h"

/* The record, indented; as it is where it cannot be read. */
static void report_detail_json(struct buffer *out, struct text json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	size_t size = 0;
	char *pretty = doc ? yyjson_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, &size) : NULL;

	buffer_append_literal(out, "<pre>");
	report_html_text(out, pretty ? (struct text){pretty, size} : json);
	buffer_append_literal(out, "</pre>\n");
	free(pretty);
	yyjson_doc_free(doc);
}

static void report_detail_summary(struct report_page *page, const struct report_row *row)
{
	const struct timeline_job *job = row->job;
	struct buffer *out = page->out;

	buffer_append_literal(out, "<summary><b>");
	report_html_text(out, job->id);
	buffer_append_literal(out, "</b> <span class=\"result\">");
	report_html_result(out, job);
	buffer_append_literal(out, "</span> <span class=\"took\">");
	measure_append_us(out, report_html_took(job));
	buffer_append_literal(out, "</span>");
	if (job->is_rejected && job->code.size > 0) {
		buffer_append_literal(out, " <code>");
		report_html_text(out, job->code);
		buffer_append_literal(out, "</code>");
	}
	if (job->url.size > 0) {
		buffer_append_literal(out, " <span class=\"url\">");
		report_html_text(out, job->method);
		buffer_append_byte(out, ' ');
		report_html_text(out, job->url);
		buffer_append_literal(out, "</span>");
	}
	buffer_append_literal(out, "</summary>\n");
}

static void report_detail_append(struct report_page *page, uint32_t at)
{
	const struct report_row *row = &page->rows.rows[at];

	buffer_printf(page->out, "<details id=\"j%u\" data-row=\"%u\" class=\"", at, at);
	report_html_classes(page->out, row);
	buffer_append_literal(page->out, "\">");
	report_detail_summary(page, row);
	report_detail_json(page->out, row->job->json);
	if (row->job->body.size > 0) {
		buffer_append_literal(page->out, "<p>The body begins:</p>\n<pre>");
		report_html_text(page->out, row->job->body);
		buffer_append_literal(page->out, "</pre>\n");
	}
	buffer_append_literal(page->out, "</details>\n");
}

void report_details_append(struct report_page *page)
{
	const struct report_rows *rows = &page->rows;

	buffer_append_literal(page->out, "<section aria-labelledby=\"h-records\">\n"
					 "<h2 id=\"h-records\">Records</h2>\n");
	if (rows->n_without_detail > 0) {
		buffer_append_literal(page->out, "<p class=\"note\">");
		report_html_count(page->out, rows->n_without_detail, "record is", "records are");
		buffer_append_literal(
			page->out, " left out: they would make the page too large.</p>\n");
	}
	for (uint32_t i = 0; i < rows->n; i++) {
		if (rows->rows[i].has_detail)
			report_detail_append(page, i);
	}
	buffer_append_literal(page->out, "</section>\n");
}
