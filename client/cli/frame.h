/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One picture of a graph that runs, as text: pure, so that a test compares it byte by byte.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* The most lines that a picture has beside its first, whatever the terminal. */
#define FRAME_LINES_MAX 40

/* A job that is under way, or an origin with several. */
struct frame_line {
	/* As upstream and the document have them: they are cleaned here. */
	struct text name, what;
	/* Of a fan-out or an origin: leaves under way (0: not told), settled, rejected. */
	uint32_t running, settled, rejected;
	/* True exactly when those three are told. */
	bool has_counts;
	/* How long it has been under way. */
	uint64_t age_ns;
};

struct frame {
	/* 0: not known. */
	uint32_t jobs;
	uint32_t settled, rejected, running;
	/* True exactly when `running` is known. */
	bool has_running;
	bool cancelled;
	uint64_t age_ns;
	struct frame_line lines[FRAME_LINES_MAX];
	uint32_t n_lines;
	/* What had no room. */
	uint32_t n_more;
	/* "job" or "origin", of which there are more. */
	const char *more;
	/* Characters in a line; 0: as many as it takes. */
	uint32_t columns;
};

/* The first line alone, without its end: "12 of 40 settled, 1 rejected, 3.2 s". */
void frame_append_head(struct buffer *out, const struct frame *frame);

/* All of it, each line with its end. Returns the number of lines. */
uint32_t frame_append(struct buffer *out, const struct frame *frame);

/* The counts as a JSON object, without a line end. */
void frame_append_json(struct buffer *out, const struct frame *frame);

/* How many lines beside the first a terminal of that height has room for. */
uint32_t frame_room(uint32_t rows);
