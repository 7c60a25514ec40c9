/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All connections to origins, by route: lent, given back, dialled where none is idle, and closed
 * when idle for too long or when there are too many. Owns connections, routes and origins.
 */

#include "net/conn.h"
#include "net/origin.h"
#include "net/resolver.h"
#include "net/share.h"
#include "net/tls.h"
#include "util/slab.h"
#include "util/table.h"

struct pool;

struct pool_options {
	/* Connections in all, and idle ones kept. */
	uint32_t conns_max, idle_max;
	uint64_t idle_timeout_ns;
	/* Of one origin; BOUND_NONE: no bound. */
	uint32_t requests_per_origin_max;
};

struct pool_counters {
	uint64_t dialled, reused, closed;
	/* Dialled for nobody, and of these those that got a user. */
	uint64_t warmed, warm_used;
	/* Connections that came to be shared, and requests that had a stream on one. */
	uint64_t shared, streams;
	uint32_t n_conns, n_idle, n_warming, n_shared, n_streams, n_routes, n_origins;
};

/* Embedded in who wants to know. */
struct pool_owner {
	/* The pause of that share is over: who waits for it may go on. An upcall. */
	void (*on_resumed)(struct pool_owner *owner, struct share *share);
};

/* All borrowed. NULL: no memory. */
struct pool *pool_new(struct ring *ring, struct resolver *resolver, struct tls_store *tls_store,
	const struct pool_options *options);

/* All connections must be gone (pool_drain, and their users). Takes NULL, returns NULL. */
struct pool *pool_free(struct pool *pool);

/* Borrowed, until another one is set; NULL: none. */
void pool_set_owner(struct pool *pool, struct pool_owner *owner);

/* The route for that key, made where it is new; NULL: no memory. The caller is counted as a user
 * of it until pool_leave(), which keeps it and its origin. */
struct route *pool_route(struct pool *pool, const struct route_key *key);
void pool_leave(struct pool *pool, struct route *route);

/* One more user of it. Returns the route. */
struct route *pool_stay(struct route *route);

/* What a lease has come to. */
enum lease {
	/* user->conn: ready now (state CONN_ACTIVE); or being dialled, with on_ready, on_shared or
	 * on_end to come (of one that was warmed the dial may have begun earlier). */
	LEASE_OWN,
	/* *ret_mux: a stream may be opened on it now. */
	LEASE_SHARED,
	/* Whether the route's connections are shared is not known before one is made, or there is
	 * no room left on those that are: the user awaits one with others. on_progress, on_ready,
	 * on_shared or on_end to come, unless pool_unlease(). */
	LEASE_AWAITED,
	/* No memory, or the bound. */
	LEASE_NONE,
};

/* A connection for the user. `fresh`: neither an idle nor a shared one that is there. */
enum lease pool_lease(struct pool *pool, struct route *route, struct conn_user *user, bool fresh,
	struct mux **ret_mux);

/* The user awaits no connection any more. */
void pool_unlease(struct pool *pool, struct conn_user *user);

/* The connection that those wait for who await one of that route; NULL: there is none, they wait
 * for room on those that are there. Its times are what their limits count from. In on_end it is
 * the one that failed. */
const struct conn *pool_awaited(const struct route *route);

/* Its user is done with it, and conn_is_quiet(). */
void pool_return(struct pool *pool, struct conn *conn);

/* Makes connections before anybody asks for one, until n_wanted of the route are idle or being
 * dialled so; fewer where that would be too many in all. What fails just goes. The caller is a user
 * of the route. */
void pool_warm(struct pool *pool, struct route *route, uint32_t n_wanted);

/* Closes what is idle of that user's connections. How many. */
uint32_t pool_flush(struct pool *pool, uid_t uid);

/* Keep nothing idle any more: close what is, and what is given back from now on. */
void pool_drain(struct pool *pool);

/* True where no connection is left in any state. */
bool pool_is_empty(const struct pool *pool);

struct pool_counters pool_counters(const struct pool *pool);

/* For net/conn alone. */

struct ring *pool_ring(struct pool *pool);
struct resolver *pool_resolver(struct pool *pool);
struct dial_gate *pool_gate(struct pool *pool);
struct tls_store *pool_tls_store(struct pool *pool);

/* Room for a TLS record's plaintext, good until somebody else asks for it. */
char *pool_plaintext(struct pool *pool);

/* The dial is over: its memory comes back. */
void pool_dial_done(struct pool *pool, struct conn_dial *dialling);

/* One of them begins to be closed. */
void pool_closing(struct pool *pool);

/* How it goes with one that is dialled and has no user: whoever waits for it is told. */
void pool_on_progress(struct pool *pool, struct conn *conn);

/* It is ready, and not shared. Without a user it gets the first of those who wait for it; where
 * there is none it becomes idle, or goes. */
void pool_on_ready(struct pool *pool, struct conn *conn);

/* It is ready, and shared: a mux becomes its user. Who it was dialled for is told. False: no
 * memory. */
bool pool_on_shared(struct pool *pool, struct conn *conn);

/* It has no user, and failed or (fault == NULL) ended: it goes, and whoever waits for it is told.
 */
void pool_on_lost(struct pool *pool, struct conn *conn, const struct fault *fault);

/* It leaves the idle ones, or those that are dialled for nobody. */
void pool_withdraw(struct pool *pool, struct conn *conn);

/* It is closed: its memory comes back. */
void pool_forget(struct pool *pool, struct conn *conn);

/* For net/mux alone. */

/* No stream is on it any more: it is idle, or goes; or one is again. */
void pool_rest(struct pool *pool, struct conn *conn);
void pool_wake(struct pool *pool, struct conn *conn);

/* A stream was opened on it; or one is over. */
void pool_on_stream(struct pool *pool, struct conn *conn, bool is_first);
void pool_on_stream_over(struct pool *pool);

/* There may be room for who waits. Upcalls. */
void pool_serve(struct route *route);

/* It takes no streams any more, and is in no list. */
void pool_on_unshared(struct pool *pool, struct route *route);
