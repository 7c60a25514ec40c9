/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What fake_ring.c and fake_file.c share.
 */

#include "tests/unit/net/fake_ring.h"

struct fake_fd {
	bool is_open, is_closing, is_gone;
	uid_t uid;
	struct buffer sent;
	unsigned n_flights[FAKE_KINDS];
	/* What it is, where it is a file, and what is in it. */
	struct ring_file file;
	struct buffer content;
};

struct fake_fd *fake_fd(int fd);

struct fake_flight *fake_start(enum fake_kind kind, struct op *op, int fd, op_callback on_complete);

/* What a file would answer; -EAGAIN: it waits. */
int fake_file_result(const struct fake_fd *fd, const struct fake_flight *flight);

/* It has answered so. */
void fake_file_do(struct fake_fd *fd, const struct fake_flight *flight, int result);
