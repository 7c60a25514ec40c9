/* SPDX-License-Identifier: MIT */
#include "sim_h2.h"
#include "sim_put.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * What an origin answers over HTTP/2: streams beside each other, each in pieces over some time, as
 * far as the daemon's windows go; and what is wrong with that.
 */

enum sim_h2_step_kind {
	SIM_H2_STEP_HEAD,
	SIM_H2_STEP_READY,
	SIM_H2_STEP_FINISH,
};

struct sim_h2_step {
	struct sim_stream *stream;
	enum sim_h2_step_kind kind;
	size_t n;
};

static void sim_h2_step_run(void *context);

static void sim_h2_step(
	struct sim_stream *stream, uint64_t delay_ns, enum sim_h2_step_kind kind, size_t n)
{
	struct sim_h2_step *step = sim_alloc(sizeof(*step));

	*step = (struct sim_h2_step){stream, kind, n};
	sim_after(delay_ns, sim_h2_step_run, step);
}

static void sim_h2_put_head_field(struct sim_bytes *out, const char *name, const char *value)
{
	char lower[64];
	size_t i;

	for (i = 0; name[i]; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	lower[i] = '\0';
	sim_h2_put_field(out, lower, value);
}

/* As HEADERS, and CONTINUATION where that is too short. */
static void sim_h2_say_block(struct sim_stream *stream, struct sim_bytes *block, bool is_last)
{
	struct sim_conn *conn = stream->conn;
	enum sim_h2_type type = SIM_H2_HEADERS;
	/* nghttp2 takes a frame's head that comes in pieces for many. */
	bool may_be_short = sim_world.profile.short_receive == 0;
	size_t n_max = may_be_short && sim_chance(100) ? 7 : SIM_H2_FRAME_MAX;
	unsigned n_frames = 0;

	while (block->size > 0 || type == SIM_H2_HEADERS) {
		/* A few small ones at most: more is an attack. */
		size_t n_may = n_frames++ < 4 ? n_max : SIM_H2_FRAME_MAX;
		size_t n = block->size < n_may ? block->size : n_may;
		unsigned flags = type == SIM_H2_HEADERS && is_last ? SIM_H2_END_STREAM : 0;

		if (n == block->size)
			flags |= SIM_H2_END_HEADERS;
		sim_h2_say(conn, type, (uint8_t)flags, stream->id,
			(struct text){block->data + block->start, n});
		sim_bytes_take(block, n);
		type = SIM_H2_CONTINUATION;
	}
}

static void sim_h2_put_head(const struct sim_stream *stream, struct sim_bytes *out)
{
	const struct sim_try *try = stream->try;
	const struct sim_reply *reply = &try->reply;
	size_t length = reply->wire_size + (reply->fault == SIM_REPLY_CONFLICT);

	if (reply->fault == SIM_REPLY_MALFORMED && try->key % 3 == 0)
		sim_h2_put_field(out, "x-first", "1");
	if (reply->fault != SIM_REPLY_MALFORMED || try->key % 3 == 0)
		sim_h2_put_field(out, ":status", sim_format("%u", reply->status));
	sim_reply_put_fields(try, out, sim_h2_put_head_field);
	if (reply->fault == SIM_REPLY_MALFORMED && try->key % 3 == 1)
		sim_h2_put_field(out, "Upper-Case", "1");
	if (reply->fault == SIM_REPLY_CONFLICT ||
		(reply->status != 204 && reply->framing == SIM_BY_LENGTH))
		sim_h2_put_field(out, "content-length", sim_format("%zu", length));
	for (size_t n = 0; reply->fault == SIM_REPLY_HUGE_HEAD && n < 300; n++)
		sim_h2_put_field(out, "x-huge", sim_format("%0*zu", 1000, n));
}

/* Only a part of it, and then nothing more. */
static void sim_h2_say_part(struct sim_stream *stream, const struct sim_bytes *block)
{
	struct sim_bytes frame = {0};

	sim_h2_put_frame(&frame, SIM_H2_HEADERS, SIM_H2_END_HEADERS, stream->id,
		(struct text){block->data + block->start, block->size});
	sim_server_say(stream->conn, frame.data, (size_t)sim_between(1, frame.size - 1));
	if (stream->try->reply.fault == SIM_REPLY_RESET_HEAD)
		sim_end_reset(&stream->conn->server);
	else
		sim_server_close(stream->conn, stream->try->key % 2);
}

static void sim_h2_say_early(struct sim_stream *stream)
{
	struct sim_bytes block = {0};

	sim_h2_put_field(&block, ":status", "103");
	sim_h2_put_field(&block, "link", "</x>");
	sim_h2_say_block(stream, &block, false);
}

static void sim_h2_say_head(struct sim_stream *stream)
{
	const struct sim_reply *reply = &stream->try->reply;
	bool is_last = stream->end == SIM_H2_ENDS_WELL && sim_reply_wire_size(stream->try) == 0;
	struct sim_bytes block = {0};

	stream->has_said_head = true;
	for (unsigned i = 0; i < reply->n_early; i++)
		sim_h2_say_early(stream);
	sim_h2_put_head(stream, &block);
	if (reply->fault == SIM_REPLY_RESET_HEAD || reply->fault == SIM_REPLY_END_HEAD) {
		sim_h2_say_part(stream, &block);
		return;
	}
	if (reply->fault == SIM_REPLY_MALFORMED)
		sim_h2_mark(stream->conn, SIM_MARK_WRONG, stream, FAULT_HTTP_PARSE);
	else if (is_last && reply->fault == SIM_REPLY_CONFLICT)
		sim_h2_mark(stream->conn, SIM_MARK_WRONG, stream, FAULT_HTTP_FRAMING);
	else if (reply->fault == SIM_REPLY_HUGE_HEAD)
		sim_h2_mark(stream->conn, SIM_MARK_DOUBT, NULL, 0);
	sim_h2_say_block(stream, &block, is_last);
	if (!is_last)
		return;
	sim_h2_mark(stream->conn, SIM_MARK_END, stream, 0);
	sim_h2_done(stream);
}

/* The end of a response that has a body. */
static void sim_h2_say_end(struct sim_stream *stream)
{
	const struct sim_reply *reply = &stream->try->reply;
	struct sim_bytes block = {0};

	if (reply->fault == SIM_REPLY_CONFLICT)
		sim_h2_mark(stream->conn, SIM_MARK_WRONG, stream, FAULT_HTTP_FRAMING);
	if (stream->try->key % 4 == 0) {
		sim_h2_put_field(&block, "x-trailer", "1");
		sim_h2_say_block(stream, &block, true);
	} else {
		sim_h2_say(stream->conn, SIM_H2_DATA, SIM_H2_END_STREAM, stream->id, TEXT(""));
	}
	sim_h2_mark(stream->conn, SIM_MARK_END, stream, 0);
	sim_h2_done(stream);
}

/* What may follow a whole response. */
static void sim_h2_say_more(struct sim_stream *stream)
{
	struct sim_conn *conn = stream->conn;
	const struct sim_reply *reply = &stream->try->reply;

	if (reply->fault == SIM_REPLY_EXTRA) {
		sim_h2_mark(conn, SIM_MARK_DOUBT, NULL, 0);
		sim_h2_say(conn, SIM_H2_DATA, 0, stream->id, TEXT("more"));
	} else if (reply->fault == SIM_REPLY_EARLY && !stream->is_whole && sim_chance(700)) {
		/* RFC 9113 8.1: it wants no more of the request. */
		sim_h2_say_u32(conn, SIM_H2_RST_STREAM, stream->id, SIM_H2_NO_ERROR);
	} else if (reply->fault == SIM_REPLY_H2_LEAVE) {
		sim_h2_leave(conn);
	}
}

static void sim_h2_finish(struct sim_stream *stream)
{
	struct sim_conn *conn = stream->conn;

	switch (stream->end) {
	case SIM_H2_ENDS_NEVER: break;
	case SIM_H2_ENDS_WELL:
		if (!stream->is_done)
			sim_h2_say_end(stream);
		sim_h2_say_more(stream);
		break;
	case SIM_H2_ENDS_BY_RESET: sim_h2_reset(stream, stream->code); break;
	case SIM_H2_CLOSES: sim_server_close(conn, stream->try->key % 2); break;
	case SIM_H2_RESETS: sim_end_reset(&conn->server); break;
	case SIM_H2_BREAKS: sim_server_break(conn); break;
	}
}

/* Say what may be said now. */
void sim_h2_pump(struct sim_stream *stream)
{
	struct sim_h2 *h2 = stream->conn->h2;

	while (!stream->is_done && stream->said < stream->ready && stream->window > 0 &&
		h2->window > 0) {
		size_t n = stream->ready - stream->said;

		n = n < SIM_H2_FRAME_MAX ? n : SIM_H2_FRAME_MAX;
		n = n < (size_t)stream->window ? n : (size_t)stream->window;
		n = n < (size_t)h2->window ? n : (size_t)h2->window;
		sim_h2_say(stream->conn, SIM_H2_DATA, 0, stream->id,
			(struct text){stream->try->reply.wire + stream->said, n});
		stream->said += n;
		stream->window -= (int64_t)n;
		h2->window -= (int64_t)n;
	}
	if (stream->said < stream->wanted || !stream->is_finishing)
		return;
	stream->is_finishing = false;
	if (!stream->conn->server.closed)
		sim_h2_finish(stream);
}

static void sim_h2_step_run(void *context)
{
	struct sim_h2_step step = *(struct sim_h2_step *)context;
	struct sim_stream *stream = step.stream;
	struct sim_h2 *h2 = stream->conn->h2;

	sim_release(context, sizeof(step));
	if (stream->is_done || stream->conn->server.closed ||
		(h2->is_leaving && stream->id > h2->leaving_id))
		return;
	switch (step.kind) {
	case SIM_H2_STEP_HEAD: sim_h2_say_head(stream); return;
	case SIM_H2_STEP_READY: stream->ready += step.n; break;
	case SIM_H2_STEP_FINISH: stream->is_finishing = true; break;
	}
	sim_h2_pump(stream);
}

/* -- Plans ------------------------------------------------------------------------------------ */

static uint32_t sim_h2_draw_code(void)
{
	static const uint32_t codes[] = {
		SIM_H2_NO_ERROR, SIM_H2_INTERNAL_ERROR, SIM_H2_CANCEL, SIM_H2_CALM};

	return codes[sim_below(countof(codes))];
}

/* How much of the reply is said, and what comes then. True: its head is. */
static bool sim_h2_plan(struct sim_stream *stream)
{
	const struct sim_try *try = stream->try;
	size_t size = sim_reply_wire_size(try), some = size ? (size_t)sim_below(size) : 0;

	stream->wanted = size;
	stream->end = SIM_H2_ENDS_WELL;
	switch (try->reply.fault) {
	case SIM_REPLY_STALL:
	case SIM_REPLY_STALL_HEAD: stream->end = SIM_H2_ENDS_NEVER; break;
	case SIM_REPLY_RESET: stream->end = SIM_H2_RESETS; break;
	case SIM_REPLY_END: stream->end = SIM_H2_CLOSES; break;
	case SIM_REPLY_H2_REFUSED:
		stream->end = SIM_H2_ENDS_BY_RESET;
		stream->code = SIM_H2_REFUSED_STREAM;
		break;
	case SIM_REPLY_H2_HTTP_1_1:
		stream->end = SIM_H2_ENDS_BY_RESET;
		stream->code = SIM_H2_HTTP_1_1_REQUIRED;
		break;
	case SIM_REPLY_STALL_BODY:
		stream->wanted = some;
		stream->end = SIM_H2_ENDS_NEVER;
		return true;
	case SIM_REPLY_RESET_BODY:
		stream->wanted = some;
		stream->end = SIM_H2_RESETS;
		return true;
	case SIM_REPLY_END_BODY:
		stream->wanted = some;
		stream->end = SIM_H2_CLOSES;
		return true;
	case SIM_REPLY_RUBBISH:
		stream->wanted = some;
		stream->end = SIM_H2_BREAKS;
		return true;
	case SIM_REPLY_H2_RESET:
		stream->wanted = some;
		stream->end = SIM_H2_ENDS_BY_RESET;
		stream->code = sim_h2_draw_code();
		if (sim_chance(700))
			return true;
		break;
	case SIM_REPLY_MALFORMED: stream->end = SIM_H2_ENDS_NEVER; return true;
	default: return true;
	}
	stream->wanted = 0;
	return false;
}

void sim_h2_reply(struct sim_stream *stream)
{
	const struct sim_reply *reply = &stream->try->reply;
	uint64_t at_ns = reply->latency_ns;
	size_t step;

	if (reply->fault == SIM_REPLY_H2_GOAWAY) {
		uint32_t least = sim_h2_answered_id(stream->conn), most = stream->id - 1;

		/* Streams of the daemon have odd numbers. */
		most = (uint32_t)sim_between(least, most > least ? most : least);
		sim_h2_go_away(stream->conn, most ? (most - 1) | 1 : 0, sim_h2_draw_code());
	}
	if (sim_h2_plan(stream))
		sim_h2_step(stream, at_ns, SIM_H2_STEP_HEAD, 0);
	step = 1 + stream->wanted / reply->n_pieces;
	for (size_t from = 0; from < stream->wanted; from += step) {
		size_t n = stream->wanted - from < step ? stream->wanted - from : step;

		sim_h2_step(stream, at_ns, SIM_H2_STEP_READY, n);
		at_ns += from + step < stream->wanted ? sim_delay(reply->gap_ns) : 0;
	}
	sim_h2_step(stream, at_ns + (sim_chance(700) ? 0 : sim_delay(NS_PER_MS)),
		SIM_H2_STEP_FINISH, 0);
}
