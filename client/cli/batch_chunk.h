/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Some lines of a batch that are submitted as one graph. A job's index in the graph is its place
 * here, and leads back to its line.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "util/buffer.h"
#include "util/text.h"

struct batch_job {
	/* From 0 on. */
	uint64_t line;
	/* When it is its turn, where records are kept in order. */
	uint64_t turn;
	/* Where its text stands in `texts`. */
	size_t offset;
	uint32_t size;
	bool is_settled;
};

struct batch_chunk {
	/* The graph's number; 0: not submitted. */
	uint64_t graph;
	uint64_t submitted_unix_ns;
	/* struct batch_job. */
	struct buffer jobs;
	struct buffer texts;
	uint32_t n_jobs, n_settled;
	/* The graph's: so many of its requests are on the wire at most. */
	uint32_t concurrency;
	bool is_accepted;
};

/* NULL: no memory. */
struct batch_chunk *batch_chunk_new(void);
struct batch_chunk *batch_chunk_free(struct batch_chunk *chunk);

/* False: no memory. */
bool batch_chunk_add(struct batch_chunk *chunk, const struct batch_job *job, struct text text);

struct batch_job *batch_chunk_get(const struct batch_chunk *chunk, uint32_t place);
struct text batch_chunk_text(const struct batch_chunk *chunk, const struct batch_job *job);

/* How many of its requests may be on the wire now. */
static inline uint32_t batch_chunk_share(const struct batch_chunk *chunk)
{
	uint32_t left = chunk->n_jobs - chunk->n_settled;

	return left < chunk->concurrency ? left : chunk->concurrency;
}

/* Appends the graph document: `head` is what compose_head() made. */
void batch_chunk_document(const struct batch_chunk *chunk, struct text head, struct buffer *out);

/* Takes out the jobs that have settled: those that a refusal was the fault of. */
void batch_chunk_shrink(struct batch_chunk *chunk);

/* Reads where an error stands: "/jobs/17/url" is place 17. */
uint32_t batch_chunk_place(const struct batch_chunk *chunk, struct text at);
