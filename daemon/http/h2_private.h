/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of h2 share, and nobody else: h2.c is the connection, h2_request.c what goes
 * out on a stream, h2_response.c what comes in.
 */

#include <nghttp2/nghttp2.h>

#include "http/h2.h"
#include "http/h2_memory.h"
#include "http/h2_meter.h"

#define H2_HEADERS_SIZE_MAX (256 * 1024)
/* What a field counts beyond its bytes (RFC 9113 6.5.2). */
#define H2_FIELD_OVERHEAD 32

struct h2 {
	/* NULL exactly when the connection has failed. */
	nghttp2_session *session;
	struct h2_memory memory;
	struct h2_meter meter;
	/* Streams that wait for their response, and those that are to be told their end. */
	struct list live, ended;
	/* The last that is sent, a GOAWAY, once it has failed. */
	struct buffer last;
	/* While nghttp2 gives output: where it goes, how much it may be, and the piece of a body
	 * that comes next. */
	struct buffer *out;
	size_t out_size_max;
	struct text piece;
	/* Room for a request's headers, kept. */
	nghttp2_nv *fields;
	size_t fields_capacity;
	struct h2_fault fault;
	/* Requests given to nghttp2 and not closed by it. */
	uint32_t n_open;
	/* h2_n_accepted(). */
	uint32_t n_accepted;
	/* Of the peer's GOAWAY, and of ours. */
	uint32_t goaway_code, own_code;
	/* A fatal error of nghttp2's, met where it could not be told; or 0. */
	int error;
	bool has_settings;
	bool has_goaway;
	/* Our GOAWAY has been put out. */
	bool said_goaway;
	/* True exactly while a function is at work that must not be called within itself. */
	bool is_busy;
	/* True exactly while it is failing: what nghttp2 closes is told the one reason. */
	bool is_failing;
};

/* h2.c */

/* A call of nghttp2 on behalf of a user: an error that is fatal is raised in the next turn. */
void h2_note(struct h2 *h2, int result);

/* It is over with the stream: nghttp2 forgets it, and it will be told. NULL: a complete
 * response. */
void h2_finish(struct h2_stream *stream, const struct h2_fault *fault);

/* So, and the peer is told, with `code`. */
void h2_refuse(struct h2_stream *stream, const struct h2_fault *fault, uint32_t code);

/* The live stream of that id, or NULL. */
struct h2_stream *h2_stream_of(struct h2 *h2, int32_t id);

/* h2_request.c */

void h2_request_set_callbacks(nghttp2_session_callbacks *callbacks);

/* h2_response.c */

void h2_response_set_callbacks(nghttp2_session_callbacks *callbacks);
