/* SPDX-License-Identifier: MIT */
#include "net/share.h"

#include "tests/unit/net/conn_world.h"

static struct conn_world world;

/* What the owner hears. */
struct owner {
	struct pool_owner owner;
	unsigned n_resumed;
	struct share *resumed;
	/* When; and whether the share could be used by then. */
	uint64_t at_ns;
	bool had_room;
};

static struct owner owner;

static void owner_on_resumed(struct pool_owner *pool_owner, struct share *share)
{
	struct owner *own = container_of(pool_owner, struct owner, owner);

	own->n_resumed++;
	own->resumed = share;
	own->at_ns = ring_now(world.ring);
	own->had_room = bound_has_room(&share->requests);
}

static void begin(void)
{
	conn_world_begin(&world);
	owner = (struct owner){.owner.on_resumed = owner_on_resumed};
	pool_set_owner(world.pool, &owner.owner);
}

static struct route *route_of(uid_t uid, const char *host, const char *server_name)
{
	struct route_key key = {.uid = uid,
		.port = 80,
		.host = text_from(host),
		.server_name = text_from(server_name)};

	return pool_route(world.pool, &key);
}

static void leave(struct route *route)
{
	pool_leave(world.pool, route);
}

START_TEST(a_user_has_one_of_each_origin_whatever_the_route)
{
	struct route *one, *other_way, *other_user, *other_origin;

	begin();
	one = route_of(1, "a.example", "x");
	other_way = route_of(1, "a.example", "y");
	other_user = route_of(2, "a.example", "x");
	other_origin = route_of(1, "b.example", "x");
	ck_assert_ptr_ne(one, other_way);
	ck_assert_ptr_eq(one->share, other_way->share);
	ck_assert_uint_eq(one->share->n_routes, 2);
	ck_assert_uint_eq(one->share->uid, 1);
	ck_assert_ptr_eq(one->share->origin, one->origin);
	ck_assert_ptr_ne(one->share, other_user->share);
	ck_assert_ptr_eq(other_user->share->origin, one->origin);
	ck_assert_ptr_ne(one->share, other_origin->share);
	ck_assert_uint_eq(one->share->requests.limit, BOUND_NONE);
	leave(one);
	leave(other_way);
	leave(other_user);
	leave(other_origin);
	conn_world_end(&world);
}
END_TEST

START_TEST(a_pause_ends_at_its_time_and_its_owner_hears_of_it)
{
	struct route *route, *other;
	uint64_t until_ns;

	begin();
	route = route_of(1, "a.example", "x");
	other = route_of(2, "a.example", "x");
	until_ns = ring_now(world.ring) + 5 * NS_PER_S;
	share_pause(world.pool, route->share, until_ns);
	ck_assert(!bound_has_room(&route->share->requests));
	ck_assert_uint_eq(route->share->paused_until_ns, until_ns);
	/* Nobody else's. */
	ck_assert(bound_has_room(&other->share->requests));
	ck_assert(bound_has_room(&route->origin->requests));
	fake_pass(5 * NS_PER_S - NS_PER_MS);
	ck_assert_uint_eq(owner.n_resumed, 0);
	ck_assert(route->share->requests.paused);
	fake_pass(NS_PER_MS);
	ck_assert_uint_eq(owner.n_resumed, 1);
	ck_assert_ptr_eq(owner.resumed, route->share);
	ck_assert_uint_eq(owner.at_ns, until_ns);
	ck_assert(owner.had_room);
	ck_assert_uint_eq(route->share->paused_until_ns, 0);
	leave(route);
	leave(other);
	conn_world_end(&world);
}
END_TEST

START_TEST(of_several_pauses_the_latest_counts)
{
	static const struct {
		uint64_t first, second, expected;
	} cases[] = {
		{5, 2, 5},
		{2, 5, 5},
		{5, 0, 5},
		{5, 5, 5},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct route *route;
		uint64_t now;

		begin();
		route = route_of(1, "a.example", "x");
		now = ring_now(world.ring);
		share_pause(world.pool, route->share, now + cases[i].first * NS_PER_S);
		share_pause(world.pool, route->share, now + cases[i].second * NS_PER_S);
		fake_pass(10 * NS_PER_S);
		ck_assert_uint_eq(owner.n_resumed, 1);
		ck_assert_uint_eq(owner.at_ns, now + cases[i].expected * NS_PER_S);
		leave(route);
		conn_world_end(&world);
	}
}
END_TEST

START_TEST(a_pause_that_has_passed_is_none)
{
	struct route *route;

	begin();
	route = route_of(1, "a.example", "x");
	share_pause(world.pool, route->share, ring_now(world.ring));
	ck_assert(!route->share->requests.paused);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(owner.n_resumed, 0);
	/* It can be paused anew. */
	share_pause(world.pool, route->share, ring_now(world.ring) + NS_PER_S);
	fake_pass(NS_PER_S);
	share_pause(world.pool, route->share, ring_now(world.ring) + NS_PER_S);
	ck_assert(route->share->requests.paused);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(owner.n_resumed, 2);
	leave(route);
	conn_world_end(&world);
}
END_TEST

START_TEST(without_an_owner_a_pause_ends_as_well)
{
	struct route *route;

	begin();
	pool_set_owner(world.pool, NULL);
	route = route_of(1, "a.example", "x");
	share_pause(world.pool, route->share, ring_now(world.ring) + NS_PER_S);
	fake_pass(NS_PER_S);
	ck_assert(!route->share->requests.paused);
	ck_assert_uint_eq(owner.n_resumed, 0);
	leave(route);
	conn_world_end(&world);
}
END_TEST

/* So that a job that comes back is still held back. */
START_TEST(a_pause_outlives_its_routes)
{
	struct route *route;
	struct share *share;

	begin();
	route = route_of(1, "a.example", "x");
	share = route->share;
	share_pause(world.pool, share, ring_now(world.ring) + 20 * IDLE_TIMEOUT_NS);
	leave(route);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_routes, 0);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 1);
	route = route_of(1, "a.example", "y");
	ck_assert_ptr_eq(route->share, share);
	ck_assert(route->share->requests.paused);
	leave(route);
	fake_pass(20 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(owner.n_resumed, 1);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 0);
	ck_assert_uint_eq(ring_timers(world.ring)->n_armed, 0);
	conn_world_end(&world);
}
END_TEST

START_TEST(a_share_is_kept_while_its_bound_is_used)
{
	struct route *route;

	begin();
	route = route_of(1, "a.example", "x");
	route->share->requests.used++;
	leave(route);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 1);
	route = route_of(1, "a.example", "y");
	route->share->requests.used--;
	leave(route);
	fake_pass(10 * IDLE_TIMEOUT_NS);
	ck_assert_uint_eq(pool_counters(world.pool).n_origins, 0);
	conn_world_end(&world);
}
END_TEST

START_TEST(rates_hold_a_share_for_ten_seconds)
{
	struct route *route;

	begin();
	route = route_of(1, "a.example", "x");
	ck_assert(!share_is_unused(route->share, ring_now(world.ring)));
	rate_add(&route->share->sent, ring_now(world.ring));
	route->share->n_routes--;
	ck_assert(!share_is_unused(route->share, ring_now(world.ring) + 9 * NS_PER_S));
	ck_assert(share_is_unused(route->share, ring_now(world.ring) + 10 * NS_PER_S));
	route->share->n_routes++;
	leave(route);
	conn_world_end(&world);
}
END_TEST

/* The daemon ends, and what is paused with it. */
START_TEST(a_pause_ends_with_its_pool)
{
	struct route *route;

	begin();
	route = route_of(1, "a.example", "x");
	share_pause(world.pool, route->share, ring_now(world.ring) + 3600 * NS_PER_S);
	leave(route);
	conn_world_end(&world);
	ck_assert_uint_eq(owner.n_resumed, 0);
}
END_TEST

UNIT_MAIN("net/share", &a_user_has_one_of_each_origin_whatever_the_route,
	&a_pause_ends_at_its_time_and_its_owner_hears_of_it, &of_several_pauses_the_latest_counts,
	&a_pause_that_has_passed_is_none, &without_an_owner_a_pause_ends_as_well,
	&a_pause_outlives_its_routes, &a_share_is_kept_while_its_bound_is_used,
	&rates_hold_a_share_for_ten_seconds, &a_pause_ends_with_its_pool)
