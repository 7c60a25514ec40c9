/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client's connection: its messages in, its graphs, their records out. A client that goes away
 * ends its graphs; one that only says it will send no more (a half-closed socket) gets its results
 * first. A client that reads slowly slows down its own graphs: beyond a mark of output nothing
 * more of its is started or read, and below another it goes on.
 *
 *   OPEN -> FINISHING (no more messages: half-closed, or drained) -> CLOSING -> freed
 *   any -> LEAVING (told why, to be closed when that is sent) -> CLOSING
 */

#include "front/front.h"
#include "front/passed.h"
#include "proto/line.h"
#include "ring/op.h"
#include "ring/task.h"
#include "ring/timer.h"

struct submission;

enum session_state {
	SESSION_OPEN,
	/* Takes no more messages; ends when its graphs are done and all is sent. */
	SESSION_FINISHING,
	/* As above, its graphs cancelled; it does not wait long. */
	SESSION_LEAVING,
	/* What is in flight is being ended; then it is closed and freed. */
	SESSION_CLOSING,
};

struct session {
	struct front *front;
	struct list link;
	enum session_state state;
	int fd;
	uid_t uid;
	struct op receive_op, send_op, close_op;
	struct line_reader reader;
	/* Bytes that were put into it since the session began; and descriptors that came with
	 * them. */
	uint64_t n_received;
	struct passed passed;
	struct outbox out;
	/* Its graphs: submissions. */
	struct list submissions;
	uint32_t n_graphs;
	/* Sends what has collected in this turn. */
	struct task flush;
	/* When a session that is leaving has waited long enough. */
	struct timer linger;
	/* When to see whether a half-closed client is still there. */
	struct timer watch;
	/* True exactly while more waits to be read by the client than is good. */
	bool is_slow;
	/* True exactly when the descriptor is closed. */
	bool is_closed;
};

/* Serves the descriptor, which becomes the session's. 0; or -ENOMEM, -EMFILE (too many sessions):
 * then it is closed. */
int session_new(struct front *front, int fd, uid_t uid);

void session_drain(struct session *session);
void session_shut_down(struct session *session);
