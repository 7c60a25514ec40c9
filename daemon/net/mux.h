/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection that many requests share (HTTP/2): the user of a net/conn, with the codec http/h2
 * on top. What a response is made of goes from the codec to its stream's user directly; the mux
 * knows who is on the connection, what goes out and when, and how it ends.
 *
 *   OPEN (streams may be opened) -> LEAVING (a GOAWAY, no ids left: those there are finish) -> gone
 *
 * All that is to be sent in a turn goes out together, at its end. It belongs to the pool: with no
 * stream left it is idle there, like any other connection. A connection that fails tells every
 * stream (on_reset of the codec), and then closes.
 */

#include <stdbool.h>

#include "http/h2.h"
#include "net/conn.h"
#include "util/list.h"

struct mux;
struct mux_user;

/* Upcalls. */
struct mux_events {
	/* All of the request is with the kernel. */
	void (*on_sent)(struct mux_user *user);
	/* The reset of a request that was left is with the kernel, or the connection is closed. */
	void (*on_left)(struct mux_user *user);
};

/* Embedded in who has a stream. */
struct mux_user {
	const struct mux_events *events;
	/* Borrowed from mux_open() until it has left. */
	struct h2_stream *stream;
	/* NULL exactly while it is on none. */
	struct mux *mux;
	struct list link;
	bool is_sent, is_leaving;
};

/* Allocates nothing. */
void mux_user_init(
	struct mux_user *user, const struct mux_events *events, struct h2_stream *stream);

/* Begins a request: what the pool lent. False: not begun, and *ret_fault says why (as
 * h2_request()). */
bool mux_open(struct mux *mux, struct mux_user *user, const struct h2_request *request,
	struct h2_fault *ret_fault);

/* The user is done, whether its stream has ended or not: one that has not is reset. True: it has
 * left, at once. False: on_left comes, when the reset has gone out; no other upcall does. */
bool mux_leave(struct mux_user *user);

/* So many bytes of its body are done with (h2_consume); there is more of its request's body
 * (h2_resume). */
void mux_consume(struct mux_user *user, size_t size);
void mux_resume(struct mux_user *user);

/* Its times, its peer, its route. */
const struct conn *mux_conn(const struct mux *mux);

/* True where no stream was opened on it before that user's. */
bool mux_is_first(const struct mux_user *user);
