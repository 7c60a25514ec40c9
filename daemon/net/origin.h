/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An origin (scheme, host, port) bounds the requests it gets from everybody. A route is one way
 * to reach it: all that must be equal for two requests to share a connection. Most origins have
 * one route. A share is what one user has of an origin, over all that user's routes to it. All
 * are made by net/pool when first asked for, and go when nobody has used them for a while.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"
#include "net/tls.h"
#include "proto/plan.h"
#include "ring/task.h"
#include "ring/timer.h"
#include "util/bound.h"
#include "util/list.h"
#include "util/rate.h"
#include "util/text.h"

struct conn;
struct pool;

struct origin {
	struct list link;
	uint64_t hash;
	/* "https://host:port", owned. */
	struct text key;
	/* Requests on the wire. */
	struct bound requests;
	/* One for each user. */
	struct list shares;
	uint32_t n_routes;
};

/* What one user has of one origin (net/share.h). */
struct share {
	struct list link;
	struct pool *pool;
	struct origin *origin;
	uid_t uid;
	/* Requests on the wire: never bounded, only ever paused. */
	struct bound requests;
	/* While it is paused, else 0. */
	uint64_t paused_until_ns;
	struct timer resume;
	/* Requests sent of late, and those of them that were sent again: the scheduler's to count.
	 */
	struct rate sent, repeated;
	uint32_t n_routes;
};

/* What a connection may be shared by, and a TLS session. Views. */
struct route_key {
	uid_t uid;
	bool is_https;
	/* No verification. */
	bool insecure;
	enum plan_http http;
	uint16_t port;
	struct text host;
	/* PEM; data == NULL: none. `key` is a private one. */
	struct text ca, cert, key;
	/* data == NULL: none; digests of public keys, one behind the other. */
	struct text server_name, pins;
	/* The address override in canonical form, data == NULL: none; and its addresses. */
	struct text resolve;
	const struct text *addresses;
	uint32_t n_addresses;
	/* The HTTP proxy it is reached by, which is dialled instead; data == NULL: none. The
	 * override is the origin's, so it says nothing then. What the proxy is shown is
	 * "user:password", data == NULL: nothing. */
	struct text proxy_host, proxy_credentials;
	uint16_t proxy_port;
};

/* What an origin's connections speak. */
enum route_protocol {
	/* None has been made yet. */
	ROUTE_UNKNOWN,
	/* One request at a time on each. */
	ROUTE_HTTP_1_1,
	/* They are shared. */
	ROUTE_HTTP_2,
};

struct route {
	struct list link;
	struct pool *pool;
	struct origin *origin;
	/* Of the key's user. */
	struct share *share;
	uint64_t hash;
	/* All members in one text, owned; wiped when the route goes. */
	struct text key;
	/* Views into it. */
	struct text host, ca, cert, private_key, server_name, pins;
	struct text proxy_host, proxy_credentials;
	uint16_t proxy_port;
	/* By which TLS sessions are kept and resumed: a digest of `key`. */
	unsigned char session_key[TLS_DIGEST_SIZE];
	uint16_t port;
	bool is_https;
	bool insecure;
	enum plan_http http;
	/* As the last handshake had it; HTTP/1.1 from the beginning where HTTP/2 is not offered. */
	enum route_protocol protocol;
	/* True exactly when there is a session_key. */
	bool keeps_sessions;
	/* The override; n_addresses == 0: by name. */
	struct address *addresses;
	uint32_t n_addresses;
	/* Idle connections, the one used last first; and those that are dialled for nobody, the
	 * one dialled first first. */
	struct list idle, warming;
	uint32_t n_idle, n_warming;
	/* Connections that are shared and open, the first one first (struct mux). */
	struct list muxes;
	/* Those ever made. */
	uint64_t muxes_made;
	/* What the peer has shown to allow: streams at once on a connection (0: it has not), and
	 * requests in all on one before it goes away (UINT32_MAX: any number). */
	uint32_t streams_max, requests_max;
	/* Who awaits a connection (struct conn_user), the first one first; their number, which
	 * counts those who are just being told something as well. */
	struct list waiting;
	uint32_t n_waiting;
	/* What is dialled for all who wait; NULL: nothing. It has no user. */
	struct conn *pilot;
	/* They can be given something at the end of this turn. */
	struct task serve;
	/* Connections in any state, and attempts that hold the route. */
	uint32_t n_conns;
	uint32_t n_users;
};

/* True where the origin is reached through a proxy, who passes on bytes (https) or requests. */
static inline bool route_has_proxy(const struct route *route)
{
	return route->proxy_host.data;
}

/* Where connections are made to: the proxy, or the origin itself. */
static inline struct text route_dial_host(const struct route *route)
{
	return route_has_proxy(route) ? route->proxy_host : route->host;
}

static inline uint16_t route_dial_port(const struct route *route)
{
	return route_has_proxy(route) ? route->proxy_port : route->port;
}

/* True where HTTP/2 is offered in the handshake. */
static inline bool route_offers_h2(const struct route *route)
{
	return route->is_https && route->http != PLAN_HTTP_1_1;
}
