/* SPDX-License-Identifier: MIT */
/*
 * A picture must never be taller or wider than the terminal: a line that wraps, or a first line
 * that has scrolled away, cannot be taken back. So it is cut here, by characters, and one row is
 * left for the cursor.
 */
#include "client/cli/frame.h"

#include "client/cli/clean.h"
#include "util/clock.h"
#include "util/panic.h"

/* The first line, one for what is left out, and the cursor's. */
#define FRAME_ROWS_OTHER 3

/* Names wider than this push what follows. */
#define FRAME_NAME_WIDTH 24

uint32_t frame_room(uint32_t rows)
{
	uint32_t room = rows > FRAME_ROWS_OTHER ? rows - FRAME_ROWS_OTHER : 0;

	return room < FRAME_LINES_MAX ? room : FRAME_LINES_MAX;
}

static void frame_append_seconds(struct buffer *out, uint64_t ns)
{
	buffer_printf(out, "%ju.%ju s", (uintmax_t)(ns / NS_PER_S),
		(uintmax_t)(ns % NS_PER_S / (100 * NS_PER_MS)));
}

void frame_append_head(struct buffer *out, const struct frame *frame)
{
	buffer_printf(out, "%u", frame->settled);
	/* A fan-out has more jobs than its document says. */
	if (frame->jobs >= frame->settled && frame->jobs > 0)
		buffer_printf(out, " of %u", frame->jobs);
	buffer_append_literal(out, " settled");
	if (frame->rejected)
		buffer_printf(out, ", %u rejected", frame->rejected);
	if (frame->has_running && frame->running)
		buffer_printf(out, ", %u under way", frame->running);
	if (frame->cancelled)
		buffer_append_literal(out, ", cancelled");
	buffer_append_literal(out, ", ");
	frame_append_seconds(out, frame->age_ns);
}

static void frame_append_counts(struct buffer *out, const struct frame_line *line)
{
	const char *comma = "";

	if (line->running) {
		buffer_printf(out, "%u under way", line->running);
		comma = ", ";
	}
	if (line->settled) {
		buffer_printf(out, "%s%u settled", comma, line->settled);
		comma = ", ";
	}
	if (line->rejected)
		buffer_printf(out, "%s%u rejected", comma, line->rejected);
}

static void frame_append_line(struct buffer *out, const struct frame_line *line, size_t width)
{
	size_t start = out->size;
	struct text name;

	buffer_append_literal(out, "  ");
	clean_line(out, line->name);
	name = text_from_at(buffer_text(out), start + 2);
	for (size_t at = clean_width(name); at < width; at++)
		buffer_append_byte(out, ' ');
	buffer_append_literal(out, "  ");
	frame_append_seconds(out, line->age_ns);
	buffer_append_literal(out, "  ");
	if (line->has_counts) {
		frame_append_counts(out, line);
		if (line->what.size > 0)
			buffer_append_literal(out, "  ");
	}
	clean_line(out, line->what);
}

/* Ends the line that began at `start`, cut to the terminal's width. */
static void frame_end_line(struct buffer *out, size_t start, uint32_t columns)
{
	struct text line = text_from_at(buffer_text(out), start);

	if (columns > 0 && !out->failed)
		out->size = start + clean_cut(line, columns - 1).size;
	while (out->size > start && out->data[out->size - 1] == ' ')
		out->size--;
	buffer_append_byte(out, '\n');
}

static size_t frame_name_width(const struct frame *frame)
{
	size_t widest = 0;

	for (uint32_t i = 0; i < frame->n_lines; i++) {
		size_t width = clean_width(frame->lines[i].name);

		if (width > widest && width <= FRAME_NAME_WIDTH)
			widest = width;
	}
	return widest;
}

uint32_t frame_append(struct buffer *out, const struct frame *frame)
{
	size_t width = frame_name_width(frame);
	size_t start = out->size;

	expect(frame->n_lines <= FRAME_LINES_MAX);
	frame_append_head(out, frame);
	frame_end_line(out, start, frame->columns);
	for (uint32_t i = 0; i < frame->n_lines; i++) {
		start = out->size;
		frame_append_line(out, &frame->lines[i], width);
		frame_end_line(out, start, frame->columns);
	}
	if (frame->n_more == 0)
		return 1 + frame->n_lines;
	start = out->size;
	buffer_printf(out, "  and %u more %s%s", frame->n_more, frame->more,
		frame->n_more == 1 ? "" : "s");
	frame_end_line(out, start, frame->columns);
	return 2 + frame->n_lines;
}

void frame_append_json(struct buffer *out, const struct frame *frame)
{
	buffer_printf(out, "{\"elapsed_ms\":%ju", (uintmax_t)(frame->age_ns / NS_PER_MS));
	if (frame->jobs > 0)
		buffer_printf(out, ",\"jobs\":%u", frame->jobs);
	buffer_printf(out, ",\"settled\":%u,\"rejected\":%u", frame->settled, frame->rejected);
	if (frame->has_running)
		buffer_printf(out, ",\"under_way\":%u", frame->running);
	if (frame->cancelled)
		buffer_append_literal(out, ",\"cancelled\":true");
	buffer_append_byte(out, '}');
}
