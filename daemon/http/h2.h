/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP/2, the client's side (RFC 9113), as a pure codec over nghttp2: bytes in, bytes out, many
 * requests at once on one connection. No descriptor, no clock: who feeds it says what time it is.
 *
 *   h2 = h2_new(now_ns, 0);                         its first bytes are ready to be sent
 *   if (h2_can_open(h2))
 *           h2_request(h2, &stream, &request, &fault);
 *   for all bytes that come:
 *           h2_feed(h2, data, size, now_ns);        upcalls: on_head, on_body, on_end, on_reset
 *   whenever h2_wants_output(h2) and nothing is being sent:
 *           h2_output(h2, &out);                    appends what is to be sent next
 *   h2_free(h2);
 *
 * Who calls h2_request, h2_cancel, h2_consume, h2_resume or h2_feed asks h2_wants_output() after
 * it, best once per turn of the loop: all that is ready goes out together.
 *
 * Upcalls come from within h2_feed, h2_feed_end and h2_output alone. In any of them (but on_pull)
 * streams may be opened, cancelled and consumed; what may not be called there are those three
 * and h2_free. A stream is told on_end or on_reset exactly once, unless it is cancelled, and
 * belongs to its user again before that upcall is made: it may go, or be the next request's.
 *
 * A response is checked before it is shown (RFC 9113 8.1.1, 8.2, 8.3.2: nghttp2, strictly; and
 * http/body): names in lower case, no fields of HTTP/1 connections, one :status, DATA as long as
 * Content-Length says. 1xx and trailers are checked and dropped. Pushes are refused.
 *
 * Flow control: each stream has a window of 1 MiB, opened again by h2_consume() alone. Who does
 * not consume is sent that much and no more, and must hold it; the streams beside it do not feel
 * it, for the connection's window is opened again at once.
 *
 * Limits, of one connection: 1000 streams at once, or what the peer allows (100 until it has
 * said); heads of a response as in http/h1 (256 KiB and 1000 fields never, 64 KiB and 100
 * always; a field counts 32 bytes more than it has, RFC 9113 6.5.2), 50 1xx; headers of a
 * request: 256 KiB; 8 CONTINUATION frames of a head, 32 entries of a SETTINGS, 1000
 * acknowledgements waiting; frames that bring nothing: http/h2_meter; nghttp2's memory: 16 MiB.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/header.h"
#include "http/response.h"
#include "util/buffer.h"
#include "util/list.h"
#include "util/text.h"

struct h2;
struct h2_stream;

/* The length of a request's body that is pulled, where it is not known. */
#define H2_LENGTH_OPEN UINT64_MAX

/* Why a request got no response, or a connection came to its end. The reason code of
 * proto/fault.def is named beside it. */
enum h2_fault_kind {
	H2_FAULT_NONE,
	/* HTTP2_STREAM: the peer reset the stream, with `code`, or broke a rule in it. */
	H2_FAULT_STREAM,
	/* HTTP2_STREAM: the peer refused the stream; not processed. */
	H2_FAULT_REFUSED,
	/* HTTP2_CONNECTION: the peer goes away and has not looked at it; not processed. */
	H2_FAULT_GOAWAY,
	/* HTTP2_STREAM: the peer wants it to be sent again over HTTP/1.1; not processed. */
	H2_FAULT_HTTP_1_1,
	/* HTTP2_CONNECTION: the connection failed under the stream. */
	H2_FAULT_CONNECTION,
	/* HTTP_PARSE: the response is malformed. */
	H2_FAULT_PARSE,
	/* HTTP_FRAMING: its body is not as long as its head says. */
	H2_FAULT_FRAMING,
	/* HEADERS_TOO_LARGE */
	H2_FAULT_HEADERS_TOO_LARGE,
	/* HEADER_INVALID: the request's own headers are larger than 256 KiB. */
	H2_FAULT_REQUEST_TOO_LARGE,
	/* OVERLOADED */
	H2_FAULT_MEMORY,
};

struct h2_fault {
	enum h2_fault_kind kind;
	/* The error code of RFC 9113 7, the peer's or ours; h2_code_name(). 0: none. */
	uint32_t code;
	/* One sentence without a full stop; static. */
	const char *why;
	/* True exactly where the peer has not acted upon the request, and says so or cannot have
	 * seen it: it may be sent again, whatever its method (RFC 9113 8.7). */
	bool is_unprocessed;
};

/* How much of a request has been given to h2_output(). */
enum h2_sent {
	H2_SENT_NONE,
	H2_SENT_PARTIAL,
	H2_SENT_FULL,
};

enum h2_pull {
	/* The piece, and there is more to come. */
	H2_PULL_MORE,
	/* The piece, which may be empty, is the last. */
	H2_PULL_LAST,
	/* Nothing yet: h2_resume() when there is. */
	H2_PULL_LATER,
};

/* What a stream tells its user. Upcalls. */
struct h2_stream_events {
	/* The final head is complete (1xx are not shown). */
	void (*on_head)(struct h2_stream *stream, const struct response_head *head);
	/* The next bytes of the body: the view is good until this returns. They count against the
	 * window until h2_consume(), which may be called here. */
	void (*on_body)(struct h2_stream *stream, const char *data, size_t size);
	/* The response is complete. The stream is its user's. */
	void (*on_end)(struct h2_stream *stream);
	/* There will be no (more) response. The stream is its user's. */
	void (*on_reset)(struct h2_stream *stream, const struct h2_fault *fault);
	/* The next piece of a body that is pulled, at most `size` bytes, which stay until the next
	 * one is asked for. May call nothing of h2. NULL where none is. */
	enum h2_pull (*on_pull)(struct h2_stream *stream, size_t size, struct text *ret_piece);
};

/* One request and its response; embedded in its user, who keeps it for the next one. What it has
 * is h2's own, to be read by the functions below. */
struct h2_stream {
	const struct h2_stream_events *events;
	/* NULL exactly while no request is under way. */
	struct h2 *h2;
	/* Among the connection's live ones, or among those that are to be told their end. */
	struct list link;
	/* 0 while nghttp2 does not know it. */
	int32_t id;
	/* The response's head: names and values, one behind the other. */
	struct buffer head;
	struct header_list headers;
	/* What it is to be told; kind NONE: on_end. */
	struct h2_fault fault;
	/* What is left to be sent of a body that is not pulled, and what was sent of any. */
	struct text body;
	uint64_t body_sent;
	/* Of all heads and trailers. */
	uint32_t heads_size, n_fields, n_interim;
	uint16_t status;
	enum h2_sent sent;
	/* The request was a HEAD. */
	bool is_head;
	bool pulls;
	bool has_begun;
	bool has_head;
};

struct h2_request {
	struct text method, scheme, authority;
	/* Path and query. */
	struct text target;
	/* Valid ones (http/header). Those that are ours (header_is_ours) are left out: HTTP/2 has
	 * no use for them, or other places. Names are lowered. Authorization, cookies and their
	 * like are never put into the peer's table. */
	const struct header *headers;
	uint32_t n_headers;
	/* A view that stays until on_end, on_reset or h2_cancel(). */
	struct text body;
	/* As in request_end(): without a body, a method that expects one says it is empty. */
	bool has_body;
	/* True where the body comes by on_pull instead, `pull_size` bytes of it: Content-Length,
	 * unless that is H2_LENGTH_OPEN. */
	bool pulls;
	uint64_t pull_size;
};

/* `streams`: how many the peer is taken to allow until it has said, if that is less than 100; 0:
 * not known. NULL where there is no memory. */
struct h2 *h2_new(uint64_t now_ns, uint32_t streams);

/* Every stream must have been told its end or cancelled, or h2_feed_end() been called. Takes
 * NULL, returns NULL. */
struct h2 *h2_free(struct h2 *h2);

/* Bytes from the peer, all taken. False: the connection has failed (h2_fault()), and all streams
 * have been told; what h2_output() still has may be sent before it is closed. `now_ns` never goes
 * back. */
bool h2_feed(struct h2 *h2, const char *data, size_t size, uint64_t now_ns);

/* The peer has closed, or the connection is to be given up: every stream is told. Twice is
 * once. */
void h2_feed_end(struct h2 *h2);

/* True where h2_output() has something to give. */
bool h2_wants_output(const struct h2 *h2);

/* Appends what is to be sent, up to some 64 KiB at a time: ask h2_wants_output() for more. False:
 * as for h2_feed(); also where `out` had no room, which is the connection's end. */
bool h2_output(struct h2 *h2, struct buffer *out);

/* True where h2_request() may be called: there is room under the peer's limit of streams. May
 * change with h2_feed(), h2_output() and each request. */
bool h2_can_open(const struct h2 *h2);

/* False: no stream will ever be opened on it again (a GOAWAY, no ids left, a failure). Close it
 * when h2_n_streams() is 0. */
bool h2_is_usable(const struct h2 *h2);

/* How many streams the peer allows at once; until it has said, what h2_new() was told, or 100. */
uint32_t h2_streams_max(const struct h2 *h2);

/* How many of all requests the peer has looked at, by a GOAWAY that is no complaint (NO_ERROR);
 * UINT32_MAX: it has not said. */
uint32_t h2_n_accepted(const struct h2 *h2);

/* Requests that hold a place under the limit of streams: live ones, and those whose reset has not
 * been given to h2_output(). */
uint32_t h2_n_streams(const struct h2 *h2);

/* Why it failed; kind NONE where it has not. */
struct h2_fault h2_fault(const struct h2 *h2);

/* "REFUSED_STREAM". Static. */
const char *h2_code_name(uint32_t code);

/* Allocates nothing. `events` is borrowed. */
void h2_stream_init(struct h2_stream *stream, const struct h2_stream_events *events);

/* No request is under way. */
void h2_stream_deinit(struct h2_stream *stream);

/* Its response has been read: the head's views go, and memory beyond a few KiB goes back. No
 * request is under way. Done by h2_request(), too. */
void h2_stream_rest(struct h2_stream *stream);

/* Begins a request: h2_can_open(), and none is under way on the stream. All views but the body's
 * are copied. False: it is not begun, *ret_fault says why (kind REQUEST_TOO_LARGE or MEMORY), and
 * no upcall comes. */
bool h2_request(struct h2 *h2, struct h2_stream *stream, const struct h2_request *request,
	struct h2_fault *ret_fault);

/* Ends it without an upcall: RST_STREAM CANCEL, where it was sent and is not over. The stream is
 * its user's at once. Nothing where no request is under way. */
void h2_cancel(struct h2_stream *stream);

/* So many bytes of its body are done with: the peer may send as many more. Nothing where no
 * request is under way. */
void h2_consume(struct h2_stream *stream, size_t size);

/* on_pull has something to give after H2_PULL_LATER. */
void h2_resume(struct h2_stream *stream);

/* Inline helpers. */

/* True from h2_request() to its end. */
static inline bool h2_is_under_way(const struct h2_stream *stream)
{
	return stream->h2;
}

/* True once a head, be it a 1xx, has come. */
static inline bool h2_has_begun(const struct h2_stream *stream)
{
	return stream->has_begun;
}

/* Good until the next request, also after its end. */
static inline enum h2_sent h2_sent(const struct h2_stream *stream)
{
	return stream->sent;
}

/* Bytes of the request's body that were given to h2_output(). */
static inline uint64_t h2_body_sent(const struct h2_stream *stream)
{
	return stream->body_sent;
}

/* After on_reset: true where the peer is to be told, who may be at work on it still: by a reset, or
 * where the connection failed by its end. */
static inline bool h2_owes_reset(const struct h2_stream *stream)
{
	switch (stream->fault.kind) {
	case H2_FAULT_STREAM:
	case H2_FAULT_CONNECTION:
	case H2_FAULT_PARSE:
	case H2_FAULT_FRAMING:
	case H2_FAULT_HEADERS_TOO_LARGE:
	case H2_FAULT_MEMORY: return !stream->fault.is_unprocessed;
	default: return false;
	}
}
