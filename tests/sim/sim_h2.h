/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP/2 by hand (RFC 9113): the origin's side of a connection that chose it, and what the oracle
 * makes of both directions. Frames are made and cut here, so that they can be wrong; only HPACK
 * (RFC 7541) is a library's.
 *
 *   sim_h2.c         frames, and the wire as the daemon sees it
 *   sim_h2_server.c  the origin's side: requests, and the connection
 *   sim_h2_reply.c   its replies
 */

#include "sim_model.h"

#define SIM_H2_HEAD      9
#define SIM_H2_FRAME_MAX ((size_t)16384)
#define SIM_H2_WINDOW    65535

enum sim_h2_type {
	SIM_H2_DATA,
	SIM_H2_HEADERS,
	SIM_H2_PRIORITY,
	SIM_H2_RST_STREAM,
	SIM_H2_SETTINGS,
	SIM_H2_PUSH_PROMISE,
	SIM_H2_PING,
	SIM_H2_GOAWAY,
	SIM_H2_WINDOW_UPDATE,
	SIM_H2_CONTINUATION,
};

enum sim_h2_flag {
	SIM_H2_ACK = 1,
	SIM_H2_END_STREAM = 1,
	SIM_H2_END_HEADERS = 4,
	SIM_H2_PADDED = 8,
	SIM_H2_PRIORITISED = 32,
};

/* Of RFC 9113 7. */
enum sim_h2_code {
	SIM_H2_NO_ERROR = 0,
	SIM_H2_INTERNAL_ERROR = 2,
	SIM_H2_REFUSED_STREAM = 7,
	SIM_H2_CANCEL = 8,
	SIM_H2_CALM = 11,
	SIM_H2_HTTP_1_1_REQUIRED = 13,
};

/* What comes behind a reply, or instead of what is left of it. */
enum sim_h2_end {
	/* Nothing any more; its proper end; a reset of the stream. */
	SIM_H2_ENDS_NEVER,
	SIM_H2_ENDS_WELL,
	SIM_H2_ENDS_BY_RESET,
	/* Of the connection: closed, reset, what is no TLS. */
	SIM_H2_CLOSES,
	SIM_H2_RESETS,
	SIM_H2_BREAKS,
};

/* A request and its reply. */
struct sim_stream {
	struct sim_stream *next;
	struct sim_conn *conn;
	struct sim_try *try;
	uint32_t id;
	/* The daemon's side: it was told the end of it, or has reset it; was told what is wrong. */
	bool is_over, is_wrong;
	/* The server's side: all of the request has come; its head was answered; no more is said.
	 */
	bool is_whole, has_said_head, is_done;
	/* The request's body so far, and how much more of it may come. */
	struct sim_bytes body;
	int64_t room;
	/* Of the reply's body: how much is to be said, may be by its pace, was; what the daemon's
	 * window leaves; and what comes then, once its time has come. */
	size_t wanted, ready, said;
	int64_t window;
	enum sim_h2_end end;
	uint32_t code;
	bool is_finishing;
};

/* What something means that the server said, for when the daemon is told it. */
enum sim_mark_kind {
	/* The response is complete; the stream is reset (its code); its response is wrong (the
	 * fault). */
	SIM_MARK_END,
	SIM_MARK_RESET,
	SIM_MARK_WRONG,
	/* So many streams at most from now on; none above that one was looked at; all of it may
	 * fail. */
	SIM_MARK_LIMIT,
	SIM_MARK_GOAWAY,
	SIM_MARK_DOUBT,
};

struct sim_mark {
	struct sim_mark *next;
	/* Of the bytes said. */
	uint64_t at;
	enum sim_mark_kind kind;
	struct sim_stream *stream;
	uint32_t value;
};

struct sim_h2 {
	/* The newest first. */
	struct sim_stream *streams;
	/* What the daemon says: bytes of the next frame, of a head, HPACK. */
	struct sim_bytes spoken, block;
	uint32_t block_id;
	bool block_ends;
	void *inflater;
	bool has_spoken;
	/* The highest stream, those that are not over, and how many there may be as the daemon
	 * knows. */
	uint32_t last_id;
	unsigned n_open, limit;
	struct sim_mark *marks, *marks_end;
	/* All that is on it may fail. */
	bool is_doubted;
	/* The server's: the preface has come; what the daemon takes of any stream, and of a new
	 * one; what may come in all. */
	bool has_heard, has_greeted;
	int64_t window, stream_window, room;
	uint32_t table_size, own_window;
	/* It has said that it goes, and takes none above that one. */
	bool is_leaving;
	uint32_t leaving_id;
};

/* A frame that came: a view. */
struct sim_frame {
	enum sim_h2_type type;
	uint8_t flags;
	uint32_t id;
	const char *payload;
	size_t size;
};

/* The next one of what has come, and its size in all; 0: not all of it is there. */
size_t sim_h2_cut(const struct sim_bytes *bytes, struct sim_frame *ret_frame);

uint32_t sim_h2_u32(const char *data);
void sim_h2_put_u32(struct sim_bytes *out, uint32_t value);
void sim_h2_put_frame(struct sim_bytes *out, enum sim_h2_type type, uint8_t flags, uint32_t id,
	struct text payload);

/* A field as a literal. */
void sim_h2_put_field(struct sim_bytes *out, const char *name, const char *value);

/* -- The wire ------------------------------------------------------------------------------- */

/* The daemon says these bytes. */
void sim_h2_on_send(struct sim_conn *conn, const char *data, size_t size);

/* It is about to be told of what has been received so far; or that all of it is lost. */
void sim_h2_on_received(struct sim_conn *conn);
void sim_h2_on_lost(struct sim_conn *conn, enum fault_code code);
void sim_h2_on_closed(struct sim_conn *conn);

/* What was said up to now means this. */
void sim_h2_mark(
	struct sim_conn *conn, enum sim_mark_kind kind, struct sim_stream *stream, uint32_t value);

struct sim_stream *sim_h2_find(const struct sim_conn *conn, uint32_t id);

/* -- The origin's side ------------------------------------------------------------------------ */

/* The handshake chose it. */
void sim_h2_serve(struct sim_conn *conn);

/* Plaintext has come: conn->request. */
void sim_h2_hear(struct sim_conn *conn);

/* True where no request is being answered. */
bool sim_h2_is_idle(const struct sim_conn *conn);

/* The connection is to go, as a server announces it. */
void sim_h2_leave(struct sim_conn *conn);

/* Says what breaks the rules, or not. */
void sim_h2_babble(struct sim_conn *conn);

/* Say a frame; a reset; that no stream above `last` is taken, and close once the others are done.
 */
void sim_h2_say(struct sim_conn *conn, enum sim_h2_type type, uint8_t flags, uint32_t id,
	struct text payload);
void sim_h2_say_u32(struct sim_conn *conn, enum sim_h2_type type, uint32_t id, uint32_t value);
void sim_h2_reset(struct sim_stream *stream, uint32_t code);
void sim_h2_go_away(struct sim_conn *conn, uint32_t last, uint32_t code);

/* No more is said on it. */
void sim_h2_done(struct sim_stream *stream);

/* The highest stream that something was said on. */
uint32_t sim_h2_answered_id(const struct sim_conn *conn);

/* Answer; say what may be said now. */
void sim_h2_reply(struct sim_stream *stream);
void sim_h2_pump(struct sim_stream *stream);
