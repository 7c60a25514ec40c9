/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include "tests/unit/net/conn_world.h"

#define USERS 8

static struct conn_world world;
static struct user users[USERS];

static void begin_with(struct pool_options options)
{
	conn_world_begin_with(&world, NULL, &options);
}

static void begin(void)
{
	begin_with((struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE});
}

/* The first so many users, each with a connection of its own. */
static void begin_users(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		user_begin(&users[i], &world);
}

static void end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		user_end(&users[i]);
	conn_world_end(&world);
}

START_TEST(the_connection_used_last_is_lent_first)
{
	int fds[3];

	begin();
	begin_users(3);
	for (unsigned i = 0; i < 3; i++)
		fds[i] = user_fd(&users[i]);
	user_return(&users[1]);
	user_return(&users[0]);
	user_return(&users[2]);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 3);
	user_lease(&users[0]);
	ck_assert_int_eq(user_fd(&users[0]), fds[2]);
	user_lease(&users[1]);
	ck_assert_int_eq(user_fd(&users[1]), fds[0]);
	user_lease(&users[2]);
	ck_assert_int_eq(user_fd(&users[2]), fds[1]);
	ck_assert_uint_eq(pool_counters(world.pool).reused, 3);
	ck_assert_uint_eq(pool_counters(world.pool).dialled, 3);
	end(3);
}
END_TEST

START_TEST(a_fresh_one_is_dialled_beside_idle_ones)
{
	int fd;

	begin();
	begin_users(1);
	fd = user_fd(&users[0]);
	user_return(&users[0]);
	users[0].conn = lease_conn(world.pool, users[0].route, &users[0].user, true);
	ck_assert_int_eq(users[0].conn->state, CONN_DIALING);
	ck_assert(!users[0].conn->reused);
	fake_run();
	ck_assert_int_ne(user_fd(&users[0]), fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	end(1);
}
END_TEST

START_TEST(a_connection_serves_its_route_alone)
{
	struct route_key key = {.uid = 7, .port = 80, .host = TEXT("192.0.2.1")};
	int fd;

	begin();
	begin_users(1);
	fd = user_fd(&users[0]);
	user_return(&users[0]);
	user_init(&users[1], &world, &key);
	user_lease(&users[1]);
	ck_assert_int_eq(users[1].conn->state, CONN_DIALING);
	fake_run();
	ck_assert_int_ne(user_fd(&users[1]), fd);
	end(2);
}
END_TEST

START_TEST(idle_connections_go_at_their_time_and_not_before)
{
	int first, second;

	begin();
	begin_users(2);
	first = user_fd(&users[0]);
	second = user_fd(&users[1]);
	user_return(&users[0]);
	fake_pass(10 * NS_PER_S);
	user_return(&users[1]);
	fake_pass(IDLE_TIMEOUT_NS - 10 * NS_PER_S - NS_PER_MS);
	ck_assert(fake_is_open(first));
	fake_pass(NS_PER_MS);
	ck_assert(!fake_is_open(first));
	ck_assert(fake_is_open(second));
	/* Use makes it young again. */
	user_lease(&users[1]);
	ck_assert_int_eq(user_fd(&users[1]), second);
	fake_pass(2 * IDLE_TIMEOUT_NS);
	ck_assert(fake_is_open(second));
	user_return(&users[1]);
	fake_pass(IDLE_TIMEOUT_NS - NS_PER_MS);
	ck_assert(fake_is_open(second));
	fake_pass(NS_PER_MS);
	ck_assert(!fake_is_open(second));
	ck_assert(pool_is_empty(world.pool));
	end(2);
}
END_TEST

START_TEST(of_too_many_idle_ones_the_oldest_goes)
{
	int fds[3];

	begin_with((struct pool_options){100, 2, IDLE_TIMEOUT_NS, BOUND_NONE});
	begin_users(3);
	for (unsigned i = 0; i < 3; i++)
		fds[i] = user_fd(&users[i]);
	for (unsigned i = 0; i < 3; i++)
		user_return(&users[i]);
	fake_run();
	ck_assert(!fake_is_open(fds[0]));
	ck_assert(fake_is_open(fds[1]));
	ck_assert(fake_is_open(fds[2]));
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 2);
	end(3);
}
END_TEST

START_TEST(with_no_room_for_idle_ones_none_is_kept)
{
	begin_with((struct pool_options){100, 0, IDLE_TIMEOUT_NS, BOUND_NONE});
	begin_users(1);
	user_return(&users[0]);
	fake_run();
	ck_assert(pool_is_empty(world.pool));
	ck_assert_uint_eq(fake_n_open(), 0);
	end(1);
}
END_TEST

START_TEST(a_drain_keeps_nothing_from_then_on)
{
	begin();
	begin_users(2);
	user_return(&users[0]);
	pool_drain(world.pool);
	fake_run();
	ck_assert_uint_eq(pool_counters(world.pool).n_conns, 1);
	/* What is at work goes on. */
	ck_assert_int_eq(users[1].conn->state, CONN_ACTIVE);
	ck_assert(!pool_is_empty(world.pool));
	user_return(&users[1]);
	fake_run();
	ck_assert(pool_is_empty(world.pool));
	end(2);
}
END_TEST

START_TEST(a_flush_closes_what_is_idle_of_one_user)
{
	struct route_key key = {.uid = 8, .port = 80, .host = TEXT("192.0.2.1")};
	int fds[3];

	begin();
	for (unsigned i = 0; i < 3; i++) {
		user_init(&users[i], &world, &key);
		user_lease(&users[i]);
		key.uid = i == 1 ? 9 : 8;
	}
	fake_run();
	for (unsigned i = 0; i < 3; i++)
		fds[i] = user_fd(&users[i]);
	user_return(&users[1]);
	user_return(&users[2]);
	ck_assert_uint_eq(pool_flush(world.pool, 7), 0);
	ck_assert_uint_eq(pool_flush(world.pool, 8), 1);
	fake_run();
	ck_assert(!fake_is_open(fds[1]));
	ck_assert(fake_is_open(fds[2]));
	/* What is at work goes on, and is idle later. */
	ck_assert_int_eq(users[0].conn->state, CONN_ACTIVE);
	user_return(&users[0]);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 2);
	ck_assert_uint_eq(pool_flush(world.pool, 8), 1);
	ck_assert_uint_eq(pool_flush(world.pool, 8), 0);
	end(3);
}
END_TEST

START_TEST(at_the_bound_there_is_no_connection)
{
	begin_with((struct pool_options){2, 2, IDLE_TIMEOUT_NS, BOUND_NONE});
	begin_users(2);
	user_init(&users[2], &world, &(struct route_key){.port = 80, .host = TEXT("192.0.2.1")});
	ck_assert_ptr_null(lease_conn(world.pool, users[2].route, &users[2].user, false));
	/* One that ends makes room. */
	user_end(&users[0]);
	user_lease(&users[2]);
	fake_run();
	ck_assert_int_eq(users[2].conn->state, CONN_ACTIVE);
	user_end(&users[1]);
	user_end(&users[2]);
	conn_world_end(&world);
}
END_TEST

START_TEST(everything_is_counted)
{
	struct pool_counters counters;

	begin();
	begin_users(2);
	user_return(&users[0]);
	user_lease(&users[0]);
	user_return(&users[1]);
	counters = pool_counters(world.pool);
	ck_assert_uint_eq(counters.dialled, 2);
	ck_assert_uint_eq(counters.reused, 1);
	ck_assert_uint_eq(counters.closed, 0);
	ck_assert_uint_eq(counters.n_conns, 2);
	ck_assert_uint_eq(counters.n_idle, 1);
	ck_assert_uint_eq(counters.n_routes, 1);
	ck_assert_uint_eq(counters.n_origins, 1);
	user_end(&users[0]);
	ck_assert_uint_eq(pool_counters(world.pool).closed, 1);
	user_end(&users[1]);
	conn_world_end(&world);
}
END_TEST

UNIT_MAIN("net/pool", &the_connection_used_last_is_lent_first,
	&a_fresh_one_is_dialled_beside_idle_ones, &a_connection_serves_its_route_alone,
	&idle_connections_go_at_their_time_and_not_before, &of_too_many_idle_ones_the_oldest_goes,
	&with_no_room_for_idle_ones_none_is_kept, &a_drain_keeps_nothing_from_then_on,
	&a_flush_closes_what_is_idle_of_one_user, &at_the_bound_there_is_no_connection,
	&everything_is_counted)
