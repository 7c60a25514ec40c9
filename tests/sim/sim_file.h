/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What clients pass with a graph: files that bodies are read from or written to, pipes, and what is
 * neither. They are the simulator's; the daemon has descriptors of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/ring.h"
#include "sim_net.h"
#include "util/text.h"

struct sim_fd;
struct sim_flight;

enum sim_file_flaw {
	SIM_FILE_WELL,
	/* Of another kind, not open for that, or for appending. */
	SIM_FILE_UNFIT,
	/* From `fails_at` on it cannot be read or written; there is no room; it is shorter than it
	 * was when it was looked at. */
	SIM_FILE_FAILS,
	SIM_FILE_FULL,
	SIM_FILE_SHRINKS,
};

struct sim_file {
	/* Among those of its graph. */
	unsigned index;
	bool is_sink, is_pipe;
	enum sim_file_flaw flaw;
	uint64_t fails_at;
	/* Where its descriptor stands; what it holds (of a pipe: will have given). */
	uint64_t position;
	struct sim_bytes content;
	/* Of a sink: what it held at first. */
	struct sim_bytes before;
	/* Of a pipe: how much has come, and was read; it never ends; its end has come. */
	size_t supplied, consumed;
	bool stalls, has_ended;
	/* While the daemon has it. */
	struct sim_fd *fd;
};

/* One to be read from; one to be written to. */
struct sim_file *sim_file_draw_source(void);
struct sim_file *sim_file_draw_sink(void);

/* What a body that is read from it is. */
static inline struct text sim_file_body(const struct sim_file *file)
{
	return (struct text){file->content.data + file->content.start + file->position,
		file->content.size - (size_t)file->position};
}

/* The daemon gets it: a pipe begins to fill. */
void sim_file_open(struct sim_file *file, struct sim_fd *fd);

void sim_file_look(const struct sim_file *file, struct ring_file *ret_file);

/* What becomes of an operation. False: it waits. */
bool sim_file_try(struct sim_flight *flight, int *ret_result);
