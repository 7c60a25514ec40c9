/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of the report share, and nobody else. The page is made from top to bottom, each
 * file appends its part; report.c says what stands where.
 *
 * Nothing of a record, of the document or of its names gets onto the page but through
 * report_html_text(), and all of it stands between tags: never in an attribute, never in a style
 * sheet or a script.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/timeline_order.h"
#include "util/buffer.h"

/* Rows of the waterfall in all, and of one fan-out's children before they are folded. */
#define REPORT_ROWS_MAX     10000
#define REPORT_CHILDREN_MAX 200
/* Of the children beyond that: how many that were rejected are shown yet. */
#define REPORT_CHILDREN_REJECTED_MAX 200

/* Rows of the table of failed jobs, and of slow ones. */
#define REPORT_FAILED_MAX 500
#define REPORT_SLOW_MAX   5

/* Bytes of records in full: of failed and critical jobs first. */
#define REPORT_DETAIL_BYTES_MAX (16u * 1024 * 1024)

/* Arrows. */
#define REPORT_ARROWS_MAX 2000

/* Pixels of a row. */
#define REPORT_ROW_HEIGHT 22

/* No row. */
#define REPORT_NONE UINT32_MAX

struct report_row {
	/* NULL: the row stands for jobs that are not shown. */
	const struct timeline_job *job;
	/* Of such a row. */
	uint32_t n_folded, n_folded_rejected;
	/* Groups and fan-outs around it. */
	uint32_t depth;
	/* True exactly when it is among the slowest. */
	bool is_slow;
	/* True exactly when its record is on the page. */
	bool has_detail;
};

struct report_rows {
	struct report_row *rows;
	uint32_t n;
	/* Rows that were folded. */
	uint32_t n_folded;
	/* Records left out for their size. */
	uint32_t n_without_detail;
};

struct report_page {
	struct buffer *out;
	const struct timeline *timeline;
	struct report_rows rows;
	/* Rows of the slowest jobs, the slowest first. */
	uint32_t *slowest;
	uint32_t n_slowest;
	/* The critical path, in the order of time. */
	const struct timeline_job **path;
	uint32_t n_path;
	/* The waterfall's right edge, at least 1. */
	uint64_t width_us;
	/* When the graph was submitted, since 1970; 0: it is not known. */
	uint64_t submitted_unix_ns;
	bool no_memory;
};

/* report_html.c */

/* Text between tags: escaped, control characters as pictures of themselves, what is no UTF-8 as
 * U+FFFD. LF and tab stay as they are. */
void report_html_text(struct buffer *out, struct text text);

/* "12.5%", of the page's width in time. */
void report_html_percent(struct buffer *out, const struct report_page *page, uint64_t us);

/* "12.5%", of that length, but never too short to be seen. */
void report_html_length(struct buffer *out, const struct report_page *page, uint64_t us);

/* "3 jobs" */
void report_html_count(struct buffer *out, uint32_t n, const char *one, const char *many);

/* What became of a job in a word: "200", "CANCELLED", "skipped", "2 of 3" of a group. */
void report_html_result(struct buffer *out, const struct timeline_job *job);

/* "bad", "crit" … : the classes that style sheet and filter know it by, separated by blanks. */
void report_html_classes(struct buffer *out, const struct report_row *row);

/* What people call a phase. */
const char *report_html_phase(enum timeline_phase phase);

/* From when the job was ready until it settled. */
uint64_t report_html_took(const struct timeline_job *job);

/* report_row.c */

/* Fills page->rows and page->path. In the arena; false: no memory. */
bool report_rows_make(struct report_page *page, struct arena *arena);

/* report_head.c */
void report_head_append(struct report_page *page);

/* report_lane.c: the waterfall. */
void report_lanes_append(struct report_page *page);

/* report_arrow.c: lines from jobs to those that wait for them, over the waterfall. Returns how many
 * there are. */
uint32_t report_arrows_append(struct report_page *page);

/* True where the plan is known and there is something to draw. */
bool report_arrows_exist(const struct report_page *page);

/* report_table.c */
void report_table_append_failed(struct report_page *page);
void report_table_append_slow(struct report_page *page);

/* report_detail.c: every record. */
void report_details_append(struct report_page *page);
