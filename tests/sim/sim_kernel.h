/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel behind the fake ring: descriptors, and the operations that wait for them. What it
 * asserts is how the daemon uses it; what it answers is whatever a kernel may.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ring/op.h"
#include "sim_net.h"
#include "util/list.h"

struct sim_file;

enum sim_kind {
	SIM_ACCEPT,
	SIM_CONNECT,
	SIM_SEND,
	SIM_RECEIVE,
	SIM_RECEIVE_LARGE,
	SIM_RECEIVE_DROP,
	SIM_RECEIVE_MESSAGE,
	SIM_READ,
	SIM_WRITE,
	SIM_TRUNCATE,
	SIM_HANGUP,
	SIM_CLOSE,
	SIM_KINDS,
};

/* Who looks at a stream from the daemon's side. */
struct sim_watch {
	/* The daemon wants to send these bytes; the rest of a short send comes again. */
	void (*on_send)(struct sim_end *end, const char *data, size_t size);
	/* The kernel has taken these bytes. */
	void (*on_sent)(struct sim_end *end, const char *data, size_t size);
	/* The daemon is about to be told what came of a send or a receive, or that it is
	 * connected. */
	void (*on_told)(struct sim_end *end, enum sim_kind kind, int result);
	/* The daemon is about to be told that its descriptor is closed. */
	void (*on_closed)(struct sim_end *end);
};

/* One operation from its start to its last completion. */
struct sim_flight {
	/* In the order of starting; of the ring's queue, then of those in the kernel. */
	struct list link;
	struct op *op;
	enum sim_kind kind;
	int fd;
	uint16_t generation;
	/* The stream, where there is one yet, and who looks at it. */
	struct sim_end *end;
	const struct sim_watch *watch;
	bool in_kernel, cancel_asked;
	/* True exactly when the last completion has been made. */
	bool is_over;
	/* True exactly when a try is on its way, and how many events know this flight. */
	bool trying;
	unsigned n_events;
	/* The caller's memory. */
	const char *data;
	size_t size;
	uint64_t sum;
	char *memory;
	/* Of a file. */
	uint64_t offset;
	/* For a connect: where to, and what will come of it. */
	const struct sockaddr *address_given;
	struct sockaddr_storage address;
	int result;
};

/* A completion that the daemon has not been told of. */
struct sim_ready {
	struct sim_flight *flight;
	int result;
	bool more, nonempty;
	char *buffer;
	size_t buffer_size;
	/* Descriptors that came with it. */
	int *fds;
	unsigned n_fds;
};

/* A new kernel without descriptors. */
void sim_kernel_begin(void);

/* Descriptors that are not closed, and operations that are not over. */
unsigned sim_kernel_descriptors(void);
unsigned sim_kernel_flights(void);

/* A listening descriptor, and a connection to it. False: nobody listens any more. */
int sim_kernel_listen(const struct sim_watch *watch);
bool sim_kernel_knock(int fd, struct sim_end *daemon_end);
void sim_kernel_unlisten(int fd);

/* A connected descriptor. */
int sim_kernel_adopt(struct sim_end *daemon_end, const struct sim_watch *watch);

/* A socket; the descriptor or -errno. */
int sim_kernel_socket(int family);

/* The daemon's end of a descriptor's stream. */
struct sim_end *sim_kernel_end(int fd);

/* What was passed. */
struct sim_file *sim_kernel_file(int fd);

/* ring_peer_is_gone(): the daemon has been told. */
bool sim_kernel_peer_is_gone(int fd);

/* What ring.h starts: checked, and queued for the next turn. */
struct sim_flight *sim_kernel_start(
	enum sim_kind kind, struct op *op, int fd, op_callback on_complete);
void sim_kernel_forget(int fd);
void sim_kernel_cancel(struct op *op);

/* What the bytes of a send are known by. */
uint64_t sim_sum(const char *data, size_t size);

/* Give the kernel what was queued. */
void sim_kernel_submit(void);

/* The next completion, in an order that the kernel might choose; false: none. */
bool sim_kernel_take(struct sim_ready *ret_ready);
bool sim_kernel_has_ready(void);

/* Tell the daemon. */
void sim_kernel_dispatch(struct sim_ready *ready);
