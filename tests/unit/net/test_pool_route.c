/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include "tests/unit/net/conn_world.h"

static struct conn_world world;
static struct user users[1];

static void begin_with(struct pool_options options)
{
	conn_world_begin_with(&world, NULL, &options);
}

static void begin(void)
{
	begin_with((struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE});
}

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

static const struct text here[] = {TEXT_INIT("192.0.2.1")};

START_TEST(what_must_be_equal_to_share_a_connection)
{
	static const struct route_key base = {
		.uid = 1000,
		.is_https = true,
		.port = 443,
		.host = TEXT_INIT("a.example"),
		.ca = TEXT_INIT("PEM"),
		.server_name = TEXT_INIT("n"),
		.resolve = TEXT_INIT("r"),
		.addresses = here,
		.n_addresses = 1,
	};
	struct route_key others[16];
	struct route *route, *again;
	unsigned n = 0;

	for (size_t i = 0; i < countof(others); i++)
		others[i] = base;
	others[n++].uid = 1001;
	others[n++].is_https = false;
	others[n++].insecure = true;
	others[n++].port = 444;
	others[n++].host = TEXT("b.example");
	others[n++].host = TEXT("a.exampl");
	others[n++].ca = TEXT("PEM2");
	others[n++].ca = (struct text){NULL, 0};
	others[n++].ca = TEXT("");
	others[n++].server_name = TEXT("m");
	others[n++].server_name = (struct text){NULL, 0};
	others[n++].resolve = TEXT("s");
	others[n++].resolve = (struct text){NULL, 0};
	/* What moves from one member to the next is not the same either. */
	others[n].ca = TEXT("PE");
	others[n++].server_name = TEXT("Mn");
	others[n].server_name = TEXT("nr");
	others[n++].resolve = TEXT("");

	begin();
	route = pool_route(world.pool, &base);
	again = pool_route(world.pool, &base);
	ck_assert_ptr_eq(route, again);
	for (unsigned i = 0; i < n; i++) {
		struct route *other = pool_route(world.pool, &others[i]);

		ck_assert_msg(other != route, "key %u", i);
		for (unsigned j = 0; j < i; j++) {
			struct route *third = pool_route(world.pool, &others[j]);

			ck_assert_msg(other != third, "keys %u and %u", i, j);
			pool_leave(world.pool, third);
		}
		pool_leave(world.pool, other);
	}
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, n + 1);
	pool_leave(world.pool, route);
	pool_leave(world.pool, again);
	conn_world_end(&world);
}
END_TEST

START_TEST(routes_of_one_origin_share_its_bound)
{
	struct route_key key = {.uid = 1, .port = 80, .host = TEXT("a.example")};
	struct route *one, *two, *other;

	begin_with((struct pool_options){10, 10, IDLE_TIMEOUT_NS, 64});
	one = pool_route(world.pool, &key);
	key.uid = 2;
	two = pool_route(world.pool, &key);
	key.port = 81;
	other = pool_route(world.pool, &key);
	ck_assert_ptr_ne(one, two);
	ck_assert_ptr_eq(one->origin, two->origin);
	ck_assert_ptr_ne(one->origin, other->origin);
	ck_assert_uint_eq(one->origin->requests.limit, 64);
	ck_assert(text_is(one->origin->key, "http://a.example:80"));
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 2);
	pool_leave(world.pool, one);
	pool_leave(world.pool, two);
	pool_leave(world.pool, other);
	conn_world_end(&world);
}
END_TEST

START_TEST(a_route_keeps_what_its_key_pointed_to)
{
	char host[] = "a.example", ca[] = "PEM", name[] = "n.example", address[] = "192.0.2.9";
	struct text addresses[] = {{address, sizeof(address) - 1}};
	struct route_key key = {
		.is_https = true,
		.insecure = true,
		.port = 8443,
		.host = text_from(host),
		.ca = text_from(ca),
		.server_name = text_from(name),
		.resolve = TEXT("x"),
		.addresses = addresses,
		.n_addresses = 1,
	};
	struct route *route;
	char text[ADDRESS_TEXT_MAX];

	begin();
	route = pool_route(world.pool, &key);
	memset(host, 'x', sizeof(host));
	memset(ca, 'x', sizeof(ca));
	memset(name, 'x', sizeof(name));
	memset(address, 'x', sizeof(address));
	ck_assert(text_is(route->host, "a.example"));
	ck_assert(text_is(route->ca, "PEM"));
	ck_assert(text_is(route->server_name, "n.example"));
	ck_assert(route->is_https);
	ck_assert(route->insecure);
	ck_assert_uint_eq(route->port, 8443);
	ck_assert_uint_eq(route->n_addresses, 1);
	address_format(&route->addresses[0], text);
	ck_assert_str_eq(text, "192.0.2.9:8443");
	pool_leave(world.pool, route);
	conn_world_end(&world);
}
END_TEST

START_TEST(what_nobody_uses_is_forgotten_and_then_it_sleeps)
{
	begin();
	begin_users(1);
	user_return(&users[0]);
	user_end(&users[0]);
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 1);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_conns, 0);
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 0);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 0);
	ck_assert_uint_eq(ring_timers(world.ring)->n_armed, 0);
	conn_world_end(&world);
}
END_TEST

START_TEST(what_nobody_uses_is_forgotten_while_others_are_busy)
{
	struct route_key key = {.port = 80, .host = TEXT("unused.example")};

	begin();
	begin_users(1);
	pool_leave(world.pool, pool_route(world.pool, &key));
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 2);
	/* An idle connection that never grows old. */
	for (int i = 0; i < 6; i++) {
		user_return(&users[0]);
		fake_pass(IDLE_TIMEOUT_NS / 2);
		user_lease(&users[0]);
	}
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 1);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 1);
	end(1);
}
END_TEST

START_TEST(an_origin_whose_bound_is_used_is_kept)
{
	struct route_key key = {.port = 80, .host = TEXT("a.example")};
	struct route *route;
	struct origin *origin;

	begin();
	route = pool_route(world.pool, &key);
	origin = route->origin;
	origin->requests.used++;
	pool_leave(world.pool, route);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 1);
	route = pool_route(world.pool, &key);
	ck_assert_ptr_eq(route->origin, origin);
	pool_leave(world.pool, route);
	origin->requests.used--;
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 0);
	conn_world_end(&world);
}
END_TEST

UNIT_MAIN("net/pool_route", &what_must_be_equal_to_share_a_connection,
	&routes_of_one_origin_share_its_bound, &a_route_keeps_what_its_key_pointed_to,
	&what_nobody_uses_is_forgotten_and_then_it_sleeps,
	&what_nobody_uses_is_forgotten_while_others_are_busy,
	&an_origin_whose_bound_is_used_is_kept)
