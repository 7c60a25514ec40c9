/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * ring/ring.h without a kernel: every operation waits until the test completes it, and time
 * stands still until the test moves it. What the daemon may not do (start an operation on a
 * closed descriptor, two receives on one, close with something in flight) fails the test.
 *
 * fake_turn() is one turn: what is automatic completes, deadlines pass, what was put off runs.
 * Automatic are cancels (-ECANCELED), closes, connects and sends, and what regular files do,
 * unless the test holds them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "proto/fault.h"
#include "ring/ring.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/text.h"

/* Descriptors begin where no real one is, so that a mix-up shows; each is given out once. */
#define FAKE_FD_FIRST 1000

enum fake_kind {
	FAKE_ACCEPT,
	FAKE_CONNECT,
	FAKE_SEND,
	/* Of any of the kinds of enum fake_receive. */
	FAKE_RECEIVE,
	FAKE_CLOSE,
	/* Of files (fake_file.h). Many may be in flight on one. */
	FAKE_READ,
	FAKE_WRITE,
	FAKE_TRUNCATE,
	FAKE_KINDS,
};

/* In the order of ring.h. */
enum fake_receive {
	FAKE_RECEIVE_MULTISHOT,
	FAKE_RECEIVE_LARGE,
	FAKE_RECEIVE_MESSAGE,
	FAKE_RECEIVE_DROP,
};

/* An operation that is not over. */
struct fake_flight {
	struct list link;
	struct op *op;
	enum fake_kind kind;
	enum fake_receive how;
	/* Where its data was not to be expected yet. */
	bool soon;
	int fd;
	struct address address;
	const char *data;
	size_t size;
	/* Of a read: where its bytes go. */
	char *room;
	/* Of a read or write: where in the file; of a truncate its length to be. */
	uint64_t offset;
};

/* What is not done by itself while true. */
struct fake_holds {
	bool connects, sends, closes, cancels, files;
};

extern struct fake_holds fake_holds;

/* The next sockets cannot be had: a negative errno; 0: they can. */
extern int fake_socket_error;

/* A new ring; the clock at a whole second. */
struct ring *fake_ring_begin(void);

/* Nothing is in flight, no timer armed, no descriptor open. */
void fake_ring_end(void);

/* A connected descriptor of a client with that uid. */
int fake_descriptor(uid_t uid);

/* Descriptors that are not closed. */
unsigned fake_n_open(void);
bool fake_is_open(int fd);

/* One more than the last descriptor given out. */
int fake_end_fd(void);

/* The peer of a client's descriptor is gone for good. */
void fake_set_gone(int fd);

/* The flight of that kind on that descriptor (-1: the first one on any), or NULL. */
struct fake_flight *fake_find(enum fake_kind kind, int fd);
unsigned fake_n_flights(enum fake_kind kind);

/* Completes it. For a send, `result` bytes are taken. */
void fake_complete(enum fake_kind kind, int fd, int result);

/* As above, and the operation stays in flight. */
void fake_complete_more(enum fake_kind kind, int fd, int result);

/* The descriptor receives these bytes, which must be waited for: of a large text as many
 * completions as it takes. */
void fake_receive(int fd, const char *text);
void fake_receive_bytes(int fd, const char *data, size_t size);

/* The same in one piece, with descriptors that were passed; `lost`: some did not come. */
void fake_receive_passed(int fd, const char *text, const int *fds, unsigned n_fds, bool lost);

/* All bytes that sends have taken since fake_forget(). */
struct text fake_sent(int fd);
void fake_forget(int fd);

/* One turn without time passing. True where something happened in it. */
bool fake_turn(void);

/* Turns until nothing happens any more without time. */
void fake_run(void);

/* Lets time pass, deadline by deadline, with as many turns as that takes. */
void fake_pass(uint64_t ns);

/* Look-ups (net/lookup.h): each waits for the test, too. */

struct lookup_pool *fake_lookup_begin(void);

/* The queue is full. */
extern bool fake_lookup_is_full;

/* The host's configuration has changed since this was last seen. How often that was looked at, and
 * how often relief was asked for. */
extern bool fake_lookup_has_changed;
extern unsigned fake_lookup_n_looks, fake_lookup_n_reliefs;

/* Look-ups that wait, and all that were ever asked for. */
unsigned fake_lookup_n_waiting(void);
unsigned fake_lookup_n_asked(void);

/* The answer for a host that is waited for: IP literals, comma separated. */
void fake_lookup_answer(const char *host, const char *addresses);
void fake_lookup_fail(const char *host, enum fault_code code);
