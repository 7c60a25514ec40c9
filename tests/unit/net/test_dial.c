/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include <errno.h>

#include "tests/unit/net/fake_ring.h"
#include "tests/unit/unit.h"
#include "util/container.h"

#define STAGGER_NS (250 * NS_PER_MS)

/* A dial and what it said, a letter each: Resolved, Connected, Failed, Joined. */
static struct {
	struct dial dial;
	struct route route;
	struct resolver *resolver;
	char said[16];
	int fd;
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
		dial_abort(&world.dial);
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

static void on_joined(struct dial *dial)
{
	world_say('J');
	/* It may be freed now. */
	memset(&world.dial, 0xa5, sizeof(world.dial));
}

static const struct dial_events events = {
	.on_resolved = on_resolved,
	.on_connected = on_connected,
	.on_failed = on_failed,
	.on_joined = on_joined,
};

static void begin(const char *host)
{
	struct resolver_options options = {NS_PER_S, NS_PER_S, 10};
	struct ring *ring = fake_ring_begin();

	memset(&world, 0, sizeof(world));
	world.fd = -1;
	world.resolver = resolver_new(ring, fake_lookup_begin(), &options);
	world.route = (struct route){.host = text_from(host), .port = 80};
	dial_start(&world.dial, ring, world.resolver, &world.route, &events);
	ck_assert_str_eq(world.said, "");
	fake_holds.connects = true;
	fake_run();
}

/* The name is known to have these addresses. */
static void begin_with(const char *addresses)
{
	begin("a.example");
	ck_assert_str_eq(world.said, "");
	fake_lookup_answer("a.example", addresses);
	ck_assert_str_eq(world.said, "R");
}

static void end(const char *said)
{
	ck_assert_str_eq(world.said, said);
	if (world.fd >= 0)
		ring_close_forget(fake_find(FAKE_CLOSE, -1) ? NULL : world.resolver ? (void *)&world
										  : NULL,
			world.fd);
	resolver_free(world.resolver);
	fake_ring_end();
}
