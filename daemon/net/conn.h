/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One connection to an origin, from the wish for it to its closed descriptor: dialled, through
 * its TLS handshake, lent to one user at a time, idle in between.
 *
 * Owned by the pool. It is freed by nothing but the completion of its own end, so it outlives
 * every upcall. Whatever ends it, the road is one: conn_abort (by its user, or by the pool while
 * it is idle) detaches it, asks the kernel for what is in flight, closes the descriptor when
 * nothing is, and says on_closed last.
 *
 * One that is warmed has no user while it is dialled: ready, it is idle at once; lent before that,
 * its user sees what is left of the dial. One that several wait for (pool_lease()) has none either:
 * the pool tells them how it goes.
 *
 * One that speaks HTTP/2 is its mux's as soon as it is ready (net/mux.h), ACTIVE to its end, also
 * while no stream is on it.
 *
 *   DIALING -> (TUNNELLING ->) (HANDSHAKING ->) ACTIVE <-> IDLE
 *        any of them -> CANCELLING -> CLOSING -> freed
 */

#include "net/dial.h"
#include "net/tls.h"
#include "ring/ring.h"
#include "util/buffer.h"

struct conn;
struct conn_user;
struct mux;
struct pool;
struct tunnel;

enum conn_state {
	CONN_DIALING,
	/* Connected to the proxy, who is asked for a way to the origin. */
	CONN_TUNNELLING,
	CONN_HANDSHAKING,
	/* Lent to its user, ready for a request. */
	CONN_ACTIVE,
	/* In its route's idle list; without a user. (One that is shared is never in this state.) */
	CONN_IDLE,
	/* Operations in flight are being ended. */
	CONN_CANCELLING,
	/* The descriptor is being closed, or there is none; on_closed follows. */
	CONN_CLOSING,
};

/* How bytes are received. */
enum conn_receive {
	/* As they come, a few KiB at a time, always armed. */
	CONN_RECEIVE_SHORT,
	/* For long bodies: large pieces, each asked for anew. */
	CONN_RECEIVE_LONG,
	/* Not even copied: on_dropped says how many bytes there were. Not under TLS. */
	CONN_RECEIVE_DROP,
	/* Not at all: the peer will feel it. */
	CONN_RECEIVE_NONE,
};

/* What a connection tells its user. After conn_abort() only on_closed comes. Upcalls. */
struct conn_events {
	/* The names are resolved; or the transport is connected and TLS begins. Or who awaited a
	 * connection has been given one that is dialled for it alone (user->conn). */
	void (*on_progress)(struct conn_user *user);
	/* Connected, handshake done: a request may be sent on user->conn. Not for an idle one that
	 * was lent, but to who awaited one. */
	void (*on_ready)(struct conn_user *user);
	/* What it awaited, or dialled, is shared (HTTP/2), and no longer its: a stream may be
	 * opened on it now (mux_open()). */
	void (*on_shared)(struct conn_user *user, struct mux *mux);
	/* All of what conn_send() was given has been taken by the kernel. */
	void (*on_sent)(struct conn_user *user);
	/* Plaintext. The view is good until this returns. */
	void (*on_data)(struct conn_user *user, const char *data, size_t size);
	/* So many bytes were received and dropped, as conn_drop() asked. */
	void (*on_dropped)(struct conn_user *user, size_t size);
	/* It failed, or (fault == NULL) the peer has closed properly. The user aborts it next, if
	 * it was its own; one that awaited it has nothing to abort. */
	void (*on_end)(struct conn_user *user, const struct fault *fault);
	/* Nothing of it is left. */
	void (*on_closed)(struct conn_user *user);
};

/* Embedded in who has the connection. */
struct conn_user {
	const struct conn_events *events;
	/* What the pool lent: its alone, being dialled or ready. NULL: none, or one that is
	 * awaited. */
	struct conn *conn;
	/* The pool's: the route it awaits one of (NULL: it awaits none), its place there, and
	 * whether it takes none that was there before: of those that are shared, so many. */
	struct route *route;
	struct list waiting;
	uint64_t muxes_seen;
	bool wants_fresh;
};

/* A connection's dial: the pool's memory, lent for as long as it takes. */
struct conn_dial {
	struct dial dial;
	struct conn *conn;
};

/* When it became what, 0 while it has not. Of one that was lent while it was dialled, what was over
 * by then took no time. */
struct conn_times {
	uint64_t dialed_ns, resolved_ns, connected_ns, ready_ns;
};

struct conn {
	struct pool *pool;
	struct ring *ring;
	/* The pool's, who counts us in it. */
	struct route *route;
	/* NULL while idle, or while it is dialled for nobody or for several. */
	struct conn_user *user;
	enum conn_state state;
	int fd;
	/* While dialling and until that is joined, else NULL. */
	struct conn_dial *dialling;
	struct op receive_op, send_op, close_op;
	/* What is armed (meaningful while receive_op is in flight), and what is wanted. */
	enum conn_receive armed, wanted;
	/* How many bytes may be dropped. */
	uint64_t drop_size;
	/* What the kernel has or is to get next: the user's memory, until on_sent or on_closed;
	 * under TLS the ciphertext. */
	const char *send_data;
	size_t send_size;
	/* Bytes of the user's that the kernel has taken (all or none under TLS). */
	size_t sent_size;
	/* Bytes of anything that the kernel has taken: whether an upload moves. */
	uint64_t taken_size;
	/* While TUNNELLING, else NULL. */
	struct tunnel *tunnel;
	/* NULL for http. */
	struct tls *tls;
	/* TLS records in flight. */
	struct buffer ciphertext;
	/* True exactly when on_sent is owed; it stays owed where the peer takes no more. */
	bool sending;
	/* True exactly when it has been idle: the peer may have closed it meanwhile. */
	bool reused;
	/* True exactly when it was dialled for nobody, and nobody has had it or waits for it. */
	bool is_warm;
	/* The last thing to happen; and a failure to encrypt, to be told when nobody is calling. */
	struct task reap, broken;
	/* Its place among the route's idle or warming ones, and among the pool's. */
	struct list route_link, idle_link;
	uint64_t idle_since_ns;
	struct conn_times times;
	char remote[ADDRESS_TEXT_MAX];
};

/* Dials. The memory of both is the pool's; `conn` is cleared. No upcall comes before this
 * returns. `user` is NULL where it is warmed. */
void conn_start(struct conn *conn, struct conn_dial *dialling, struct pool *pool,
	struct route *route, struct conn_user *user);

/* `data` stays the caller's and unchanged until on_sent or on_closed. One at a time. */
void conn_send(struct conn *conn, const char *data, size_t size);

/* From now on receive so. */
void conn_receive(struct conn *conn, enum conn_receive how);

/* From now on drop what comes, but not more than `size` bytes (> 0); UINT64_MAX: all until the end.
 * What is under way may still come by on_data: then it is to be asked for anew. */
void conn_drop(struct conn *conn, uint64_t size);

/* The end, whatever its state. on_closed comes later, never before this returns. Twice is once. */
void conn_abort(struct conn *conn);

/* For the pool: idle from now on (quiet, or warmed and just ready); or lent, from being idle or
 * warmed, to its next user. */
void conn_rest(struct conn *conn);
void conn_lend(struct conn *conn, struct conn_user *user);

/* For the pool: one that was warmed is dialled for somebody now, though not for one user; and one
 * that has just become ready gets its user. */
void conn_hurry(struct conn *conn);
void conn_give(struct conn *conn, struct conn_user *user);

/* True where the user may give it back: nothing of it is in flight but its receive. */
static inline bool conn_is_quiet(const struct conn *conn)
{
	return conn->state == CONN_ACTIVE && !conn->sending && op_is_idle(&conn->send_op);
}
