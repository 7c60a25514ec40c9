/* SPDX-License-Identifier: MIT */
/*
 * When each job waited, ran and ended: a lane per job, in the order of the document.
 *
 *   dashboard: fulfilled in 12.1 ms
 *
 *              0         5 ms      10 ms
 *              +---------+---------+----
 *   * user     cc====#                    200    3.6 ms
 *     config   =========#                 200    5.1 ms
 *     mirror   --------                   ok     4.0 ms
 *       eu     cc======                   200    4.0 ms
 *       us     cc=====x                   CANCELLED
 *   * profile  .......:========#####      503    8.5 ms
 *
 *   . waits for others  : queue  c connect  = first byte  # body  x cancelled  - group
 *   * critical path
 *   one after the other it would have taken 40.2 ms (3.3 x)
 *
 * Columns are counted in bytes of ASCII: what stands in the aligned ones is an id, a status or a
 * code, all of which are ASCII, and whatever else a daemon sends there is shown as '?'. So nobody
 * has to know how wide a character is in this terminal. The glyphs are one column each.
 *
 * The name gives way first, cut in the middle because ids of a kind begin alike and end in what
 * tells them apart; what is left is the lane's.
 */
#include <stdlib.h>

#include "client/cli/clean.h"
#include "client/cli/message.h"
#include "client/cli/render/measure.h"
#include "client/cli/render/render.h"
#include "client/cli/render/waterfall_lane.h"
#include "client/cli/render/waterfall_row.h"
#include "util/container.h"

#define WATERFALL_COLUMNS     100
#define WATERFALL_COLUMNS_MIN 60

/* The longest code has nineteen letters. */
#define WATERFALL_STATUS_MAX 20

/* Cells from one tick of the axis to the next, at least. */
#define WATERFALL_TICK_CELLS 10

#define WATERFALL_BOLD  "\x1b[1m"
#define WATERFALL_RED   "\x1b[31m"
#define WATERFALL_GREEN "\x1b[32m"
#define WATERFALL_PLAIN "\x1b[0m"

struct render_waterfall {
	struct render render;
	struct timeline timeline;
};

/* While it is drawn. */
struct waterfall {
	const struct timeline *timeline;
	struct buffer *out;
	bool ascii, color;
	uint32_t columns;
	/* Widths. */
	uint32_t name, cells, status, time;
	/* What the lanes' whole width is. */
	uint64_t wall_us;
	/* Bits of enum lane_glyph. */
	uint32_t used;
	bool has_critical;
	/* A cell being made. */
	struct buffer cell;
};

static struct render_waterfall *waterfall_from(struct render *render)
{
	return container_of(render, struct render_waterfall, render);
}

/* -- Text -------------------------------------------------------------------------------------- */

/* ASCII alone, a character each: of one of several bytes the first becomes '?', the rest goes. */
static void waterfall_append_plain(struct buffer *out, struct text text)
{
	size_t start = out->size, end;

	clean_line(out, text);
	if (out->failed)
		return;
	end = start;
	for (size_t i = start; i < out->size; i++) {
		unsigned char c = (unsigned char)out->data[i];

		if (c < 0x80 || c >= 0xc0)
			out->data[end++] = (char)(c < 0x80 ? c : '?');
	}
	out->size = end;
}

static void waterfall_append_color(const struct waterfall *waterfall, const char *color)
{
	if (waterfall->color && color)
		buffer_append_text(waterfall->out, text_from(color));
}

static void waterfall_pad(struct buffer *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer_append_byte(out, ' ');
}

/* Plain text in `width` columns, cut in the middle. */
static void waterfall_append_cut(const struct waterfall *waterfall, struct text text, size_t width)
{
	struct text mark = waterfall->ascii ? TEXT("..") : TEXT("…");
	size_t mark_width = waterfall->ascii ? 2 : 1, head, tail;

	if (text.size <= width) {
		buffer_append_text(waterfall->out, text);
		waterfall_pad(waterfall->out, width - text.size);
		return;
	}
	if (width < mark_width + 2) {
		buffer_append_text(waterfall->out, (struct text){text.data, width});
		return;
	}
	head = (width - mark_width + 1) / 2;
	tail = width - mark_width - head;
	buffer_append_text(waterfall->out, (struct text){text.data, head});
	buffer_append_text(waterfall->out, mark);
	buffer_append_text(waterfall->out, text_from_at(text, text.size - tail));
}

/* -- Cells ------------------------------------------------------------------------------------- */

static struct text waterfall_make_name(struct waterfall *waterfall, const struct waterfall_row *row)
{
	struct buffer *cell = &waterfall->cell;

	buffer_clear(cell);
	waterfall_pad(cell, 2 * (size_t)row->depth);
	waterfall_append_plain(cell, row->job->id);
	return buffer_text(cell);
}

/* The status, or in a word why there is none. */
static struct text waterfall_make_status(
	struct waterfall *waterfall, const struct timeline_job *job)
{
	struct buffer *cell = &waterfall->cell;
	bool is_special = job->via.data && !text_is(job->via, "network");

	buffer_clear(cell);
	if (!job->is_rejected && is_special)
		waterfall_append_plain(cell, job->via);
	else if (job->status != 0)
		buffer_append_u64(cell, job->status);
	else if (job->is_rejected && job->code.data)
		waterfall_append_plain(cell, job->code);
	else
		buffer_append_text(cell, job->is_rejected ? TEXT("rejected") : TEXT("ok"));
	return buffer_text(cell);
}

static struct text waterfall_make_time(struct waterfall *waterfall, const struct timeline_job *job)
{
	buffer_clear(&waterfall->cell);
	measure_append_us(&waterfall->cell, job->whole.to - job->whole.from);
	return buffer_text(&waterfall->cell);
}

static void waterfall_widen(uint32_t *width, struct text cell)
{
	if (cell.size > *width)
		*width = (uint32_t)cell.size;
}

/* All widths, and the scale. */
static void waterfall_fit(struct waterfall *waterfall, const struct waterfall_rows *rows)
{
	uint32_t fixed;

	waterfall->wall_us = waterfall->timeline->wall_us;
	for (uint32_t i = 0; i < rows->n; i++) {
		const struct timeline_job *job = rows->rows[i].job;

		if (!job)
			continue;
		waterfall_widen(&waterfall->name, waterfall_make_name(waterfall, &rows->rows[i]));
		waterfall_widen(&waterfall->status, waterfall_make_status(waterfall, job));
		waterfall_widen(&waterfall->time, waterfall_make_time(waterfall, job));
		if (job->whole.to > waterfall->wall_us)
			waterfall->wall_us = job->whole.to;
	}
	if (waterfall->wall_us == 0)
		waterfall->wall_us = 1;
	if (waterfall->name > waterfall->columns / 4)
		waterfall->name = waterfall->columns / 4;
	if (waterfall->status > WATERFALL_STATUS_MAX)
		waterfall->status = WATERFALL_STATUS_MAX;
	/* The mark, and what stands between the cells. */
	fixed = 2 + waterfall->name + 1 + 1 + waterfall->status + 1 + waterfall->time;
	waterfall->cells = waterfall->columns > fixed + WATERFALL_TICK_CELLS
				   ? waterfall->columns - fixed
				   : WATERFALL_TICK_CELLS;
	if (waterfall->cells > LANE_CELLS_MAX)
		waterfall->cells = LANE_CELLS_MAX;
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void waterfall_append_title(const struct waterfall *waterfall)
{
	const struct timeline *timeline = waterfall->timeline;
	struct buffer *out = waterfall->out;
	struct text name = timeline->name.data ? timeline->name : TEXT("graph");

	/* Half of the line is enough for any name, and holds it if each character takes two
	 * columns. */
	name = clean_cut(name, waterfall->columns / 4);
	if (waterfall->ascii)
		waterfall_append_plain(out, name);
	else
		clean_line(out, name);
	if (!timeline->has_summary) {
		buffer_append_literal(out, ": the connection was lost\n\n");
		return;
	}
	if (timeline->is_rejected)
		buffer_append_literal(out, ": rejected in ");
	else
		buffer_append_literal(out, ": fulfilled in ");
	measure_append_us(out, timeline->wall_us);
	if (timeline->code.data) {
		buffer_append_literal(out, ", ");
		waterfall_append_plain(out, timeline->code);
	}
	buffer_append_literal(out, "\n\n");
}

/* Where a time is on the axis. */
static uint32_t waterfall_cell_of(const struct waterfall *waterfall, uint64_t us)
{
	return (uint32_t)(us * waterfall->cells / waterfall->wall_us);
}

static uint64_t waterfall_step(const struct waterfall *waterfall)
{
	uint64_t least = waterfall->wall_us * WATERFALL_TICK_CELLS / waterfall->cells;

	return measure_step(least + 1);
}

/* Labels above their ticks, each with a blank before it. */
static void waterfall_append_labels(struct waterfall *waterfall)
{
	uint32_t at = 0, start = 2 + waterfall->name + 1;
	uint64_t step = waterfall_step(waterfall);

	waterfall_pad(waterfall->out, start);
	for (uint64_t us = 0; us < waterfall->wall_us; us += step) {
		uint32_t cell = waterfall_cell_of(waterfall, us);

		buffer_clear(&waterfall->cell);
		measure_append_tick(&waterfall->cell, us);
		if ((cell > 0 && cell <= at) ||
			start + cell + waterfall->cell.size > waterfall->columns)
			continue;
		waterfall_pad(waterfall->out, cell - at);
		buffer_append_text(waterfall->out, buffer_text(&waterfall->cell));
		at = cell + (uint32_t)waterfall->cell.size;
	}
	buffer_append_byte(waterfall->out, '\n');
}

static void waterfall_append_axis(struct waterfall *waterfall)
{
	struct text tick = waterfall->ascii ? TEXT("+") : TEXT("┬");
	struct text line = waterfall->ascii ? TEXT("-") : TEXT("─");
	uint64_t step = waterfall_step(waterfall), us = 0;

	waterfall_append_labels(waterfall);
	waterfall_pad(waterfall->out, 2 + waterfall->name + 1);
	for (uint32_t i = 0; i < waterfall->cells; i++) {
		bool is_tick = us < waterfall->wall_us && waterfall_cell_of(waterfall, us) == i;

		buffer_append_text(waterfall->out, is_tick ? tick : line);
		if (is_tick)
			us += step;
	}
	buffer_append_byte(waterfall->out, '\n');
}

static struct text waterfall_mark(const struct waterfall *waterfall)
{
	return waterfall->ascii ? TEXT("*") : TEXT("▸");
}

static const char *waterfall_status_color(const struct timeline_job *job)
{
	return job->is_rejected ? WATERFALL_RED : WATERFALL_GREEN;
}

static void waterfall_append_lane(struct waterfall *waterfall, const struct waterfall_row *row)
{
	const struct timeline_job *job = row->job;
	struct buffer *out = waterfall->out;
	struct lane lane = {.n = waterfall->cells};
	struct text time;

	waterfall->has_critical |= job->is_critical;
	if (job->is_critical)
		waterfall_append_color(waterfall, WATERFALL_BOLD);
	buffer_append_text(out, job->is_critical ? waterfall_mark(waterfall) : TEXT(" "));
	buffer_append_byte(out, ' ');
	waterfall_append_cut(waterfall, waterfall_make_name(waterfall, row), waterfall->name);
	if (job->is_critical)
		waterfall_append_color(waterfall, WATERFALL_PLAIN);
	buffer_append_byte(out, ' ');
	lane_paint(&lane, job, waterfall->wall_us, &waterfall->used);
	lane_append(out, &lane, waterfall->ascii, waterfall->color);
	buffer_append_byte(out, ' ');
	waterfall_append_color(waterfall, waterfall_status_color(job));
	waterfall_append_cut(waterfall, waterfall_make_status(waterfall, job), waterfall->status);
	waterfall_append_color(waterfall, WATERFALL_PLAIN);
	time = waterfall_make_time(waterfall, job);
	waterfall_pad(out, 1 + waterfall->time - time.size);
	buffer_append_text(out, time);
	buffer_append_byte(out, '\n');
}

static void waterfall_append_folded(struct waterfall *waterfall, const struct waterfall_row *row)
{
	struct buffer *out = waterfall->out;

	waterfall_pad(out, 2 + 2 * (size_t)row->depth);
	buffer_append_text(out, waterfall->ascii ? TEXT("...") : TEXT("…"));
	buffer_printf(out, " and %u faster", row->n_folded);
	if (row->n_folded_rejected > 0)
		buffer_printf(out, ", %u of them rejected", row->n_folded_rejected);
	buffer_append_byte(out, '\n');
}

/* -- What it means ----------------------------------------------------------------------------- */

struct waterfall_entry {
	const char *glyph, *name, *color;
};

/* One entry of the legend, on the next line where it does not fit on this one. */
static void waterfall_append_entry(
	const struct waterfall *waterfall, const struct waterfall_entry *entry, size_t *at)
{
	size_t width = strlen(entry->name) + 2;

	if (*at > 0 && *at + 2 + width > waterfall->columns) {
		buffer_append_byte(waterfall->out, '\n');
		*at = 0;
	}
	if (*at > 0) {
		buffer_append_literal(waterfall->out, "  ");
		width += 2;
	}
	*at += width;
	waterfall_append_color(waterfall, entry->color);
	buffer_append_text(waterfall->out, text_from(entry->glyph));
	waterfall_append_color(waterfall, WATERFALL_PLAIN);
	buffer_printf(waterfall->out, " %s", entry->name);
}

static void waterfall_append_legend(const struct waterfall *waterfall)
{
	struct waterfall_entry entry;
	size_t at = 0;

	for (unsigned i = LANE_PHASE; i < LANE_GLYPHS; i++) {
		enum lane_glyph glyph = (enum lane_glyph)i;

		if (!(waterfall->used & UINT32_C(1) << i))
			continue;
		entry.glyph = lane_glyph_text(glyph, waterfall->ascii);
		entry.name = lane_glyph_name(glyph);
		entry.color = lane_glyph_color(glyph);
		waterfall_append_entry(waterfall, &entry, &at);
	}
	if (waterfall->has_critical) {
		entry.glyph = waterfall_mark(waterfall).data;
		entry.name = "critical path";
		entry.color = WATERFALL_BOLD;
		waterfall_append_entry(waterfall, &entry, &at);
	}
	if (at > 0)
		buffer_append_byte(waterfall->out, '\n');
}

static void waterfall_append_sum(const struct waterfall *waterfall)
{
	const struct timeline *timeline = waterfall->timeline;

	if (timeline->sum_us == 0 || timeline->wall_us == 0)
		return;
	buffer_append_literal(waterfall->out, "one after the other it would have taken ");
	measure_append_us(waterfall->out, timeline->sum_us);
	buffer_printf(waterfall->out, " (%.1f x)\n",
		(double)timeline->sum_us / (double)timeline->wall_us);
}

static void waterfall_draw(struct waterfall *waterfall, const struct waterfall_rows *rows)
{
	waterfall_append_title(waterfall);
	if (rows->n == 0)
		return;
	waterfall_fit(waterfall, rows);
	waterfall_append_axis(waterfall);
	for (uint32_t i = 0; i < rows->n; i++) {
		if (rows->rows[i].job)
			waterfall_append_lane(waterfall, &rows->rows[i]);
		else
			waterfall_append_folded(waterfall, &rows->rows[i]);
	}
	buffer_append_byte(waterfall->out, '\n');
	waterfall_append_legend(waterfall);
	waterfall_append_sum(waterfall);
}

/* -- The render -------------------------------------------------------------------------------- */

static int waterfall_record(struct render *render, const struct render_record *record)
{
	timeline_add(&waterfall_from(render)->timeline, record);
	return 0;
}

static void waterfall_finish(struct render *render, const struct render_end *end)
{
	const struct render_options *options = &render->options;
	struct timeline *timeline = &waterfall_from(render)->timeline;
	struct waterfall_rows rows;
	struct waterfall waterfall = {
		.timeline = timeline,
		.out = &options->sink->buffer,
		.ascii = options->ascii,
		.color = options->color,
		.columns = options->columns ? options->columns : WATERFALL_COLUMNS,
	};

	if (waterfall.columns < WATERFALL_COLUMNS_MIN)
		waterfall.columns = WATERFALL_COLUMNS_MIN;
	timeline_finish(timeline, end);
	buffer_init(&waterfall.cell, SIZE_MAX / 4);
	if (waterfall_rows_make(timeline, &rows))
		waterfall_draw(&waterfall, &rows);
	else
		timeline->no_memory = true;
	buffer_deinit(&waterfall.cell);
	if (timeline->no_memory)
		message_print("no memory for the whole waterfall: jobs are missing");
	sink_offer(options->sink);
}

static void waterfall_free(struct render *render)
{
	struct render_waterfall *waterfall = waterfall_from(render);

	timeline_deinit(&waterfall->timeline);
	free(waterfall);
}

struct render *render_waterfall_new(const struct render_options *options)
{
	static const struct render_class class = {
		waterfall_record, waterfall_finish, waterfall_free, NULL};
	struct render_waterfall *waterfall = calloc(1, sizeof(*waterfall));

	if (!waterfall)
		return NULL;
	waterfall->render = (struct render){&class, *options};
	timeline_init(&waterfall->timeline, options->plan);
	return &waterfall->render;
}
