/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection that many requests share (HTTP/2): the user of a net/conn, with the codec http/h2
 * on top. What a response is made of goes from the codec to its stream's user directly; the mux
 * knows who is on the connection, what goes out and when, and how it ends.
 *
 *   OPEN (streams may be opened) -> LEAVING (a GOAWAY, no ids left, or the peer is silent: those
 *   there finish) -> gone
 *
 * All that is to be sent in a turn goes out together, at its end. It belongs to the pool: with no
 * stream left it is idle there, like any other connection. A connection that fails tells every
 * stream (on_reset of the codec), and then closes. Users may leave later than that: it is freed
 * with the last of them.
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
	/* Among those of the mux whose request or reset is in the same state. */
	struct list link;
	uint64_t opened_ns;
	/* is_first: mux_is_first(). */
	bool is_sent, is_leaving, is_first;
};

/* Allocates nothing. */
void mux_user_init(
	struct mux_user *user, const struct mux_events *events, struct h2_stream *stream);

/* Begins a request, on what the pool lent and before the lender's call or upcall is over. False:
 * not begun, and *ret_fault says why (as h2_request()). */
bool mux_open(struct mux *mux, struct mux_user *user, const struct h2_request *request,
	struct h2_fault *ret_fault);

/* The user is done, whether its stream has ended or not: one that has not is reset. True: it has
 * left, at once. False: on_left comes, when the reset (also that of a response that was malformed)
 * has gone out, or the connection that failed is closed; no other upcall does. Always true after a
 * fault that says that the request was not processed. */
bool mux_leave(struct mux_user *user);

/* So many bytes of its body are done with (h2_consume); there is more of its request's body
 * (h2_resume). */
void mux_consume(struct mux_user *user, size_t size);
void mux_resume(struct mux_user *user);

/* Its times, its peer, its route; NULL once it is closed. */
const struct conn *mux_conn(const struct mux *mux);

/* True where no stream was opened on it before that user's, and it had not been idle. */
bool mux_is_first(const struct mux_user *user);

/* For net/pool alone. */

/* On a connection that is ready, whose user it is to become; its place among others of the route.
 * NULL: no memory. It frees itself. */
struct mux *mux_new(struct pool *pool, struct conn *conn, uint64_t number);

struct conn_user *mux_conn_user(struct mux *mux);
struct list *mux_link(struct mux *mux);
struct mux *mux_of_link(struct list *link);
uint64_t mux_number(const struct mux *mux);

/* True where a stream may be opened on it now. */
bool mux_can_open(const struct mux *mux);

/* Sends what there is now, and not at the end of the turn. Upcalls. */
void mux_push(struct mux *mux);
