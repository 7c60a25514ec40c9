/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names to addresses, each asked once at a time however many want it, and remembered for a short
 * while (getaddrinfo tells no time to live). "localhost" is the loopback without asking (RFC 6761
 * 6.3). Who stops waiting takes nothing from the others; a look-up under way is not stopped.
 *
 * What was learned under another configuration of the host (resolv.conf, hosts, nsswitch.conf) is
 * not used any more once that has changed, which is seen within RESOLVER_LOOK_NS.
 */

#include <stdint.h>

#include "net/address.h"
#include "net/history.h"
#include "net/lookup.h"
#include "proto/fault.h"
#include "util/clock.h"
#include "util/list.h"
#include "util/text.h"

/* How often the host's configuration is looked at, while names are asked for. */
#define RESOLVER_LOOK_NS (100 * NS_PER_MS)

struct resolver;
struct resolver_wait;

/* The answer, good until the callback returns: addresses (ports are 0), or none and the fault. */
struct resolver_answer {
	const struct address *addresses;
	uint32_t n_addresses;
	const struct fault *fault;
};

/* An upcall. The wait is over before it is called. */
typedef void (*resolver_callback)(struct resolver_wait *wait, const struct resolver_answer *answer);

/* Embedded in who waits. */
struct resolver_wait {
	struct list link;
	resolver_callback on_answer;
};

struct resolver_options {
	uint64_t positive_ns, negative_ns;
	/* Names remembered at once. */
	uint32_t names_max;
};

/* The pool stays the caller's. NULL: no memory. */
struct resolver *resolver_new(
	struct ring *ring, struct lookup_pool *pool, const struct resolver_options *options);

/* Nobody may be waiting. Takes NULL, returns NULL. */
struct resolver *resolver_free(struct resolver *resolver);

/* The answer comes by on_answer: at once (before this returns) where it is known. */
void resolver_ask(struct resolver *resolver, struct text host, struct resolver_wait *wait,
	resolver_callback on_answer);

/* No answer shall come any more. Does nothing where it does not wait. */
void resolver_leave(struct resolver_wait *wait);

/* What became of addresses: of those of names, and of any others. Borrowed. */
struct history *resolver_history(struct resolver *resolver);

/* Forgets the names that are not being asked for, and the history. How many of the names had an
 * answer still. */
uint32_t resolver_flush(struct resolver *resolver);

/* Names being asked for now. */
uint32_t resolver_pending(const struct resolver *resolver);
