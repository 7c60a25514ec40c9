/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names to addresses by getaddrinfo(3), which alone honours nsswitch, on a few threads of its
 * own. Below net/resolver, which asks each name once at a time and remembers the answers; the
 * simulator puts its own in this place.
 *
 * A look-up cannot be stopped: who no longer wants it ignores the answer. So that a name whose
 * servers are silent takes no thread from the others, questions that have waited for long get
 * threads beyond the usual number (lookup_pool_relieve()), up to LOOKUP_RELIEF_FACTOR times as many
 * in all. Beyond that they wait in the queue, and beyond the queue's bound they are refused.
 */

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/fault.h"
#include "ring/ring.h"
#include "util/list.h"

#define LOOKUP_HOST_MAX      254
#define LOOKUP_ADDRESSES_MAX 16

/* Of the usual number of threads. */
#define LOOKUP_RELIEF_FACTOR 4

struct lookup_pool;
struct lookup;

/* In the ring's thread. An upcall. */
typedef void (*lookup_callback)(struct lookup *lookup);

/* One question; embedded in its owner, which stays until on_done. */
struct lookup {
	struct list link;
	lookup_callback on_done;
	char host[LOOKUP_HOST_MAX];
	/* The answer: FAULT_NONE and at least one address (ports are 0), in the order of RFC 6724;
	 * of each family at least half of what there is room for, where the answer has as many; or
	 * DNS_NOT_FOUND, DNS_TEMPORARY. */
	struct fault fault;
	struct sockaddr_storage addresses[LOOKUP_ADDRESSES_MAX];
	uint32_t n_addresses;
};

/* No thread is made before it is needed. 0 or -errno. */
int lookup_pool_new(struct ring *ring, unsigned n_threads_max, unsigned n_queued_max,
	struct lookup_pool **ret_pool);

/* Questions still open are forgotten: their owners may go. Threads that are stuck are left to the
 * end of the process. Takes NULL, returns NULL. */
struct lookup_pool *lookup_pool_free(struct lookup_pool *pool);

/* Asks. False: the queue is full. */
bool lookup_start(struct lookup_pool *pool, struct lookup *lookup, lookup_callback on_done);

/* To be called from time to time while look-ups are open: what was queued at the last call and
 * still is gets a thread each, as far as the bound goes. */
void lookup_pool_relieve(struct lookup_pool *pool);

/* True exactly when what the host says about names (resolv.conf(5), hosts(5), nsswitch.conf(5),
 * gai.conf(5)) is another than at the last call, or when the pool was made. Looks at files. */
bool lookup_pool_has_changed(struct lookup_pool *pool);
