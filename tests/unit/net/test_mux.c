/* SPDX-License-Identifier: MIT */
#include "net/mux.h"

#include <errno.h>

#include "tests/unit/net/mux_riders.h"

START_TEST(a_request_has_its_response)
{
	begin(1, "/echo");
	riders[0].body = TEXT("body");
	rider_lease(&riders[0]);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPMSHBE");
	ck_assert_uint_eq(riders[0].status, 200);
	ck_assert(text_is(buffer_text(&riders[0].data), "body"));
	ck_assert_str_eq(mux_conn(riders[0].mux)->remote, "192.0.2.1:443");
	ck_assert(mux_is_first(&riders[0].on));
	ck_assert_ptr_null(riders[0].on.mux);
	end(1);
}
END_TEST

START_TEST(all_that_is_said_in_a_turn_leaves_together)
{
	uint64_t sends;

	begin(4, "/wait");
	ride(0, 1);
	sends = ring_counters(world.conns.ring)->sends;
	for (unsigned i = 1; i < 4; i++)
		rider_lease(&riders[i]);
	fake_run();
	ck_assert_uint_eq(ring_counters(world.conns.ring)->sends, sends + 1);
	for (unsigned i = 1; i < 4; i++)
		rider_hears(&riders[i], "MS");
	ck_assert(!mux_is_first(&riders[1].on));
	end(4);
}
END_TEST

/* The client's Finished, the preface and the first requests. */
START_TEST(the_first_requests_leave_with_the_end_of_the_handshake)
{
	struct peer *peer;

	begin(2, "/wait");
	rider_lease(&riders[0]);
	rider_lease(&riders[1]);
	fake_run();
	fake_holds.sends = true;
	peer = mux_world_peer(&world, FAKE_FD_FIRST);
	peer_turn(&world, FAKE_FD_FIRST);
	fake_complete(FAKE_SEND, -1, (int)fake_find(FAKE_SEND, -1)->size);
	/* No second one. */
	ck_assert_ptr_null(fake_find(FAKE_SEND, -1));
	rider_hears(&riders[0], "PPMS");
	fake_holds.sends = false;
	peer_turn(&world, peer->fd);
	ck_assert(stream_of(peer, 1)->is_complete);
	ck_assert(stream_of(peer, 3)->is_complete);
	end(2);
}
END_TEST

START_TEST(while_a_send_is_under_way_the_next_one_waits)
{
	int fd;

	begin(3, "/wait");
	ride(0, 1);
	fd = fd_of(&riders[0]);
	fake_holds.sends = true;
	rider_lease(&riders[1]);
	fake_run();
	rider_lease(&riders[2]);
	fake_run();
	rider_hears(&riders[1], "M");
	rider_hears(&riders[2], "M");
	fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
	fake_run();
	rider_hears(&riders[1], "S");
	rider_hears(&riders[2], "");
	fake_holds.sends = false;
	fake_run();
	rider_hears(&riders[2], "S");
	end(3);
}
END_TEST

START_TEST(a_body_that_is_pulled_goes_on_when_there_is_more)
{
	begin(1, "/echo");
	riders[0].pulls = true;
	riders[0].pull = H2_PULL_LATER;
	rider_lease(&riders[0]);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPM");
	ck_assert_int_eq(h2_sent(&riders[0].stream), H2_SENT_PARTIAL);
	riders[0].pull = H2_PULL_LAST;
	mux_resume(&riders[0].on);
	mux_world_pass(&world);
	rider_hears(&riders[0], "SHBE");
	ck_assert(text_is(buffer_text(&riders[0].data), "piece"));
	end(1);
}
END_TEST

START_TEST(a_long_body_comes_in_large_pieces)
{
	bool was_long = false;
	int fd;

	begin(2, "/3000000");
	ride(0, 1);
	ck_assert_uint_eq(riders[0].data.size, 3000000);
	ck_assert_uint_eq(counters().n_idle, 1);
	fd = FAKE_FD_FIRST;
	rider_lease(&riders[1]);
	for (int i = 0; i < 1000 && riders[1].data.size < 3000000; i++) {
		fake_run();
		was_long = was_long || fake_find(FAKE_RECEIVE, fd)->how == FAKE_RECEIVE_LARGE;
		peer_turn(&world, fd);
		fake_pass(NS_PER_MS);
	}
	ck_assert(was_long);
	mux_world_pass(&world);
	rider_hears(&riders[1], "MSHBE");
	/* What comes next comes as it does. */
	riders[0].path = "/hello";
	rider_lease(&riders[0]);
	mux_world_pass(&world);
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_MULTISHOT);
	end(2);
}
END_TEST

START_TEST(who_leaves_has_left_when_the_reset_is_with_the_kernel)
{
	begin(2, "/wait");
	ride(0, 2);
	fake_holds.sends = true;
	ck_assert(!mux_leave(&riders[0].on));
	ck_assert(!h2_is_under_way(&riders[0].stream));
	fake_run();
	rider_hears(&riders[0], "");
	fake_holds.sends = false;
	mux_world_pass(&world);
	rider_hears(&riders[0], "L");
	ck_assert(stream_of(&world.peers[0], 1)->is_reset);
	ck_assert_uint_eq(stream_of(&world.peers[0], 1)->code, CANCEL);
	ck_assert(!stream_of(&world.peers[0], 3)->is_reset);
	ck_assert_uint_eq(counters().n_streams, 1);
	/* And may come back. */
	riders[0].path = "/hello";
	rider_lease(&riders[0]);
	mux_world_pass(&world);
	rider_hears(&riders[0], "MSHBE");
	end(2);
}
END_TEST

START_TEST(who_leaves_before_anything_was_sent_has_left_at_once)
{
	begin(2, "/wait");
	ride(0, 1);
	rider_lease(&riders[1]);
	ck_assert(mux_leave(&riders[1].on));
	mux_world_pass(&world);
	rider_hears(&riders[1], "M");
	ck_assert(text_is(buffer_text(&stream_of(&world.peers[0], 3)->head), ""));
	end(2);
}
END_TEST

START_TEST(who_leaves_while_its_request_is_being_sent_leaves_after_it)
{
	begin(2, "/wait");
	ride(0, 1);
	fake_holds.sends = true;
	rider_lease(&riders[1]);
	fake_run();
	ck_assert(!mux_leave(&riders[1].on));
	fake_holds.sends = false;
	mux_world_pass(&world);
	/* Not on_sent: it is gone already. */
	rider_hears(&riders[1], "ML");
	ck_assert(stream_of(&world.peers[0], 3)->is_reset);
	end(2);
}
END_TEST

START_TEST(who_leaves_in_its_upcall_is_told_like_any_other)
{
	begin(2, "/5000000");
	riders[0].leaves_on_head = true;
	riders[1].path = "/wait";
	rider_lease(&riders[0]);
	rider_lease(&riders[1]);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPMSHL");
	ck_assert(stream_of(&world.peers[0], 1)->is_reset);
	end(2);
}
END_TEST

START_TEST(a_request_that_cannot_be_begun_leaves_the_connection_as_it_was)
{
	size_t size = 300 * 1024;
	char *path = malloc(size + 1);

	memset(path, '/', size);
	path[size] = '\0';
	begin(1, path);
	riders[0].is_shy = true;
	rider_lease(&riders[0]);
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_idle, 1);
	riders[0].said[0] = '\0';
	rider_lease(&riders[0]);
	{
		struct mux *mux;

		ck_assert_int_eq(
			pool_lease(world.conns.pool, riders[0].route, &riders[0].user, false, &mux),
			LEASE_SHARED);
		ck_assert(!rider_open(&riders[0], mux));
	}
	ck_assert_int_eq(riders[0].h2_fault.kind, H2_FAULT_REQUEST_TOO_LARGE);
	ck_assert_ptr_null(riders[0].on.mux);
	mux_world_pass(&world);
	ck_assert_uint_eq(counters().n_idle, 1);
	ck_assert_uint_eq(counters().n_streams, 0);
	end(1);
	free(path);
}
END_TEST

START_TEST(a_malformed_response_is_over_when_the_peer_is_told)
{
	static const char no_status[] = "\0\0\5\1\5\0\0\0\1\0\1a\1b";
	struct peer *peer;

	begin(2, "/wait");
	ride(0, 2);
	peer = &world.peers[0];
	riders[0].lingers = true;
	peer_write(peer, no_status, sizeof(no_status) - 1);
	fake_holds.sends = true;
	peer_flush(peer);
	rider_hears(&riders[0], "Z");
	ck_assert_int_eq(riders[0].h2_fault.kind, H2_FAULT_PARSE);
	ck_assert(!mux_leave(&riders[0].on));
	fake_run();
	rider_hears(&riders[0], "");
	fake_holds.sends = false;
	mux_world_pass(&world);
	rider_hears(&riders[0], "L");
	ck_assert(stream_of(peer, 1)->is_reset);
	rider_hears(&riders[1], "");
	end(2);
}
END_TEST

START_TEST(a_refused_stream_is_told_and_the_others_go_on)
{
	struct peer *peer;

	begin(2, "/wait");
	ride(0, 2);
	peer = &world.peers[0];
	nghttp2_submit_rst_stream(peer->server.session, 0, 1, REFUSED_STREAM);
	mux_world_pass(&world);
	rider_hears(&riders[0], "Z");
	ck_assert_int_eq(riders[0].h2_fault.kind, H2_FAULT_REFUSED);
	rider_hears(&riders[1], "");
	ck_assert_uint_eq(counters().n_streams, 1);
	end(2);
}
END_TEST

UNIT_MAIN("net/mux", &a_request_has_its_response, &all_that_is_said_in_a_turn_leaves_together,
	&the_first_requests_leave_with_the_end_of_the_handshake,
	&while_a_send_is_under_way_the_next_one_waits,
	&a_body_that_is_pulled_goes_on_when_there_is_more, &a_long_body_comes_in_large_pieces,
	&who_leaves_has_left_when_the_reset_is_with_the_kernel,
	&who_leaves_before_anything_was_sent_has_left_at_once,
	&who_leaves_while_its_request_is_being_sent_leaves_after_it,
	&who_leaves_in_its_upcall_is_told_like_any_other,
	&a_request_that_cannot_be_begun_leaves_the_connection_as_it_was,
	&a_malformed_response_is_over_when_the_peer_is_told,
	&a_refused_stream_is_told_and_the_others_go_on)
