/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_h2.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * The origin's side of HTTP/2, but for its replies: it reads requests, beside each other, bounds
 * how many streams there are, and goes away. Its own windows are small at times, and open late.
 */

#define SIM_H2_PREFACE_SIZE 24
#define SIM_H2_ROOM_MORE    65536

enum sim_setting {
	SIM_SETTING_TABLE_SIZE = 1,
	SIM_SETTING_STREAMS_MAX = 3,
	SIM_SETTING_WINDOW = 4,
};

void sim_h2_say(struct sim_conn *conn, enum sim_h2_type type, uint8_t flags, uint32_t id,
	struct text payload)
{
	struct sim_bytes frame = {0};

	sim_trace("  origin says a frame of type %d, %zu bytes, flags %u, on stream %u", (int)type,
		payload.size, flags, id);
	sim_h2_put_frame(&frame, type, flags, id, payload);
	sim_server_say(conn, frame.data, frame.size);
	sim_release(frame.data, frame.capacity);
}

void sim_h2_say_u32(struct sim_conn *conn, enum sim_h2_type type, uint32_t id, uint32_t value)
{
	struct sim_bytes payload = {0};

	sim_h2_put_u32(&payload, value);
	sim_h2_say(conn, type, 0, id, (struct text){payload.data, payload.size});
}

/* -- Settings ------------------------------------------------------------------------------- */

static void sim_h2_put_setting(struct sim_bytes *out, enum sim_setting setting, uint32_t value)
{
	char id[2] = {0, (char)setting};

	sim_bytes_append(out, id, sizeof(id));
	sim_h2_put_u32(out, value);
}

/* The first that it says, whatever comes next (RFC 9113 3.4). */
static void sim_h2_greet(struct sim_conn *conn)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_bytes out = {0};
	uint32_t limit = sim_chance(400) ? (uint32_t)sim_between(1, 4) : UINT32_MAX;

	if (h2->has_greeted)
		return;
	h2->has_greeted = true;
	if (limit != UINT32_MAX)
		sim_h2_put_setting(&out, SIM_SETTING_STREAMS_MAX, limit);
	if (h2->own_window != SIM_H2_WINDOW)
		sim_h2_put_setting(&out, SIM_SETTING_WINDOW, h2->own_window);
	if (h2->table_size != 4096)
		sim_h2_put_setting(&out, SIM_SETTING_TABLE_SIZE, h2->table_size);
	sim_h2_say(conn, SIM_H2_SETTINGS, 0, 0, (struct text){out.data, out.size});
	sim_h2_mark(conn, SIM_MARK_LIMIT, NULL, limit);
}

void sim_h2_serve(struct sim_conn *conn)
{
	struct sim_h2 *h2 = sim_alloc(sizeof(*h2));

	h2->limit = 100;
	h2->window = SIM_H2_WINDOW;
	h2->stream_window = SIM_H2_WINDOW;
	h2->room = SIM_H2_WINDOW;
	h2->own_window = sim_chance(300) ? (uint32_t)sim_between(2000, 100000) : SIM_H2_WINDOW;
	h2->table_size = sim_chance(200) ? (uint32_t)sim_below(2) * 256 : 4096;
	conn->h2 = h2;
}

/* -- Ends ----------------------------------------------------------------------------------- */

/* Of those that are not done, and not refused by having gone away. */
static bool sim_h2_is_busy(const struct sim_conn *conn)
{
	const struct sim_h2 *h2 = conn->h2;

	for (const struct sim_stream *stream = h2->streams; stream; stream = stream->next) {
		if (!stream->is_done && (!h2->is_leaving || stream->id <= h2->leaving_id))
			return true;
	}
	return false;
}

bool sim_h2_is_idle(const struct sim_conn *conn)
{
	return !sim_h2_is_busy(conn);
}

static void sim_h2_close(void *context)
{
	struct sim_conn *conn = context;

	if (!sim_h2_is_busy(conn))
		sim_server_close(conn, sim_chance(700));
}

void sim_h2_done(struct sim_stream *stream)
{
	struct sim_conn *conn = stream->conn;

	stream->is_done = true;
	if (conn->h2->is_leaving && !sim_h2_is_busy(conn))
		sim_after(sim_delay(5 * NS_PER_MS), sim_h2_close, conn);
}

void sim_h2_reset(struct sim_stream *stream, uint32_t code)
{
	sim_h2_say_u32(stream->conn, SIM_H2_RST_STREAM, stream->id, code);
	sim_h2_mark(stream->conn, SIM_MARK_RESET, stream, code);
	sim_h2_done(stream);
}

/* It takes none above `last`, and closes when the others are done. */
void sim_h2_go_away(struct sim_conn *conn, uint32_t last, uint32_t code)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_bytes payload = {0};

	if (h2->is_leaving)
		return;
	h2->is_leaving = true;
	h2->leaving_id = last;
	sim_h2_greet(conn);
	sim_h2_put_u32(&payload, last);
	sim_h2_put_u32(&payload, code);
	sim_h2_say(conn, SIM_H2_GOAWAY, 0, 0, (struct text){payload.data, payload.size});
	sim_h2_mark(conn, SIM_MARK_GOAWAY, NULL, last);
	sim_after(sim_delay(5 * NS_PER_MS), sim_h2_close, conn);
}

/* The highest stream that has come. */
static uint32_t sim_h2_heard_id(const struct sim_conn *conn)
{
	uint32_t id = 0;

	for (const struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next)
		id = stream->try->is_read && stream->id > id ? stream->id : id;
	return id;
}

/* The highest one that something was said on, or that is to be answered. */
uint32_t sim_h2_answered_id(const struct sim_conn *conn)
{
	uint32_t id = 0;

	for (const struct sim_stream *stream = conn->h2->streams; stream; stream = stream->next)
		id = (stream->has_said_head || stream->is_done) && stream->id > id ? stream->id
										   : id;
	return id;
}

void sim_h2_leave(struct sim_conn *conn)
{
	sim_h2_go_away(conn, sim_h2_heard_id(conn), SIM_H2_NO_ERROR);
}

void sim_h2_babble(struct sim_conn *conn)
{
	static const char ping[] = "\0\0\0\0\0\0\0\1";

	sim_h2_greet(conn);
	switch (sim_below(3)) {
	case 0: sim_h2_say(conn, SIM_H2_PING, 0, 0, (struct text){ping, 8}); break;
	case 1:
		/* A type that nobody knows is to be ignored (RFC 9113 5.5). */
		sim_h2_say(conn, (enum sim_h2_type)77, 0, 0, TEXT("whatever"));
		break;
	default:
		sim_h2_mark(conn, SIM_MARK_DOUBT, NULL, 0);
		sim_h2_say(conn, SIM_H2_DATA, 0, conn->h2->last_id + 2, TEXT("nobody's"));
		break;
	}
}

/* -- Requests ------------------------------------------------------------------------------- */

static void sim_h2_take_whole(struct sim_stream *stream)
{
	struct sim_try *try = stream->try;
	bool was_answered =
		try->reply.fault == SIM_REPLY_EARLY || try->reply.fault == SIM_REPLY_STALL;

	stream->is_whole = true;
	if (try->length && try->length != stream->body.size)
		sim_fail("%s was sent with %zu bytes, not %llu", try->resource->target,
			stream->body.size, (unsigned long long)try->length);
	try->body_size = stream->body.size;
	try->body = sim_copy(stream->body.data + stream->body.start, stream->body.size);
	sim_trace("  origin reads %s (%u), and will say %u", try->resource->target, try->number,
		try->reply.status);
	if (!was_answered)
		sim_h2_reply(stream);
}

struct sim_h2_opening {
	struct sim_conn *conn;
	struct sim_stream *stream;
	uint32_t n;
};

static void sim_h2_open_window(void *context)
{
	struct sim_h2_opening opening = *(struct sim_h2_opening *)context;
	struct sim_conn *conn = opening.conn;
	struct sim_stream *stream = opening.stream;

	sim_release(context, sizeof(opening));
	if (conn->server.closed)
		return;
	conn->h2->room += opening.n;
	sim_h2_say_u32(conn, SIM_H2_WINDOW_UPDATE, 0, opening.n);
	if (stream->is_whole || stream->is_done)
		return;
	stream->room += opening.n;
	sim_h2_say_u32(conn, SIM_H2_WINDOW_UPDATE, stream->id, opening.n);
}

static void sim_h2_hear_data(struct sim_stream *stream, const struct sim_frame *frame)
{
	struct sim_h2_opening *opening;

	stream->room -= (int64_t)frame->size;
	stream->conn->h2->room -= (int64_t)frame->size;
	if (stream->room < 0 || stream->conn->h2->room < 0)
		sim_fail("%s: more was sent than its window takes", stream->try->resource->target);
	if (frame->flags & SIM_H2_PADDED)
		sim_fail("the daemon pads its data");
	sim_bytes_append(&stream->body, frame->payload, frame->size);
	if (frame->size == 0)
		return;
	opening = sim_alloc(sizeof(*opening));
	*opening = (struct sim_h2_opening){stream->conn, stream,
		(uint32_t)(frame->size + (sim_chance(300) ? sim_below(SIM_H2_ROOM_MORE) : 0))};
	sim_after(sim_delay(5 * NS_PER_MS), sim_h2_open_window, opening);
}

static void sim_h2_hear_head(struct sim_stream *stream)
{
	uint32_t window = stream->conn->h2->own_window;
	enum sim_reply_fault fault = stream->try->reply.fault;

	stream->try->is_read = true;
	/* The daemon may not have heard of a smaller one. */
	stream->room = window > SIM_H2_WINDOW ? window : SIM_H2_WINDOW;
	if (fault == SIM_REPLY_EARLY || fault == SIM_REPLY_STALL)
		sim_h2_reply(stream);
}

static void sim_h2_hear_settings(struct sim_conn *conn, const struct sim_frame *frame)
{
	struct sim_h2 *h2 = conn->h2;

	if (frame->flags & SIM_H2_ACK)
		return;
	for (size_t at = 0; at + 6 <= frame->size; at += 6) {
		uint32_t value = sim_h2_u32(frame->payload + at + 2);

		if (frame->payload[at + 1] != SIM_SETTING_WINDOW)
			continue;
		for (struct sim_stream *stream = h2->streams; stream; stream = stream->next)
			stream->window += (int64_t)value - h2->stream_window;
		h2->stream_window = value;
	}
	sim_h2_say(conn, SIM_H2_SETTINGS, SIM_H2_ACK, 0, TEXT(""));
}

static void sim_h2_hear_window(struct sim_conn *conn, const struct sim_frame *frame)
{
	struct sim_h2 *h2 = conn->h2;
	struct sim_stream *of = frame->id ? sim_h2_find(conn, frame->id) : NULL;
	uint32_t n = sim_h2_u32(frame->payload);

	if (frame->id == 0)
		h2->window += n;
	else if (of)
		of->window += n;
	for (struct sim_stream *stream = h2->streams; stream; stream = stream->next)
		sim_h2_pump(stream);
}

static void sim_h2_hear_frame(struct sim_conn *conn, const struct sim_frame *frame)
{
	struct sim_stream *stream = frame->id ? sim_h2_find(conn, frame->id) : NULL;

	switch (frame->type) {
	case SIM_H2_SETTINGS: sim_h2_hear_settings(conn, frame); return;
	case SIM_H2_WINDOW_UPDATE: sim_h2_hear_window(conn, frame); return;
	case SIM_H2_HEADERS: sim_h2_hear_head(stream); break;
	case SIM_H2_DATA: sim_h2_hear_data(stream, frame); break;
	case SIM_H2_RST_STREAM: sim_h2_done(stream); return;
	default: return;
	}
	if (frame->flags & SIM_H2_END_STREAM)
		sim_h2_take_whole(stream);
}

void sim_h2_hear(struct sim_conn *conn)
{
	struct sim_bytes *request = &conn->request;
	struct sim_h2 *h2 = conn->h2;
	struct sim_frame frame;
	size_t n;

	if (!h2->has_heard) {
		if (request->size < SIM_H2_PREFACE_SIZE)
			return;
		sim_bytes_take(request, SIM_H2_PREFACE_SIZE);
		h2->has_heard = true;
		sim_h2_greet(conn);
	}
	while (!conn->server.closed && (n = sim_h2_cut(request, &frame)) > 0) {
		sim_h2_hear_frame(conn, &frame);
		sim_bytes_take(request, n);
	}
}
