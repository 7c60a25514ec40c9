/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * curl's --write-out: a text with variables, shown when a transfer is over. Its variables have
 * curl's names and units (curl(1)), as far as a record knows them.
 */

#include "proto/plan.h"
#include "util/buffer.h"
#include "util/text.h"

struct writeout {
	/* With its variables; "@FILE" was read before. */
	struct text format;
	/* As the user wrote it, and where the body went; NULL: to no file. */
	const char *url;
	const char *filename;
	/* NULL: not known. */
	const struct plan_job *job;
	/* A record. */
	struct text record;
	uint32_t index;
};

/* Appends to `out` what is for standard output, and to `error` what is for standard error, which
 * also hears of variables that there are not. */
void writeout_append(struct buffer *out, struct buffer *error, const struct writeout *writeout);
