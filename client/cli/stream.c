/* SPDX-License-Identifier: MIT */
#include "client/cli/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/part.h"

struct stream {
	struct stream *next;
	char *job;
	/* In memory. */
	struct buffer bytes;
	/* Else; without one its descriptor is -1. */
	struct part part;
	/* How much there was of it. */
	uint64_t size;
	/* True exactly when it is more than may be kept. */
	bool is_too_large;
	/* -errno of its file. */
	int error;
};

void streams_init(struct streams *streams, const struct render_options *options)
{
	*streams = (struct streams){.body = options->body, .directory = options->directory};
}

static void stream_free(struct streams *streams, struct stream *stream)
{
	if (!stream)
		return;
	streams->n_bytes -= stream->bytes.size;
	part_drop(&stream->part);
	buffer_deinit(&stream->bytes);
	free(stream->job);
	free(stream);
}

void streams_deinit(struct streams *streams)
{
	stream_free(streams, streams->settled);
	while (streams->first) {
		struct stream *stream = streams->first;

		streams->first = stream->next;
		stream_free(streams, stream);
	}
	*streams = (struct streams){.body = streams->body};
}

/* Takes it out of the list; NULL: there is none. */
static struct stream *stream_find(struct streams *streams, struct text job)
{
	struct stream **place = &streams->first, *stream;

	while (*place && !text_is(job, (*place)->job))
		place = &(*place)->next;
	stream = *place;
	if (stream)
		*place = stream->next;
	return stream;
}

/* -- Files ------------------------------------------------------------------------------------- */

static int stream_refuse(const struct streams *streams, const struct stream *stream, int error)
{
	message_print("cannot write %s%s: %s", streams->directory, stream->job, strerror(-error));
	return error;
}

static int stream_open_file(const struct streams *streams, struct stream *stream)
{
	char path[PATH_MAX];
	int size = snprintf(path, sizeof(path), "%s%s", streams->directory, stream->job);

	/* An id has no slash and is not ".", or the daemon would have refused it; but what says so
	 * is the daemon, and a path is ours. */
	if (stream->job[0] == '\0' || stream->job[0] == '.' || strchr(stream->job, '/'))
		return -EINVAL;
	if (size < 0 || (size_t)size >= sizeof(path))
		return -ENAMETOOLONG;
	return part_open(&stream->part, path);
}

static void stream_write(struct streams *streams, struct stream *stream, struct text data)
{
	if (stream->error == 0 && stream->part.fd < 0)
		stream->error = stream_open_file(streams, stream);
	if (stream->error == 0)
		stream->error = file_write(stream->part.fd, data);
	if (stream->error < 0)
		stream_refuse(streams, stream, stream->error);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void stream_forget(struct streams *streams, struct stream *stream)
{
	streams->n_bytes -= stream->bytes.size;
	buffer_reset(&stream->bytes, 0);
}

static void stream_keep(struct streams *streams, struct stream *stream, struct text data)
{
	if (stream->is_too_large)
		return;
	stream->is_too_large = data.size > STREAM_BYTES_MAX - stream->bytes.size ||
			       data.size > STREAM_BYTES_ALL_MAX - streams->n_bytes;
	if (stream->is_too_large) {
		stream_forget(streams, stream);
		return;
	}
	buffer_append_text(&stream->bytes, data);
	if (!stream->bytes.failed)
		streams->n_bytes += data.size;
	stream->is_too_large = stream->bytes.failed;
}

/* -- Pieces ------------------------------------------------------------------------------------ */

static struct stream *stream_new(struct text job)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	buffer_init(&stream->bytes, STREAM_BYTES_MAX);
	stream->part.fd = -1;
	stream->job = strndup(job.data, job.size);
	if (stream->job)
		return stream;
	free(stream);
	return NULL;
}

/* What came before is void. */
static void stream_begin_anew(struct streams *streams, struct stream *stream)
{
	stream_forget(streams, stream);
	part_drop(&stream->part);
	stream->size = 0;
	stream->is_too_large = false;
	stream->error = 0;
}

int streams_take(struct streams *streams, const struct render_chunk *chunk)
{
	struct stream *stream;

	if (streams->body == RENDER_BODY_NONE)
		return 0;
	stream = stream_find(streams, chunk->job);
	if (!stream)
		stream = stream_new(chunk->job);
	if (!stream) {
		message_print("no memory for the body of %.*s", TEXT_ARGS(chunk->job));
		return -ENOMEM;
	}
	stream->next = streams->first;
	streams->first = stream;
	if (chunk->offset == 0 && stream->size > 0)
		stream_begin_anew(streams, stream);
	stream->size += chunk->data.size;
	if (streams->body != RENDER_BODY_DIRECTORY)
		stream_keep(streams, stream, chunk->data);
	else if (stream->error == 0)
		stream_write(streams, stream, chunk->data);
	return stream->error;
}

/* -- The end ----------------------------------------------------------------------------------- */

int streams_settle(struct streams *streams, struct render_record *record)
{
	struct stream *stream = streams->first ? stream_find(streams, record->job) : NULL;
	int r;

	stream_free(streams, streams->settled);
	streams->settled = stream;
	if (!stream || record->is_rejected || record->body.size > 0)
		return 0;
	if (stream->is_too_large)
		message_print(
			"%s: its body of %ju bytes is more than is kept in memory, and is not "
			"shown: use --body DIR/",
			stream->job, (uintmax_t)stream->size);
	else
		record->body = buffer_text(&stream->bytes);
	if (stream->part.fd < 0)
		return stream->error;
	r = part_keep(&stream->part);
	return r < 0 ? stream_refuse(streams, stream, r) : 0;
}
