/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server of nghttp2's, and a connection between it and a client of http/h2.
 *
 * What a request's path asks for: /hello a small body; /N a body of N bytes; /echo its own body;
 * /status/N that status; /wait nothing yet.
 */

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/http/h2_client.h"

#define SERVER_STREAMS 64

struct server_stream {
	int32_t id;
	/* "name: value\n", with a "!" before one that must not be put into a table. */
	struct buffer head;
	struct text path;
	struct buffer body;
	/* Of the response, what is left of it; and what it is made of. */
	size_t left;
	const char *data;
	/* The client's reset. */
	uint32_t code;
	bool is_reset, is_complete;
};

struct server {
	nghttp2_session *session;
	struct server_stream streams[SERVER_STREAMS];
	/* All that was sent. */
	struct buffer sent;
	/* It opens no window for what it gets. */
	bool stalls;
};

static inline struct server_stream *server_stream_of(struct server *server, int32_t id)
{
	struct server_stream *stream = &server->streams[((unsigned)id / 2) % SERVER_STREAMS];

	if (stream->id != id) {
		buffer_deinit(&stream->head);
		buffer_deinit(&stream->body);
		*stream = (struct server_stream){.id = id};
		buffer_init(&stream->head, SIZE_MAX);
		buffer_init(&stream->body, SIZE_MAX);
	}
	return stream;
}

static inline int server_on_header(nghttp2_session *session, const nghttp2_frame *frame,
	const uint8_t *name, size_t name_size, const uint8_t *value, size_t value_size,
	uint8_t flags, void *user)
{
	struct server_stream *stream = server_stream_of(user, frame->hd.stream_id);

	buffer_printf(&stream->head, "%s%.*s: %.*s\n", flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "",
		(int)name_size, (const char *)name, (int)value_size, (const char *)value);
	return 0;
}

/* The path stands in the head, last but the job's own headers. */
static inline struct text server_path(const struct server_stream *stream)
{
	struct text head = buffer_text(&stream->head);

	for (size_t at = 0; at < head.size; at++) {
		struct text rest = text_from_at(head, at);

		if (text_starts_with(rest, TEXT(":path: ")))
			return (struct text){rest.data + 7, text_find(rest, '\n') - 7};
	}
	return TEXT("");
}

static inline ssize_t server_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t size,
	uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct server_stream *stream = server_stream_of(user, id);

	if (size > stream->left)
		size = stream->left;
	if (stream->data)
		memcpy(out, stream->data, size);
	else
		memset(out, 'b', size);
	if (stream->data)
		stream->data += size;
	stream->left -= size;
	if (stream->left == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)size;
}

static inline nghttp2_nv server_field(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
		strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static inline void server_answer(struct server *server, int32_t id)
{
	struct server_stream *stream = server_stream_of(server, id);
	struct text path = server_path(stream);
	nghttp2_data_provider provider = {.read_callback = server_read};
	char status[4] = "200", length[21] = "";
	nghttp2_nv fields[3];
	size_t n = 0;

	if (text_starts_with(path, TEXT("/wait")))
		return;
	if (text_is(path, "/echo")) {
		stream->data = stream->body.data;
		stream->left = stream->body.size;
	} else if (text_starts_with(path, TEXT("/status/"))) {
		memcpy(status, path.data + 8, 3);
	} else if (text_is(path, "/hello")) {
		stream->data = "hello";
		stream->left = 5;
	} else {
		stream->left = (size_t)strtoul(path.data + 1, NULL, 10);
	}
	fields[n++] = server_field(":status", status);
	fields[n++] = server_field("server", "test");
	if (stream->left > 0) {
		snprintf(length, sizeof(length), "%zu", stream->left);
		fields[n++] = server_field("content-length", length);
	}
	if (text_starts_with(buffer_text(&stream->head), TEXT(":method: HEAD")))
		stream->left = 0;
	ck_assert_int_eq(nghttp2_submit_response(server->session, id, fields, n,
				 stream->left > 0 ? &provider : NULL),
		0);
}

static inline int server_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct server *server = user;
	struct server_stream *stream;

	if (frame->hd.stream_id == 0)
		return 0;
	stream = server_stream_of(user, frame->hd.stream_id);
	if (frame->hd.type == NGHTTP2_RST_STREAM) {
		stream->is_reset = true;
		stream->code = frame->rst_stream.error_code;
	}
	if (frame->hd.type == NGHTTP2_HEADERS && text_is(server_path(stream), "/status/413")) {
		server_answer(server, frame->hd.stream_id);
		return 0;
	}
	if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
		frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
		stream->is_complete = true;
		server_answer(server, frame->hd.stream_id);
	}
	return 0;
}

static inline int server_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
	const uint8_t *data, size_t size, void *user)
{
	struct server *server = user;

	buffer_append(&server_stream_of(server, id)->body, data, size);
	if (!server->stalls)
		ck_assert_int_eq(nghttp2_session_consume(session, id, size), 0);
	return 0;
}

static inline void server_init(struct server *server, uint32_t streams_max)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};

	*server = (struct server){0};
	buffer_init(&server->sent, SIZE_MAX);
	ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
	ck_assert_int_eq(nghttp2_option_new(&option), 0);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, server_on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_on_data);
	ck_assert_int_eq(
		nghttp2_session_server_new2(&server->session, callbacks, server, option), 0);
	ck_assert_int_eq(nghttp2_submit_settings(server->session, 0, &entry, 1), 0);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
}

static inline void server_deinit(struct server *server)
{
	nghttp2_session_del(server->session);
	buffer_deinit(&server->sent);
	for (size_t i = 0; i < SERVER_STREAMS; i++) {
		buffer_deinit(&server->streams[i].head);
		buffer_deinit(&server->streams[i].body);
	}
}

/* The server has what the client put out. */
static inline void server_feed(struct server *server, struct client *client)
{
	client_output(client);
	ck_assert_int_eq(nghttp2_session_mem_recv(
				 server->session, (uint8_t *)client->out.data, client->out.size),
		(ssize_t)client->out.size);
	buffer_clear(&client->out);
}

/* Back and forth, until nobody has anything to say. */
static inline void server_talk(struct server *server, struct client *client)
{
	const uint8_t *data;
	ssize_t size;

	do {
		server_feed(server, client);
		size = nghttp2_session_mem_send(server->session, &data);
		ck_assert_int_ge(size, 0);
		buffer_append(&server->sent, data, (size_t)size);
		client_feed(client, (struct text){(const char *)data, (size_t)size});
		ck_assert(client->is_alive);
	} while (size > 0 || h2_wants_output(client->h2));
}
