/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The way through an HTTP proxy to an origin (CONNECT, RFC 9110 section 9.3.6), as a codec: a
 * request to be sent, and its response, read as strictly as any other (http/h1, with its limits).
 * No descriptor. What comes behind the response is the origin's: nothing may, as TLS begins with
 * us.
 *
 * Faults: PROXY_AUTH (407), PROXY_REFUSED (another answer than 2xx, or none that can be read),
 * PROXY_CONNECT (it breaks off).
 */

#include <stddef.h>

#include "net/origin.h"
#include "proto/fault.h"

struct tunnel;

/* To that route's origin, by its proxy. NULL: no memory. */
struct tunnel *tunnel_new(const struct route *route);

/* Takes NULL, returns NULL. Wipes what it held. */
struct tunnel *tunnel_free(struct tunnel *tunnel);

/* What the proxy is to be sent. Good until tunnel_free(). */
struct text tunnel_request(const struct tunnel *tunnel);

enum tunnel_result {
	TUNNEL_MORE,
	/* It stands. */
	TUNNEL_DONE,
	TUNNEL_FAULT,
};

/* Bytes from the proxy, also after TUNNEL_DONE: then they are a fault. */
enum tunnel_result tunnel_feed(
	struct tunnel *tunnel, const char *data, size_t size, struct fault *ret_fault);

/* The proxy has closed. */
void tunnel_feed_end(const struct tunnel *tunnel, struct fault *ret_fault);

/* True once it stands. */
bool tunnel_is_done(const struct tunnel *tunnel);

/* PROXY_CONNECT of that route's proxy, and `why`. */
void tunnel_fault(const struct route *route, const char *why, struct fault *ret_fault);
