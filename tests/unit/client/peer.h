/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A handle and, at the other end of a socket pair, a daemon that says what the test wants.
 */

#include <sys/socket.h>
#include <unistd.h>

#include "client/handle.h"

#include "tests/unit/unit.h"

struct peer {
	struct settle *settle;
	/* The daemon's end; -1: closed. */
	int fd;
};

static inline struct peer peer_open(void)
{
	struct peer peer;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(settle_open_fd(fds[0], &peer.settle), 0);
	peer.fd = fds[1];
	return peer;
}

/* As above, with graphs 1 to `n` submitted. */
static inline struct peer peer_open_graphs(uint64_t n)
{
	struct peer peer = peer_open();

	peer.settle->graph_next = n + 1;
	peer.settle->graphs_open = n;
	return peer;
}

static inline void peer_hang_up(struct peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

static inline void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->settle = settle_close(peer->settle);
}

static inline void peer_say_bytes(const struct peer *peer, const void *data, size_t size)
{
	ck_assert_int_eq(write(peer->fd, data, size), (ssize_t)size);
}

static inline void peer_say(const struct peer *peer, const char *bytes)
{
	peer_say_bytes(peer, bytes, strlen(bytes));
}

/* All that the daemon has received so far is this. */
static inline void peer_expect_said(const struct peer *peer, const char *wanted)
{
	char said[4096];
	ssize_t size = recv(peer->fd, said, sizeof(said), MSG_DONTWAIT);
	struct text got = {said, size > 0 ? (size_t)size : 0};

	ck_assert_msg(text_is(got, wanted), "got %.*s\nwanted %s", TEXT_ARGS(got), wanted);
}

/* The next event is there, without waiting. */
static inline const struct settle_event *peer_expect_event(
	const struct peer *peer, enum settle_event_type type, uint64_t graph)
{
	const struct settle_event *event = NULL;
	int result = settle_next(peer->settle, 0, &event);

	ck_assert_msg(result == 1, "settle_next() gave %d", result);
	ck_assert_int_eq(settle_event_type(event), type);
	ck_assert_uint_eq(settle_event_graph(event), graph);
	return event;
}

static inline void peer_expect_result(const struct peer *peer, int wanted)
{
	const struct settle_event *event = NULL;
	int result = settle_next(peer->settle, 0, &event);

	ck_assert_msg(result == wanted, "settle_next() gave %d instead of %d", result, wanted);
	ck_assert_ptr_null(event);
}

static inline void peer_expect_json(const struct settle_event *event, const char *wanted)
{
	struct text json;

	json.data = settle_event_json(event, &json.size);
	ck_assert_msg(text_is(json, wanted), "got %.*s\nwanted %s", TEXT_ARGS(json), wanted);
}
