/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A pool over the fake ring, with origins that speak TLS and then HTTP/2 (a server of nghttp2's)
 * or whatever the test says; and riders, who want a request each and note what they hear, a letter
 * each: Progress, Ready, shared (M), the connection's end (F with a fault, C without), closed (X);
 * of a stream Sent, Head, Body, its End, a reset (Z), Left.
 */

#include <string.h>

#include "net/mux.h"
#include "net/pool.h"
#include "tests/unit/http/h2_server.h"
#include "tests/unit/net/conn_world.h"
#include "tests/unit/net/tls_peer.h"

#define PEERS 12

/* An accepted connection. */
struct peer {
	SSL *ssl;
	int fd;
	struct server server;
	bool speaks_h2;
	/* All it got that is not HTTP/2. */
	struct buffer got;
};

struct mux_world {
	struct conn_world conns;
	struct peer_cert cert;
	char *pem;
	struct pair pair;
	struct peer peers[PEERS];
	unsigned n_peers;
	/* What the origin chooses of what is offered; NULL: nothing. */
	const char *protocol;
	/* Streams it allows on a connection. */
	uint32_t streams_max;
	/* It takes what comes, and says nothing. */
	bool is_mute;
};

static int mux_world_on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_size,
	const unsigned char *offered, unsigned size, void *context)
{
	struct mux_world *world = context;

	for (unsigned at = 0; world->protocol && at < size; at += 1u + offered[at]) {
		if (offered[at] != strlen(world->protocol) ||
			memcmp(offered + at + 1, world->protocol, offered[at]) != 0)
			continue;
		*ret_name = offered + at + 1;
		*ret_size = offered[at];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static inline void mux_world_begin_with(struct mux_world *world, struct pool_options options)
{
	struct tls_store *first = tls_store_new();

	*world = (struct mux_world){.protocol = "h2", .streams_max = 100};
	world->cert =
		peer_cert_new(&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
	world->pem = peer_cert_pem(&world->cert);
	pair_init(&world->pair, &(struct peer_options){.cert = &world->cert});
	tls_store_free(first);
	SSL_CTX_set_alpn_select_cb(world->pair.ssl_ctx, mux_world_on_alpn, world);
	conn_world_begin_with(&world->conns, world->pair.store, &options);
}

static inline void mux_world_begin(struct mux_world *world)
{
	mux_world_begin_with(world, (struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE});
}

static inline void peer_deinit(struct peer *peer)
{
	if (peer->speaks_h2)
		server_deinit(&peer->server);
	buffer_deinit(&peer->got);
	SSL_free(peer->ssl);
}

/* All riders have left. */
static inline void mux_world_end(struct mux_world *world)
{
	conn_world_end(&world->conns);
	for (unsigned i = 0; i < world->n_peers; i++)
		peer_deinit(&world->peers[i]);
	pair_deinit(&world->pair);
	peer_cert_free(&world->cert);
	free(world->pem);
}

/* Its peer, who accepts it where it is new. */
static inline struct peer *mux_world_peer(struct mux_world *world, int fd)
{
	struct peer *peer;

	for (unsigned i = 0; i < world->n_peers; i++) {
		if (world->peers[i].fd == fd)
			return &world->peers[i];
	}
	ck_assert_uint_lt(world->n_peers, PEERS);
	peer = &world->peers[world->n_peers++];
	peer->fd = fd;
	peer->ssl = SSL_new(world->pair.ssl_ctx);
	SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(peer->ssl);
	buffer_init(&peer->got, SIZE_MAX);
	return peer;
}

/* What came from the client, to whom it is for. */
static inline void peer_read(struct mux_world *world, struct peer *peer)
{
	char data[16 * 1024];
	int n;

	if (!SSL_is_init_finished(peer->ssl)) {
		const unsigned char *name;
		unsigned size;

		if (SSL_do_handshake(peer->ssl) != 1)
			return;
		SSL_get0_alpn_selected(peer->ssl, &name, &size);
		peer->speaks_h2 = size == 2;
		if (peer->speaks_h2)
			server_init(&peer->server, world->streams_max);
	}
	while ((n = SSL_read(peer->ssl, data, sizeof(data))) > 0) {
		if (!peer->speaks_h2)
			buffer_append(&peer->got, data, (size_t)n);
		else
			nghttp2_session_mem_recv(peer->server.session, (uint8_t *)data, (size_t)n);
	}
}

/* Bytes of TLS to the client, as many as it still takes. */
static inline void peer_flush(struct peer *peer)
{
	char data[64 * 1024];
	int n = BIO_read(SSL_get_wbio(peer->ssl), data, sizeof(data));

	if (n > 0 && fake_is_open(peer->fd) && fake_find(FAKE_RECEIVE, peer->fd))
		fake_receive_bytes(peer->fd, data, (size_t)n);
}

static inline void peer_write(struct peer *peer, const void *data, size_t size)
{
	ck_assert_int_eq(SSL_write(peer->ssl, data, (int)size), (int)size);
}

/* True where something moved. */
static inline bool peer_turn(struct mux_world *world, int fd)
{
	struct text sent = fake_sent(fd);
	struct peer *peer;
	const uint8_t *out;
	ssize_t n = 0;

	if (sent.size == 0 && !fake_is_open(fd))
		return false;
	peer = mux_world_peer(world, fd);
	if (sent.size > 0)
		BIO_write(SSL_get_rbio(peer->ssl), sent.data, (int)sent.size);
	fake_forget(fd);
	peer_read(world, peer);
	if (peer->speaks_h2 && !world->is_mute) {
		n = nghttp2_session_mem_send(peer->server.session, &out);
		if (n > 0)
			peer_write(peer, out, (size_t)n);
	}
	if (sent.size == 0 && n <= 0 && BIO_pending(SSL_get_wbio(peer->ssl)) == 0)
		return false;
	peer_flush(peer);
	return true;
}

/* Back and forth, until nobody has anything to say. */
static inline void mux_world_pass(struct mux_world *world)
{
	bool moved = true;

	for (unsigned i = 0; moved; i++) {
		ck_assert_uint_lt(i, 10000);
		fake_run();
		moved = false;
		for (int fd = FAKE_FD_FIRST; fd < fake_end_fd(); fd++)
			moved = peer_turn(world, fd) || moved;
	}
}

/* So far as there is somebody to wait for a first stream: a route to it, by HTTP/2 or not. */
static inline struct route_key mux_world_key(struct mux_world *world)
{
	return (struct route_key){
		.is_https = true,
		.port = 443,
		.host = TEXT("192.0.2.1"),
		.server_name = TEXT("a.example"),
		.ca = text_from(world->pem),
	};
}

struct rider {
	struct conn_user user;
	struct mux_user on;
	struct h2_stream stream;
	struct mux_world *world;
	struct route *route;
	struct mux *mux;
	char said[64];
	const char *path;
	struct text body;
	struct buffer data;
	struct fault fault;
	struct h2_fault h2_fault;
	uint16_t status;
	/* It is told of its end and stays. */
	bool lingers;
	/* It leaves as soon as it sees a head. */
	bool leaves_on_head;
	/* Who leaves when this one is told of a reset, and not at once. */
	struct rider *companion;
	/* It asks for another connection where the one it waited for fails. */
	bool comes_back;
	/* It takes what is shared, and opens no stream. */
	bool is_shy;
	bool pulls;
	enum h2_pull pull;
};

static inline void rider_say(struct rider *rider, char letter)
{
	size_t n = strlen(rider->said);

	ck_assert_uint_lt(n + 1, sizeof(rider->said));
	rider->said[n] = letter;
	rider->said[n + 1] = '\0';
}

static inline struct rider *rider_of(struct conn_user *user)
{
	return container_of(user, struct rider, user);
}

static inline enum lease rider_lease_as(struct rider *rider, bool fresh);

static inline void rider_on_progress(struct conn_user *user)
{
	rider_say(rider_of(user), 'P');
}

static inline void rider_on_ready(struct conn_user *user)
{
	ck_assert_ptr_nonnull(user->conn);
	rider_say(rider_of(user), 'R');
}

static inline bool rider_open(struct rider *rider, struct mux *mux)
{
	struct h2_request request = {
		.method = rider->body.size || rider->pulls ? TEXT("POST") : TEXT("GET"),
		.scheme = TEXT("https"),
		.authority = TEXT("a.example"),
		.target = text_from(rider->path),
		.body = rider->body,
		.has_body = rider->body.size > 0,
		.pulls = rider->pulls,
		.pull_size = H2_LENGTH_OPEN,
	};

	buffer_clear(&rider->data);
	rider->mux = mux;
	return mux_open(mux, &rider->on, &request, &rider->h2_fault);
}

static inline void rider_on_shared(struct conn_user *user, struct mux *mux)
{
	struct rider *rider = rider_of(user);

	ck_assert_ptr_null(user->conn);
	rider_say(rider, 'M');
	if (!rider->is_shy)
		ck_assert(rider_open(rider, mux));
}

static inline void rider_on_data(struct conn_user *user, const char *data, size_t size)
{
	buffer_append(&rider_of(user)->data, data, size);
	rider_say(rider_of(user), 'D');
}

static inline void rider_on_end(struct conn_user *user, const struct fault *fault)
{
	struct rider *rider = rider_of(user);

	rider_say(rider, fault ? 'F' : 'C');
	if (fault)
		rider->fault = *fault;
	if (user->conn) {
		conn_abort(user->conn);
		return;
	}
	/* It can still be asked how far it came. */
	ck_assert_ptr_nonnull(pool_awaited(rider->route));
	ck_assert_uint_gt(pool_awaited(rider->route)->times.dialed_ns, 0);
	if (rider->comes_back)
		ck_assert_int_eq(rider_lease_as(rider, false), LEASE_AWAITED);
}

static inline void rider_on_closed(struct conn_user *user)
{
	rider_say(rider_of(user), 'X');
	user->conn = NULL;
}

static inline void rider_on_conn_sent(struct conn_user *user)
{
	rider_say(rider_of(user), 's');
}

static const struct conn_events rider_conn_events = {
	.on_progress = rider_on_progress,
	.on_ready = rider_on_ready,
	.on_shared = rider_on_shared,
	.on_sent = rider_on_conn_sent,
	.on_data = rider_on_data,
	.on_end = rider_on_end,
	.on_closed = rider_on_closed,
};

static inline struct rider *rider_of_stream(struct h2_stream *stream)
{
	return container_of(stream, struct rider, stream);
}

static inline void rider_on_head(struct h2_stream *stream, const struct response_head *head)
{
	struct rider *rider = rider_of_stream(stream);

	rider_say(rider, 'H');
	rider->status = head->status;
	if (rider->leaves_on_head)
		ck_assert(!mux_leave(&rider->on));
}

static inline void rider_on_body(struct h2_stream *stream, const char *data, size_t size)
{
	struct rider *rider = rider_of_stream(stream);

	if (rider->data.size == 0)
		rider_say(rider, 'B');
	buffer_append(&rider->data, data, size);
	mux_consume(&rider->on, size);
}

static inline void rider_on_stream_end(struct h2_stream *stream)
{
	struct rider *rider = rider_of_stream(stream);

	rider_say(rider, 'E');
	if (!rider->lingers)
		ck_assert(mux_leave(&rider->on));
}

static inline void rider_on_reset(struct h2_stream *stream, const struct h2_fault *fault)
{
	struct rider *rider = rider_of_stream(stream);

	rider_say(rider, 'Z');
	rider->h2_fault = *fault;
	if (rider->companion)
		ck_assert(!mux_leave(&rider->companion->on));
	if (!rider->lingers)
		ck_assert(mux_leave(&rider->on) || !fault->is_unprocessed);
}

static inline enum h2_pull rider_on_pull(
	struct h2_stream *stream, size_t size, struct text *ret_piece)
{
	struct rider *rider = rider_of_stream(stream);

	*ret_piece = rider->pull == H2_PULL_LATER ? TEXT("") : TEXT("piece");
	return rider->pull;
}

static const struct h2_stream_events rider_stream_events = {
	.on_head = rider_on_head,
	.on_body = rider_on_body,
	.on_end = rider_on_stream_end,
	.on_reset = rider_on_reset,
	.on_pull = rider_on_pull,
};

static inline void rider_on_sent(struct mux_user *user)
{
	rider_say(container_of(user, struct rider, on), 'S');
}

static inline void rider_on_left(struct mux_user *user)
{
	struct rider *rider = container_of(user, struct rider, on);

	ck_assert_ptr_null(user->mux);
	rider_say(rider, 'L');
}

static const struct mux_events rider_mux_events = {
	.on_sent = rider_on_sent,
	.on_left = rider_on_left,
};

/* Who wants that path, over that route. */
static inline void rider_init_for(
	struct rider *rider, struct mux_world *world, const char *path, const struct route_key *key)
{
	*rider = (struct rider){.world = world, .path = path};
	rider->user.events = &rider_conn_events;
	h2_stream_init(&rider->stream, &rider_stream_events);
	mux_user_init(&rider->on, &rider_mux_events, &rider->stream);
	buffer_init(&rider->data, SIZE_MAX);
	rider->route = pool_route(world->conns.pool, key);
	ck_assert_ptr_nonnull(rider->route);
}

static inline void rider_init(struct rider *rider, struct mux_world *world, const char *path)
{
	struct route_key key = mux_world_key(world);

	rider_init_for(rider, world, path, &key);
}

/* Asks for a connection; with a shared one it goes at once. */
static inline enum lease rider_lease_as(struct rider *rider, bool fresh)
{
	struct mux *mux;
	enum lease lease =
		pool_lease(rider->world->conns.pool, rider->route, &rider->user, fresh, &mux);

	ck_assert_int_eq(lease == LEASE_SHARED, mux != NULL);
	ck_assert_int_eq(lease == LEASE_OWN, rider->user.conn != NULL);
	if (lease == LEASE_SHARED)
		rider_on_shared(&rider->user, mux);
	return lease;
}

static inline enum lease rider_lease(struct rider *rider)
{
	return rider_lease_as(rider, false);
}

/* Wherever it is, it is there no more. */
static inline void rider_end(struct rider *rider)
{
	pool_unlease(rider->world->conns.pool, &rider->user);
	if (rider->user.conn)
		conn_abort(rider->user.conn);
	if (rider->on.mux && !rider->on.is_leaving)
		mux_leave(&rider->on);
	fake_holds = (struct fake_holds){0};
	mux_world_pass(rider->world);
	ck_assert_ptr_null(rider->on.mux);
	h2_stream_deinit(&rider->stream);
	buffer_deinit(&rider->data);
	pool_leave(rider->world->conns.pool, rider->route);
}

static inline void rider_hears(struct rider *rider, const char *said)
{
	ck_assert_str_eq(rider->said, said);
	rider->said[0] = '\0';
}
