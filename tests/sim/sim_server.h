/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The origin's side of a connection: reads requests, writes replies.
 */

#include "sim_graph.h"

/* Somebody has connected. */
void sim_server_begin(struct sim_conn *conn);

/* Say these bytes; say what no TLS says; close, with TLS's own goodbye or without. */
void sim_server_say(struct sim_conn *conn, const char *data, size_t size);
void sim_server_break(struct sim_conn *conn);
void sim_server_close(struct sim_conn *conn, bool says_so);

/* Draw what a request will be answered, and make the body. */
void sim_reply_draw(struct sim_try *try);

/* Put codings on its body; break them; their names, or NULL (sim_coding.c). */
void sim_reply_encode(struct sim_try *try);
void sim_reply_corrupt(struct sim_reply *reply);
const char *sim_reply_codings(const struct sim_reply *reply);

/* Its head's fields, but those that frame its body. */
typedef void (*sim_put_field)(struct sim_bytes *out, const char *name, const char *value);
void sim_reply_put_fields(const struct sim_try *try, struct sim_bytes *out, sim_put_field put);

/* The reply's bytes, over HTTP/1.1; *ret_head says where its head ends. */
void sim_reply_write(const struct sim_try *try, struct sim_bytes *out, size_t *ret_head);

/* True where a response to this request has no body whatever its head says. */
static inline bool sim_reply_is_bare(const struct sim_try *try)
{
	return try->resource->method[0] == 'H' || try->reply.status == 204 ||
	       try->reply.status == 304;
}

/* Bytes of the body that the daemon is to see. */
static inline size_t sim_reply_size(const struct sim_try *try)
{
	return sim_reply_is_bare(try) ? 0 : try->reply.body_size;
}

/* Bytes of it that go over the wire. */
static inline size_t sim_reply_wire_size(const struct sim_try *try)
{
	return sim_reply_is_bare(try) ? 0 : try->reply.wire_size;
}
