/* SPDX-License-Identifier: MIT */
/*
 * A cell is a slice of time, and shows what took the most of it. Waiting for others gives way to
 * anything else, so that whatever was done is seen, be it short: a job's steps are often shorter
 * than a cell, but the lane of a job that was sent is never empty.
 *
 * Of a cancelled job, what cannot be told apart is shown as cancelled, and so is the cell in
 * which it ended. A group has no steps of its own: a line from its begin to its end.
 */
#include "client/cli/render/waterfall_lane.h"

#include "util/panic.h"

static const struct {
	const char *text, *ascii, *name, *color;
} lane_glyphs[LANE_GLYPHS] = {
	[LANE_EMPTY] = {" ", " ", "", NULL},
	[LANE_PHASE + TIMELINE_WAIT] = {"·", ".", "waits for others", "\x1b[90m"},
	[LANE_PHASE + TIMELINE_QUEUE] = {"░", ":", "queue", "\x1b[33m"},
	[LANE_PHASE + TIMELINE_DNS] = {"▂", "d", "dns", "\x1b[36m"},
	[LANE_PHASE + TIMELINE_CONNECT] = {"▄", "c", "connect", "\x1b[35m"},
	[LANE_PHASE + TIMELINE_TLS] = {"▆", "t", "tls", "\x1b[34m"},
	[LANE_PHASE + TIMELINE_FIRST_BYTE] = {"▒", "=", "first byte", "\x1b[32m"},
	[LANE_PHASE + TIMELINE_BODY] = {"█", "#", "body", "\x1b[92m"},
	[LANE_PHASE + TIMELINE_BACKOFF] = {"~", "~", "backoff", "\x1b[93m"},
	[LANE_PHASE + TIMELINE_OTHER] = {"▞", "+", "other", "\x1b[37m"},
	[LANE_CANCELLED] = {"×", "x", "cancelled", "\x1b[31m"},
	[LANE_GROUP] = {"─", "-", "group", "\x1b[90m"},
};

const char *lane_glyph_text(enum lane_glyph glyph, bool ascii)
{
	return ascii ? lane_glyphs[glyph].ascii : lane_glyphs[glyph].text;
}

const char *lane_glyph_name(enum lane_glyph glyph)
{
	return lane_glyphs[glyph].name;
}

const char *lane_glyph_color(enum lane_glyph glyph)
{
	return lane_glyphs[glyph].color;
}

static enum lane_glyph lane_glyph_of(const struct timeline_job *job, enum timeline_phase phase)
{
	if (phase == TIMELINE_WAIT)
		return (enum lane_glyph)(LANE_PHASE + phase);
	if (job->is_group)
		return LANE_GROUP;
	if (phase == TIMELINE_OTHER && job->is_cancelled)
		return LANE_CANCELLED;
	return (enum lane_glyph)(LANE_PHASE + phase);
}

/* How much of the piece lies between the two. */
static uint64_t lane_overlap(const struct timeline_piece *piece, uint64_t from, uint64_t to)
{
	uint64_t begin = piece->span.from > from ? piece->span.from : from;
	uint64_t end = piece->span.to < to ? piece->span.to : to;

	return end > begin ? end - begin : 0;
}

/* What a cell from `from` to `to` shows; no piece before `first` reaches it. */
static enum lane_glyph lane_choose(
	const struct timeline_job *job, uint32_t first, uint64_t from, uint64_t to)
{
	uint64_t share[TIMELINE_PHASES] = {0};
	enum timeline_phase best = TIMELINE_WAIT;

	for (uint32_t i = first; i < job->n_pieces && job->pieces[i].span.from < to; i++)
		share[job->pieces[i].phase] += lane_overlap(&job->pieces[i], from, to);
	for (unsigned phase = TIMELINE_QUEUE; phase < TIMELINE_PHASES; phase++) {
		if (share[phase] > 0 && (best == TIMELINE_WAIT || share[phase] > share[best]))
			best = (enum timeline_phase)phase;
	}
	return share[best] > 0 ? lane_glyph_of(job, best) : LANE_EMPTY;
}

/* The cell with the end of the job in it. */
static uint32_t lane_end(const struct lane *lane, const struct timeline_job *job, uint64_t wall_us)
{
	uint64_t last = job->whole.to > job->whole.from ? job->whole.to - 1 : job->whole.to;
	uint64_t cell = last * lane->n / wall_us;

	return cell < lane->n ? (uint32_t)cell : lane->n - 1;
}

void lane_paint(struct lane *lane, const struct timeline_job *job, uint64_t wall_us, uint32_t *used)
{
	uint32_t first = 0;

	expect(lane->n > 0 && lane->n <= LANE_CELLS_MAX);
	expect(wall_us > 0);

	for (uint32_t i = 0; i < lane->n; i++) {
		uint64_t from = wall_us * i / lane->n;
		uint64_t to = wall_us * (i + 1) / lane->n;

		/* Where there are more cells than us, each still is one. */
		if (to == from)
			to = from + 1;
		while (first < job->n_pieces && job->pieces[first].span.to <= from)
			first++;
		lane->cells[i] = (uint8_t)lane_choose(job, first, from, to);
	}
	if (job->is_cancelled)
		lane->cells[lane_end(lane, job, wall_us)] = LANE_CANCELLED;
	for (uint32_t i = 0; i < lane->n; i++)
		*used |= UINT32_C(1) << lane->cells[i];
}

void lane_append(struct buffer *out, const struct lane *lane, bool ascii, bool color)
{
	enum lane_glyph last = LANE_EMPTY;

	for (uint32_t i = 0; i < lane->n; i++) {
		enum lane_glyph glyph = lane->cells[i];

		if (color && glyph != last && lane_glyphs[last].color)
			buffer_append_literal(out, "\x1b[0m");
		if (color && glyph != last && lane_glyphs[glyph].color)
			buffer_append_text(out, text_from(lane_glyphs[glyph].color));
		buffer_append_text(out, text_from(lane_glyph_text(glyph, ascii)));
		last = glyph;
	}
	if (color && lane_glyphs[last].color)
		buffer_append_literal(out, "\x1b[0m");
}
