/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/net/conn_world.h"

static struct conn_world world;
static struct user user;

static void begin(void)
{
	conn_world_begin(&world);
	user_begin(&user, &world);
}

static void end(void)
{
	user_end(&user);
	conn_world_end(&world);
}

START_TEST(a_request_goes_out_and_its_response_comes_in)
{
	begin();
	fake_holds.sends = true;
	conn_send(user.conn, "GET", 3);
	/* The next answer may come before the request is fully sent. */
	fake_receive(user_fd(&user), "early ");
	fake_complete(FAKE_SEND, user_fd(&user), 3);
	ck_assert(text_is(fake_sent(user_fd(&user)), "GET"));
	fake_receive(user_fd(&user), "late");
	user_assert(&user, "DSD", "early late");
	ck_assert(conn_is_quiet(user.conn));
	ck_assert_str_eq(user.conn->remote, "192.0.2.1:80");
	end();
}
END_TEST

START_TEST(a_short_send_is_gone_on_with)
{
	static const int results[] = {1, -EINTR, 2, -EAGAIN, 3};

	begin();
	fake_holds.sends = true;
	conn_send(user.conn, "GET / ", 6);
	for (size_t i = 0; i < countof(results); i++) {
		ck_assert(!conn_is_quiet(user.conn));
		user_assert(&user, "", "");
		fake_complete(FAKE_SEND, user_fd(&user), results[i]);
	}
	ck_assert(text_is(fake_sent(user_fd(&user)), "GET / "));
	user_assert(&user, "S", "");
	ck_assert_ptr_null(fake_find(FAKE_SEND, user_fd(&user)));
	end();
}
END_TEST

START_TEST(a_long_request_is_handed_over_in_pieces)
{
	size_t size = 1024 * 1024 + 1;
	char *request = malloc(size);
	unsigned n = 0;

	memset(request, 'x', size);
	begin();
	fake_holds.sends = true;
	conn_send(user.conn, request, size);
	while (fake_find(FAKE_SEND, user_fd(&user))) {
		const struct fake_flight *flight = fake_find(FAKE_SEND, user_fd(&user));

		ck_assert_uint_le(flight->size, 256 * 1024);
		ck_assert_uint_eq(user.conn->sent_size, n * (size_t)256 * 1024);
		/* What tells under TLS, too, that it moves. */
		ck_assert_uint_eq(user.conn->taken_size, n * (size_t)256 * 1024);
		fake_complete(FAKE_SEND, user_fd(&user), (int)flight->size);
		n++;
	}
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(fake_sent(user_fd(&user)).size, size);
	user_assert(&user, "S", "");
	end();
	free(request);
}
END_TEST

START_TEST(a_failed_send_is_told_unless_reading_will_tell)
{
	static const struct {
		int error;
		enum fault_code code;
	} cases[] = {
		{ETIMEDOUT, FAULT_SEND_FAILED},
		{EHOSTUNREACH, FAULT_SEND_FAILED},
		{ENOBUFS, FAULT_SEND_FAILED},
		{EPIPE, FAULT_NONE},
		{ECONNRESET, FAULT_NONE},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin();
		fake_holds.sends = true;
		conn_send(user.conn, "POST", 4);
		fake_complete(FAKE_SEND, user_fd(&user), -cases[i].error);
		ck_assert_int_eq(user.fault.code, cases[i].code);
		ck_assert_str_eq(user.said, cases[i].code == FAULT_NONE ? "" : "F");
		end();
	}
}
END_TEST

START_TEST(what_the_peer_said_before_its_reset_is_read)
{
	begin();
	fake_holds.sends = true;
	conn_send(user.conn, "POST", 4);
	fake_complete(FAKE_SEND, user_fd(&user), -EPIPE);
	fake_receive(user_fd(&user), "HTTP/1.1 413 ");
	user_assert(&user, "D", "HTTP/1.1 413 ");
	/* on_sent stays owed, so nobody else gets it. */
	ck_assert(!conn_is_quiet(user.conn));
	fake_complete(FAKE_RECEIVE, user_fd(&user), -ECONNRESET);
	ck_assert_int_eq(user.fault.code, FAULT_RECV_RESET);
	user_assert(&user, "DF", "HTTP/1.1 413 ");
	end();
}
END_TEST

START_TEST(passing_errors_of_a_receive_are_gone_on_from)
{
	static const int errors[] = {ENOBUFS, EINTR, EAGAIN, ECANCELED};

	for (size_t i = 0; i < countof(errors); i++) {
		begin();
		fake_complete(FAKE_RECEIVE, user_fd(&user), -errors[i]);
		ck_assert_ptr_nonnull(fake_find(FAKE_RECEIVE, user_fd(&user)));
		ck_assert(fake_find(FAKE_RECEIVE, user_fd(&user))->soon);
		fake_receive(user_fd(&user), "x");
		user_assert(&user, "D", "x");
		end();
	}
}
END_TEST

START_TEST(other_errors_of_a_receive_end_it)
{
	static const int errors[] = {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM};

	for (size_t i = 0; i < countof(errors); i++) {
		begin();
		fake_complete(FAKE_RECEIVE, user_fd(&user), -errors[i]);
		ck_assert_int_eq(user.fault.code, FAULT_RECV_RESET);
		ck_assert_ptr_nonnull(strstr(user.fault.message, "192.0.2.1:80"));
		fake_run();
		user_assert(&user, "FX", "");
		end();
	}
}
END_TEST

START_TEST(the_peer_s_end_is_told)
{
	begin();
	fake_receive(user_fd(&user), "last");
	fake_complete(FAKE_RECEIVE, user_fd(&user), 0);
	user_assert(&user, "DE", "last");
	fake_run();
	user_assert(&user, "DEX", "last");
	end();
}
END_TEST

START_TEST(a_receive_that_ends_is_started_again)
{
	begin();
	/* As a kernel without multishot receives does. */
	fake_find(FAKE_RECEIVE, user_fd(&user))->how = FAKE_RECEIVE_LARGE;
	fake_receive(user_fd(&user), "one");
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, user_fd(&user))->how, FAKE_RECEIVE_MULTISHOT);
	fake_receive(user_fd(&user), "two");
	user_assert(&user, "DD", "onetwo");
	end();
}
END_TEST

START_TEST(the_way_of_receiving_is_changed_without_losing_bytes)
{
	int fd;

	begin();
	fd = user_fd(&user);
	conn_receive(user.conn, CONN_RECEIVE_LONG);
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_MULTISHOT);
	/* Bytes that were faster than the cancel. */
	fake_receive(fd, "a");
	fake_run();
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_LARGE);
	fake_receive(fd, "b");
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_LARGE);

	/* A long one ends by itself with the next bytes. */
	conn_receive(user.conn, CONN_RECEIVE_SHORT);
	fake_run();
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_LARGE);
	fake_receive(fd, "c");
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_MULTISHOT);

	conn_receive(user.conn, CONN_RECEIVE_NONE);
	fake_run();
	ck_assert_ptr_null(fake_find(FAKE_RECEIVE, fd));
	conn_receive(user.conn, CONN_RECEIVE_LONG);
	fake_receive(fd, "d");
	conn_receive(user.conn, CONN_RECEIVE_SHORT);
	conn_receive(user.conn, CONN_RECEIVE_SHORT);
	fake_receive(fd, "e");
	user_assert(&user, "DDDDD", "abcde");
	end();
}
END_TEST

START_TEST(so_many_bytes_are_dropped_and_no_more)
{
	int fd;

	begin();
	fd = user_fd(&user);
	conn_drop(user.conn, 5);
	/* Bytes that were faster than the cancel still come. */
	fake_receive(fd, "a");
	conn_drop(user.conn, 4);
	fake_run();
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_DROP);
	ck_assert_uint_eq(fake_find(FAKE_RECEIVE, fd)->size, 4);
	fake_receive(fd, "bc");
	ck_assert_uint_eq(fake_find(FAKE_RECEIVE, fd)->size, 2);
	fake_complete(FAKE_RECEIVE, fd, -EINTR);
	fake_receive(fd, "de");
	ck_assert_int_eq(fake_find(FAKE_RECEIVE, fd)->how, FAKE_RECEIVE_MULTISHOT);
	fake_receive(fd, "f");
	user_assert(&user, "DVVD", "af");
	ck_assert_uint_eq(user.dropped, 4);
	end();
}
END_TEST

START_TEST(all_is_dropped_until_the_end)
{
	begin();
	conn_drop(user.conn, UINT64_MAX);
	fake_run();
	for (int i = 0; i < 3; i++)
		fake_complete(FAKE_RECEIVE, user_fd(&user), 16 * 1024 * 1024);
	fake_complete(FAKE_RECEIVE, user_fd(&user), 0);
	user_assert(&user, "VVVE", "");
	ck_assert_uint_eq(user.dropped, 3 * 16 * 1024 * 1024);
	end();
}
END_TEST

START_TEST(what_comes_to_an_idle_connection_ends_it)
{
	static const struct {
		const char *what;
		const char *bytes;
		int result;
		bool stays;
	} cases[] = {
		{"an answer nobody asked for", "HTTP/1.1 408 ", 0, false},
		{"one byte", "\n", 0, false},
		{"the end", NULL, 0, false},
		{"a reset", NULL, -ECONNRESET, false},
		{"no buffers", NULL, -ENOBUFS, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd;

		begin();
		fd = user_fd(&user);
		user_return(&user);
		ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
		if (cases[i].bytes)
			fake_receive(fd, cases[i].bytes);
		else
			fake_complete(FAKE_RECEIVE, fd, cases[i].result);
		ck_assert_msg(
			pool_counters(world.pool).n_idle == cases[i].stays, "%s", cases[i].what);
		fake_run();
		ck_assert_msg(fake_is_open(fd) == cases[i].stays, "%s", cases[i].what);
		/* Nothing of it was told to who had it. */
		user_assert(&user, "", "");
		end();
	}
}
END_TEST

START_TEST(the_next_user_hears_and_the_last_one_does_not)
{
	struct user next;

	begin();
	user_return(&user);
	user_init(&next, &world, &(struct route_key){.port = 80, .host = TEXT("192.0.2.1")});
	user_lease(&next);
	ck_assert_int_eq(next.conn->state, CONN_ACTIVE);
	ck_assert(next.conn->reused);
	fake_receive(user_fd(&next), "for the next");
	user_assert(&next, "D", "for the next");
	user_assert(&user, "", "");
	user_end(&next);
	user_assert(&next, "DX", "");
	end();
}
END_TEST

/* Brings the connection into a state. */
static void reach_begun(void)
{
}

static void reach_resolving(void)
{
	fake_run();
}

static void reach_connecting(void)
{
	fake_holds.connects = true;
	fake_run();
	fake_lookup_answer("a.example", "192.0.2.1,192.0.2.2");
	fake_pass(NS_PER_S);
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 2);
}

static void reach_active(void)
{
	fake_run();
	fake_lookup_answer("a.example", "192.0.2.1");
	fake_run();
	ck_assert_int_eq(user.conn->state, CONN_ACTIVE);
}

static void reach_sending(void)
{
	reach_active();
	fake_holds.sends = true;
	conn_send(user.conn, "GET", 3);
}

static void reach_receiving_nothing(void)
{
	reach_active();
	conn_receive(user.conn, CONN_RECEIVE_NONE);
	fake_run();
}

/* The losing address is still being cancelled. */
static void reach_active_while_dialling(void)
{
	reach_connecting();
	fake_holds.cancels = true;
	fake_complete(FAKE_CONNECT, FAKE_FD_FIRST + 1, 0);
	ck_assert_int_eq(user.conn->state, CONN_ACTIVE);
	ck_assert_ptr_nonnull(user.conn->dialling);
}

START_TEST(an_abort_ends_it_in_each_state)
{
	static const struct {
		const char *what;
		void (*reach)(void);
		/* Whether the kernel has something of it. */
		bool waits;
	} cases[] = {
		{"begun", reach_begun, false},
		{"resolving", reach_resolving, false},
		{"connecting", reach_connecting, true},
		{"active", reach_active, true},
		{"sending", reach_sending, true},
		{"receiving nothing", reach_receiving_nothing, false},
		{"active while dialling", reach_active_while_dialling, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		conn_world_begin(&world);
		user_init(
			&user, &world, &(struct route_key){.port = 80, .host = TEXT("a.example")});
		user_lease(&user);
		cases[i].reach();
		user.said[0] = '\0';
		fake_holds.cancels = true;
		conn_abort(user.conn);
		conn_abort(user.conn);
		/* Never before it returns, and not before the kernel has let go. */
		ck_assert_msg(user.said[0] == '\0', "%s", cases[i].what);
		fake_pass(NS_PER_S);
		ck_assert_msg(
			strcmp(user.said, cases[i].waits ? "" : "X") == 0, "%s", cases[i].what);
		fake_holds = (struct fake_holds){0};
		fake_run();
		ck_assert_msg(strcmp(user.said, "X") == 0, "%s: %s", cases[i].what, user.said);
		ck_assert_uint_eq(fake_n_open(), 0);
		ck_assert(pool_is_empty(world.pool));
		end();
	}
}
END_TEST

START_TEST(what_comes_while_it_is_ended_is_told_nobody)
{
	int fd;

	begin();
	fd = user_fd(&user);
	fake_holds.sends = true;
	fake_holds.cancels = true;
	conn_send(user.conn, "GET", 3);
	conn_abort(user.conn);
	fake_receive(fd, "too late");
	fake_complete(FAKE_SEND, fd, 3);
	fake_run();
	/* Not closed while a receive is in flight. */
	ck_assert(fake_is_open(fd));
	fake_complete(FAKE_RECEIVE, fd, 0);
	fake_holds.closes = true;
	fake_run();
	user_assert(&user, "", "");
	fake_complete(FAKE_CLOSE, fd, 0);
	fake_run();
	user_assert(&user, "X", "");
	end();
}
END_TEST

START_TEST(an_abort_of_its_user_s_may_come_from_within_its_data)
{
	begin();
	/* Data, and at once an end: the user aborts in on_end. */
	fake_receive(user_fd(&user), "x");
	fake_complete(FAKE_RECEIVE, user_fd(&user), -ECONNRESET);
	ck_assert_int_eq(user.conn->state, CONN_CLOSING);
	fake_run();
	user_assert(&user, "DFX", "x");
	end();
}
END_TEST

START_TEST(the_steps_of_a_dial_are_timed)
{
	const struct conn_times *times;
	uint64_t start_ns;

	conn_world_begin(&world);
	user_init(&user, &world, &(struct route_key){.port = 80, .host = TEXT("a.example")});
	user_lease(&user);
	start_ns = ring_now(world.ring);
	times = &user.conn->times;
	fake_holds.connects = true;
	fake_pass(3 * NS_PER_MS);
	ck_assert_uint_eq(times->resolved_ns, 0);
	fake_lookup_answer("a.example", "192.0.2.1");
	fake_pass(4 * NS_PER_MS);
	ck_assert_uint_eq(times->connected_ns, 0);
	fake_complete(FAKE_CONNECT, FAKE_FD_FIRST, 0);
	ck_assert_uint_eq(times->dialed_ns, start_ns);
	ck_assert_uint_eq(times->resolved_ns, start_ns + 3 * NS_PER_MS);
	ck_assert_uint_eq(times->connected_ns, start_ns + 7 * NS_PER_MS);
	ck_assert_uint_eq(times->ready_ns, start_ns + 7 * NS_PER_MS);
	user_assert(&user, "PR", "");
	end();
}
END_TEST

START_TEST(a_dial_that_fails_is_told)
{
	conn_world_begin(&world);
	user_init(&user, &world, &(struct route_key){.port = 80, .host = TEXT("192.0.2.1")});
	user_lease(&user);
	fake_holds.connects = true;
	fake_run();
	fake_complete(FAKE_CONNECT, FAKE_FD_FIRST, -ECONNREFUSED);
	ck_assert_int_eq(user.fault.code, FAULT_CONNECT_REFUSED);
	fake_run();
	user_assert(&user, "PFX", "");
	ck_assert(pool_is_empty(world.pool));
	end();
}
END_TEST

UNIT_MAIN("net/conn", &a_request_goes_out_and_its_response_comes_in, &a_short_send_is_gone_on_with,
	&a_long_request_is_handed_over_in_pieces, &a_failed_send_is_told_unless_reading_will_tell,
	&what_the_peer_said_before_its_reset_is_read, &passing_errors_of_a_receive_are_gone_on_from,
	&other_errors_of_a_receive_end_it, &the_peer_s_end_is_told,
	&a_receive_that_ends_is_started_again,
	&the_way_of_receiving_is_changed_without_losing_bytes,
	&so_many_bytes_are_dropped_and_no_more, &all_is_dropped_until_the_end,
	&what_comes_to_an_idle_connection_ends_it, &the_next_user_hears_and_the_last_one_does_not,
	&an_abort_ends_it_in_each_state, &what_comes_while_it_is_ended_is_told_nobody,
	&an_abort_of_its_user_s_may_come_from_within_its_data, &the_steps_of_a_dial_are_timed,
	&a_dial_that_fails_is_told)
