/* SPDX-License-Identifier: MIT */
#include "sim_origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim_oracle.h"
#include "sim_server.h"
#include "sim_tls.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * An origin has a name or is an address; each of its addresses behaves in one way for the
 * whole life of the world, but for passing troubles, which are noted where they happen so that
 * the oracle can tell a reason from an excuse.
 */

struct sim_model sim_model;

/* -- What there is ------------------------------------------------------------------------ */

static void sim_address_set(
	struct sim_address *address, struct sim_origin *origin, bool is_ipv6, unsigned n)
{
	unsigned o = (unsigned)(origin - sim_model.origins);

	address->origin = origin;
	address->latency_ns = sim_delay(20 * NS_PER_MS);
	if (is_ipv6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->address;

		snprintf(address->text, sizeof(address->text), "fd00::%x:%x", o + 1, n + 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(origin->port);
		inet_pton(AF_INET6, address->text, &in6->sin6_addr);
		snprintf(address->remote, sizeof(address->remote), "[%s]:%u", address->text,
			origin->port);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&address->address;

		snprintf(address->text, sizeof(address->text), "10.0.%u.%u", o + 1, n + 1);
		in->sin_family = AF_INET;
		in->sin_port = htons(origin->port);
		inet_pton(AF_INET, address->text, &in->sin_addr);
		snprintf(address->remote, sizeof(address->remote), "%s:%u", address->text,
			origin->port);
	}
}

static void sim_origin_draw(struct sim_origin *origin, unsigned index)
{
	static const enum fault_code flaws[] = {
		FAULT_CERT_UNTRUSTED, FAULT_CERT_EXPIRED, FAULT_CERT_NAME};
	const struct sim_profile *profile = &sim_world.profile;
	unsigned bad = profile->connect_fault ? 150 : 0;
	bool is_ipv6 = sim_chance(200);
	uint16_t usual_port;

	origin->is_https = sim_chance(400) && sim_may(SIM_FEATURE_HTTPS);
	origin->speaks_h2 = origin->is_https && sim_chance(700) && sim_may(SIM_FEATURE_HTTP2);
	usual_port = origin->is_https ? 443 : 80;
	origin->port = sim_chance(500) ? usual_port : (uint16_t)sim_between(1024, 65535);
	origin->is_name = sim_chance(600);
	origin->n_addresses = origin->is_name ? (unsigned)sim_between(1, SIM_ADDRESSES_MAX) : 1;
	for (unsigned i = 0; i < origin->n_addresses; i++) {
		sim_address_set(&origin->addresses[i], origin,
			origin->is_name ? sim_chance(300) : is_ipv6, i);
		if (sim_chance(bad))
			origin->addresses[i].behaviour =
				(enum sim_behaviour)sim_between(SIM_REFUSES, SIM_DEAD);
	}
	sim_address_set(&origin->hidden, origin, is_ipv6, SIM_ADDRESSES_MAX);
	if (origin->is_name)
		origin->host = sim_format("o%u.sim.test", index);
	else
		origin->host = sim_format(is_ipv6 ? "[%s]" : "%s", origin->addresses[0].text);
	origin->authority = origin->port == usual_port
				    ? origin->host
				    : sim_format("%s:%u", origin->host, origin->port);
	origin->base = sim_format(origin->is_https ? "https://%s" : "http://%s", origin->authority);
	if (origin->is_https && sim_chance(profile->tls_fault / 2))
		origin->flaw = flaws[sim_below(countof(flaws))];
	origin->lookup_ns = sim_delay(50 * NS_PER_MS);
	if (origin->is_name && sim_chance(profile->lookup_fault))
		origin->lookup =
			(enum sim_lookup)sim_between(SIM_LOOKUP_NOT_FOUND, SIM_LOOKUP_STUCK);
	origin->reply_ns_max = sim_delay(500 * NS_PER_MS);
}

void sim_origins_draw(void)
{
	memset(&sim_model, 0, sizeof(sim_model));
	sim_model.n_origins = (unsigned)sim_between(1, SIM_ORIGINS_MAX);
	for (unsigned i = 0; i < sim_model.n_origins; i++)
		sim_origin_draw(&sim_model.origins[i], i);
}

void sim_origin_told_local(void)
{
	sim_trace("  no descriptor for a socket");
	sim_model.has_local_trouble = true;
}

/* -- Connections -------------------------------------------------------------------------- */

static bool sim_address_is(const struct sim_address *address, const struct sockaddr *other)
{
	size_t size = other->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : sizeof(struct sockaddr_in);

	return memcmp(&address->address, other, size) == 0;
}

static struct sim_address *sim_address_find(const struct sockaddr *other)
{
	for (unsigned i = 0; i < sim_model.n_origins; i++) {
		struct sim_origin *origin = &sim_model.origins[i];

		for (unsigned n = 0; n < origin->n_addresses; n++) {
			if (sim_address_is(&origin->addresses[n], other))
				return &origin->addresses[n];
		}
		if (sim_address_is(&origin->hidden, other))
			return &origin->hidden;
	}
	sim_fail("a connection to an address that nobody named");
}

int sim_origin_dial(const struct sockaddr *other, uint64_t *ret_delay_ns)
{
	static const struct {
		int result;
		enum fault_code code;
	} troubles[] = {
		{-ECONNREFUSED, FAULT_CONNECT_REFUSED},
		{-EHOSTUNREACH, FAULT_CONNECT_UNREACHABLE},
		{-ENETUNREACH, FAULT_CONNECT_UNREACHABLE},
		{-ECONNRESET, FAULT_CONNECT_RESET},
		{-EADDRNOTAVAIL, FAULT_CONNECT_LOCAL},
	};
	struct sim_address *address = sim_address_find(other);

	address->origin->n_begun++;
	*ret_delay_ns = address->latency_ns + sim_delay(address->latency_ns);
	if (sim_chance(sim_world.profile.connect_fault / 4)) {
		uint64_t n = sim_below(countof(troubles));

		sim_codes_add(&address->origin->codes, troubles[n].code);
		return troubles[n].result;
	}
	switch (address->behaviour) {
	case SIM_REFUSES: return -ECONNREFUSED;
	case SIM_UNREACHABLE: return -EHOSTUNREACH;
	case SIM_DEAD: *ret_delay_ns = 127 * NS_PER_S; return -ETIMEDOUT;
	case SIM_ALIVE: break;
	}
	return 0;
}

static void sim_conn_on_send(struct sim_end *end, const char *data, size_t size)
{
	struct sim_conn *conn = container_of(end, struct sim_conn, daemon);

	if (!conn->origin->is_https)
		sim_oracle_on_send(conn, data, size);
	else if (!conn->is_joined)
		sim_tls_join(conn, data, size);
	conn->is_joined = true;
}

static void sim_conn_on_told(struct sim_end *end, enum sim_kind kind, int result)
{
	struct sim_conn *conn = container_of(end, struct sim_conn, daemon);

	/* What is read under TLS is told by TLS, but what ends all of it. */
	if (!conn->origin->is_https || kind == SIM_SEND || result == -ECONNRESET)
		sim_oracle_on_told(conn, kind, result);
}

static void sim_conn_on_closed(struct sim_end *end)
{
	sim_oracle_on_closed(container_of(end, struct sim_conn, daemon));
}

static const struct sim_watch sim_conn_watch = {
	.on_send = sim_conn_on_send,
	.on_told = sim_conn_on_told,
	.on_closed = sim_conn_on_closed,
};

struct sim_end *sim_origin_accept(const struct sockaddr *other, const struct sim_watch **ret_watch)
{
	const struct sim_address *address = sim_address_find(other);
	struct sim_conn *conn = sim_alloc(sizeof(*conn));

	sim_end_join(&conn->daemon, &conn->server, address->latency_ns / 2 + 1000,
		(size_t)sim_between(1, 64) * 4096);
	conn->origin = address->origin;
	conn->address = address;
	conn->response_end = UINT64_MAX;
	sim_server_begin(conn);
	*ret_watch = &sim_conn_watch;
	return &conn->daemon;
}
