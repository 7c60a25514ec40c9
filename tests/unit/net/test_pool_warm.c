/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "net/pool.h"
#include "tests/unit/net/conn_world.h"

#define USERS 4

static struct conn_world world;
static struct user users[USERS];

static void begin_with(struct pool_options options, unsigned n)
{
	struct route_key key = {.uid = 7, .port = 80, .host = TEXT("192.0.2.1")};

	conn_world_begin_with(&world, NULL, &options);
	for (unsigned i = 0; i < n; i++)
		user_init(&users[i], &world, &key);
}

static void begin(unsigned n)
{
	begin_with((struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE}, n);
}

static void end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		user_end(&users[i]);
	conn_world_end(&world);
}

static void warm(uint32_t n_wanted)
{
	pool_warm(world.pool, users[0].route, n_wanted);
}

/* As many connections in each of these states. */
static void assert_conns(unsigned warming, unsigned idle)
{
	struct pool_counters counters = pool_counters(world.pool);

	ck_assert_uint_eq(counters.n_warming, warming);
	ck_assert_uint_eq(counters.n_idle, idle);
	ck_assert_uint_eq(users[0].route->n_warming, warming);
	ck_assert_uint_eq(users[0].route->n_idle, idle);
}

static void assert_counted(unsigned dialled, unsigned warmed, unsigned warm_used, unsigned reused)
{
	struct pool_counters counters = pool_counters(world.pool);

	ck_assert_uint_eq(counters.dialled, dialled);
	ck_assert_uint_eq(counters.warmed, warmed);
	ck_assert_uint_eq(counters.warm_used, warm_used);
	ck_assert_uint_eq(counters.reused, reused);
}

START_TEST(a_warmed_connection_becomes_idle_and_is_lent)
{
	begin(1);
	warm(1);
	assert_conns(1, 0);
	fake_run();
	assert_conns(0, 1);
	user_lease(&users[0]);
	/* There at once: nothing is heard of its dial. */
	ck_assert_int_eq(users[0].conn->state, CONN_ACTIVE);
	fake_run();
	ck_assert_str_eq(users[0].said, "");
	ck_assert(users[0].conn->reused);
	assert_counted(1, 1, 1, 1);
	conn_send(users[0].conn, "GET", 3);
	fake_run();
	fake_receive(user_fd(&users[0]), "OK");
	user_assert(&users[0], "SD", "OK");
	/* The second time it is like any other. */
	user_return(&users[0]);
	user_lease(&users[0]);
	assert_counted(1, 1, 1, 2);
	end(1);
}
END_TEST

START_TEST(who_comes_while_it_is_dialled_takes_it_over)
{
	int fd;

	begin(1);
	fake_holds.connects = true;
	warm(1);
	fake_run();
	fd = fake_find(FAKE_CONNECT, -1)->fd;
	fake_pass(3 * NS_PER_S);
	user_lease(&users[0]);
	assert_conns(0, 0);
	ck_assert_int_eq(users[0].conn->state, CONN_DIALING);
	ck_assert(!users[0].conn->reused);
	fake_pass(NS_PER_S);
	ck_assert_str_eq(users[0].said, "");
	fake_complete(FAKE_CONNECT, fd, 0);
	ck_assert_str_eq(users[0].said, "R");
	ck_assert_int_eq(users[0].conn->state, CONN_ACTIVE);
	/* What was over before took it no time, and what followed took it all of its own. */
	ck_assert_uint_eq(users[0].conn->times.dialed_ns, users[0].conn->times.resolved_ns);
	ck_assert_uint_eq(
		users[0].conn->times.connected_ns - users[0].conn->times.resolved_ns, NS_PER_S);
	assert_counted(1, 1, 1, 0);
	fake_run();
	ck_assert_uint_eq(fake_n_open(), 1);
	end(1);
}
END_TEST

START_TEST(who_comes_before_its_dial_has_begun_hears_all_of_it)
{
	begin(1);
	warm(1);
	user_lease(&users[0]);
	fake_run();
	ck_assert_str_eq(users[0].said, "PR");
	assert_counted(1, 1, 1, 0);
	end(1);
}
END_TEST

START_TEST(a_fresh_one_may_be_warming_but_not_idle)
{
	begin(2);
	warm(1);
	fake_run();
	users[0].conn = lease_conn(world.pool, users[0].route, &users[0].user, true);
	ck_assert_int_eq(users[0].conn->state, CONN_DIALING);
	assert_conns(0, 1);
	assert_counted(2, 1, 0, 0);
	fake_holds.connects = true;
	warm(2);
	users[1].conn = lease_conn(world.pool, users[1].route, &users[1].user, true);
	assert_conns(0, 1);
	assert_counted(3, 2, 1, 0);
	end(2);
}
END_TEST

START_TEST(no_more_than_wanted_are_made)
{
	begin(2);
	user_lease(&users[0]);
	fake_run();
	user_return(&users[0]);
	warm(1);
	assert_conns(0, 1);
	warm(3);
	assert_conns(2, 1);
	warm(3);
	warm(0);
	assert_conns(2, 1);
	fake_run();
	warm(3);
	assert_conns(0, 3);
	/* A connection that is lent does not count. */
	user_lease(&users[0]);
	warm(3);
	assert_conns(1, 2);
	end(2);
}
END_TEST

START_TEST(nothing_is_closed_to_make_one)
{
	static const struct {
		struct pool_options options;
		unsigned expected;
	} cases[] = {
		{{100, 4, IDLE_TIMEOUT_NS, BOUND_NONE}, 3},
		{{5, 100, IDLE_TIMEOUT_NS, BOUND_NONE}, 3},
		{{100, 1, IDLE_TIMEOUT_NS, BOUND_NONE}, 0},
		{{2, 100, IDLE_TIMEOUT_NS, BOUND_NONE}, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin_with(cases[i].options, 2);
		user_lease(&users[0]);
		user_lease(&users[1]);
		fake_run();
		user_return(&users[1]);
		warm(100);
		assert_conns(cases[i].expected, 1);
		fake_run();
		assert_conns(0, 1 + cases[i].expected);
		ck_assert_uint_eq(pool_counters(world.pool).closed, 0);
		end(2);
	}
}
END_TEST

START_TEST(it_makes_room_for_a_request)
{
	begin_with((struct pool_options){2, 100, IDLE_TIMEOUT_NS, BOUND_NONE}, 3);
	fake_holds.connects = true;
	warm(1);
	fake_run();
	/* Fresh ones of another route: they take nothing over. */
	for (unsigned i = 1; i < 3; i++) {
		struct route_key key = {.uid = 8, .port = 80, .host = TEXT("192.0.2.1")};

		pool_leave(world.pool, users[i].route);
		users[i].route = pool_route(world.pool, &key);
		user_lease(&users[i]);
	}
	assert_conns(0, 0);
	fake_run();
	ck_assert_uint_eq(pool_counters(world.pool).n_conns, 2);
	fake_holds.connects = false;
	fake_run();
	ck_assert_str_eq(users[1].said, "PR");
	ck_assert_str_eq(users[2].said, "PR");
	end(3);
}
END_TEST

START_TEST(where_others_have_become_idle_meanwhile_it_goes)
{
	begin_with((struct pool_options){100, 1, IDLE_TIMEOUT_NS, BOUND_NONE}, 1);
	user_lease(&users[0]);
	fake_run();
	fake_holds.connects = true;
	warm(1);
	fake_run();
	user_return(&users[0]);
	assert_conns(1, 1);
	fake_holds.connects = false;
	fake_run();
	assert_conns(0, 1);
	ck_assert_uint_eq(fake_n_open(), 1);
	/* It is the older one that stays. */
	ck_assert_uint_eq(pool_counters(world.pool).closed, 1);
	user_lease(&users[0]);
	assert_counted(2, 1, 0, 1);
	end(1);
}
END_TEST

START_TEST(one_that_fails_just_goes)
{
	begin(1);
	fake_holds.connects = true;
	warm(1);
	fake_run();
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	fake_run();
	assert_conns(0, 0);
	ck_assert(pool_is_empty(world.pool));
	/* The next one may do better. */
	fake_holds.connects = false;
	warm(1);
	fake_run();
	assert_conns(0, 1);
	end(1);
}
END_TEST

START_TEST(one_whose_socket_cannot_be_had_just_goes)
{
	begin(1);
	fake_socket_error = -EMFILE;
	warm(3);
	fake_run();
	assert_conns(0, 0);
	ck_assert(pool_is_empty(world.pool));
	end(1);
}
END_TEST

START_TEST(one_whose_name_is_unknown_just_goes)
{
	struct route_key key = {.port = 80, .host = TEXT("a.example")};
	struct route *route;

	begin(0);
	route = pool_route(world.pool, &key);
	pool_warm(world.pool, route, 2);
	fake_run();
	ck_assert_uint_eq(fake_lookup_n_asked(), 1);
	fake_lookup_fail("a.example", FAULT_DNS_NOT_FOUND);
	fake_run();
	ck_assert(pool_is_empty(world.pool));
	pool_leave(world.pool, route);
	end(0);
}
END_TEST

START_TEST(a_peer_that_vanishes_or_speaks_unasked_ends_it)
{
	for (int i = 0; i < 3; i++) {
		int fd;

		begin(1);
		warm(1);
		fake_run();
		fd = fake_find(FAKE_RECEIVE, -1)->fd;
		if (i == 2)
			fake_receive(fd, "HTTP/1.1 408 Request Timeout\r\n\r\n");
		else
			fake_complete(FAKE_RECEIVE, fd, i ? -ECONNRESET : 0);
		fake_run();
		assert_conns(0, 0);
		ck_assert(!fake_is_open(fd));
		end(1);
	}
}
END_TEST

START_TEST(one_that_is_dialled_for_too_long_goes)
{
	begin(1);
	fake_holds.connects = true;
	warm(1);
	fake_pass(5 * NS_PER_S);
	warm(2);
	fake_pass(5 * NS_PER_S - NS_PER_MS);
	assert_conns(2, 0);
	fake_pass(NS_PER_MS);
	assert_conns(1, 0);
	/* Taken over, its user's limits hold, and no other. */
	user_lease(&users[0]);
	fake_pass(100 * NS_PER_S);
	ck_assert_int_eq(users[0].conn->state, CONN_DIALING);
	end(1);
}
END_TEST

START_TEST(one_that_nobody_uses_grows_old)
{
	begin(1);
	warm(1);
	fake_run();
	fake_pass(IDLE_TIMEOUT_NS - NS_PER_MS);
	assert_conns(0, 1);
	fake_pass(NS_PER_MS);
	assert_conns(0, 0);
	assert_counted(1, 1, 0, 0);
	end(1);
}
END_TEST

START_TEST(a_drain_ends_those_that_are_dialled_and_makes_no_more)
{
	for (int i = 0; i < 3; i++) {
		begin(1);
		fake_holds.connects = i > 0;
		warm(2);
		/* Not begun; connecting; connecting, and the kernel is faster than the cancel. */
		if (i > 0)
			fake_run();
		fake_holds.cancels = i == 2;
		pool_drain(world.pool);
		assert_conns(0, 0);
		fake_holds.connects = false;
		fake_run();
		ck_assert(pool_is_empty(world.pool));
		ck_assert_uint_eq(fake_n_open(), 0);
		warm(2);
		fake_run();
		ck_assert(pool_is_empty(world.pool));
		end(1);
	}
}
END_TEST

START_TEST(a_user_who_took_it_over_may_abort)
{
	begin(1);
	fake_holds.connects = true;
	warm(1);
	fake_run();
	user_lease(&users[0]);
	conn_abort(users[0].conn);
	fake_run();
	ck_assert_str_eq(users[0].said, "X");
	ck_assert(pool_is_empty(world.pool));
	end(1);
}
END_TEST

START_TEST(a_user_who_took_it_over_hears_of_its_failure)
{
	begin(1);
	fake_holds.connects = true;
	warm(1);
	fake_run();
	user_lease(&users[0]);
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	fake_run();
	ck_assert_str_eq(users[0].said, "FX");
	ck_assert_int_eq(users[0].fault.code, FAULT_CONNECT_REFUSED);
	end(1);
}
END_TEST

/* 64 dials begin in a millisecond. */
START_TEST(requests_are_dialled_before_guesses)
{
	begin_with((struct pool_options){1000, 1000, IDLE_TIMEOUT_NS, BOUND_NONE}, 2);
	fake_holds.connects = true;
	warm(100);
	users[0].conn = lease_conn(world.pool, users[0].route, &users[0].user, true);
	pool_leave(world.pool, users[1].route);
	users[1].route = pool_route(
		world.pool, &(struct route_key){.uid = 8, .port = 80, .host = TEXT("192.0.2.9")});
	user_lease(&users[1]);
	/* One of the guesses became a request, the other is a dial of its own. */
	assert_counted(101, 100, 1, 0);
	fake_run();
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 64);
	ck_assert_str_eq(users[0].said, "P");
	ck_assert_str_eq(users[1].said, "P");
	fake_pass(NS_PER_MS);
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 101);
	end(2);
}
END_TEST

START_TEST(a_route_is_kept_while_one_is_dialled)
{
	struct route_key key = {.port = 80, .host = TEXT("a.example")};
	struct route *route;

	begin(0);
	route = pool_route(world.pool, &key);
	pool_warm(world.pool, route, 1);
	pool_leave(world.pool, route);
	fake_pass(5 * NS_PER_S);
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 1);
	fake_lookup_answer("a.example", "192.0.2.4");
	fake_run();
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 0);
	ck_assert_uint_eq(ring_timers(world.ring)->n_armed, 0);
	end(0);
}
END_TEST

UNIT_MAIN("net/pool_warm", &a_warmed_connection_becomes_idle_and_is_lent,
	&who_comes_while_it_is_dialled_takes_it_over,
	&who_comes_before_its_dial_has_begun_hears_all_of_it,
	&a_fresh_one_may_be_warming_but_not_idle, &no_more_than_wanted_are_made,
	&nothing_is_closed_to_make_one, &it_makes_room_for_a_request,
	&where_others_have_become_idle_meanwhile_it_goes, &one_that_fails_just_goes,
	&one_whose_socket_cannot_be_had_just_goes, &one_whose_name_is_unknown_just_goes,
	&a_peer_that_vanishes_or_speaks_unasked_ends_it, &one_that_is_dialled_for_too_long_goes,
	&one_that_nobody_uses_grows_old, &a_drain_ends_those_that_are_dialled_and_makes_no_more,
	&a_user_who_took_it_over_may_abort, &a_user_who_took_it_over_hears_of_its_failure,
	&requests_are_dialled_before_guesses, &a_route_is_kept_while_one_is_dialled)
