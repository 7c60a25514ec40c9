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

/* The most different keys there are: each differs from the others in one member, or in where one
 * ends and the next begins. */
#define KEYS_MAX 60

/* What moves from one member to the next is not the same either. */
static unsigned make_moved_keys(struct route_key keys[KEYS_MAX], unsigned n)
{
	const struct text empty = TEXT("");

	keys[n].ca = TEXT("PE");
	keys[n++].cert = TEXT("MCERT");
	keys[n].cert = TEXT("CER");
	keys[n++].key = TEXT("TKEY");
	keys[n].key = TEXT("KE");
	keys[n++].server_name = TEXT("Yn");
	keys[n].server_name = TEXT("np");
	keys[n++].pins = empty;
	keys[n].pins = TEXT("pr");
	keys[n++].resolve = empty;
	keys[n].resolve = TEXT("rproxy.");
	keys[n++].proxy_host = TEXT("example");
	keys[n].proxy_host = TEXT("proxy.exampleu");
	keys[n++].proxy_credentials = TEXT(":p");
	keys[n].ca = TEXT("CERT");
	keys[n++].cert = TEXT("PEM");
	return n;
}

static unsigned make_keys(struct route_key keys[KEYS_MAX])
{
	static const struct route_key base = {
		.uid = 1000,
		.is_https = true,
		.port = 443,
		.host = TEXT_INIT("a.example"),
		.ca = TEXT_INIT("PEM"),
		.cert = TEXT_INIT("CERT"),
		.key = TEXT_INIT("KEY"),
		.server_name = TEXT_INIT("n"),
		.pins = TEXT_INIT("p"),
		.resolve = TEXT_INIT("r"),
		.addresses = here,
		.n_addresses = 1,
		.proxy_host = TEXT_INIT("proxy.example"),
		.proxy_credentials = TEXT_INIT("u:p"),
		.proxy_port = 3128,
	};
	const struct text none = {NULL, 0}, empty = TEXT("");
	unsigned n = 1;

	for (size_t i = 0; i < KEYS_MAX; i++)
		keys[i] = base;
	keys[n++].uid = 1001;
	keys[n++].is_https = false;
	keys[n++].insecure = true;
	keys[n++].http = PLAN_HTTP_1_1;
	keys[n++].http = PLAN_HTTP_2;
	keys[n++].port = 444;
	keys[n++].host = TEXT("b.example");
	keys[n++].host = TEXT("a.exampl");
	keys[n++].ca = TEXT("PEM2");
	keys[n++].ca = none;
	keys[n++].ca = empty;
	keys[n++].cert = TEXT("CERT2");
	keys[n++].cert = none;
	keys[n++].cert = empty;
	/* The same certificate shown with another key is another identity (CVE-2022-27782). */
	keys[n++].key = TEXT("YEK");
	keys[n++].key = none;
	keys[n++].key = empty;
	keys[n++].server_name = TEXT("m");
	keys[n++].server_name = none;
	keys[n++].pins = TEXT("q");
	keys[n++].pins = TEXT("pq");
	keys[n++].pins = none;
	keys[n++].resolve = TEXT("s");
	keys[n++].resolve = none;
	keys[n++].proxy_host = TEXT("192.0.2.1");
	keys[n++].proxy_host = none;
	keys[n++].proxy_port = 3129;
	keys[n++].proxy_credentials = TEXT("u:q");
	keys[n++].proxy_credentials = none;
	keys[n++].proxy_credentials = empty;
	n = make_moved_keys(keys, n);
	ck_assert_uint_le(n, KEYS_MAX);
	return n;
}

/* N27 */
START_TEST(what_must_be_equal_to_share_a_connection)
{
	struct route_key keys[KEYS_MAX];
	struct route *routes[KEYS_MAX];
	unsigned n = make_keys(keys);

	begin();
	for (unsigned i = 0; i < n; i++) {
		routes[i] = pool_route(world.pool, &keys[i]);
		for (unsigned j = 0; j < i; j++)
			ck_assert_msg(routes[i] != routes[j], "keys %u and %u", i, j);
	}
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, n);
	for (unsigned i = 0; i < n; i++) {
		struct route *again = pool_route(world.pool, &keys[i]);

		ck_assert_msg(again == routes[i], "key %u", i);
		pool_leave(world.pool, again);
		pool_leave(world.pool, routes[i]);
	}
	conn_world_end(&world);
}
END_TEST

/* N31: what resumes a session is as strict as what shares a connection. */
START_TEST(no_two_routes_resume_one_session)
{
	struct route_key keys[KEYS_MAX];
	struct route *routes[KEYS_MAX];
	unsigned n = make_keys(keys);

	begin();
	for (unsigned i = 0; i < n; i++) {
		routes[i] = pool_route(world.pool, &keys[i]);
		ck_assert_int_eq(routes[i]->keeps_sessions, keys[i].is_https);
		for (unsigned j = 0; j < i; j++)
			ck_assert_msg(memcmp(routes[i]->session_key, routes[j]->session_key,
					      sizeof(routes[i]->session_key)) != 0,
				"keys %u and %u", i, j);
	}
	for (unsigned i = 0; i < n; i++)
		pool_leave(world.pool, routes[i]);
	conn_world_end(&world);
}
END_TEST

/* N27: not the route alone, but what it is for. All on an address, so that they can be dialled. */
START_TEST(each_pair_that_differs_in_one_member_has_connections_of_its_own)
{
	struct route_key keys[] = {
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1")},
		{.uid = 1001, .port = 80, .host = TEXT("192.0.2.1")},
		{.uid = 1000, .port = 81, .host = TEXT("192.0.2.1")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.2")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .insecure = true},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .http = PLAN_HTTP_1_1},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .ca = TEXT("x")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .cert = TEXT("x")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .key = TEXT("x")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .server_name = TEXT("x")},
		{.uid = 1000, .port = 80, .host = TEXT("192.0.2.1"), .pins = TEXT("x")},
		{.uid = 1000,
			.port = 80,
			.host = TEXT("192.0.2.1"),
			.resolve = TEXT("x"),
			.addresses = here,
			.n_addresses = 1},
		{.uid = 1000,
			.port = 80,
			.host = TEXT("192.0.2.1"),
			.resolve = TEXT("y"),
			.addresses = here,
			.n_addresses = 1},
		{.uid = 1000,
			.port = 80,
			.host = TEXT("192.0.2.1"),
			.proxy_host = TEXT("192.0.2.1"),
			.proxy_port = 80},
		{.uid = 1000,
			.port = 80,
			.host = TEXT("192.0.2.1"),
			.proxy_host = TEXT("192.0.2.1"),
			.proxy_port = 81},
		{.uid = 1000,
			.port = 80,
			.host = TEXT("192.0.2.1"),
			.proxy_host = TEXT("192.0.2.1"),
			.proxy_port = 80,
			.proxy_credentials = TEXT("u:p")},
	};
	struct user one, two;

	for (size_t i = 0; i < countof(keys); i++) {
		for (size_t j = 0; j < countof(keys); j++) {
			begin();
			user_init(&one, &world, &keys[i]);
			user_lease(&one);
			fake_run();
			user_return(&one);
			user_init(&two, &world, &keys[j]);
			user_lease(&two);
			fake_run();
			ck_assert_msg(pool_counters(world.pool).reused == (i == j),
				"keys %zu and %zu", i, j);
			user_end(&two);
			user_end(&one);
			conn_world_end(&world);
		}
	}
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
	char cert[] = "CERT", private_key[] = "KEY", pin[] = "pin";
	char proxy[] = "proxy.example", credentials[] = "u:p";
	struct text addresses[] = {{address, sizeof(address) - 1}};
	struct route_key key = {
		.is_https = true,
		.insecure = true,
		.port = 8443,
		.host = text_from(host),
		.ca = text_from(ca),
		.cert = text_from(cert),
		.key = text_from(private_key),
		.server_name = text_from(name),
		.pins = text_from(pin),
		.resolve = TEXT("x"),
		.addresses = addresses,
		.n_addresses = 1,
	};
	struct route *route, *by_proxy;
	char text[ADDRESS_TEXT_MAX];

	begin();
	route = pool_route(world.pool, &key);
	key.proxy_host = text_from(proxy);
	key.proxy_credentials = text_from(credentials);
	key.proxy_port = 3128;
	by_proxy = pool_route(world.pool, &key);
	memset(proxy, 'x', sizeof(proxy));
	memset(credentials, 'x', sizeof(credentials));
	memset(host, 'x', sizeof(host));
	memset(ca, 'x', sizeof(ca));
	memset(name, 'x', sizeof(name));
	memset(cert, 'x', sizeof(cert));
	memset(private_key, 'x', sizeof(private_key));
	memset(pin, 'x', sizeof(pin));
	memset(address, 'x', sizeof(address));
	ck_assert(text_is(route->host, "a.example"));
	ck_assert(text_is(route->ca, "PEM"));
	ck_assert(text_is(route->cert, "CERT"));
	ck_assert(text_is(route->private_key, "KEY"));
	ck_assert(text_is(route->server_name, "n.example"));
	ck_assert(text_is(route->pins, "pin"));
	ck_assert(route->is_https);
	ck_assert(route->insecure);
	ck_assert_uint_eq(route->port, 8443);
	ck_assert_uint_eq(route->n_addresses, 1);
	address_format(&route->addresses[0], text);
	ck_assert_str_eq(text, "192.0.2.9:8443");
	ck_assert(text_is(route_dial_host(route), "a.example"));
	ck_assert_uint_eq(route_dial_port(route), 8443);
	ck_assert(!route_has_proxy(route));
	ck_assert(text_is(by_proxy->proxy_host, "proxy.example"));
	ck_assert(text_is(by_proxy->proxy_credentials, "u:p"));
	ck_assert(text_is(route_dial_host(by_proxy), "proxy.example"));
	ck_assert_uint_eq(route_dial_port(by_proxy), 3128);
	/* The override is the origin's. */
	ck_assert_uint_eq(by_proxy->n_addresses, 0);
	ck_assert_ptr_eq(by_proxy->origin, route->origin);
	pool_leave(world.pool, by_proxy);
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
	&no_two_routes_resume_one_session,
	&each_pair_that_differs_in_one_member_has_connections_of_its_own,
	&routes_of_one_origin_share_its_bound, &a_route_keeps_what_its_key_pointed_to,
	&what_nobody_uses_is_forgotten_and_then_it_sleeps,
	&what_nobody_uses_is_forgotten_while_others_are_busy,
	&an_origin_whose_bound_is_used_is_kept)
