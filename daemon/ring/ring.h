/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The only door to the kernel: everything that can wait goes through here, and the simulator
 * puts another door in its place. One ring, one thread, made and used by the same one.
 *
 * Starting an operation never fails: it is queued, and given to the kernel with all others at
 * the next turn. Every operation that was started completes, with a result or with -errno.
 * Descriptors are in blocking mode; those of ring_socket() may be numbers of the ring's own,
 * which only the ring understands.
 *
 * Limits: `entries` operations started between two entries to the kernel cost one entry more;
 * there is no bound on those in flight.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ring/op.h"
#include "ring/task.h"
#include "ring/timer.h"

struct ring;

/* What the kernel was found to have. Each can be refused by name: SETTLED_URING_DISABLE=a,b. */
struct ring_features {
	/* "defer": completions run when we ask for them, in this thread (SINGLE_ISSUER and
	 * DEFER_TASKRUN, 6.1). */
	bool defer;
	/* "multishot": a receive that stays armed (6.0). Without it each receive is started anew.
	 */
	bool multishot;
	/* "buffers": receives take a buffer from a shared ring (5.19). Without it: a poll, then a
	 * receive into the one buffer there is. */
	bool buffers;
	/* "registered": the ring's own descriptor needs no look-up (5.18). */
	bool registered;
	/* "restrictions": the ring refuses what the daemon never does (5.10). */
	bool restrictions;
	/* "slots": sockets stand in the ring's own table (5.12, and well since 6.13: before, a
	 * slot's socket stayed open as long as any request older than its closing lived). */
	bool slots;
	/* "noiowait": an idle daemon does not show as waiting for a disk (6.15). */
	bool noiowait;
	/* "sendwait": the kernel completes short sends by itself (MSG_WAITALL on send, 5.19). */
	bool sendwait;
	/* "truncate": a file is cut off by the ring (6.9). Without it: by ourselves, and the loop
	 * waits for the disk. */
	bool truncate;
};

struct ring_options {
	unsigned entries;
	unsigned completions;
	/* The shared receive buffers: how many, of what size. */
	unsigned n_buffers;
	unsigned buffer_size;
	/* For long bodies: few, large. */
	unsigned n_large_buffers;
	unsigned large_buffer_size;
	/* Names of features to leave off, comma separated; NULL: none. */
	const char *disable;
};

/* Since the ring was made. */
struct ring_counters {
	uint64_t enters, completions, stale;
	uint64_t accepts, connects, sends, receives, cancels, closes;
	uint64_t buffers_empty, overflows;
};

/* 0; or -errno with a sentence on cause and cure in *ret_why (static): -ENOSYS, -EPERM,
 * -ENOMEM, -EMFILE, -EINVAL (kernel too old). */
int ring_new(const struct ring_options *options, struct ring **ret_ring, const char **ret_why);

/* Nothing may be in flight whose owner still lives. Takes NULL, returns NULL. */
struct ring *ring_free(struct ring *ring);

const struct ring_features *ring_features(const struct ring *ring);
const struct ring_counters *ring_counters(const struct ring *ring);

/* The deadlines, checked once a turn. */
struct timer_wheel *ring_timers(struct ring *ring);

/* The work put off to the end of this turn. */
struct task_queue *ring_tasks(struct ring *ring);

/* The time of this turn (clock_now_ns): read once, when the kernel has answered. */
uint64_t ring_now(const struct ring *ring);

/* Submit what was started, wait for a completion or for the next deadline, but not past
 * `until_ns`; then call back for everything that has completed, for deadlines that passed, and
 * for what those put off. 0 (also where a signal came), or -errno where the kernel refuses to go
 * on. */
int ring_turn(struct ring *ring, uint64_t until_ns);

/* A byte-stream socket for `family` (AF_INET, AF_INET6) with TCP_NODELAY, to be connected; the
 * descriptor, or -errno. Does not wait. */
int ring_socket(struct ring *ring, int family);

/* The uid on the other end of an accepted Unix socket (SO_PEERCRED); 0 or -errno. */
int ring_peer_uid(struct ring *ring, int fd, uid_t *ret_uid);

/* True where the other end of a Unix socket is gone for good, false where it has only said that
 * it will send no more. */
bool ring_peer_is_gone(struct ring *ring, int fd);

/* Accepts until cancelled: a completion with the new descriptor each time. `more` false: it has
 * ended (an error, or the kernel's own doing) and may be started again. */
void ring_accept(struct ring *ring, struct op *op, int fd, op_callback on_complete);

/* The address must stay until the completion. */
void ring_connect(struct ring *ring, struct op *op, int fd, const struct sockaddr *address,
	socklen_t address_size, op_callback on_complete);

/* `data` must stay until the completion. One send at a time for a descriptor. May be short. */
void ring_send(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	op_callback on_complete);

/* Receives until cancelled, at the end, or when the buffers ran out (-ENOBUFS, start again: the
 * buffers are back by the next turn). Each completion has `data`. `soon` false: nothing can have
 * arrived yet, so the kernel need not look. */
void ring_receive(struct ring *ring, struct op *op, int fd, bool soon, op_callback on_complete);

/* One receive into one of the large buffers. Its completion has `data`; -ENOBUFS as above. */
void ring_receive_large(struct ring *ring, struct op *op, int fd, op_callback on_complete);

/* The most descriptors that one message can pass (SCM_MAX_FD of the kernel). */
#define RING_FDS_MAX 253

/* The same on a Unix socket, with the descriptors that were passed (SCM_RIGHTS, unix(7)), closed on
 * exec. Those that came are the last bytes': the kernel ends a receive behind the send that passed
 * them. One for a descriptor. */
void ring_receive_message(struct ring *ring, struct op *op, int fd, op_callback on_complete);

enum ring_file_kind {
	/* A socket, a directory, a terminal, a device. */
	RING_FILE_OTHER,
	/* On a disk, or in memory only. */
	RING_FILE_REGULAR,
	RING_FILE_PIPE,
};

/* What somebody passed. */
struct ring_file {
	enum ring_file_kind kind;
	/* How it was opened. */
	bool can_read, can_write, appends;
	/* Of a regular one: its length, and where its descriptor stands. */
	uint64_t size, position;
};

/* Looks at a descriptor without asking a disk or a server for it; 0 or -errno. */
int ring_look(struct ring *ring, int fd, struct ring_file *ret_file);

/* Where a descriptor stands, instead of an offset. */
#define RING_HERE UINT64_MAX

/* Reads or writes a descriptor that is no socket; may be short, 0 is its end. `data` must stay
 * until the completion. What would wait for a disk does so elsewhere; it cannot always be
 * cancelled. */
void ring_read(struct ring *ring, struct op *op, int fd, void *data, size_t size, uint64_t offset,
	op_callback on_complete);
void ring_write(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	uint64_t offset, op_callback on_complete);

/* Makes a regular file so long; 0 or -errno. */
void ring_truncate(
	struct ring *ring, struct op *op, int fd, uint64_t size, op_callback on_complete);

/* One receive that drops up to `size` bytes unseen (MSG_TRUNC, tcp(7)). */
void ring_receive_drop(
	struct ring *ring, struct op *op, int fd, size_t size, op_callback on_complete);

/* Closes the descriptor; the completion says that it is closed, whatever its result. Nothing may
 * be in flight on it. */
void ring_close(struct ring *ring, struct op *op, int fd, op_callback on_complete);

/* As ring_close() for who need not know. */
void ring_close_forget(struct ring *ring, int fd);

/* The same for what somebody passed, of whatever kind. Others may share it: nothing about it is
 * changed, but that a socket does not linger. And whoever closes last may have to wait: not the
 * loop. */
void ring_close_passed(struct ring *ring, int fd);

/* Ask the kernel to end an operation in flight. Its completion comes, with -ECANCELED or with
 * what it had done. Asking twice does nothing more. */
void ring_cancel(struct ring *ring, struct op *op);

/* The one call another thread may make: the ring's turn ends and `on_wake` runs in its thread.
 * Several calls may become one. */
typedef void (*ring_wake_callback)(void *context);
void ring_on_wake(struct ring *ring, ring_wake_callback on_wake, void *context);
void ring_wake(struct ring *ring);
