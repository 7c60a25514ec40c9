/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a route to a connected descriptor: the addresses (by override, by literal, by name), then
 * one after the other until one accepts (RFC 8305: the next after 250 ms, or at once when one has
 * failed). What became of an address is noted, and decides who goes first and who last from then on
 * (net/history). Time limits are the caller's, who may abort at any moment.
 *
 * A dial ends once, by on_connected or by on_failed; then, or after dial_abort(), on_joined comes
 * when the kernel has nothing of it any more (at once where that is so already). Only then may it
 * be freed.
 */

#include "net/origin.h"
#include "net/resolver.h"
#include "proto/fault.h"
#include "ring/ring.h"

#define DIAL_ADDRESSES_MAX 16

struct dial;

enum dial_state {
	DIAL_RESOLVING,
	DIAL_CONNECTING,
	/* It has ended or was aborted: what is in flight is being waited for. */
	DIAL_JOINING,
	DIAL_JOINED,
};

/* Upcalls. */
struct dial_events {
	/* The addresses are known: connecting begins. */
	void (*on_resolved)(struct dial *dial);
	/* The descriptor becomes the callee's. */
	void (*on_connected)(struct dial *dial, int fd, const struct address *address);
	void (*on_failed)(struct dial *dial, const struct fault *fault);
	void (*on_joined)(struct dial *dial);
};

/* How many dials begin in one turn. Thousands of connections asked for at once would overrun the
 * queues of the network below; a lost SYN is sent again only after a second. Shared by all dials,
 * embedded in their owner. */
struct dial_gate {
	struct ring *ring;
	/* Those that nobody waits for begin when all others have. */
	struct list waiting, patient;
	struct task task;
	struct timer timer;
	/* The turn that is counted, and how many have begun in it. */
	uint64_t turn_ns;
	uint32_t n_begun;
};

void dial_gate_init(struct dial_gate *gate, struct ring *ring);

/* None may be waiting. */
void dial_gate_deinit(struct dial_gate *gate);

/* One address, and the attempt to connect to it. */
struct dial_try {
	struct op op;
	struct dial *dial;
	struct address address;
	uint64_t begun_ns;
	/* -1 while there is no attempt. */
	int fd;
};

struct dial {
	const struct dial_events *events;
	struct ring *ring;
	/* Borrowed: the connection's. */
	const struct route *route;
	enum dial_state state;
	struct resolver *resolver;
	/* Among those that wait at the gate. */
	struct list link;
	struct resolver_wait wait;
	struct timer stagger;
	struct dial_try tries[DIAL_ADDRESSES_MAX];
	uint32_t n_tries;
	/* The next one to try. */
	uint32_t next;
	uint32_t n_in_flight;
	/* The most telling failure so far. */
	struct fault fault;
};

/* Starts, at the end of this turn or a little later: no upcall comes before this returns. */
void dial_start(struct dial *dial, struct dial_gate *gate, struct resolver *resolver,
	const struct route *route, const struct dial_events *events);

/* Nobody waits for it, or somebody does now: where it has not begun yet, others go first, or not
 * any more. */
void dial_set_patient(struct dial *dial, struct dial_gate *gate, bool patient);

/* Gives up: of the upcalls only on_joined follows. Does nothing once joining. */
void dial_abort(struct dial *dial);
