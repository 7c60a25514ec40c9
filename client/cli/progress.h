/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How far a graph has come, on stderr: a picture redrawn ten times a second at most on a terminal,
 * a plain line now and then, or a JSON object a line for each change.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/watch.h"
#include "util/text.h"

enum progress_mode {
	PROGRESS_NONE,
	PROGRESS_TTY,
	PROGRESS_PLAIN,
	PROGRESS_JSON,
};

/* From now on. */
void progress_init(enum progress_mode mode);

/* How long the owner may wait before it calls progress_show(), in ms; -1: for ever. */
int progress_wait_ms(void);

/* Shows it if it is time. */
void progress_show(const struct watch *watch);

/* Takes the picture away, before anything else is written to a terminal. */
void progress_clear(void);

/* The last word: with JSON what it has come to, and then nothing more is shown. */
void progress_finish(const struct watch *watch);

/* True where a picture is drawn, or would be if it took longer. */
bool progress_is_drawn(void);

/* Somebody is told how far it has come, in whatever way. */
bool progress_is_told(void);
