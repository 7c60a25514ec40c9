/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include <errno.h>

#include "http/h2_private.h"
#include "tests/unit/front/memory.h"
#include "tests/unit/net/mux_world.h"

#define RIDERS 8

static struct mux_world world;
static struct rider riders[RIDERS];

static void begin_with(struct pool_options options, unsigned n, const char *path)
{
	mux_world_begin_with(&world, options);
	for (unsigned i = 0; i < n; i++)
		rider_init(&riders[i], &world, path);
}

static void begin(unsigned n, const char *path)
{
	begin_with((struct pool_options){100, 10, IDLE_TIMEOUT_NS, BOUND_NONE}, n, path);
}

static void end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rider_end(&riders[i]);
	mux_world_end(&world);
}

static void lease_all(unsigned from, unsigned to, enum lease expected)
{
	for (unsigned i = from; i < to; i++)
		ck_assert_int_eq(rider_lease(&riders[i]), expected);
}

static void hear_all(unsigned from, unsigned to, const char *said)
{
	for (unsigned i = from; i < to; i++)
		rider_hears(&riders[i], said);
}

static struct pool_counters counters(void)
{
	return pool_counters(world.conns.pool);
}

START_TEST(all_wait_for_one_dial_and_share_it)
{
	begin(4, "/hello");
	lease_all(0, 3, LEASE_AWAITED);
	ck_assert_ptr_nonnull(pool_awaited(riders[0].route));
	ck_assert_uint_eq(counters().dialled, 1);
	mux_world_pass(&world);
	hear_all(0, 3, "PPMSHBE");
	ck_assert_ptr_null(pool_awaited(riders[0].route));
	ck_assert_uint_eq(counters().dialled, 1);
	/* It is there for the next one, too. */
	ck_assert_uint_eq(counters().n_idle, 1);
	lease_all(3, 4, LEASE_SHARED);
	mux_world_pass(&world);
	hear_all(3, 4, "MSHBE");
	ck_assert_uint_eq(counters().dialled, 1);
	ck_assert_uint_eq(counters().shared, 1);
	ck_assert_uint_eq(counters().streams, 4);
	ck_assert_uint_eq(counters().reused, 3);
	end(4);
}
END_TEST

START_TEST(where_it_is_not_shared_each_has_its_own)
{
	begin(4, "/hello");
	world.protocol = "http/1.1";
	lease_all(0, 3, LEASE_AWAITED);
	mux_world_pass(&world);
	/* The first one has what was dialled; the others hear of a dial of their own. */
	rider_hears(&riders[0], "PPR");
	rider_hears(&riders[1], "PPPPPR");
	rider_hears(&riders[2], "PPPPPR");
	ck_assert_uint_eq(counters().dialled, 3);
	/* It is known from now on, and what is idle is used. */
	pool_return(world.conns.pool, riders[0].user.conn);
	riders[0].user.conn = NULL;
	ck_assert_int_eq(rider_lease(&riders[3]), LEASE_OWN);
	ck_assert_int_eq(riders[3].user.conn->state, CONN_ACTIVE);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_OWN);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPR");
	ck_assert_uint_eq(counters().dialled, 4);
	end(4);
}
END_TEST

/* Without ALPN it is HTTP/1.1. */
START_TEST(an_origin_that_chooses_nothing_is_not_shared)
{
	begin(1, "/hello");
	world.protocol = NULL;
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPR");
	end(1);
}
END_TEST

START_TEST(what_is_not_offered_is_not_chosen)
{
	struct route_key key;

	begin(0, "/hello");
	key = mux_world_key(&world);
	key.http = PLAN_HTTP_1_1;
	rider_init_for(&riders[0], &world, "/", &key);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_OWN);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPR");
	end(1);
}
END_TEST

START_TEST(who_wants_http2_and_nothing_else_gets_it_or_a_fault)
{
	static const char *const protocols[] = {"http/1.1", NULL};

	for (size_t i = 0; i < countof(protocols); i++) {
		struct route_key key;

		begin(0, "/hello");
		world.protocol = protocols[i];
		key = mux_world_key(&world);
		key.http = PLAN_HTTP_2;
		for (unsigned j = 0; j < 2; j++)
			rider_init_for(&riders[j], &world, "/hello", &key);
		lease_all(0, 2, LEASE_AWAITED);
		mux_world_pass(&world);
		hear_all(0, 2, "PPF");
		ck_assert_int_eq(riders[0].fault.code, FAULT_TLS_HANDSHAKE);
		ck_assert_ptr_nonnull(strstr(riders[1].fault.message, "h2"));
		ck_assert(pool_is_empty(world.conns.pool));
		world.protocol = "h2";
		lease_all(0, 2, LEASE_AWAITED);
		mux_world_pass(&world);
		hear_all(0, 2, "PPMSHBE");
		end(2);
	}
}
END_TEST

START_TEST(a_failed_dial_is_told_to_all_who_wait)
{
	begin(3, "/hello");
	fake_holds.connects = true;
	lease_all(0, 3, LEASE_AWAITED);
	fake_run();
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	hear_all(0, 3, "PF");
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(riders[i].fault.code, FAULT_CONNECT_REFUSED);
	fake_run();
	ck_assert(pool_is_empty(world.conns.pool));
	/* The next one may do better. */
	fake_holds.connects = false;
	lease_all(0, 2, LEASE_AWAITED);
	mux_world_pass(&world);
	hear_all(0, 2, "PPMSHBE");
	end(3);
}
END_TEST

START_TEST(who_comes_back_from_a_failed_dial_waits_for_another_one)
{
	begin(3, "/hello");
	riders[0].comes_back = true;
	riders[1].comes_back = true;
	fake_holds.connects = true;
	lease_all(0, 3, LEASE_AWAITED);
	fake_run();
	fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	hear_all(0, 3, "PF");
	ck_assert_ptr_null(pool_awaited(riders[0].route));
	/* One who goes again before anything is made of it. */
	pool_unlease(world.conns.pool, &riders[0].user);
	fake_run();
	ck_assert_uint_eq(counters().dialled, 2);
	fake_holds.connects = false;
	mux_world_pass(&world);
	rider_hears(&riders[0], "");
	rider_hears(&riders[1], "PPMSHBE");
	rider_hears(&riders[2], "");
	end(3);
}
END_TEST

START_TEST(a_failed_handshake_is_told_to_all_who_wait)
{
	begin(2, "/hello");
	lease_all(0, 2, LEASE_AWAITED);
	fake_run();
	fake_complete(FAKE_RECEIVE, -1, 0);
	hear_all(0, 2, "PPF");
	ck_assert_int_eq(riders[1].fault.code, FAULT_TLS_HANDSHAKE);
	end(2);
}
END_TEST

START_TEST(without_memory_to_share_it_all_who_wait_are_told)
{
	begin(2, "/hello");
	memory_fail_object(sizeof(struct h2));
	lease_all(0, 2, LEASE_AWAITED);
	mux_world_pass(&world);
	ck_assert(memory_has_failed());
	hear_all(0, 2, "PPF");
	ck_assert_int_eq(riders[0].fault.code, FAULT_OVERLOADED);
	ck_assert(pool_is_empty(world.conns.pool));
	end(2);
}
END_TEST

START_TEST(who_goes_does_not_hurt_those_who_still_wait)
{
	begin(3, "/hello");
	fake_holds.connects = true;
	lease_all(0, 3, LEASE_AWAITED);
	fake_run();
	/* The one who was first. */
	pool_unlease(world.conns.pool, &riders[0].user);
	pool_unlease(world.conns.pool, &riders[0].user);
	fake_holds.connects = false;
	mux_world_pass(&world);
	rider_hears(&riders[0], "P");
	hear_all(1, 3, "PPMSHBE");
	ck_assert_uint_eq(counters().dialled, 1);
	end(3);
}
END_TEST

START_TEST(a_dial_that_all_have_given_up_is_nobody_s_to_wait_for)
{
	static const char *const protocols[] = {"h2", "http/1.1"};

	for (size_t i = 0; i < countof(protocols); i++) {
		begin(2, "/hello");
		world.protocol = protocols[i];
		fake_holds.connects = true;
		lease_all(0, 1, LEASE_AWAITED);
		fake_run();
		pool_unlease(world.conns.pool, &riders[0].user);
		ck_assert_ptr_null(pool_awaited(riders[0].route));
		ck_assert_uint_eq(counters().n_warming, 0);
		lease_all(1, 2, LEASE_AWAITED);
		ck_assert_uint_eq(counters().dialled, 2);
		fake_holds.connects = false;
		mux_world_pass(&world);
		ck_assert_uint_eq(counters().n_conns, 1);
		end(2);
	}
}
END_TEST

START_TEST(a_dial_that_nobody_awaits_any_more_does_not_last_for_ever)
{
	begin(1, "/hello");
	fake_holds.connects = true;
	lease_all(0, 1, LEASE_AWAITED);
	fake_pass(NS_PER_S);
	pool_unlease(world.conns.pool, &riders[0].user);
	fake_pass(10 * NS_PER_S);
	ck_assert(pool_is_empty(world.conns.pool));
	end(1);

	/* Nor beyond a drain, before or after. */
	for (int i = 0; i < 2; i++) {
		begin(1, "/hello");
		fake_holds.connects = true;
		lease_all(0, 1, LEASE_AWAITED);
		fake_run();
		if (i == 0)
			pool_drain(world.conns.pool);
		pool_unlease(world.conns.pool, &riders[0].user);
		if (i == 1)
			pool_drain(world.conns.pool);
		fake_run();
		ck_assert(pool_is_empty(world.conns.pool));
		end(1);
	}
}
END_TEST

/* While it is awaited its users' limits hold, and no other. */
START_TEST(a_dial_that_is_awaited_lasts_as_long_as_that)
{
	begin(1, "/hello");
	fake_holds.connects = true;
	lease_all(0, 1, LEASE_AWAITED);
	fake_pass(100 * NS_PER_S);
	ck_assert_ptr_nonnull(pool_awaited(riders[0].route));
	fake_holds.connects = false;
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPMSHBE");
	end(1);
}
END_TEST

START_TEST(a_warmed_one_is_awaited_like_any_other)
{
	begin(2, "/hello");
	fake_holds.connects = true;
	/* One is as good as many. */
	pool_warm(world.conns.pool, riders[0].route, 5);
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(counters().n_warming, 1);
	lease_all(0, 2, LEASE_AWAITED);
	ck_assert_uint_eq(counters().n_warming, 0);
	ck_assert_uint_eq(counters().warm_used, 1);
	/* What was over before took nobody time. */
	ck_assert_uint_eq(
		pool_awaited(riders[0].route)->times.resolved_ns, ring_now(world.conns.ring));
	pool_warm(world.conns.pool, riders[0].route, 5);
	ck_assert_uint_eq(counters().dialled, 1);
	fake_holds.connects = false;
	mux_world_pass(&world);
	hear_all(0, 2, "PMSHBE");
	ck_assert_uint_eq(counters().dialled, 1);
	ck_assert_uint_eq(counters().warm_used, 1);
	end(2);
}
END_TEST

START_TEST(a_warmed_one_comes_to_be_shared_and_idle)
{
	begin(2, "/hello");
	pool_warm(world.conns.pool, riders[0].route, 1);
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_idle, 1);
	ck_assert_uint_eq(counters().n_shared, 1);
	pool_warm(world.conns.pool, riders[0].route, 3);
	ck_assert_uint_eq(counters().dialled, 1);
	lease_all(0, 2, LEASE_SHARED);
	ck_assert_uint_eq(counters().warm_used, 1);
	/* It was there before them. */
	ck_assert(!mux_is_first(&riders[0].on));
	mux_world_pass(&world);
	hear_all(0, 2, "MSHBE");
	end(2);
}
END_TEST

START_TEST(a_warmed_one_that_is_in_the_way_of_idle_ones_goes)
{
	struct route_key key = {.port = 80, .host = TEXT("192.0.2.9")};

	begin_with((struct pool_options){100, 1, IDLE_TIMEOUT_NS, BOUND_NONE}, 1, "/hello");
	rider_init_for(&riders[1], &world, "/", &key);
	ck_assert_int_eq(rider_lease(&riders[1]), LEASE_OWN);
	fake_run();
	pool_warm(world.conns.pool, riders[0].route, 1);
	pool_return(world.conns.pool, riders[1].user.conn);
	riders[1].user.conn = NULL;
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_conns, 1);
	ck_assert_uint_eq(counters().n_idle, 1);
	ck_assert_uint_eq(counters().n_shared, 0);
	end(2);
}
END_TEST

START_TEST(who_wants_a_fresh_one_takes_neither_an_idle_nor_a_shared_one)
{
	begin(4, "/wait");
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	/* One dial for all of them, too. */
	for (unsigned i = 1; i < 3; i++)
		ck_assert_int_eq(rider_lease_as(&riders[i], true), LEASE_AWAITED);
	ck_assert_uint_eq(counters().dialled, 2);
	ck_assert_int_eq(rider_lease(&riders[3]), LEASE_SHARED);
	mux_world_pass(&world);
	ck_assert_ptr_eq(riders[3].mux, riders[0].mux);
	ck_assert_ptr_ne(riders[1].mux, riders[0].mux);
	ck_assert_ptr_eq(riders[1].mux, riders[2].mux);
	hear_all(1, 3, "PPMS");
	ck_assert_uint_eq(counters().dialled, 2);
	ck_assert_uint_eq(counters().n_shared, 2);
	ck_assert_uint_eq(counters().n_streams, 4);
	end(4);
}
END_TEST

START_TEST(where_the_peer_s_limit_binds_one_more_is_dialled)
{
	begin(5, "/wait");
	world.streams_max = 2;
	lease_all(0, 2, LEASE_AWAITED);
	mux_world_pass(&world);
	hear_all(0, 2, "PPMS");
	lease_all(2, 5, LEASE_AWAITED);
	mux_world_pass(&world);
	hear_all(2, 4, "PPMS");
	ck_assert_ptr_ne(riders[2].mux, riders[0].mux);
	ck_assert_ptr_eq(riders[3].mux, riders[2].mux);
	/* What the first connection's peer has said is believed of the next one. */
	ck_assert_ptr_ne(riders[4].mux, riders[2].mux);
	ck_assert_uint_eq(counters().n_shared, 3);
	ck_assert_uint_eq(counters().dialled, 3);
	end(5);
}
END_TEST

START_TEST(who_waits_has_room_or_a_new_one_whatever_comes_first)
{
	begin(4, "/wait");
	world.streams_max = 1;
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	fake_holds.connects = true;
	lease_all(1, 3, LEASE_AWAITED);
	mux_world_pass(&world);
	hear_all(1, 3, "P");
	/* Room. */
	mux_leave(&riders[0].on);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPMSL");
	rider_hears(&riders[1], "MS");
	ck_assert_ptr_eq(riders[1].mux, riders[0].mux);
	ck_assert_uint_eq(counters().n_warming, 0);
	/* A new one. */
	fake_holds.connects = false;
	mux_world_pass(&world);
	rider_hears(&riders[2], "PMS");
	ck_assert_ptr_ne(riders[2].mux, riders[1].mux);
	ck_assert_uint_eq(counters().dialled, 2);
	end(4);
}
END_TEST

START_TEST(a_dial_that_is_not_needed_any_more_goes_on_as_a_warm_one)
{
	begin(2, "/wait");
	world.streams_max = 1;
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	fake_holds.connects = true;
	lease_all(1, 2, LEASE_AWAITED);
	fake_run();
	mux_leave(&riders[0].on);
	mux_world_pass(&world);
	rider_hears(&riders[1], "PMS");
	ck_assert_uint_eq(counters().n_warming, 1);
	fake_holds.connects = false;
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_shared, 2);
	ck_assert_uint_eq(counters().n_idle, 1);
	end(2);
}
END_TEST

START_TEST(at_the_bound_who_can_wait_for_room_waits)
{
	struct route_key key = {.port = 80, .host = TEXT("192.0.2.9")};

	begin_with((struct pool_options){1, 10, IDLE_TIMEOUT_NS, BOUND_NONE}, 3, "/wait");
	world.streams_max = 1;
	rider_init_for(&riders[3], &world, "/", &key);
	ck_assert_int_eq(rider_lease(&riders[3]), LEASE_OWN);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_NONE);
	conn_abort(riders[3].user.conn);
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	/* Who wants a fresh one has nothing to wait for. */
	ck_assert_int_eq(rider_lease_as(&riders[1], true), LEASE_NONE);
	lease_all(1, 3, LEASE_AWAITED);
	ck_assert_ptr_null(pool_awaited(riders[0].route));
	mux_leave(&riders[0].on);
	mux_world_pass(&world);
	rider_hears(&riders[1], "MS");
	rider_hears(&riders[2], "");
	/* When there is nothing to wait for any more, that is made which is missing. */
	fake_complete(FAKE_RECEIVE, riders[1].mux ? mux_conn(riders[1].mux)->fd : -1, 0);
	mux_world_pass(&world);
	rider_hears(&riders[1], "ZL");
	rider_hears(&riders[2], "PPMS");
	end(4);
}
END_TEST

START_TEST(an_origin_that_changes_its_mind_is_believed)
{
	begin(4, "/hello");
	world.protocol = "http/1.1";
	lease_all(0, 1, LEASE_AWAITED);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPR");
	/* To HTTP/2: what was one's own is shared. */
	world.protocol = "h2";
	ck_assert_int_eq(rider_lease(&riders[1]), LEASE_OWN);
	mux_world_pass(&world);
	rider_hears(&riders[1], "PPMSHBE");
	ck_assert_int_eq(rider_lease(&riders[2]), LEASE_SHARED);
	/* What is idle of the other kind is used up. */
	pool_return(world.conns.pool, riders[0].user.conn);
	riders[0].user.conn = NULL;
	mux_world_pass(&world);
	rider_hears(&riders[2], "MSHBE");
	/* And back. */
	world.protocol = "http/1.1";
	pool_flush(world.conns.pool, 0);
	mux_world_pass(&world);
	lease_all(1, 4, LEASE_AWAITED);
	mux_world_pass(&world);
	rider_hears(&riders[1], "PPR");
	hear_all(2, 4, "PPPPPR");
	end(4);
}
END_TEST

START_TEST(who_is_ended_by_another_s_upcall_hears_no_more)
{
	begin(2, "/hello");
	lease_all(0, 2, LEASE_AWAITED);
	fake_run();
	/* Both left while it is being shaken hands with. */
	pool_unlease(world.conns.pool, &riders[1].user);
	pool_unlease(world.conns.pool, &riders[0].user);
	mux_world_pass(&world);
	hear_all(0, 2, "PP");
	ck_assert_uint_eq(counters().n_conns, 0);
	end(2);
}
END_TEST

UNIT_MAIN("net/pool_share", &all_wait_for_one_dial_and_share_it,
	&where_it_is_not_shared_each_has_its_own, &an_origin_that_chooses_nothing_is_not_shared,
	&what_is_not_offered_is_not_chosen, &who_wants_http2_and_nothing_else_gets_it_or_a_fault,
	&a_failed_dial_is_told_to_all_who_wait,
	&who_comes_back_from_a_failed_dial_waits_for_another_one,
	&a_failed_handshake_is_told_to_all_who_wait,
	&without_memory_to_share_it_all_who_wait_are_told,
	&who_goes_does_not_hurt_those_who_still_wait,
	&a_dial_that_all_have_given_up_is_nobody_s_to_wait_for,
	&a_dial_that_nobody_awaits_any_more_does_not_last_for_ever,
	&a_dial_that_is_awaited_lasts_as_long_as_that, &a_warmed_one_is_awaited_like_any_other,
	&a_warmed_one_comes_to_be_shared_and_idle,
	&a_warmed_one_that_is_in_the_way_of_idle_ones_goes,
	&who_wants_a_fresh_one_takes_neither_an_idle_nor_a_shared_one,
	&where_the_peer_s_limit_binds_one_more_is_dialled,
	&who_waits_has_room_or_a_new_one_whatever_comes_first,
	&a_dial_that_is_not_needed_any_more_goes_on_as_a_warm_one,
	&at_the_bound_who_can_wait_for_room_waits, &an_origin_that_changes_its_mind_is_believed,
	&who_is_ended_by_another_s_upcall_hears_no_more)
