/* SPDX-License-Identifier: MIT */
#include "net/mux.h"

#include <errno.h>

#include "tests/unit/front/memory.h"
#include "tests/unit/net/mux_riders.h"

/* The least that memory for what is sent is asked for in. */
#define GREETING_SIZE 256

static void peer_say(struct peer *peer)
{
	const uint8_t *out;
	ssize_t n = nghttp2_session_mem_send(peer->server.session, &out);

	ck_assert_int_gt(n, 0);
	peer_write(peer, out, (size_t)n);
	peer_flush(peer);
}

START_TEST(who_leaves_as_the_connection_ends_is_told_when_it_is_closed)
{
	begin(2, "/wait");
	ride(0, 2);
	fake_holds.sends = true;
	fake_holds.closes = true;
	ck_assert(!mux_leave(&riders[0].on));
	fake_run();
	fake_complete(FAKE_RECEIVE, FAKE_FD_FIRST, -ECONNRESET);
	rider_hears(&riders[1], "Z");
	ck_assert_int_eq(riders[1].h2_fault.kind, H2_FAULT_CONNECTION);
	fake_run();
	rider_hears(&riders[0], "");
	fake_holds.closes = false;
	fake_run();
	rider_hears(&riders[0], "L");
	ck_assert(pool_is_empty(world.conns.pool));
	end(2);
}
END_TEST

START_TEST(who_is_told_of_the_end_may_stay_until_it_likes)
{
	begin(2, "/wait");
	riders[0].lingers = true;
	riders[1].lingers = true;
	ride(0, 2);
	fake_complete(FAKE_RECEIVE, FAKE_FD_FIRST, 0);
	fake_run();
	rider_hears(&riders[0], "Z");
	ck_assert(pool_is_empty(world.conns.pool));
	ck_assert_ptr_null(mux_conn(riders[0].mux));
	mux_consume(&riders[1].on, 1);
	ck_assert(mux_leave(&riders[0].on));
	ck_assert(mux_leave(&riders[1].on));
	end(2);
}
END_TEST

START_TEST(a_connection_that_fails_tells_all_and_the_peer)
{
	static const char data_on_stream_0[] = "\0\0\1\0\0\0\0\0\0x";
	struct peer *peer;

	begin(3, "/wait");
	ride(0, 2);
	peer = &world.peers[0];
	peer_write(peer, data_on_stream_0, sizeof(data_on_stream_0) - 1);
	fake_holds.sends = true;
	peer_flush(peer);
	for (unsigned i = 0; i < 2; i++) {
		rider_hears(&riders[i], "Z");
		ck_assert_int_eq(riders[i].h2_fault.kind, H2_FAULT_CONNECTION);
		ck_assert_uint_eq(riders[i].h2_fault.code, PROTOCOL_ERROR);
	}
	fake_run();
	/* No stream more: the next one gets another connection. */
	ck_assert_int_eq(rider_lease(&riders[2]), LEASE_AWAITED);
	ck_assert(fake_is_open(peer->fd));
	/* The peer's further words are nobody's. */
	peer_write(peer, "garbage", 7);
	peer_flush(peer);
	fake_holds.sends = false;
	fake_run();
	ck_assert(!fake_is_open(peer->fd));
	/* A GOAWAY, at last. */
	peer_turn(&world, peer->fd);
	ck_assert(!nghttp2_session_check_request_allowed(peer->server.session));
	/* Which has as much room as ever. */
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_AWAITED);
	mux_world_pass(&world);
	rider_hears(&riders[2], "PPMS");
	ck_assert_ptr_eq(riders[0].mux, riders[2].mux);
	ck_assert_uint_eq(counters().dialled, 2);
	end(3);
}
END_TEST

/* The peer may be at work until then: what they had a place for. */
START_TEST(where_the_connection_fails_nobody_has_left_before_it_is_closed)
{
	static const char data_on_stream_0[] = "\0\0\1\0\0\0\0\0\0x";

	/* The peer breaks a rule, and takes the GOAWAY; it resets; it ends. */
	for (int i = 0; i < 3; i++) {
		begin(2, "/wait");
		ride(0, 2);
		fake_holds.closes = true;
		if (i == 0) {
			peer_write(&world.peers[0], data_on_stream_0, sizeof(data_on_stream_0) - 1);
			peer_flush(&world.peers[0]);
		} else {
			fake_complete(FAKE_RECEIVE, FAKE_FD_FIRST, i == 1 ? -ECONNRESET : 0);
		}
		fake_run();
		for (unsigned n = 0; n < 2; n++) {
			rider_hears(&riders[n], "Z");
			ck_assert_int_eq(riders[n].h2_fault.kind, H2_FAULT_CONNECTION);
			ck_assert_ptr_nonnull(riders[n].on.mux);
		}
		fake_holds.closes = false;
		fake_run();
		for (unsigned n = 0; n < 2; n++)
			rider_hears(&riders[n], "L");
		ck_assert(pool_is_empty(world.conns.pool));
		end(2);
	}
}
END_TEST

/* Of what was not sent there is nothing to wait for. */
START_TEST(where_the_connection_fails_who_was_not_on_the_wire_has_left)
{
	begin(2, "/wait");
	ride(0, 1);
	fake_holds.sends = true;
	fake_holds.closes = true;
	riders[1].lingers = true;
	ck_assert_int_eq(rider_lease(&riders[1]), LEASE_SHARED);
	fake_complete(FAKE_RECEIVE, FAKE_FD_FIRST, -ECONNRESET);
	rider_hears(&riders[1], "MZ");
	ck_assert(riders[1].h2_fault.is_unprocessed);
	ck_assert(mux_leave(&riders[1].on));
	fake_holds.closes = false;
	end(2);
}
END_TEST

/* What it finds wrong with a stream's body the codec tells while it puts out the reset: who leaves
 * then is reset by what is put out next. */
START_TEST(who_leaves_while_output_is_made_has_not_left_with_it)
{
	static const char two_bytes[] = "\0\0\2\0\0\0\0\0\1xy";
	struct peer *peer;
	int fd;

	begin(2, "/wait");
	ride(0, 2);
	peer = &world.peers[0];
	fd = peer->fd;
	riders[0].companion = &riders[1];
	nghttp2_submit_headers(peer->server.session, 0, 1, NULL,
		(nghttp2_nv[]){server_field(":status", "200"), server_field("content-length", "1")},
		2, NULL);
	peer_say(peer);
	rider_hears(&riders[0], "H");
	peer_write(peer, two_bytes, sizeof(two_bytes) - 1);
	fake_holds.sends = true;
	peer_flush(peer);
	fake_run();
	rider_hears(&riders[0], "Z");
	ck_assert_int_eq(riders[0].h2_fault.kind, H2_FAULT_FRAMING);
	rider_hears(&riders[1], "");
	fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
	rider_hears(&riders[1], "");
	fake_holds.sends = false;
	mux_world_pass(&world);
	rider_hears(&riders[1], "L");
	ck_assert(stream_of(peer, 3)->is_reset);
	end(2);
}
END_TEST

/* Nobody is on it who could have it closed. */
START_TEST(without_memory_for_its_greeting_a_connection_is_closed)
{
	bool has_failed = true;
	unsigned n;

	/* The first ones are what the ring receives into. */
	for (n = 1; has_failed; n++) {
		struct peer *peer;

		begin(1, "/hello");
		pool_warm(world.conns.pool, riders[0].route, 1);
		fake_run();
		peer = mux_world_peer(&world, FAKE_FD_FIRST);
		BIO_write(SSL_get_rbio(peer->ssl), fake_sent(peer->fd).data,
			(int)fake_sent(peer->fd).size);
		fake_forget(peer->fd);
		peer_read(&world, peer);
		/* The end of the handshake, and what comes behind it. */
		fake_holds.sends = true;
		memory_fail_bytes_after(GREETING_SIZE, n);
		peer_flush(peer);
		fake_run();
		has_failed = memory_has_failed();
		fake_holds.sends = false;
		mux_world_pass(&world);
		ck_assert_uint_eq(fake_is_open(peer->fd), !has_failed);
		ck_assert_uint_eq(counters().n_shared, !has_failed);
		ck_assert(pool_is_empty(world.conns.pool) == has_failed);
		end(1);
	}
	ck_assert_uint_gt(n, 2);
}
END_TEST

START_TEST(a_peer_that_takes_no_goaway_is_not_waited_for)
{
	struct peer *peer;

	begin(1, "/wait");
	ride(0, 1);
	peer = &world.peers[0];
	peer_write(peer, "this is no frame at all", 23);
	fake_holds.sends = true;
	peer_flush(peer);
	rider_hears(&riders[0], "Z");
	fake_pass(2 * NS_PER_S);
	ck_assert(!fake_is_open(peer->fd));
	end(1);
}
END_TEST

START_TEST(after_a_goaway_those_there_finish_and_others_go_elsewhere)
{
	struct peer *peer;

	begin(4, "/wait");
	ride(0, 3);
	peer = &world.peers[0];
	/* The third has not been seen. */
	nghttp2_submit_goaway(peer->server.session, 0, 3, NO_ERROR, NULL, 0);
	mux_world_pass(&world);
	rider_hears(&riders[0], "");
	rider_hears(&riders[2], "Z");
	ck_assert_int_eq(riders[2].h2_fault.kind, H2_FAULT_GOAWAY);
	ck_assert(riders[2].h2_fault.is_unprocessed);
	ck_assert_int_eq(rider_lease(&riders[3]), LEASE_AWAITED);
	mux_world_pass(&world);
	ck_assert_ptr_ne(riders[3].mux, riders[0].mux);
	/* The first one finishes. */
	ck_assert(fake_is_open(peer->fd));
	stream_of(peer, 1)->data = "hello";
	nghttp2_submit_response(
		peer->server.session, 1, (nghttp2_nv[]){server_field(":status", "204")}, 1, NULL);
	mux_world_pass(&world);
	rider_hears(&riders[0], "HE");
	ck_assert(fake_is_open(peer->fd));
	mux_leave(&riders[1].on);
	mux_world_pass(&world);
	ck_assert(!fake_is_open(peer->fd));
	ck_assert_uint_eq(counters().n_shared, 1);
	end(4);
}
END_TEST

/* Who stops serving altogether takes none, which is no limit of each connection. */
START_TEST(a_goaway_that_takes_nothing_says_nothing_of_the_next_one)
{
	struct peer *peer;

	begin(2, "/wait");
	ride(0, 2);
	peer = &world.peers[0];
	nghttp2_submit_goaway(peer->server.session, 0, 0, NO_ERROR, NULL, 0);
	mux_world_pass(&world);
	for (unsigned i = 0; i < 2; i++) {
		rider_hears(&riders[i], "Z");
		ck_assert(riders[i].h2_fault.is_unprocessed);
		ck_assert_int_eq(rider_lease_as(&riders[i], true), LEASE_AWAITED);
	}
	mux_world_pass(&world);
	rider_hears(&riders[1], "PPMS");
	ck_assert_ptr_eq(riders[0].mux, riders[1].mux);
	ck_assert_uint_eq(counters().dialled, 2);
	end(2);
}
END_TEST

START_TEST(an_idle_one_answers_and_is_used_again)
{
	struct peer *peer;

	begin(1, "/hello");
	ride(0, 1);
	peer = &world.peers[0];
	ck_assert_uint_eq(counters().n_idle, 1);
	ck_assert_uint_eq(counters().n_streams, 0);
	nghttp2_submit_ping(peer->server.session, 0, (const uint8_t *)"12345678");
	peer_say(peer);
	fake_run();
	ck_assert_uint_gt(fake_sent(peer->fd).size, 0);
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_idle, 1);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_SHARED);
	ck_assert_uint_eq(counters().n_idle, 0);
	ck_assert(!mux_is_first(&riders[0].on));
	mux_world_pass(&world);
	rider_hears(&riders[0], "MSHBE");
	end(1);
}
END_TEST

START_TEST(an_idle_one_grows_old)
{
	begin(1, "/hello");
	ride(0, 1);
	fake_pass(IDLE_TIMEOUT_NS / 2);
	/* Talk does not keep it young, and use does. */
	nghttp2_submit_ping(world.peers[0].server.session, 0, (const uint8_t *)"12345678");
	mux_world_pass(&world);
	ride(0, 1);
	fake_pass(IDLE_TIMEOUT_NS - NS_PER_MS);
	ck_assert_uint_eq(counters().n_idle, 1);
	nghttp2_submit_ping(world.peers[0].server.session, 0, (const uint8_t *)"12345678");
	mux_world_pass(&world);
	fake_pass(NS_PER_MS);
	ck_assert(pool_is_empty(world.conns.pool));
	ck_assert_uint_eq(counters().n_shared, 0);
	end(1);
}
END_TEST

START_TEST(an_idle_one_whose_peer_goes_away_goes)
{
	for (int i = 0; i < 4; i++) {
		struct peer *peer;

		begin(1, "/hello");
		ride(0, 1);
		peer = &world.peers[0];
		switch (i) {
		case 0: fake_complete(FAKE_RECEIVE, peer->fd, 0); break;
		case 1: fake_complete(FAKE_RECEIVE, peer->fd, -ECONNRESET); break;
		case 2: SSL_shutdown(peer->ssl); break;
		case 3: nghttp2_submit_goaway(peer->server.session, 0, 1, NO_ERROR, NULL, 0); break;
		}
		mux_world_pass(&world);
		ck_assert(!fake_is_open(peer->fd));
		ck_assert(pool_is_empty(world.conns.pool));
		ck_assert_int_eq(rider_lease(&riders[0]), LEASE_AWAITED);
		end(1);
	}
}
END_TEST

START_TEST(an_idle_one_is_flushed_drained_and_makes_room)
{
	struct route_key key = {.port = 80, .host = TEXT("192.0.2.9")};

	for (int i = 0; i < 3; i++) {
		begin_with((struct pool_options){1, 10, IDLE_TIMEOUT_NS, BOUND_NONE}, 1, "/hello");
		ride(0, 1);
		rider_init_for(&riders[1], &world, "/", &key);
		if (i == 0)
			ck_assert_uint_eq(pool_flush(world.conns.pool, 0), 1);
		else if (i == 1)
			pool_drain(world.conns.pool);
		else
			ck_assert_int_eq(rider_lease(&riders[1]), LEASE_OWN);
		/* It is not lent while it ends. */
		ck_assert_int_ne(rider_lease(&riders[0]), LEASE_SHARED);
		pool_unlease(world.conns.pool, &riders[0].user);
		mux_world_pass(&world);
		ck_assert(!fake_is_open(FAKE_FD_FIRST));
		end(2);
	}
}
END_TEST

START_TEST(one_with_streams_outlasts_a_drain_until_they_are_over)
{
	begin(2, "/wait");
	ride(0, 2);
	pool_drain(world.conns.pool);
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_shared, 1);
	mux_leave(&riders[0].on);
	mux_leave(&riders[1].on);
	mux_world_pass(&world);
	rider_hears(&riders[1], "L");
	ck_assert(pool_is_empty(world.conns.pool));
	end(2);
}
END_TEST

/* Else it would eat one request after the other. */
START_TEST(a_silent_peer_gets_no_more_requests)
{
	begin(3, "/wait");
	ride(0, 1);
	world.is_mute = true;
	/* Given up soon: that says nothing. */
	rider_lease(&riders[1]);
	fake_pass(NS_PER_S / 2);
	mux_leave(&riders[1].on);
	fake_run();
	ck_assert_int_eq(rider_lease(&riders[1]), LEASE_SHARED);
	fake_pass(2 * NS_PER_S);
	mux_leave(&riders[1].on);
	fake_run();
	ck_assert_int_eq(rider_lease(&riders[2]), LEASE_AWAITED);
	pool_unlease(world.conns.pool, &riders[2].user);
	/* Who is on it stays. */
	rider_hears(&riders[0], "");
	ck_assert(fake_is_open(FAKE_FD_FIRST));
	mux_leave(&riders[0].on);
	fake_run();
	ck_assert(!fake_is_open(FAKE_FD_FIRST));
	end(3);
}
END_TEST

START_TEST(a_slow_answer_is_no_silence_where_others_are_answered)
{
	begin(3, "/wait");
	ride(0, 1);
	fake_pass(NS_PER_S);
	riders[1].path = "/hello";
	rider_lease(&riders[1]);
	mux_world_pass(&world);
	fake_pass(NS_PER_S);
	mux_leave(&riders[0].on);
	mux_world_pass(&world);
	ck_assert_int_eq(rider_lease(&riders[2]), LEASE_SHARED);
	end(3);
}
END_TEST

START_TEST(a_peer_that_takes_nothing_keeps_nobody_from_leaving)
{
	/* Alone; with others; with others, and it does take something, slowly. */
	for (int i = 0; i < 3; i++) {
		int fd;

		begin(2, "/wait");
		ride(0, i == 0 ? 1 : 2);
		fd = fd_of(&riders[0]);
		fake_holds.sends = true;
		mux_leave(&riders[0].on);
		fake_pass(NS_PER_S / 2);
		rider_hears(&riders[0], "");
		fake_pass(NS_PER_S);
		rider_hears(&riders[0], i == 0 ? "L" : "");
		for (int j = 0; i == 2 && j < 5; j++) {
			fake_pass(5 * NS_PER_S);
			fake_complete(FAKE_SEND, fd, 1);
			rider_hears(&riders[0], "");
		}
		fake_pass(20 * NS_PER_S);
		rider_hears(&riders[0], i == 0 ? "" : "L");
		rider_hears(&riders[1], i == 0 ? "" : "ZL");
		ck_assert(!fake_is_open(fd));
		end(2);
	}
}
END_TEST

UNIT_MAIN("net/mux_end", &who_leaves_as_the_connection_ends_is_told_when_it_is_closed,
	&who_is_told_of_the_end_may_stay_until_it_likes,
	&a_connection_that_fails_tells_all_and_the_peer,
	&where_the_connection_fails_nobody_has_left_before_it_is_closed,
	&where_the_connection_fails_who_was_not_on_the_wire_has_left,
	&who_leaves_while_output_is_made_has_not_left_with_it,
	&without_memory_for_its_greeting_a_connection_is_closed,
	&a_peer_that_takes_no_goaway_is_not_waited_for,
	&after_a_goaway_those_there_finish_and_others_go_elsewhere,
	&a_goaway_that_takes_nothing_says_nothing_of_the_next_one,
	&an_idle_one_answers_and_is_used_again, &an_idle_one_grows_old,
	&an_idle_one_whose_peer_goes_away_goes, &an_idle_one_is_flushed_drained_and_makes_room,
	&one_with_streams_outlasts_a_drain_until_they_are_over,
	&a_silent_peer_gets_no_more_requests,
	&a_slow_answer_is_no_silence_where_others_are_answered,
	&a_peer_that_takes_nothing_keeps_nobody_from_leaving)
