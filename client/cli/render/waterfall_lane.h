/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One job's time as a row of glyphs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/render/timeline.h"
#include "util/buffer.h"

enum lane_glyph {
	LANE_EMPTY,
	/* The phases, in their order. */
	LANE_PHASE,
	LANE_CANCELLED = LANE_PHASE + TIMELINE_PHASES,
	LANE_GROUP,
	LANE_GLYPHS,
};

#define LANE_CELLS_MAX 1000

struct lane {
	uint8_t cells[LANE_CELLS_MAX];
	uint32_t n;
};

/* What the lane of `n` cells shows of the job, where the whole width is `wall_us`. Sets the bits of
 * the glyphs in it in *used. */
void lane_paint(
	struct lane *lane, const struct timeline_job *job, uint64_t wall_us, uint32_t *used);

/* The glyph itself; what the legend calls it; its colour's escape sequence, NULL: none. */
const char *lane_glyph_text(enum lane_glyph glyph, bool ascii);
const char *lane_glyph_name(enum lane_glyph glyph);
const char *lane_glyph_color(enum lane_glyph glyph);

/* All cells. */
void lane_append(struct buffer *out, const struct lane *lane, bool ascii, bool color);
