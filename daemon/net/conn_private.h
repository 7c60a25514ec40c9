/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connection's insides, for its own files: conn.c has what is true from the first byte to the
 * last (receiving, sending, the end), conn_dial.c how it comes to be.
 */

#include "net/conn.h"
#include "net/pool.h"
#include "net/tunnel.h"

static inline bool conn_is_open(const struct conn *conn)
{
	return conn->state <= CONN_IDLE;
}

/* conn.c */

/* `conn` is cleared. */
void conn_init(struct conn *conn, struct pool *pool, struct route *route, struct conn_user *user);

void conn_enter(struct conn *conn, enum conn_state state);

/* It failed or (fault == NULL) ended by itself. Nobody to tell: it goes. */
void conn_end(struct conn *conn, const struct fault *fault);

/* Close when it is being ended and nothing is in flight any more. */
void conn_join(struct conn *conn);

/* Have in flight what is wanted: start it, or end what is armed in another way. */
void conn_arm(struct conn *conn, bool soon);

/* Deal with what TLS makes of the bytes it was fed, until it wants more. */
void conn_pump_tls(struct conn *conn);

/* Hand the next bytes to the kernel, where it has none. */
void conn_pump_send(struct conn *conn);

/* conn_dial.c */

/* Bytes of the proxy's; all of what it was to be sent is with the kernel; its end. */
void conn_feed_tunnel(struct conn *conn, const char *data, size_t size);
void conn_check_tunnel(struct conn *conn);
void conn_end_tunnel(struct conn *conn);

/* Connected, handshake done. An upcall. */
void conn_become_ready(struct conn *conn);
