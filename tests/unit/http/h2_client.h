/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection of http/h2 with some streams that remember what they were told, and frames made by
 * hand: for the tests of http/h2.
 */

#include "http/h2.h"

#include "util/buffer.h"
#include "util/container.h"

#include "tests/unit/unit.h"

#define CLIENT_STREAMS 4
#define CLIENT_SECOND  UINT64_C(1000000000)

/* Types, flags and codes of RFC 9113. */
enum {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION,
};

enum {
	END_STREAM = 0x1,
	ACK = 0x1,
	END_HEADERS = 0x4,
	PADDED = 0x8,
	END = END_STREAM | END_HEADERS,
};

enum {
	NO_ERROR,
	PROTOCOL_ERROR,
	INTERNAL_ERROR,
	FLOW_CONTROL_ERROR,
	SETTINGS_TIMEOUT,
	STREAM_CLOSED,
	FRAME_SIZE_ERROR,
	REFUSED_STREAM,
	CANCEL,
	COMPRESSION_ERROR,
	CONNECT_ERROR,
	ENHANCE_YOUR_CALM,
	INADEQUATE_SECURITY,
	HTTP_1_1_REQUIRED,
};

/* When a stream's user cancels it. */
enum client_cancel {
	CLIENT_CANCEL_NEVER,
	CLIENT_CANCEL_ON_HEAD,
	CLIENT_CANCEL_ON_BODY,
};

struct client_stream {
	struct h2_stream stream;
	/* "STATUS\n", and "name: value\n" for each header. */
	struct buffer head;
	struct buffer body;
	struct response_head shown;
	struct h2_fault fault;
	unsigned n_heads, n_bodies, n_ends, n_resets;
	enum client_cancel cancels;
	/* It keeps the body to itself. */
	bool keeps;
	/* What it gives when it is asked for its body, and what it says of it. */
	struct text pull_piece;
	enum h2_pull pull;
	unsigned n_pulls;
};

struct client {
	struct h2 *h2;
	/* What was put out, and what goes in. */
	struct buffer out;
	struct buffer in;
	struct client_stream streams[CLIENT_STREAMS];
	uint64_t now_ns;
	bool is_alive;
};

static inline struct client_stream *client_stream_of(struct h2_stream *stream)
{
	return container_of(stream, struct client_stream, stream);
}

static inline void client_on_head(struct h2_stream *h2_stream, const struct response_head *head)
{
	struct client_stream *stream = client_stream_of(h2_stream);

	stream->n_heads++;
	ck_assert_int_eq(stream->n_heads, 1);
	ck_assert_int_eq(stream->n_ends + stream->n_resets, 0);
	stream->shown = *head;
	buffer_printf(&stream->head, "%d\n", head->status);
	for (uint32_t i = 0; i < head->n_headers; i++)
		buffer_printf(&stream->head, "%.*s: %.*s\n", TEXT_ARGS(head->headers[i].name),
			TEXT_ARGS(head->headers[i].value));
	if (stream->cancels == CLIENT_CANCEL_ON_HEAD)
		h2_cancel(h2_stream);
}

static inline void client_on_body(struct h2_stream *h2_stream, const char *data, size_t size)
{
	struct client_stream *stream = client_stream_of(h2_stream);

	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(stream->n_heads, 1);
	ck_assert_int_eq(stream->n_ends + stream->n_resets, 0);
	stream->n_bodies++;
	buffer_append(&stream->body, data, size);
	if (!stream->keeps)
		h2_consume(h2_stream, size);
	if (stream->cancels == CLIENT_CANCEL_ON_BODY)
		h2_cancel(h2_stream);
}

static inline void client_on_end(struct h2_stream *h2_stream)
{
	struct client_stream *stream = client_stream_of(h2_stream);

	ck_assert_ptr_null(h2_stream->h2);
	ck_assert_int_eq(stream->n_heads, 1);
	stream->n_ends++;
	ck_assert_int_eq(stream->n_ends + stream->n_resets, 1);
}

static inline void client_on_reset(struct h2_stream *h2_stream, const struct h2_fault *fault)
{
	struct client_stream *stream = client_stream_of(h2_stream);

	ck_assert_ptr_null(h2_stream->h2);
	ck_assert_int_ne(fault->kind, H2_FAULT_NONE);
	ck_assert_ptr_nonnull(fault->why);
	stream->fault = *fault;
	stream->n_resets++;
	ck_assert_int_eq(stream->n_ends + stream->n_resets, 1);
}

static inline enum h2_pull client_on_pull(
	struct h2_stream *h2_stream, size_t size, struct text *ret_piece)
{
	struct client_stream *stream = client_stream_of(h2_stream);
	struct text piece = stream->pull_piece;

	stream->n_pulls++;
	if (stream->pull == H2_PULL_LATER)
		return H2_PULL_LATER;
	if (piece.size > size)
		piece.size = size;
	stream->pull_piece = text_from_at(stream->pull_piece, piece.size);
	*ret_piece = piece;
	return stream->pull_piece.size > 0 ? H2_PULL_MORE : stream->pull;
}

static const struct h2_stream_events client_events = {
	.on_head = client_on_head,
	.on_body = client_on_body,
	.on_end = client_on_end,
	.on_reset = client_on_reset,
	.on_pull = client_on_pull,
};

/* With our preface put out. */
static inline void client_init(struct client *client)
{
	*client = (struct client){.now_ns = 5 * CLIENT_SECOND, .is_alive = true};
	client->h2 = h2_new(client->now_ns, 0);
	ck_assert_ptr_nonnull(client->h2);
	buffer_init(&client->out, SIZE_MAX);
	buffer_init(&client->in, SIZE_MAX);
	for (size_t i = 0; i < CLIENT_STREAMS; i++) {
		struct client_stream *stream = &client->streams[i];

		h2_stream_init(&stream->stream, &client_events);
		buffer_init(&stream->head, SIZE_MAX);
		buffer_init(&stream->body, SIZE_MAX);
	}
}

static inline void client_deinit(struct client *client)
{
	h2_feed_end(client->h2);
	h2_free(client->h2);
	buffer_deinit(&client->out);
	buffer_deinit(&client->in);
	for (size_t i = 0; i < CLIENT_STREAMS; i++) {
		h2_stream_deinit(&client->streams[i].stream);
		buffer_deinit(&client->streams[i].head);
		buffer_deinit(&client->streams[i].body);
	}
}

static inline void client_output(struct client *client)
{
	while (client->is_alive && h2_wants_output(client->h2))
		client->is_alive = h2_output(client->h2, &client->out);
	if (h2_wants_output(client->h2))
		ck_assert(!h2_output(client->h2, &client->out));
}

static inline void client_feed(struct client *client, struct text bytes)
{
	client->is_alive = h2_feed(client->h2, bytes.data, bytes.size, client->now_ns);
}

/* What was collected in `in`, and what comes of it. */
static inline void client_turn(struct client *client)
{
	ck_assert(!client->in.failed);
	client_feed(client, buffer_text(&client->in));
	buffer_clear(&client->in);
	client_output(client);
}

static inline struct h2_request client_request(const char *method, const char *target)
{
	return (struct h2_request){
		.method = text_from(method),
		.scheme = TEXT("https"),
		.authority = TEXT("a.test"),
		.target = text_from(target),
	};
}

static inline void client_open(struct client *client, unsigned i, const struct h2_request *request)
{
	struct h2_fault fault = {0};

	ck_assert(h2_can_open(client->h2));
	ck_assert(h2_request(client->h2, &client->streams[i].stream, request, &fault));
	ck_assert_int_eq(fault.kind, H2_FAULT_NONE);
}

/* Stream `i`, whose id is 2 i + 1 where all are opened in order. */
static inline void client_open_get(struct client *client, unsigned i)
{
	struct h2_request request = client_request("GET", "/");

	client_open(client, i, &request);
}

static inline void client_expect_end(
	const struct client *client, unsigned i, const char *head, const char *body)
{
	const struct client_stream *stream = &client->streams[i];

	ck_assert_int_eq(stream->n_resets, 0);
	ck_assert_int_eq(stream->n_ends, 1);
	ck_assert(text_is(buffer_text(&stream->head), head));
	ck_assert(text_is(buffer_text(&stream->body), body));
}

static inline void client_expect_reset(
	const struct client *client, unsigned i, enum h2_fault_kind kind, uint32_t code)
{
	const struct client_stream *stream = &client->streams[i];

	ck_assert_int_eq(stream->n_ends, 0);
	ck_assert_int_eq(stream->n_resets, 1);
	ck_assert_int_eq(stream->fault.kind, kind);
	ck_assert_uint_eq(stream->fault.code, code);
}

static inline void client_expect_failed(
	const struct client *client, enum h2_fault_kind kind, uint32_t code)
{
	ck_assert(!client->is_alive);
	ck_assert_int_eq(h2_fault(client->h2).kind, kind);
	ck_assert_uint_eq(h2_fault(client->h2).code, code);
	ck_assert(!h2_can_open(client->h2));
	ck_assert(!h2_is_usable(client->h2));
}

/* Frames. */

static inline void frame_head(
	struct buffer *out, size_t size, uint8_t type, uint8_t flags, uint32_t id)
{
	char head[9] = {(char)(size >> 16), (char)(size >> 8), (char)size, (char)type, (char)flags,
		(char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};

	buffer_append(out, head, sizeof(head));
}

static inline void frame(
	struct buffer *out, uint8_t type, uint8_t flags, uint32_t id, struct text payload)
{
	frame_head(out, payload.size, type, flags, id);
	buffer_append_text(out, payload);
}

static inline void frame_u32(
	struct buffer *out, uint8_t type, uint8_t flags, uint32_t id, uint32_t value)
{
	char payload[4] = {
		(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};

	frame(out, type, flags, id, (struct text){payload, sizeof(payload)});
}

static inline void frame_goaway(struct buffer *out, uint32_t last_id, uint32_t code)
{
	char payload[8] = {(char)(last_id >> 24), (char)(last_id >> 16), (char)(last_id >> 8),
		(char)last_id, 0, 0, 0, (char)code};

	frame(out, GOAWAY, 0, 0, (struct text){payload, sizeof(payload)});
}

static inline void frame_setting(struct buffer *out, uint16_t id, uint32_t value)
{
	char entry[6] = {(char)(id >> 8), (char)id, (char)(value >> 24), (char)(value >> 16),
		(char)(value >> 8), (char)value};

	frame(out, SETTINGS, 0, 0, (struct text){entry, sizeof(entry)});
}

/* An integer of HPACK with a prefix of 7 bits (RFC 7541 5.1). */
static inline void hpack_length(struct buffer *out, size_t length)
{
	if (length < 127) {
		buffer_append_byte(out, (char)length);
		return;
	}
	buffer_append_byte(out, 127);
	for (length -= 127; length >= 128; length /= 128)
		buffer_append_byte(out, (char)(length % 128 + 128));
	buffer_append_byte(out, (char)length);
}

/* A field, as it stands, in no table. */
static inline void hpack_field(struct buffer *out, struct text name, struct text value)
{
	buffer_append_byte(out, 0);
	hpack_length(out, name.size);
	buffer_append_text(out, name);
	hpack_length(out, value.size);
	buffer_append_text(out, value);
}

/* HEADERS of lines "name: value"; what begins with a colon has its name up to the next one. */
static inline void frame_headers(struct buffer *out, uint8_t flags, uint32_t id, const char *lines)
{
	struct text rest = text_from(lines);
	struct buffer block;

	buffer_init(&block, SIZE_MAX);
	while (rest.size > 0) {
		struct text line = {rest.data, text_find(rest, '\n')};
		size_t colon = 1 + text_find(text_from_at(line, 1), ':');

		hpack_field(&block, (struct text){line.data, colon},
			text_from_at(line, colon + strlen(": ")));
		rest = text_from_at(rest, line.size + 1);
	}
	frame(out, HEADERS, flags, id, buffer_text(&block));
	buffer_deinit(&block);
}

/* Frames of that type among those that were put out; *ret_code: the last one's error code. */
static inline unsigned client_n_sent(
	const struct client *client, uint8_t type, uint32_t id, uint32_t *ret_code)
{
	struct text rest = text_from_at(buffer_text(&client->out), 24);
	unsigned n = 0;

	ck_assert(text_starts_with(
		buffer_text(&client->out), TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")));
	while (rest.size > 0) {
		const uint8_t *at = (const uint8_t *)rest.data;
		size_t size = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
		uint32_t its_id = (uint32_t)at[5] << 24 | (uint32_t)at[6] << 16 |
				  (uint32_t)at[7] << 8 | at[8];

		ck_assert_uint_ge(rest.size, 9 + size);
		if (at[3] == type && its_id == id) {
			n++;
			if (ret_code)
				*ret_code = at[9 + (type == GOAWAY ? 7 : 3)];
		}
		rest = text_from_at(rest, 9 + size);
	}
	return n;
}

static inline void client_expect_sent_code(
	const struct client *client, uint8_t type, uint32_t id, uint32_t code)
{
	uint32_t sent = UINT32_MAX;

	ck_assert_uint_eq(client_n_sent(client, type, id, &sent), 1);
	ck_assert_uint_eq(sent, code);
}
