/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table of descriptors: between the two halves of the kernel, sim_kernel.c (what the daemon
 * asks and is told) and sim_flight.c (what happens meanwhile).
 */

#include "sim_kernel.h"

#define SIM_FD_FIRST 3
#define SIM_FDS_MAX  2048
#define SIM_READY    16384

enum sim_fd_kind {
	SIM_FD_FREE,
	SIM_FD_LISTENER,
	SIM_FD_NEW,
	SIM_FD_STREAM,
	SIM_FD_FILE,
};

struct sim_fd {
	enum sim_fd_kind kind;
	bool closing;
	/* True exactly when the daemon was told of a reset: once, as SO_ERROR is. */
	bool error_told;
	/* Operations the daemon waits for. */
	unsigned n_flights;
	struct sim_end *end;
	struct sim_file *file;
	const struct sim_watch *watch;
	/* At most one of each. */
	struct sim_flight *receive, *send, *other;
};

extern struct sim_fd sim_fds[SIM_FDS_MAX];
extern const char *const sim_kind_names[SIM_KINDS];

int sim_fd_open(enum sim_fd_kind kind, struct sim_end *end, const struct sim_watch *watch);
void sim_fd_close(int fd);

/* Something happened on the daemon's end of a stream. */
void sim_fd_on_change(struct sim_end *end);

/* Where the descriptor notes its operation of this kind; NULL: nowhere (a close). */
struct sim_flight **sim_fd_place(struct sim_fd *fd, enum sim_kind kind);

/* Try it `delay_ns` from now. */
void sim_flight_poke(struct sim_flight *flight, uint64_t delay_ns);

/* An event: the kernel comes to a cancel. */
void sim_flight_cancel(void *context);

/* The last who knows it lets it go. */
void sim_flight_let_go(struct sim_flight *flight);

/* A completion, for the daemon to be told. */
struct sim_ready *sim_kernel_push(struct sim_flight *flight, int result, bool more);

/* Those who wait to be accepted; the first of them, or NULL. */
unsigned sim_kernel_waiting(void);
struct sim_end *sim_kernel_answer(void);
