/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bodies of "output": "stream", which come in pieces before their record, put together again: in
 * memory up to a bound, for the record; or each in the file that --body DIR/ wants.
 */

#include <stddef.h>

#include "client/cli/render/render.h"
#include "util/text.h"

/* As much as a body may have that goes through memory by default; and all of them together. */
#define STREAM_BYTES_MAX     (16u * 1024 * 1024)
#define STREAM_BYTES_ALL_MAX (256u * 1024 * 1024)

struct stream;

struct streams {
	/* Those whose record has not come; the one that got a piece last is the first. */
	struct stream *first;
	/* Whose record came last; its body may still be looked at. */
	struct stream *settled;
	/* RENDER_BODY_NONE: nobody wants any; RENDER_BODY_DIRECTORY: files. */
	enum render_body body;
	/* Ends in '/'. */
	const char *directory;
	/* In memory. */
	size_t n_bytes;
};

/* How bodies are shown decides what is kept of them. */
void streams_init(struct streams *streams, const struct render_options *options);
void streams_deinit(struct streams *streams);

/* A piece. 0; -errno where it could not be written, which was said. */
int streams_take(struct streams *streams, const struct render_chunk *chunk);

/* The record of a job: puts the body that came in pieces into it, valid until the next call, or
 * gives its file its name; what was rejected is forgotten. That a body was too large to be kept is
 * told. 0; -errno where its file could not be kept, which was said. */
int streams_settle(struct streams *streams, struct render_record *record);
