/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The formats: each takes the records of a graph as they settle, and its end, and writes to a
 * sink. They know no daemon, no time and no terminal but what their options say, so that a test
 * compares what they write byte by byte.
 */

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/sink.h"
#include "proto/plan.h"
#include "util/buffer.h"
#include "util/text.h"

/* A settled job as it came from the daemon; views that live for the call. */
struct render_record {
	/* The record's JSON object, without a body. */
	struct text json;
	/* Empty where there is none. */
	struct text body;
	struct text job;
	/* The job's place in the document; a fan-out's children have the fan-out's. */
	uint32_t index;
	bool is_rejected;
	bool is_group;
};

/* A piece of a streamed body, before the record of its job; views that live for the call. */
struct render_chunk {
	struct text job;
	/* How much of the body came before; 0 once more where it begins anew. */
	uint64_t offset;
	struct text data;
};

/* How a graph ended. */
struct render_end {
	/* The summary's JSON object; data == NULL: the connection was lost before. */
	struct text summary;
};

enum render_body {
	RENDER_BODY_AUTO,
	RENDER_BODY_TEXT,
	RENDER_BODY_BASE64,
	RENDER_BODY_NONE,
	/* A file per job. */
	RENDER_BODY_DIRECTORY,
};

struct render_options {
	struct sink *sink;
	enum render_body body;
	/* Where a body goes under its job's name, the last character a '/'. */
	const char *directory;
	/* For jsonl: hold records back until it is their turn. */
	bool keep_order;
	/* For table and waterfall: colours, and the columns of the terminal; 0: as many as it
	 * takes. */
	bool color;
	uint32_t columns;
	/* Nothing but ASCII in what is drawn. */
	bool ascii;
	/* The checked document, where it was read (keep_order, and all views of a timeline need
	 * it); NULL: it was not, or it could not be. Borrowed. */
	const struct plan *plan;
	/* When the graph was submitted, since 1970. */
	uint64_t submitted_unix_ns;
};

struct render;

struct render_class {
	/* 0; -errno where a file of the user's could not be written, which was said. */
	int (*record)(struct render *render, const struct render_record *record);
	void (*finish)(struct render *render, const struct render_end *end);
	void (*free)(struct render *render);
	/* NULL: pieces are not its affair. 0; -errno where they cannot be written, which was said.
	 */
	int (*chunk)(struct render *render, const struct render_chunk *chunk);
};

struct render {
	const struct render_class *class;
	struct render_options options;
};

/* Each NULL where there is no memory. */
struct render *render_jsonl_new(const struct render_options *options);
struct render *render_json_new(const struct render_options *options);
struct render *render_partition_new(const struct render_options *options);
struct render *render_result_new(const struct render_options *options);
struct render *render_table_new(const struct render_options *options);
struct render *render_tap_new(const struct render_options *options);
/* Of a render that render_tap_new() made: what never became a job is a point that failed. */
void render_tap_refuse(struct render *render, struct text name);
/* Beside a format, each into a sink of its own; drawn at the end, but for the joblog. */
struct render *render_joblog_new(const struct render_options *options);
struct render *render_waterfall_new(const struct render_options *options);
struct render *render_report_new(const struct render_options *options);
struct render *render_trace_new(const struct render_options *options);
struct render *render_har_new(const struct render_options *options);

static inline int render_record(struct render *render, const struct render_record *record)
{
	return render->class->record(render, record);
}

static inline int render_chunk(struct render *render, const struct render_chunk *chunk)
{
	return render->class->chunk ? render->class->chunk(render, chunk) : 0;
}

static inline void render_finish(struct render *render, const struct render_end *end)
{
	render->class->finish(render, end);
}

/* Takes NULL, returns NULL. */
struct render *render_free(struct render *render);

/* Appends the record with its body in it, as the options want. 0; -errno where the body's file
 * could not be written. */
int render_splice(
	const struct render *render, const struct render_record *record, struct buffer *out);
