/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "job/template.h"

/*
 * A request's body that is read from a descriptor. The head is sent first, then a piece at a time:
 * the next one is read when the one before has gone, so nothing is read ahead of the peer. Over
 * HTTP/1.1 a body whose length is not known is sent in chunks (RFC 9112 7.1); over HTTP/2 the
 * codec asks for pieces as the peer's window opens.
 *
 * A response may be complete before its request is: that is its result (RFC 9112 9.5), and what
 * is left of the body is not sent.
 */

/* "40000\r\n", in front of a chunk. */
#define CHUNK_LINE_MAX 32

bool attempt_has_source(const struct job *job)
{
	return job_plan(job)->spec->body == PLAN_BODY_FD && template_has_body(job);
}

bool attempt_open_source(struct attempt *attempt, struct fault *ret_fault)
{
	uint32_t n = attempt_spec(attempt)->body_fd;
	struct descriptor *descriptor;

	if (!attempt_has_source(attempt->job))
		return true;
	descriptor = descriptors_find(attempt->graph->descriptors, n);
	if (!descriptor) {
		fault_set(ret_fault, FAULT_BODY_SOURCE, "no descriptor %u was passed", n);
		return false;
	}
	if (!source_open(&attempt->source, attempt->scheduler->ring, descriptor, ret_fault))
		return false;
	attempt->is_chunked = source_length(&attempt->source) == SOURCE_LENGTH_OPEN;
	if (attempt->is_chunked)
		claim_take(&attempt->claim, &descriptor->readers);
	attempt->is_last_piece = source_length(&attempt->source) == 0;
	return true;
}

/* HTTP/1.1. */

void attempt_send_more(struct attempt *attempt)
{
	if (attempt->source.is_open && !attempt->is_last_piece) {
		attempt->active_ns = attempt_now(attempt);
		source_next(&attempt->source);
	} else {
		attempt_note_sent(attempt);
	}
}

/* The head has gone: its memory is free for a chunk. */
static bool attempt_make_chunk(struct attempt *attempt, struct text piece, bool is_last)
{
	struct buffer *chunk = &attempt->request;

	buffer_clear(chunk);
	if (!buffer_reserve(chunk, piece.size + CHUNK_LINE_MAX))
		return false;
	if (piece.size > 0)
		buffer_printf(chunk, "%zx\r\n", piece.size);
	buffer_append_text(chunk, piece);
	if (piece.size > 0)
		buffer_append_literal(chunk, "\r\n");
	if (is_last)
		buffer_append_literal(chunk, "0\r\n\r\n");
	return !chunk->failed;
}

static void attempt_send_piece(struct attempt *attempt, struct text piece, bool is_last)
{
	struct fault fault;

	if (attempt->is_chunked) {
		if (!attempt_make_chunk(attempt, piece, is_last)) {
			fault_set(&fault, FAULT_OVERLOADED, "no memory for a piece of the body");
			attempt_reject(attempt, &fault);
			return;
		}
		piece = buffer_text(&attempt->request);
	}
	conn_send(attempt->conn, piece.data, piece.size);
}

/* HTTP/2. */

enum h2_pull attempt_pull(struct attempt *attempt, size_t size, struct text *ret_piece)
{
	struct text *piece = &attempt->piece;

	*ret_piece = (struct text){"", 0};
	if (!attempt->has_piece) {
		if (attempt->is_last_piece)
			return H2_PULL_LAST;
		if (op_is_idle(&attempt->source.op))
			source_next(&attempt->source);
		return H2_PULL_LATER;
	}
	*ret_piece = (struct text){piece->data, piece->size < size ? piece->size : size};
	*piece = text_from_at(*piece, ret_piece->size);
	attempt->has_piece = piece->size > 0;
	return attempt->has_piece || !attempt->is_last_piece ? H2_PULL_MORE : H2_PULL_LAST;
}

/* What the descriptor gives. */

static struct attempt *attempt_of(struct source *source)
{
	return container_of(source, struct attempt, source);
}

/* Who waits for the pipe waits in vain. */
static void attempt_tell_spent(struct attempt *attempt)
{
	struct bound *readers = &attempt->source.descriptor->readers;

	if (queue_is_empty(&readers->waiting) || !bound_has_room(readers))
		return;
	budget_freed(readers, &attempt->scheduler->freed);
	scheduler_kick(attempt->scheduler);
}

static void attempt_on_piece(struct source *source, struct text piece, bool is_last)
{
	struct attempt *attempt = attempt_of(source);

	attempt_tell_spent(attempt);
	/* The response is complete, and only its file is not. */
	if (attempt->state != ATTEMPT_EXCHANGE)
		return;
	attempt->is_last_piece = is_last;
	if (!attempt_is_shared(attempt)) {
		attempt_send_piece(attempt, piece, is_last);
		return;
	}
	attempt->piece = piece;
	attempt->has_piece = piece.size > 0;
	mux_resume(&attempt->mux_user);
}

static void attempt_on_source_fault(struct source *source, const struct fault *fault)
{
	struct attempt *attempt = attempt_of(source);

	if (attempt->state == ATTEMPT_EXCHANGE)
		attempt_reject(attempt, fault);
}

static void attempt_on_source_closed(struct source *source)
{
	attempt_joined(attempt_of(source));
}

const struct source_events attempt_source_events = {
	.on_piece = attempt_on_piece,
	.on_fault = attempt_on_source_fault,
	.on_closed = attempt_on_source_closed,
};
