/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An origin (scheme, host, port) bounds the requests it gets from everybody. A route is one way
 * to reach it: all that must be equal for two requests to share a connection. Most origins have
 * one route. Both are made by net/pool when first asked for, and go when nobody has used them for
 * a while.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"
#include "util/bound.h"
#include "util/list.h"
#include "util/text.h"

struct origin {
	struct list link;
	uint64_t hash;
	/* "https://host:port", owned. */
	struct text key;
	/* Requests on the wire. */
	struct bound requests;
	uint32_t n_routes;
};

/* What a connection may be shared by. Views. */
struct route_key {
	uid_t uid;
	bool is_https;
	/* No verification. */
	bool insecure;
	uint16_t port;
	struct text host;
	/* data == NULL: none. */
	struct text ca, server_name;
	/* The address override in canonical form, data == NULL: none; and its addresses. */
	struct text resolve;
	const struct text *addresses;
	uint32_t n_addresses;
};

struct route {
	struct list link;
	struct origin *origin;
	uint64_t hash;
	/* All members in one text, owned. */
	struct text key;
	/* Views into an allocation of the route's own. */
	struct text host, ca, server_name;
	uint16_t port;
	bool is_https;
	bool insecure;
	/* The override; n_addresses == 0: by name. */
	struct address *addresses;
	uint32_t n_addresses;
	/* Idle connections, the one used last first. */
	struct list idle;
	/* Connections in any state, and attempts that hold the route. */
	uint32_t n_conns;
	uint32_t n_users;
};
