/* SPDX-License-Identifier: MIT */
/*
 * For people: a line per job in the document's order, and what became of the graph.
 *
 *   JOB    STATUS     HTTP   START     TIME  SIZE  DETAIL
 *   user   fulfilled   200  0.0 ms  10.2 ms    41  http://api.local/users/1
 *   audit  rejected    503  9.8 ms  20.1 ms   312  HTTP_STATUS: 503 Service Unavailable
 *
 * Columns are as wide as what stands in them, so that rows are kept until the end. A job's name is
 * cut where it would leave no room for the rest, the detail where the terminal ends; where there
 * is no terminal nothing is cut. What a row holds was cleaned of control characters, and colour
 * only repeats what a word says.
 */
#include "client/cli/render/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/cli/clean.h"
#include "client/cli/message.h"
#include "client/cli/render/reason.h"
#include "client/cli/render/store.h"
#include "proto/json.h"
#include "util/container.h"

/* Between cells of a kept row: no cleaned text has it. */
#define TABLE_SEPARATOR '\x1f'

/* A terminal narrower than this is treated as if it were this wide. */
#define TABLE_COLUMNS_MIN 60

#define TABLE_BOLD  "\x1b[1m"
#define TABLE_GREEN "\x1b[32m"
#define TABLE_RED   "\x1b[31m"
#define TABLE_PLAIN "\x1b[0m"

/* Names of a critical path that are shown, at either end. */
#define TABLE_PATH_ENDS 6

/* Rejections told in full; the rest is counted. */
#define TABLE_TOLD_MAX 20

enum table_column {
	TABLE_JOB,
	TABLE_STATUS,
	TABLE_HTTP,
	TABLE_START,
	TABLE_TIME,
	TABLE_SIZE,
	TABLE_DETAIL,
	TABLE_COLUMN_COUNT,
};

static const struct {
	struct text title;
	bool is_right;
} table_columns[TABLE_COLUMN_COUNT] = {
	[TABLE_JOB] = {TEXT_INIT("JOB"), false},
	[TABLE_STATUS] = {TEXT_INIT("STATUS"), false},
	[TABLE_HTTP] = {TEXT_INIT("HTTP"), true},
	[TABLE_START] = {TEXT_INIT("START"), true},
	[TABLE_TIME] = {TEXT_INIT("TIME"), true},
	[TABLE_SIZE] = {TEXT_INIT("SIZE"), true},
	[TABLE_DETAIL] = {TEXT_INIT("DETAIL"), false},
};

struct render_table {
	struct render render;
	/* Each text is a row: cells and separators. */
	struct store store;
	size_t widths[TABLE_COLUMN_COUNT];
};

static struct render_table *table_from(struct render *render)
{
	return container_of(render, struct render_table, render);
}

/* -- Cells ------------------------------------------------------------------------------------- */

static double table_number(yyjson_val *value)
{
	struct text digits = json_number(value);

	return digits.data ? strtod(digits.data, NULL) : 0;
}

static void table_append_ms(struct buffer *out, double ms)
{
	if (ms < 1000)
		buffer_printf(out, "%.1f ms", ms);
	else
		buffer_printf(out, "%.2f s", ms / 1000);
}

static void table_append_time(struct buffer *out, yyjson_val *time, bool is_start)
{
	yyjson_val *start = yyjson_obj_get(time, "start"), *end = yyjson_obj_get(time, "end");

	if (!start || !end)
		buffer_append_byte(out, '-');
	else if (is_start)
		table_append_ms(out, table_number(start));
	else
		table_append_ms(out, table_number(end) - table_number(start));
}

static void table_append_size(struct buffer *out, yyjson_val *response)
{
	static const char units[] = {'k', 'm', 'g', 't'};
	yyjson_val *bytes = yyjson_obj_get(response, "bytes");
	double size = table_number(bytes);
	size_t unit = 0;

	/* A group has none, and no response at all. */
	if (!bytes) {
		buffer_append_byte(out, '-');
		return;
	}
	if (size < 1024) {
		buffer_printf(out, "%.0f", size);
		return;
	}
	for (size /= 1024; size >= 1024 && unit + 1 < sizeof(units); unit++)
		size /= 1024;
	buffer_printf(out, "%.1f%c", size, units[unit]);
}

static void table_append_string(struct buffer *out, yyjson_val *value)
{
	struct text text = json_string(value);

	if (text.data)
		clean_line(out, text);
}

static void table_append_group(struct buffer *out, yyjson_val *value)
{
	yyjson_val *winner = yyjson_obj_get(value, "winner");

	buffer_printf(out, "%.0f jobs: %.0f fulfilled, %.0f rejected",
		table_number(yyjson_obj_get(value, "jobs")),
		table_number(yyjson_obj_get(value, "fulfilled")),
		table_number(yyjson_obj_get(value, "rejected")));
	if (winner) {
		buffer_append_literal(out, ", winner ");
		table_append_string(out, winner);
	}
}

/* "skipped", "dedupe of X: ", "fallback for CODE: message"; nothing for the network. */
static void table_append_via(struct buffer *out, yyjson_val *record, struct text via)
{
	yyjson_val *of = yyjson_obj_get(record, "of");
	yyjson_val *cause = yyjson_obj_get(record, "cause");

	clean_line(out, via);
	if (of) {
		buffer_append_literal(out, " of ");
		table_append_string(out, of);
	}
	if (cause) {
		buffer_append_literal(out, " for ");
		reason_append(out, cause);
	}
}

static void table_append_detail(struct buffer *out, yyjson_val *record)
{
	yyjson_val *reason = yyjson_obj_get(record, "reason");
	yyjson_val *value = yyjson_obj_get(record, "value");
	yyjson_val *url = yyjson_obj_get(value, "url");
	struct text via = json_string(yyjson_obj_get(record, "via"));
	bool is_special = via.data && !text_is(via, "network");

	if (reason) {
		reason_append(out, reason);
		reason_append_note(out, record);
		return;
	}
	if (is_special)
		table_append_via(out, record, via);
	else if (yyjson_obj_get(value, "jobs"))
		table_append_group(out, value);
	if (is_special && url)
		buffer_append_literal(out, ": ");
	table_append_string(out, url);
}

static void table_append_status(struct buffer *out, yyjson_val *response)
{
	struct text status = json_number(yyjson_obj_get(response, "status"));

	if (status.data)
		buffer_append_text(out, status);
	else
		buffer_append_byte(out, '-');
}

static void table_append_row(
	struct buffer *out, const struct render_record *record, yyjson_val *root)
{
	yyjson_val *response = yyjson_obj_get(root, "value");
	yyjson_val *time = yyjson_obj_get(root, "time");

	if (record->is_rejected)
		response = yyjson_obj_get(yyjson_obj_get(root, "reason"), "response");
	clean_line(out, record->job);
	buffer_append_byte(out, TABLE_SEPARATOR);
	buffer_append_text(out, record->is_rejected ? TEXT("rejected") : TEXT("fulfilled"));
	buffer_append_byte(out, TABLE_SEPARATOR);
	table_append_status(out, response);
	buffer_append_byte(out, TABLE_SEPARATOR);
	table_append_time(out, time, true);
	buffer_append_byte(out, TABLE_SEPARATOR);
	table_append_time(out, time, false);
	buffer_append_byte(out, TABLE_SEPARATOR);
	table_append_size(out, response);
	buffer_append_byte(out, TABLE_SEPARATOR);
	table_append_detail(out, root);
}

/* The next cell of a row, taken off it. */
static struct text table_next_cell(struct text *row)
{
	size_t size = text_find(*row, TABLE_SEPARATOR);
	struct text cell = {row->data, size};

	*row = text_from_at(*row, size + 1);
	return cell;
}

static void table_widen(struct render_table *table, struct text row)
{
	for (size_t i = 0; i < TABLE_COLUMN_COUNT; i++) {
		size_t width = clean_width(table_next_cell(&row));

		if (width > table->widths[i])
			table->widths[i] = width;
	}
}

static int table_record(struct render *render, const struct render_record *record)
{
	struct render_table *table = table_from(render);
	struct buffer *out = store_begin(&table->store);
	struct json_error error;
	yyjson_doc *doc;
	size_t start;
	int r = 0;

	if (render->options.body == RENDER_BODY_DIRECTORY) {
		start = out->size;
		r = render_splice(render, record, out);
		out->size = start;
	}
	doc = json_read(record->json, &error);
	start = out->size;
	table_append_row(out, record, yyjson_doc_get_root(doc));
	if (!out->failed)
		table_widen(table, (struct text){out->data + start, out->size - start});
	store_end(&table->store, record);
	yyjson_doc_free(doc);
	return r;
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void table_pad(struct buffer *out, size_t n)
{
	buffer_printf(out, "%*s", (int)n, "");
}

static void table_append_cut(struct buffer *out, struct text cell, size_t width)
{
	if (clean_width(cell) <= width) {
		buffer_append_text(out, cell);
		return;
	}
	buffer_append_text(out, clean_cut(cell, width > 3 ? width - 3 : 0));
	buffer_append_literal(out, "...");
}

static const char *table_color(const struct render_table *table, size_t column, struct text cell)
{
	if (!table->render.options.color || column != TABLE_STATUS)
		return NULL;
	if (text_is(cell, "rejected"))
		return TABLE_RED;
	return text_is(cell, "fulfilled") ? TABLE_GREEN : NULL;
}

static void table_append_cell(
	const struct render_table *table, struct buffer *out, size_t column, struct text cell)
{
	const char *color = table_color(table, column, cell);
	size_t width = table->widths[column], own = clean_width(cell);
	size_t room = own < width ? width - own : 0;

	if (table_columns[column].is_right)
		table_pad(out, room);
	if (color)
		buffer_append_text(out, text_from(color));
	table_append_cut(out, cell, width);
	if (color)
		buffer_append_text(out, text_from(TABLE_PLAIN));
	/* The last column needs no room behind it. */
	if (column + 1 == TABLE_COLUMN_COUNT)
		return;
	if (!table_columns[column].is_right)
		table_pad(out, room);
	buffer_append_literal(out, "  ");
}

static void table_append_titles(const struct render_table *table, struct buffer *out)
{
	if (table->render.options.color)
		buffer_append_text(out, text_from(TABLE_BOLD));
	for (size_t i = 0; i < TABLE_COLUMN_COUNT; i++)
		table_append_cell(table, out, i, table_columns[i].title);
	if (table->render.options.color)
		buffer_append_text(out, text_from(TABLE_PLAIN));
	buffer_append_byte(out, '\n');
}

/* Makes the columns fit the terminal: first the name gives way, then the detail. */
static void table_fit(struct render_table *table)
{
	size_t columns = table->render.options.columns, fixed = 0;
	size_t *widths = table->widths;

	for (size_t i = 0; i < TABLE_COLUMN_COUNT; i++) {
		if (widths[i] < table_columns[i].title.size)
			widths[i] = table_columns[i].title.size;
	}
	if (columns == 0)
		return;
	if (columns < TABLE_COLUMNS_MIN)
		columns = TABLE_COLUMNS_MIN;
	if (widths[TABLE_JOB] > columns / 5)
		widths[TABLE_JOB] = columns / 5;
	for (size_t i = 0; i < TABLE_DETAIL; i++)
		fixed += widths[i] + 2;
	if (fixed + widths[TABLE_DETAIL] > columns)
		widths[TABLE_DETAIL] = columns > fixed + 6 ? columns - fixed : 6;
}

/* -- The end ----------------------------------------------------------------------------------- */

static void table_append_path(struct buffer *out, yyjson_val *path)
{
	size_t i, n;
	yyjson_val *job;

	if (yyjson_arr_size(path) < 2)
		return;
	buffer_append_literal(out, "critical path: ");
	yyjson_arr_foreach(path, i, n, job)
	{
		if (i == TABLE_PATH_ENDS && n > 2 * TABLE_PATH_ENDS + 1)
			buffer_append_literal(out, " > ...");
		if (i >= TABLE_PATH_ENDS && i + TABLE_PATH_ENDS < n && n > 2 * TABLE_PATH_ENDS + 1)
			continue;
		if (i > 0)
			buffer_append_literal(out, " > ");
		table_append_string(out, job);
	}
	buffer_append_byte(out, '\n');
}

static void table_append_verdict(struct buffer *out, yyjson_val *summary)
{
	yyjson_val *reason = yyjson_obj_get(summary, "reason");
	double speedup = table_number(yyjson_obj_get(summary, "speedup"));
	double skipped = table_number(yyjson_obj_get(summary, "skipped"));

	buffer_printf(out, "%.0f jobs: %.0f fulfilled",
		table_number(yyjson_obj_get(summary, "jobs")),
		table_number(yyjson_obj_get(summary, "fulfilled")));
	if (skipped > 0)
		buffer_printf(out, " (%.0f skipped)", skipped);
	buffer_printf(
		out, ", %.0f rejected, in ", table_number(yyjson_obj_get(summary, "rejected")));
	table_append_ms(out, table_number(yyjson_obj_get(summary, "wall_ms")));
	if (speedup >= 1.05)
		buffer_printf(out, " (%.1f times as fast as one by one)", speedup);
	buffer_append_byte(out, '\n');
	if (yyjson_obj_get(summary, "winner")) {
		buffer_append_literal(out, "winner: ");
		table_append_string(out, yyjson_obj_get(summary, "winner"));
		buffer_append_byte(out, '\n');
	}
	if (reason) {
		buffer_append_literal(out, "graph: ");
		table_append_string(out, yyjson_obj_get(summary, "status"));
		buffer_append_literal(out, ", ");
		table_append_string(out, yyjson_obj_get(reason, "code"));
		if (yyjson_obj_get(reason, "job")) {
			buffer_append_literal(out, " of ");
			table_append_string(out, yyjson_obj_get(reason, "job"));
		}
		buffer_append_byte(out, '\n');
	}
}

static void table_append_summary(struct buffer *out, struct text json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(json, &error);
	yyjson_val *summary = yyjson_doc_get_root(doc);
	yyjson_val *result = yyjson_obj_get(summary, "return");
	struct buffer compact;

	buffer_append_byte(out, '\n');
	table_append_verdict(out, summary);
	table_append_path(out, yyjson_obj_get(summary, "critical_path"));
	if (result) {
		buffer_init(&compact, SIZE_MAX / 4);
		json_append_value(&compact, result);
		buffer_append_literal(out, "return: ");
		clean_json(out, buffer_text(&compact));
		buffer_append_byte(out, '\n');
		buffer_deinit(&compact);
	}
	yyjson_doc_free(doc);
}

/* A rejected job's row, uncut: "audit: HTTP_STATUS: 503 Service Unavailable". */
static bool table_tell_row(struct buffer *out, struct text row, bool is_told)
{
	struct text job = table_next_cell(&row);

	if (!text_is(table_next_cell(&row), "rejected"))
		return false;
	for (size_t column = TABLE_HTTP; column < TABLE_DETAIL; column++)
		table_next_cell(&row);
	if (!is_told)
		return true;
	buffer_append_byte(out, '\n');
	buffer_append_text(out, job);
	buffer_append_literal(out, ": ");
	buffer_append_text(out, row);
	buffer_append_byte(out, '\n');
	return true;
}

/* Where the rows are cut, the reasons again in full, a paragraph each. */
static void table_tell_rejections(const struct render_table *table, struct buffer *out)
{
	size_t n = 0;

	if (table->render.options.columns == 0)
		return;
	for (size_t i = 0; i < store_count(&table->store); i++) {
		struct text row = store_text(&table->store, store_get(&table->store, i));

		n += table_tell_row(out, row, n < TABLE_TOLD_MAX);
	}
	if (n > TABLE_TOLD_MAX)
		buffer_printf(out, "\nand %zu more rejected\n", n - TABLE_TOLD_MAX);
}

static void table_finish(struct render *render, const struct render_end *end)
{
	struct render_table *table = table_from(render);
	struct sink *sink = render->options.sink;

	store_sort(&table->store);
	table_fit(table);
	table_append_titles(table, &sink->buffer);
	for (size_t i = 0; i < store_count(&table->store); i++) {
		struct text row = store_text(&table->store, store_get(&table->store, i));

		for (size_t column = 0; column < TABLE_COLUMN_COUNT; column++)
			table_append_cell(table, &sink->buffer, column, table_next_cell(&row));
		buffer_append_byte(&sink->buffer, '\n');
		sink_offer(sink);
	}
	table_tell_rejections(table, &sink->buffer);
	if (end->summary.data)
		table_append_summary(&sink->buffer, end->summary);
	if (store_failed(&table->store))
		message_print("no memory for all rows: some are missing");
}

static void table_free(struct render *render)
{
	struct render_table *table = table_from(render);

	store_deinit(&table->store);
	free(table);
}

struct render *render_table_new(const struct render_options *options)
{
	static const struct render_class class = {table_record, table_finish, table_free, NULL};
	struct render_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->render = (struct render){&class, *options};
	store_init(&table->store);
	return &table->render;
}
