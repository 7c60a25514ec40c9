/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where results go: stdout, in big pieces. Writers append to `buffer` and call sink_offer() at
 * the end of a record; it writes once there are 64 KiB. The owner calls sink_flush() when nothing
 * more is coming for now. An error stays: after it nothing is written any more.
 */

#include <stdbool.h>

#include "util/buffer.h"

enum sink_escape {
	SINK_RAW,
	/* A terminal, for JSON and for other text: clean_json(), clean_body(). */
	SINK_TERMINAL_JSON,
	SINK_TERMINAL_TEXT,
};

struct sink {
	struct buffer buffer;
	int fd;
	enum sink_escape escape;
	/* 0 or -errno, of the first write that failed. -EINTR: the user wants to quit. */
	int error;
	/* True exactly when `buffer` begins with the beginning of a character that was held back:
	 * on a terminal half of one is none. */
	bool is_held;
	/* When the oldest byte in `buffer` was first seen by sink_age_ns(); 0: not yet. */
	uint64_t since_ns;
};

/* The descriptor stays the caller's. */
void sink_init(struct sink *sink, int fd, enum sink_escape escape);
void sink_deinit(struct sink *sink);

/* The end of a record: writes if there is much to write. 0, or the sink's error. */
int sink_offer(struct sink *sink);

/* Writes all there is. 0, or the sink's error. */
int sink_flush(struct sink *sink);

/* For how long bytes have been waiting, as far as this was asked; 0 where none are. */
uint64_t sink_age_ns(struct sink *sink);
