/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines of an input that may be endless: read in pieces, only as they are asked for, and never
 * waited for. The descriptor's flags stay as they are, because others may share it: it is read
 * once for each time that poll(2) said it may be.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/text.h"

/* The longest line. */
#define INTAKE_LINE_MAX (1024u * 1024)

struct intake {
	int fd;
	struct buffer bytes;
	/* Bytes of `bytes` given out; and after them, known to hold no LF. */
	size_t used, scanned;
	/* Lines given out. */
	uint64_t n_lines;
	/* True exactly while the rest of a line that is too long is thrown away. */
	bool is_skipping;
	bool is_ended;
	/* 0, or the -errno of the read that failed: the input ends there. */
	int error;
};

enum intake_result {
	/* A line, without its end; its number, from 0 on, is n_lines - 1. */
	INTAKE_LINE,
	/* A line of more than INTAKE_LINE_MAX bytes, which is thrown away; it is counted, too. */
	INTAKE_TOO_LONG,
	/* There may be more when the descriptor is readable: intake_read(). */
	INTAKE_MORE,
	/* There is no more, or the input failed. */
	INTAKE_END,
};

/* The descriptor stays the caller's. */
void intake_init(struct intake *intake, int fd);
void intake_deinit(struct intake *intake);

/* The next line; the view stays until intake_read(). */
enum intake_result intake_next(struct intake *intake, struct text *ret_line);

/* Reads once; the descriptor is readable, or this waits. */
void intake_read(struct intake *intake);
