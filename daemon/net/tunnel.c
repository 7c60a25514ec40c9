/* SPDX-License-Identifier: MIT */
#include "net/tunnel.h"

#include <stdlib.h>

#include "http/h1.h"
#include "util/base64.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * The response is read as that of a HEAD: what ends it is its head, and whatever that says of a
 * body holds for none (a 2xx to CONNECT has none, RFC 9110 section 9.3.6; of any other answer the
 * head is enough). A second answer, or the first words of an origin that did not wait, cannot be
 * told from what somebody put in their place.
 */

#define TUNNEL_REQUEST_MAX (64 * 1024)
/* What stands around the credentials and the names. */
#define TUNNEL_REQUEST_WORDS 128

struct tunnel {
	struct h1_sink sink;
	const struct route *route;
	struct h1 *h1;
	struct buffer request;
	/* Of the response. */
	struct text reason;
	uint16_t status;
	bool is_done;
};

static bool tunnel_on_head(struct h1_sink *sink, const struct response_head *head)
{
	struct tunnel *tunnel = container_of(sink, struct tunnel, sink);

	tunnel->status = head->status;
	tunnel->reason = head->reason;
	return true;
}

/* None comes. */
static bool tunnel_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	return false;
}

static void tunnel_put_authority(struct buffer *out, const struct route *route)
{
	bool is_ipv6 = text_find(route->host, ':') < route->host.size;

	buffer_printf(out, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", TEXT_ARGS(route->host), route->port);
}

static void tunnel_put_request(struct buffer *out, const struct route *route)
{
	/* At once: a buffer that grows leaves behind what it held. */
	buffer_reserve(out,
		TUNNEL_REQUEST_WORDS + 2 * route->host.size + 2 * route->proxy_credentials.size);
	buffer_append_literal(out, "CONNECT ");
	tunnel_put_authority(out, route);
	buffer_append_literal(out, " HTTP/1.1\r\nhost: ");
	tunnel_put_authority(out, route);
	buffer_append_literal(out, "\r\n");
	if (route->proxy_credentials.data) {
		buffer_append_literal(out, "proxy-authorization: Basic ");
		base64_append(out, route->proxy_credentials);
		buffer_append_literal(out, "\r\n");
	}
	buffer_append_literal(out, "\r\n");
}

struct tunnel *tunnel_new(const struct route *route)
{
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (!tunnel)
		return NULL;
	tunnel->sink = (struct h1_sink){tunnel_on_head, tunnel_on_body};
	tunnel->route = route;
	tunnel->h1 = h1_new();
	buffer_init(&tunnel->request, TUNNEL_REQUEST_MAX);
	tunnel_put_request(&tunnel->request, route);
	if (!tunnel->h1 || tunnel->request.failed)
		return tunnel_free(tunnel);
	/* As of a HEAD: no body follows. */
	h1_begin(tunnel->h1, &tunnel->sink, true);
	return tunnel;
}

struct tunnel *tunnel_free(struct tunnel *tunnel)
{
	if (!tunnel)
		return NULL;
	if (tunnel->request.data)
		explicit_bzero(tunnel->request.data, tunnel->request.capacity);
	buffer_deinit(&tunnel->request);
	h1_free(tunnel->h1);
	free(tunnel);
	return NULL;
}

struct text tunnel_request(const struct tunnel *tunnel)
{
	return buffer_text(&tunnel->request);
}

bool tunnel_is_done(const struct tunnel *tunnel)
{
	return tunnel->is_done;
}

static void tunnel_say(
	const struct route *route, enum fault_code code, const char *why, struct fault *ret_fault)
{
	fault_set(ret_fault, code, "proxy %.*s:%u: %s", TEXT_ARGS(route->proxy_host),
		route->proxy_port, why);
}

void tunnel_fault(const struct route *route, const char *why, struct fault *ret_fault)
{
	tunnel_say(route, FAULT_PROXY_CONNECT, why, ret_fault);
}

/* Its answer is complete. */
static enum tunnel_result tunnel_decide(struct tunnel *tunnel, bool is_all, struct fault *ret_fault)
{
	const struct route *route = tunnel->route;

	if (tunnel->status / 100 != 2) {
		fault_set(ret_fault, tunnel->status == 407 ? FAULT_PROXY_AUTH : FAULT_PROXY_REFUSED,
			"proxy %.*s:%u: %u%s%.*s", TEXT_ARGS(route->proxy_host), route->proxy_port,
			tunnel->status, tunnel->reason.size ? " " : "", TEXT_ARGS(tunnel->reason));
		return TUNNEL_FAULT;
	}
	if (!is_all) {
		tunnel_say(route, FAULT_PROXY_REFUSED, "bytes before TLS began", ret_fault);
		return TUNNEL_FAULT;
	}
	tunnel->is_done = true;
	return TUNNEL_DONE;
}

enum tunnel_result tunnel_feed(
	struct tunnel *tunnel, const char *data, size_t size, struct fault *ret_fault)
{
	size_t used;

	if (tunnel->is_done)
		return tunnel_decide(tunnel, false, ret_fault);
	switch (h1_feed(tunnel->h1, data, size, &used)) {
	case H1_MORE: return TUNNEL_MORE;
	case H1_DONE: return tunnel_decide(tunnel, used == size, ret_fault);
	case H1_STOPPED: unreachable("a body of a response that has none");
	case H1_FAULT: break;
	}
	if (h1_fault(tunnel->h1).kind == H1_FAULT_MEMORY)
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for a proxy's answer");
	else
		tunnel_say(tunnel->route, FAULT_PROXY_REFUSED, h1_fault(tunnel->h1).why, ret_fault);
	return TUNNEL_FAULT;
}

void tunnel_feed_end(const struct tunnel *tunnel, struct fault *ret_fault)
{
	tunnel_fault(tunnel->route, "the connection was closed before the tunnel stood", ret_fault);
}
