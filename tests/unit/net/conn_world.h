/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A pool over the fake ring, and users of its connections that note what they hear, a letter
 * each: Progress, Ready, Sent, Data, dropped (V), End (F with a fault), X (closed). A user aborts
 * at the end, as users do.
 */

#include <string.h>

#include "net/pool.h"
#include "tests/unit/net/fake_ring.h"
#include "tests/unit/unit.h"

#define IDLE_TIMEOUT_NS (60 * NS_PER_S)

struct conn_world {
	struct ring *ring;
	struct resolver *resolver;
	struct tls_store *store;
	struct pool *pool;
};

struct user {
	struct conn_user user;
	struct conn_world *world;
	struct route *route;
	struct conn *conn;
	char said[64];
	struct buffer data;
	uint64_t dropped;
	struct fault fault;
	/* Give the connection back when so many bytes have come; 0: never. */
	size_t returns_at;
};

static inline struct user *user_of(struct conn_user *user)
{
	return container_of(user, struct user, user);
}

static inline void user_say(struct user *user, char letter)
{
	size_t n = strlen(user->said);

	ck_assert_uint_lt(n + 1, sizeof(user->said));
	ck_assert_msg(!strchr(user->said, 'X'), "%c after closed", letter);
	user->said[n] = letter;
	user->said[n + 1] = '\0';
}

static inline void user_on_progress(struct conn_user *user)
{
	user_say(user_of(user), 'P');
}

static inline void user_on_ready(struct conn_user *user)
{
	user_say(user_of(user), 'R');
}

static inline void user_on_sent(struct conn_user *user)
{
	user_say(user_of(user), 'S');
}

static inline void user_on_data(struct conn_user *conn_user, const char *data, size_t size)
{
	struct user *user = user_of(conn_user);

	user_say(user, 'D');
	buffer_append(&user->data, data, size);
	if (user->returns_at && user->data.size >= user->returns_at) {
		struct conn *conn = user->conn;

		user->conn = NULL;
		pool_return(user->world->pool, conn);
	}
}

static inline void user_on_dropped(struct conn_user *user, size_t size)
{
	user_say(user_of(user), 'V');
	user_of(user)->dropped += size;
}

static inline void user_on_end(struct conn_user *conn_user, const struct fault *fault)
{
	struct user *user = user_of(conn_user);

	user_say(user, fault ? 'F' : 'E');
	if (fault)
		user->fault = *fault;
	conn_abort(user->conn);
}

static inline void user_on_closed(struct conn_user *conn_user)
{
	struct user *user = user_of(conn_user);

	user_say(user, 'X');
	user->conn = NULL;
}

static const struct conn_events user_events = {
	.on_progress = user_on_progress,
	.on_ready = user_on_ready,
	.on_sent = user_on_sent,
	.on_data = user_on_data,
	.on_dropped = user_on_dropped,
	.on_end = user_on_end,
	.on_closed = user_on_closed,
};

static inline void conn_world_begin_with(
	struct conn_world *world, struct tls_store *store, const struct pool_options *options)
{
	struct resolver_options resolver = {NS_PER_S, NS_PER_S, 10};

	world->ring = fake_ring_begin();
	world->resolver = resolver_new(world->ring, fake_lookup_begin(), &resolver);
	world->store = store;
	world->pool = pool_new(world->ring, world->resolver, store, options);
	ck_assert_ptr_nonnull(world->pool);
}

static inline void conn_world_begin(struct conn_world *world)
{
	struct pool_options options = {
		.conns_max = 100,
		.idle_max = 10,
		.idle_timeout_ns = IDLE_TIMEOUT_NS,
		.requests_per_origin_max = BOUND_NONE,
	};

	conn_world_begin_with(world, NULL, &options);
}

/* All users have left. */
static inline void conn_world_end(struct conn_world *world)
{
	fake_holds = (struct fake_holds){0};
	pool_drain(world->pool);
	fake_run();
	ck_assert(pool_is_empty(world->pool));
	world->pool = pool_free(world->pool);
	world->resolver = resolver_free(world->resolver);
	fake_ring_end();
}

static inline void user_init(
	struct user *user, struct conn_world *world, const struct route_key *key)
{
	*user = (struct user){.user.events = &user_events, .world = world};
	buffer_init(&user->data, SIZE_MAX);
	user->route = pool_route(world->pool, key);
	ck_assert_ptr_nonnull(user->route);
}

static inline struct conn *lease_conn(
	struct pool *pool, struct route *route, struct conn_user *user, bool fresh)
{
	struct mux *mux;

	pool_lease(pool, route, user, fresh, &mux);
	return user->conn;
}

static inline void user_lease(struct user *user)
{
	user->conn = lease_conn(user->world->pool, user->route, &user->user, false);
	ck_assert_ptr_nonnull(user->conn);
}

/* A user with a connection to http://192.0.2.1 that is ready. */
static inline void user_begin(struct user *user, struct conn_world *world)
{
	struct route_key key = {.port = 80, .host = TEXT("192.0.2.1")};

	user_init(user, world, &key);
	user_lease(user);
	ck_assert_str_eq(user->said, "");
	fake_run();
	ck_assert_str_eq(user->said, "PR");
	user->said[0] = '\0';
}

static inline int user_fd(const struct user *user)
{
	return user->conn->fd;
}

static inline void user_return(struct user *user)
{
	pool_return(user->world->pool, user->conn);
	user->conn = NULL;
}

/* Leaves; its connection ends. */
static inline void user_end(struct user *user)
{
	if (user->conn)
		conn_abort(user->conn);
	fake_holds = (struct fake_holds){0};
	fake_run();
	ck_assert_ptr_null(user->conn);
	pool_leave(user->world->pool, user->route);
	buffer_deinit(&user->data);
}

static inline void user_assert(const struct user *user, const char *said, const char *data)
{
	ck_assert_str_eq(user->said, said);
	ck_assert_msg(text_is(buffer_text(&user->data), data), "%.*s",
		TEXT_ARGS(buffer_text(&user->data)));
}
