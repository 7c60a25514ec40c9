/* SPDX-License-Identifier: MIT */
#include "net/conn_private.h"

#include "util/panic.h"

/*
 * How a connection comes to be: dialled, through a proxy's tunnel and its TLS handshake, ready.
 * What it speaks is known then. HTTP/1.1: its user goes on with it alone. HTTP/2: the pool puts a
 * mux on it, who is its user from then on.
 *
 * A tunnel is a part of connecting, as far as times and limits go. Its request is sent as a user's
 * would be; TLS begins when the kernel has taken all of it, should the proxy be faster.
 *
 * One without a user is dialled for nobody (it is warmed), or for all who wait for one of its
 * route: who hears of it is the pool's business.
 */

static struct conn *conn_of_dial(struct dial *dial)
{
	return container_of(dial, struct conn_dial, dial)->conn;
}

static void conn_progress(struct conn *conn)
{
	if (conn->user)
		conn->user->events->on_progress(conn->user);
	else
		pool_on_progress(conn->pool, conn);
}

static void conn_on_resolved(struct dial *dial)
{
	struct conn *conn = conn_of_dial(dial);

	conn->times.resolved_ns = ring_now(conn->ring);
	conn_progress(conn);
}

/* Ready. */

/* False: it speaks something else than was asked for. */
static bool conn_check_protocol(const struct conn *conn, bool is_h2, struct fault *ret_fault)
{
	struct text chosen = conn->tls ? tls_alpn(conn->tls) : TEXT("");

	if (is_h2 || conn->route->http != PLAN_HTTP_2)
		return true;
	fault_set(ret_fault, FAULT_TLS_HANDSHAKE,
		"%s: the origin has not chosen h2 by ALPN, but %.*s", conn->remote,
		TEXT_ARGS(chosen.size ? chosen : TEXT("nothing")));
	return false;
}

void conn_become_ready(struct conn *conn)
{
	bool is_h2 = conn->tls && text_is(tls_alpn(conn->tls), "h2");
	struct fault fault;

	if (!conn_check_protocol(conn, is_h2, &fault)) {
		conn_end(conn, &fault);
		return;
	}
	conn->times.ready_ns = ring_now(conn->ring);
	if (is_h2) {
		if (pool_on_shared(conn->pool, conn))
			return;
		fault_set(&fault, FAULT_OVERLOADED, "no memory for an HTTP/2 connection");
		conn_end(conn, &fault);
		return;
	}
	pool_on_ready(conn->pool, conn);
	if (!conn->user)
		return;
	conn_enter(conn, CONN_ACTIVE);
	conn->user->events->on_ready(conn->user);
}

static void conn_start_tls(struct conn *conn)
{
	const struct route *route = conn->route;
	struct tls_policy policy = {
		.server_name = route->server_name.data ? route->server_name : route->host,
		.ca = route->ca,
		.cert = route->cert,
		.key = route->private_key,
		.pins = route->pins,
		.session_key = route->keeps_sessions ? route->session_key : NULL,
		.insecure = route->insecure,
		.offers_h2 = route_offers_h2(route),
	};
	struct fault fault;

	if (tls_new(pool_tls_store(conn->pool), &policy, &conn->tls, &fault) < 0) {
		conn_end(conn, &fault);
		return;
	}
	conn_enter(conn, CONN_HANDSHAKING);
	conn_arm(conn, false);
	conn_pump_tls(conn);
	if (conn_is_open(conn))
		conn_progress(conn);
}

/* A proxy's way to the origin. */

static void conn_start_tunnel(struct conn *conn)
{
	struct fault fault;
	struct text request;

	conn->tunnel = tunnel_new(conn->route);
	if (!conn->tunnel) {
		fault_set(&fault, FAULT_OVERLOADED, "no memory for a proxy's tunnel");
		conn_end(conn, &fault);
		return;
	}
	conn_enter(conn, CONN_TUNNELLING);
	conn_arm(conn, false);
	request = tunnel_request(conn->tunnel);
	conn->send_data = request.data;
	conn->send_size = request.size;
	conn->sent_size = 0;
	conn_pump_send(conn);
}

void conn_check_tunnel(struct conn *conn)
{
	/* An answer may come before all of the request is with the kernel, which reads it there. */
	if (!tunnel_is_done(conn->tunnel) || !op_is_idle(&conn->send_op))
		return;
	conn->tunnel = tunnel_free(conn->tunnel);
	conn->send_size = 0;
	conn->sent_size = 0;
	conn->times.connected_ns = ring_now(conn->ring);
	conn_start_tls(conn);
}

void conn_feed_tunnel(struct conn *conn, const char *data, size_t size)
{
	struct fault fault;

	switch (tunnel_feed(conn->tunnel, data, size, &fault)) {
	case TUNNEL_MORE: break;
	case TUNNEL_DONE: conn_check_tunnel(conn); break;
	case TUNNEL_FAULT: conn_end(conn, &fault); break;
	}
}

void conn_end_tunnel(struct conn *conn)
{
	struct fault fault;

	tunnel_feed_end(conn->tunnel, &fault);
	conn_end(conn, &fault);
}

/* The dial. */

static void conn_on_connected(struct dial *dial, int fd, const struct address *address)
{
	struct conn *conn = conn_of_dial(dial);

	conn->fd = fd;
	address_format(address, conn->remote);
	if (conn->route->is_https && route_has_proxy(conn->route)) {
		conn_start_tunnel(conn);
		return;
	}
	conn->times.connected_ns = ring_now(conn->ring);
	if (conn->route->is_https) {
		conn_start_tls(conn);
		return;
	}
	conn_arm(conn, false);
	conn_become_ready(conn);
}

static void conn_on_failed(struct dial *dial, const struct fault *fault)
{
	struct conn *conn = conn_of_dial(dial);
	struct fault proxy_fault;

	if (!route_has_proxy(conn->route)) {
		conn_end(conn, fault);
		return;
	}
	tunnel_fault(conn->route, fault->message[0] ? fault->message : fault_sentence(fault->code),
		&proxy_fault);
	conn_end(conn, &proxy_fault);
}

static void conn_on_joined(struct dial *dial)
{
	struct conn *conn = conn_of_dial(dial);

	pool_dial_done(conn->pool, conn->dialling);
	conn->dialling = NULL;
	conn_join(conn);
}

static const struct dial_events conn_dial_events = {
	.on_resolved = conn_on_resolved,
	.on_connected = conn_on_connected,
	.on_failed = conn_on_failed,
	.on_joined = conn_on_joined,
};

void conn_start(struct conn *conn, struct conn_dial *dialling, struct pool *pool,
	struct route *route, struct conn_user *user)
{
	conn_init(conn, pool, route, user);
	dialling->conn = conn;
	conn->dialling = dialling;
	dial_start(&dialling->dial, pool_gate(pool), pool_resolver(pool), route, &conn_dial_events);
	if (conn->is_warm)
		dial_set_patient(&dialling->dial, pool_gate(pool), true);
}
