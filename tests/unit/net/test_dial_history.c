/* SPDX-License-Identifier: MIT */
#include "tests/unit/net/dial_world.h"
#include "util/container.h"

/* A further dial to the same name, which is remembered by then. */
static void begin_again(const char *addresses)
{
	if (world.fd >= 0)
		ring_close_forget(world.ring, world.fd);
	world.fd = -1;
	world.said[0] = '\0';
	world.first_fd = fake_end_fd();
	world.dial = calloc(1, sizeof(*world.dial));
	dial_start(world.dial, &world.gate, world.resolver, &world.route, &events);
	fake_run();
	if (fake_lookup_n_waiting() > 0)
		fake_lookup_answer("a.example", addresses);
	ck_assert_str_eq(world.said, "R");
}

/* The n-th try since then. */
static void assert_tries_again(int n, const char *address)
{
	assert_tries(world.first_fd - FAKE_FD_FIRST + n, address);
}

/* One that waits for its turn, is silent, refuses or connects. */
static void act_out(const char *acts)
{
	for (int n = 0; acts[n]; n++) {
		int fd = world.first_fd + n;

		if (acts[n] == 's')
			fake_pass(STAGGER_NS);
		else if (acts[n] == 'r')
			fake_complete(FAKE_CONNECT, fd, -ECONNREFUSED);
		else if (acts[n] == 'l')
			fake_complete(FAKE_CONNECT, fd, -EADDRNOTAVAIL);
		else
			fake_complete(FAKE_CONNECT, fd, 0);
	}
	fake_run();
}

START_TEST(the_winner_goes_first_and_the_failed_last_from_then_on)
{
	static const struct {
		const char *what, *addresses, *acts;
		const char *order[4];
	} cases[] = {
		{"an IPv6 that leads nowhere", "2001:db8::1,2001:db8::2,192.0.2.1,192.0.2.2", "sc",
			{"192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80", "[2001:db8::1]:80"}},
		{"an IPv6 that is refused", "2001:db8::1,192.0.2.1", "rc",
			{"192.0.2.1:80", "[2001:db8::1]:80"}},
		{"the first one is well", "2001:db8::1,2001:db8::2,192.0.2.1,192.0.2.2", "c",
			{"[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80"}},
		{"the third one wins", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4", "rsc",
			{"192.0.2.3:80", "192.0.2.4:80", "192.0.2.1:80", "192.0.2.2:80"}},
		{"all have failed", "192.0.2.1,192.0.2.2,2001:db8::1", "rrr",
			{"192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.2:80"}},
		{"a fault of our own", "192.0.2.1,192.0.2.2,192.0.2.3", "llc",
			{"192.0.2.3:80", "192.0.2.1:80", "192.0.2.2:80"}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int n = 0;

		prepare("a.example");
		world.first_fd = FAKE_FD_FIRST;
		start();
		fake_lookup_answer("a.example", cases[i].addresses);
		act_out(cases[i].acts);
		ck_assert_str_eq(world.said, strchr(cases[i].acts, 'c') ? "RCJ" : "RFJ");
		begin_again(cases[i].addresses);
		for (; n < 4 && cases[i].order[n]; n++) {
			assert_tries_again(n, cases[i].order[n]);
			fake_complete(FAKE_CONNECT, world.first_fd + n, -ECONNREFUSED);
		}
		end("RFJ");
	}
}
END_TEST

START_TEST(the_memory_of_addresses_fades)
{
	static const char *const addresses = "2001:db8::1,192.0.2.1";

	begin(addresses);
	world.first_fd = FAKE_FD_FIRST;
	act_out("sc");
	/* The silent one is forgiven after a minute, but the other one goes first still. */
	fake_pass(599 * NS_PER_S);
	begin_again(addresses);
	assert_tries_again(0, "192.0.2.1:80");
	act_out("c");
	/* To win as the first one prolongs nothing. */
	fake_pass(NS_PER_S);
	begin_again(addresses);
	assert_tries_again(0, "[2001:db8::1]:80");
	act_out("c");
	end("RCJ");
}
END_TEST

START_TEST(who_is_given_up_after_a_silence_has_failed)
{
	static const struct {
		unsigned silent_ms;
		const char *first;
	} cases[] = {{99, "192.0.2.1:80"}, {100, "192.0.2.2:80"}};

	for (size_t i = 0; i < countof(cases); i++) {
		begin("192.0.2.1,192.0.2.2");
		fake_pass(cases[i].silent_ms * NS_PER_MS);
		dial_abort(world.dial);
		fake_run();
		ck_assert_str_eq(world.said, "RJ");
		begin_again("192.0.2.1,192.0.2.2");
		assert_tries_again(0, cases[i].first);
		act_out("c");
		end("RCJ");
	}
}
END_TEST

START_TEST(a_flush_forgets_what_became_of_addresses)
{
	begin("192.0.2.1,192.0.2.2");
	world.first_fd = FAKE_FD_FIRST;
	act_out("rc");
	resolver_flush(world.resolver);
	begin_again("192.0.2.1,192.0.2.2");
	assert_tries_again(0, "192.0.2.1:80");
	act_out("c");
	end("RCJ");
}
END_TEST

START_TEST(of_a_single_address_nothing_is_remembered)
{
	begin("192.0.2.1");
	world.first_fd = FAKE_FD_FIRST;
	act_out("r");
	ck_assert(list_is_empty(&resolver_history(world.resolver)->entries));
	end("RFJ");
}
END_TEST

UNIT_MAIN("net/dial_history", &the_winner_goes_first_and_the_failed_last_from_then_on,
	&the_memory_of_addresses_fades, &who_is_given_up_after_a_silence_has_failed,
	&a_flush_forgets_what_became_of_addresses, &of_a_single_address_nothing_is_remembered)
