/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One dial over a ring and look-ups that the test works by hand. For test_dial*.c.
 */

#include <errno.h>
#include <stdlib.h>

#include "net/dial.h"
#include "tests/unit/net/fake_ring.h"
#include "tests/unit/unit.h"

#define STAGGER_NS (250 * NS_PER_MS)

/* The descriptor of the n-th try. */
#define TRY(n) (FAKE_FD_FIRST + (n))

/* A dial and what it said, a letter each: Resolved, Connected, Failed, Joined. */
static struct {
	struct ring *ring;
	struct dial_gate gate;
	struct resolver *resolver;
	struct dial *dial;
	struct route route;
	char said[16];
	int fd;
	/* Of the first try of the dial that is looked at. */
	int first_fd;
	char address[ADDRESS_TEXT_MAX];
	struct fault fault;
	/* Abort in the upcall of that letter. */
	char aborts_at;
} world;

static void world_say(char letter)
{
	size_t n = strlen(world.said);

	ck_assert_uint_lt(n + 1, sizeof(world.said));
	ck_assert_msg(!strchr(world.said, 'J'), "%c after joined", letter);
	world.said[n] = letter;
	world.said[n + 1] = '\0';
	if (world.aborts_at == letter)
		dial_abort(world.dial);
}

static void on_resolved(struct dial *dial)
{
	world_say('R');
}

static void on_connected(struct dial *dial, int fd, const struct address *address)
{
	world.fd = fd;
	address_format(address, world.address);
	world_say('C');
}

static void on_failed(struct dial *dial, const struct fault *fault)
{
	world.fault = *fault;
	world_say('F');
}

/* It may be freed now. */
static void on_joined(struct dial *dial)
{
	world_say('J');
	free(world.dial);
	world.dial = NULL;
}

static const struct dial_events events = {
	.on_resolved = on_resolved,
	.on_connected = on_connected,
	.on_failed = on_failed,
	.on_joined = on_joined,
};

static void prepare(const char *host)
{
	struct resolver_options options = {NS_PER_S, NS_PER_S, 10};

	memset(&world, 0, sizeof(world));
	world.dial = calloc(1, sizeof(*world.dial));
	world.ring = fake_ring_begin();
	dial_gate_init(&world.gate, world.ring);
	world.fd = -1;
	world.resolver = resolver_new(world.ring, fake_lookup_begin(), &options);
	world.route = (struct route){.host = text_from(host), .port = 80};
	fake_holds.connects = true;
}

static void start(void)
{
	dial_start(world.dial, &world.gate, world.resolver, &world.route, &events);
	ck_assert_str_eq(world.said, "");
	fake_run();
}

/* A name with these addresses. */
static void begin(const char *addresses)
{
	prepare("a.example");
	start();
	ck_assert_str_eq(world.said, "");
	fake_lookup_answer("a.example", addresses);
	ck_assert_str_eq(world.said, "R");
}

static void end(const char *said)
{
	ck_assert_str_eq(world.said, said);
	if (world.fd >= 0)
		ring_close_forget(world.ring, world.fd);
	dial_gate_deinit(&world.gate);
	resolver_free(world.resolver);
	fake_ring_end();
}

static void assert_tries(int n, const char *address)
{
	struct fake_flight *flight = fake_find(FAKE_CONNECT, TRY(n));
	char text[ADDRESS_TEXT_MAX];

	ck_assert_msg(flight, "try %d is not in flight", n);
	address_format(&flight->address, text);
	ck_assert_str_eq(text, address);
}
