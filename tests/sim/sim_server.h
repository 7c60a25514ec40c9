/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The origin's side of a connection: reads requests, writes replies.
 */

#include "sim_graph.h"

/* Somebody has connected. */
void sim_server_begin(struct sim_conn *conn);

/* Draw what a request will be answered, and make the body. */
void sim_reply_draw(struct sim_try *try);

/* The reply's bytes; *ret_head says where its head ends. */
void sim_reply_write(const struct sim_try *try, struct sim_bytes *out, size_t *ret_head);

/* True where a response to this request has no body whatever its head says. */
static inline bool sim_reply_is_bare(const struct sim_try *try)
{
	return try->label->method[0] == 'H' || try->reply.status == 204 || try->reply.status == 304;
}

/* Bytes of the body that the daemon is to see. */
static inline size_t sim_reply_size(const struct sim_try *try)
{
	return sim_reply_is_bare(try) ? 0 : try->reply.body_size;
}
