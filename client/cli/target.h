/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files that go with the document of settle run: --body-fd FILE and --output-fd FILE, counted
 * together in the order in which they are given. One that is written has its name when the job
 * that writes it is fulfilled, and else leaves nothing.
 */

#include "client/cli/option.h"
#include "client/cli/part.h"
#include "client/cli/passed.h"
#include "client/cli/render/render.h"
#include "proto/plan.h"

struct targets {
	/* By the descriptor's number; those that are read have none. */
	struct part parts[SETTLE_FDS_MAX];
	uint32_t n;
};

/* Opens and passes them. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was said. Either way the caller's to
 * close. */
int targets_open(struct targets *targets, const struct options *options, struct passed *passed);

/* The job with that index was fulfilled by a response: its file, if it has one, gets its name. 0;
 * -errno where it could not, which was said. */
int targets_keep(struct targets *targets, const struct plan *plan, uint32_t index);

/* What is not kept by now leaves nothing. */
void targets_close(struct targets *targets);
