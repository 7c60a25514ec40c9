/* SPDX-License-Identifier: MIT */
#include "client/cli/batch_chunk.h"

#include <stdlib.h>

#include "client/cli/batch_line.h"
#include "util/panic.h"

struct batch_chunk *batch_chunk_new(void)
{
	struct batch_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return NULL;
	buffer_init(&chunk->jobs, SIZE_MAX / 4);
	buffer_init(&chunk->texts, SIZE_MAX / 4);
	return chunk;
}

struct batch_chunk *batch_chunk_free(struct batch_chunk *chunk)
{
	if (!chunk)
		return NULL;
	buffer_deinit(&chunk->jobs);
	buffer_deinit(&chunk->texts);
	free(chunk);
	return NULL;
}

bool batch_chunk_add(struct batch_chunk *chunk, const struct batch_job *job, struct text text)
{
	struct batch_job added = *job;

	added.offset = chunk->texts.size;
	added.size = (uint32_t)text.size;
	added.is_settled = false;
	buffer_append_text(&chunk->texts, text);
	if (!chunk->texts.failed)
		buffer_append(&chunk->jobs, &added, sizeof(added));
	if (chunk->texts.failed || chunk->jobs.failed)
		return false;
	chunk->n_jobs++;
	return true;
}

struct batch_job *batch_chunk_get(const struct batch_chunk *chunk, uint32_t place)
{
	expect(place < chunk->n_jobs);
	return (struct batch_job *)(void *)chunk->jobs.data + place;
}

struct text batch_chunk_text(const struct batch_chunk *chunk, const struct batch_job *job)
{
	return (struct text){chunk->texts.data + job->offset, job->size};
}

void batch_chunk_document(const struct batch_chunk *chunk, struct text head, struct buffer *out)
{
	buffer_append_text(out, head);
	buffer_append_byte(out, '[');
	for (uint32_t i = 0; i < chunk->n_jobs; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		batch_line_append(out, batch_chunk_text(chunk, batch_chunk_get(chunk, i)));
	}
	buffer_append_literal(out, "],\"concurrency\":");
	buffer_append_u64(out, chunk->concurrency);
	buffer_append_byte(out, '}');
}

void batch_chunk_shrink(struct batch_chunk *chunk)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < chunk->n_jobs; i++) {
		struct batch_job *job = batch_chunk_get(chunk, i);

		if (!job->is_settled)
			*batch_chunk_get(chunk, n++) = *job;
	}
	chunk->n_jobs = n;
	chunk->n_settled = 0;
	chunk->jobs.size = n * sizeof(struct batch_job);
}

uint32_t batch_chunk_place(const struct batch_chunk *chunk, struct text at)
{
	static const char jobs[] = "/jobs/";
	uint64_t place;

	if (!text_starts_with(at, TEXT("/jobs/")))
		return UINT32_MAX;
	at = text_from_at(at, sizeof(jobs) - 1);
	at.size = text_find(at, '/');
	if (!text_to_u64(at, UINT32_MAX, &place) || place >= chunk->n_jobs)
		return UINT32_MAX;
	return (uint32_t)place;
}
