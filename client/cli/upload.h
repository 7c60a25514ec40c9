/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files that settle get sends, -T FILE and --data-binary @FILE: opened here, read by the
 * daemon.
 */

#include "client/cli/compose.h"
#include "client/cli/option.h"
#include "client/cli/passed.h"

/* Takes -T: the i-th is the i-th job's; a FILE that is "-" or "." is standard input. Their
 * descriptors are passed. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was said. */
int upload_take(const struct options *options, struct compose_job *jobs, size_t n_jobs,
	struct passed *passed);

/* Takes the one that is the body of all; *ret_fd its index, or COMPOSE_FD_NONE. As above. */
int upload_take_data(const struct options *options, struct passed *passed, uint32_t *ret_fd);
