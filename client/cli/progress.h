/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How far a graph has come, on stderr: one line redrawn ten times a second on a terminal, or a
 * plain line now and then.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"

enum progress_mode {
	PROGRESS_NONE,
	PROGRESS_TTY,
	PROGRESS_PLAIN,
};

struct progress_counts {
	/* 0: not yet known. */
	uint32_t jobs;
	uint32_t settled, rejected;
	bool cancelled;
};

/* From now on. */
void progress_init(enum progress_mode mode);

/* How long the owner may wait before it calls progress_show(), in ms; -1: for ever. */
int progress_wait_ms(void);

/* Shows it if it is time. */
void progress_show(const struct progress_counts *counts);

/* Takes the redrawn line away, before anything else is written to a terminal. */
void progress_clear(void);

/* The text of a line, without its end. */
void progress_format(struct buffer *out, const struct progress_counts *counts, uint64_t since_ns);
