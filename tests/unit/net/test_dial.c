/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/net/dial_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(an_address_is_dialled_without_asking)
{
	static const struct {
		const char *host, *address;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1:80"},
		{"2001:db8::1", "[2001:db8::1]:80"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		prepare(cases[i].host);
		start();
		ck_assert_uint_eq(fake_lookup_n_asked(), 0);
		ck_assert_str_eq(world.said, "R");
		fake_complete(FAKE_CONNECT, TRY(0), 0);
		ck_assert_int_eq(world.fd, TRY(0));
		ck_assert_str_eq(world.address, cases[i].address);
		end("RCJ");
	}
}
END_TEST

START_TEST(an_override_is_dialled_without_asking)
{
	struct address addresses[2];

	ck_assert(address_parse(TEXT("192.0.2.7"), 1, &addresses[0]));
	ck_assert(address_parse(TEXT("192.0.2.8"), 1, &addresses[1]));
	prepare("a.example");
	world.route.addresses = addresses;
	world.route.n_addresses = 2;
	start();
	ck_assert_uint_eq(fake_lookup_n_asked(), 0);
	fake_complete(FAKE_CONNECT, TRY(0), -ECONNREFUSED);
	fake_complete(FAKE_CONNECT, TRY(1), 0);
	/* The port is the route's. */
	ck_assert_str_eq(world.address, "192.0.2.8:80");
	end("RCJ");
}
END_TEST

START_TEST(a_name_is_asked_for)
{
	begin("192.0.2.1");
	fake_complete(FAKE_CONNECT, TRY(0), 0);
	ck_assert_str_eq(world.address, "192.0.2.1:80");
	end("RCJ");
}
END_TEST

START_TEST(a_name_that_fails_fails)
{
	prepare("a.example");
	start();
	fake_lookup_fail("a.example", FAULT_DNS_NOT_FOUND);
	ck_assert_int_eq(world.fault.code, FAULT_DNS_NOT_FOUND);
	end("FJ");
}
END_TEST

START_TEST(the_next_address_follows_a_refusal_at_once)
{
	begin("192.0.2.1,192.0.2.2");
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 1);
	fake_complete(FAKE_CONNECT, TRY(0), -ECONNREFUSED);
	ck_assert(!fake_is_open(TRY(0)));
	assert_tries(1, "192.0.2.2:80");
	fake_complete(FAKE_CONNECT, TRY(1), 0);
	end("RCJ");
}
END_TEST

START_TEST(the_next_address_follows_after_a_quarter_of_a_second)
{
	begin("192.0.2.1,192.0.2.2,192.0.2.3");
	fake_pass(STAGGER_NS - NS_PER_MS);
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 1);
	fake_pass(NS_PER_MS);
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 2);
	assert_tries(1, "192.0.2.2:80");
	/* A refusal starts the third one, and the clock anew. */
	fake_pass(STAGGER_NS - NS_PER_MS);
	fake_complete(FAKE_CONNECT, TRY(1), -ECONNREFUSED);
	assert_tries(2, "192.0.2.3:80");
	/* The first one may still win. */
	fake_complete(FAKE_CONNECT, TRY(0), 0);
	ck_assert_int_eq(world.fd, TRY(0));
	ck_assert_str_eq(world.said, "RC");
	fake_run();
	ck_assert(!fake_is_open(TRY(2)));
	end("RCJ");
}
END_TEST

START_TEST(a_loser_that_connects_is_closed)
{
	begin("192.0.2.1,192.0.2.2");
	fake_pass(STAGGER_NS);
	fake_holds.cancels = true;
	fake_complete(FAKE_CONNECT, TRY(1), 0);
	ck_assert_int_eq(world.fd, TRY(1));
	ck_assert_str_eq(world.said, "RC");
	/* The kernel was faster than the cancel. */
	fake_complete(FAKE_CONNECT, TRY(0), 0);
	ck_assert(!fake_is_open(TRY(0)));
	ck_assert(fake_is_open(TRY(1)));
	end("RCJ");
}
END_TEST

START_TEST(families_take_turns_from_the_first_one_s)
{
	static const struct {
		const char *addresses;
		const char *order[4];
	} cases[] = {
		{"2001:db8::1,2001:db8::2,192.0.2.1,192.0.2.2",
			{"[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80"}},
		{"192.0.2.1,2001:db8::1,2001:db8::2,2001:db8::3",
			{"192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::2]:80",
				"[2001:db8::3]:80"}},
		{"192.0.2.1,192.0.2.2,192.0.2.3,2001:db8::1",
			{"192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.2:80", "192.0.2.3:80"}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin(cases[i].addresses);
		for (int n = 0; n < 4; n++) {
			assert_tries(n, cases[i].order[n]);
			fake_complete(FAKE_CONNECT, TRY(n), -ECONNREFUSED);
		}
		end("RFJ");
	}
}
END_TEST

START_TEST(silent_addresses_do_not_keep_it_from_the_last_one)
{
	begin("192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5,192.0.2.6");
	fake_pass(100 * STAGGER_NS);
	ck_assert_uint_eq(fake_n_flights(FAKE_CONNECT), 6);
	assert_tries(5, "192.0.2.6:80");
	fake_complete(FAKE_CONNECT, TRY(5), 0);
	fake_run();
	end("RCJ");
}
END_TEST

START_TEST(no_more_than_so_many_addresses)
{
	begin("192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5,192.0.2.6,192.0.2.7,192.0.2.8,"
	      "192.0.2.9,192.0.2.10,192.0.2.11,192.0.2.12,192.0.2.13,192.0.2.14,192.0.2.15,"
	      "192.0.2.16");
	for (int n = 0; n < DIAL_ADDRESSES_MAX; n++) {
		ck_assert_str_eq(world.said, "R");
		fake_complete(FAKE_CONNECT, TRY(n), -ECONNREFUSED);
	}
	end("RFJ");
}
END_TEST

START_TEST(each_error_is_a_fault_of_its_own)
{
	static const struct {
		int error;
		enum fault_code code;
	} cases[] = {
		{ECONNREFUSED, FAULT_CONNECT_REFUSED},
		{ETIMEDOUT, FAULT_CONNECT_TIMEOUT},
		{ECONNRESET, FAULT_CONNECT_RESET},
		{ECONNABORTED, FAULT_CONNECT_RESET},
		{EPIPE, FAULT_CONNECT_RESET},
		{ENETUNREACH, FAULT_CONNECT_UNREACHABLE},
		{EHOSTUNREACH, FAULT_CONNECT_UNREACHABLE},
		{ENETDOWN, FAULT_CONNECT_UNREACHABLE},
		{EHOSTDOWN, FAULT_CONNECT_UNREACHABLE},
		{EAFNOSUPPORT, FAULT_CONNECT_UNREACHABLE},
		{EADDRNOTAVAIL, FAULT_CONNECT_LOCAL},
		{EPERM, FAULT_CONNECT_LOCAL},
		{ENOBUFS, FAULT_CONNECT_LOCAL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin("192.0.2.1");
		fake_complete(FAKE_CONNECT, TRY(0), -cases[i].error);
		ck_assert_msg(world.fault.code == cases[i].code, "%s became %s",
			strerrorname_np(cases[i].error), fault_name(world.fault.code));
		ck_assert_ptr_nonnull(strstr(world.fault.message, "192.0.2.1:80"));
		end("RFJ");
	}
}
END_TEST

START_TEST(of_many_failures_the_most_telling_counts)
{
	static const struct {
		int errors[3];
		enum fault_code code;
		const char *address;
	} cases[] = {
		{{ECONNREFUSED, ENETUNREACH, ETIMEDOUT}, FAULT_CONNECT_REFUSED, "192.0.2.1:80"},
		{{ENETUNREACH, ETIMEDOUT, ECONNREFUSED}, FAULT_CONNECT_REFUSED, "192.0.2.3:80"},
		{{ENETUNREACH, ECONNRESET, ETIMEDOUT}, FAULT_CONNECT_RESET, "192.0.2.2:80"},
		{{EPERM, ETIMEDOUT, ENETUNREACH}, FAULT_CONNECT_TIMEOUT, "192.0.2.2:80"},
		{{ENETUNREACH, EPERM, EHOSTUNREACH}, FAULT_CONNECT_LOCAL, "192.0.2.2:80"},
		{{ENETUNREACH, EHOSTUNREACH, ENETDOWN}, FAULT_CONNECT_UNREACHABLE, "192.0.2.1:80"},
		{{ECONNREFUSED, ECONNREFUSED, ECONNREFUSED}, FAULT_CONNECT_REFUSED, "192.0.2.1:80"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin("192.0.2.1,192.0.2.2,192.0.2.3");
		for (int n = 0; n < 3; n++)
			fake_complete(FAKE_CONNECT, TRY(n), -cases[i].errors[n]);
		ck_assert_msg(world.fault.code == cases[i].code, "case %zu: %s", i,
			fault_name(world.fault.code));
		ck_assert_msg(strstr(world.fault.message, cases[i].address), "case %zu: %s", i,
			world.fault.message);
		end("RFJ");
	}
}
END_TEST

START_TEST(without_a_socket_it_fails)
{
	prepare("a.example");
	fake_socket_error = -EMFILE;
	start();
	fake_lookup_answer("a.example", "192.0.2.1,192.0.2.2");
	ck_assert_int_eq(world.fault.code, FAULT_CONNECT_LOCAL);
	end("RFJ");
}
END_TEST

START_TEST(without_another_socket_the_first_try_goes_on)
{
	begin("192.0.2.1,192.0.2.2,192.0.2.3");
	fake_socket_error = -EMFILE;
	fake_pass(2 * STAGGER_NS);
	ck_assert_str_eq(world.said, "R");
	fake_complete(FAKE_CONNECT, TRY(0), 0);
	end("RCJ");
}
END_TEST

START_TEST(an_abort_joins_in_each_state)
{
	static const struct {
		const char *what;
		/* Turns before the abort: none, up to the name, the address, two addresses. */
		int steps;
		const char *said;
		/* Whether the kernel still has something. */
		bool waits;
	} cases[] = {
		{"not begun", 0, "J", false},
		{"resolving", 1, "J", false},
		{"connecting", 2, "R", true},
		{"connecting twice", 3, "R", true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		prepare("a.example");
		dial_start(world.dial, &world.gate, world.resolver, &world.route, &events);
		if (cases[i].steps >= 1)
			fake_run();
		if (cases[i].steps >= 2)
			fake_lookup_answer("a.example", "192.0.2.1,192.0.2.2");
		if (cases[i].steps >= 3)
			fake_pass(STAGGER_NS);
		fake_holds.cancels = true;
		dial_abort(world.dial);
		ck_assert_msg(strcmp(world.said, cases[i].said) == 0, "%s: %s", cases[i].what,
			world.said);
		if (cases[i].waits) {
			dial_abort(world.dial);
			/* No time and no other address changes that. */
			fake_pass(10 * STAGGER_NS);
			ck_assert_str_eq(world.said, "R");
			fake_holds.cancels = false;
			fake_run();
		} else if (cases[i].steps == 1) {
			/* The answer is nobody's. */
			fake_lookup_answer("a.example", "192.0.2.1");
		}
		fake_run();
		ck_assert_uint_eq(fake_n_open(), 0);
		end(cases[i].waits ? "RJ" : "J");
	}
}
END_TEST

START_TEST(an_abort_joins_also_where_a_try_connects_or_fails)
{
	static const int results[] = {0, -ECONNREFUSED, -ECANCELED};

	for (size_t i = 0; i < countof(results); i++) {
		begin("192.0.2.1,192.0.2.2");
		fake_holds.cancels = true;
		dial_abort(world.dial);
		ck_assert_str_eq(world.said, "R");
		fake_complete(FAKE_CONNECT, TRY(0), results[i]);
		ck_assert_uint_eq(fake_n_open(), 0);
		end("RJ");
	}
}
END_TEST

START_TEST(an_abort_when_it_has_connected_or_failed_does_nothing)
{
	/* The descriptor is the callee's already. */
	prepare("192.0.2.1");
	world.aborts_at = 'C';
	start();
	fake_complete(FAKE_CONNECT, TRY(0), 0);
	ck_assert(fake_is_open(TRY(0)));
	end("RCJ");

	prepare("192.0.2.1");
	world.aborts_at = 'F';
	start();
	fake_complete(FAKE_CONNECT, TRY(0), -ECONNREFUSED);
	end("RFJ");
}
END_TEST

START_TEST(an_abort_when_it_has_resolved_joins)
{
	prepare("192.0.2.1");
	world.aborts_at = 'R';
	start();
	ck_assert_uint_eq(fake_n_open(), 0);
	end("RJ");
}
END_TEST

static unsigned n_connected, n_joined;

static void count_resolved(struct dial *dial)
{
	(void)dial;
}

static void count_connected(struct dial *dial, int fd, const struct address *address)
{
	(void)address;
	n_connected++;
	ring_close_forget(dial->ring, fd);
}

static void count_failed(struct dial *dial, const struct fault *fault)
{
	(void)dial;
	(void)fault;
}

static void count_joined(struct dial *dial)
{
	(void)dial;
	n_joined++;
}

static const struct dial_events count_events = {
	.on_resolved = count_resolved,
	.on_connected = count_connected,
	.on_failed = count_failed,
	.on_joined = count_joined,
};

START_TEST(many_at_once_begin_a_few_a_millisecond)
{
	enum { N = 200, A_TURN = 64 };
	static struct dial dials[N];

	prepare("192.0.2.1");
	n_connected = 0;
	n_joined = 0;
	for (unsigned i = 0; i < N; i++)
		dial_start(&dials[i], &world.gate, world.resolver, &world.route, &count_events);
	/* Who goes before its turn has never been there. */
	dial_abort(&dials[N - 1]);
	ck_assert_uint_eq(n_joined, 1);
	fake_holds.connects = false;
	for (unsigned n = A_TURN; n < N - 1; n += A_TURN) {
		fake_run();
		ck_assert_uint_eq(n_connected, n);
		fake_pass(NS_PER_MS);
	}
	fake_run();
	ck_assert_uint_eq(n_connected, N - 1);
	ck_assert_uint_eq(n_joined, N);
	free(world.dial);
	end("");
}
END_TEST

START_TEST(the_patient_begin_when_all_others_have)
{
	enum { N = 100, A_TURN = 64 };
	static struct dial dials[N];

	prepare("192.0.2.1");
	n_connected = 0;
	n_joined = 0;
	for (unsigned i = 0; i < N; i++) {
		dial_start(&dials[i], &world.gate, world.resolver, &world.route, &count_events);
		if (i < N / 2)
			dial_set_patient(&dials[i], &world.gate, true);
	}
	/* Somebody waits for these now; and one goes before its turn. */
	for (unsigned i = 0; i < 10; i++)
		dial_set_patient(&dials[i], &world.gate, false);
	dial_abort(&dials[N / 2 - 1]);
	fake_holds.connects = false;
	fake_run();
	ck_assert_uint_eq(n_connected, A_TURN);
	for (unsigned i = 0; i < N; i++)
		ck_assert_int_eq(dials[i].state == DIAL_JOINED, i < 14 || i >= N / 2 - 1);
	/* What has begun is not put off any more. */
	dial_set_patient(&dials[0], &world.gate, true);
	fake_pass(NS_PER_MS);
	ck_assert_uint_eq(n_connected, N - 1);
	ck_assert_uint_eq(n_joined, N);
	free(world.dial);
	end("");
}
END_TEST

UNIT_MAIN("net/dial", &an_address_is_dialled_without_asking, &an_override_is_dialled_without_asking,
	&a_name_is_asked_for, &a_name_that_fails_fails, &the_next_address_follows_a_refusal_at_once,
	&the_next_address_follows_after_a_quarter_of_a_second, &a_loser_that_connects_is_closed,
	&families_take_turns_from_the_first_one_s,
	&silent_addresses_do_not_keep_it_from_the_last_one, &no_more_than_so_many_addresses,
	&each_error_is_a_fault_of_its_own, &of_many_failures_the_most_telling_counts,
	&without_a_socket_it_fails, &without_another_socket_the_first_try_goes_on,
	&an_abort_joins_in_each_state, &an_abort_joins_also_where_a_try_connects_or_fails,
	&an_abort_when_it_has_connected_or_failed_does_nothing,
	&an_abort_when_it_has_resolved_joins, &many_at_once_begin_a_few_a_millisecond,
	&the_patient_begin_when_all_others_have)
