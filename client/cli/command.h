/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands: each returns the exit status, and has said what went wrong.
 */

#include "client/cli/option.h"
#include "util/buffer.h"

int command_run(const struct options *options);
int command_get(const struct options *options);
int command_plan(const struct options *options);
int command_status(const struct options *options);
int command_batch(const struct options *options);
int command_top(const struct options *options);
int command_cancel(const struct options *options);
int command_flush(const struct options *options);
int command_ping(const struct options *options);

/* The graph document that run and plan are given, changed as the options say. 0 or the exit
 * status. */
int command_read_document(const struct options *options, struct buffer *document);
