/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "http/request.h"
#include "job/attempt_record.h"
#include "job/template.h"
#include "job/way.h"

/*
 * An attempt on a stream of a shared connection (HTTP/2). What the stream tells comes from the
 * codec directly, the end of its reset from the mux.
 *
 * A body that is held is not consumed, so the peer's window closes and only this stream stands
 * still.
 *
 * What the peer says it has not looked at is said again once on another connection, whatever the
 * method (RFC 9113 8.7): a GOAWAY that leaves it out, REFUSED_STREAM, and with HTTP_1_1_REQUIRED
 * over HTTP/1.1. So is a 421 (RFC 9110 15.5.20) to a request on a connection that others made.
 */

static struct attempt *attempt_of(struct h2_stream *stream)
{
	return container_of(stream, struct attempt, stream);
}

/* Opening. */

static void attempt_fail_h2(struct attempt *attempt, const struct h2_fault *h2_fault)
{
	static const enum fault_code codes[] = {
		[H2_FAULT_NONE] = FAULT_INTERNAL,
		[H2_FAULT_STREAM] = FAULT_HTTP2_STREAM,
		[H2_FAULT_REFUSED] = FAULT_HTTP2_STREAM,
		[H2_FAULT_GOAWAY] = FAULT_HTTP2_CONNECTION,
		[H2_FAULT_HTTP_1_1] = FAULT_HTTP2_STREAM,
		[H2_FAULT_CONNECTION] = FAULT_HTTP2_CONNECTION,
		[H2_FAULT_PARSE] = FAULT_HTTP_PARSE,
		[H2_FAULT_FRAMING] = FAULT_HTTP_FRAMING,
		[H2_FAULT_HEADERS_TOO_LARGE] = FAULT_HEADERS_TOO_LARGE,
		[H2_FAULT_REQUEST_TOO_LARGE] = FAULT_HEADER_INVALID,
		[H2_FAULT_MEMORY] = FAULT_OVERLOADED,
	};
	struct fault fault;

	if (h2_fault->code != 0)
		fault_set(&fault, codes[h2_fault->kind], "%s (%s)", h2_fault->why,
			h2_code_name(h2_fault->code));
	else
		fault_set(&fault, codes[h2_fault->kind], "%s", h2_fault->why);
	attempt_reject(attempt, &fault);
}

/* The request's bytes as HTTP/2 has them. */
static bool attempt_cut_request(struct attempt *attempt, struct h2_request *ret_request)
{
	struct header_list *headers = &attempt->scheduler->request_headers;
	struct request_parts parts;

	if (!request_cut(buffer_text(&attempt->request), headers, &parts))
		return false;
	*ret_request = (struct h2_request){
		.method = parts.method,
		.scheme = attempt->url.is_https ? TEXT("https") : TEXT("http"),
		.authority = parts.authority,
		.target = parts.target,
		.headers = headers->items,
		.n_headers = headers->n,
		.body = parts.body,
		.has_body = parts.has_body,
		.pulls = attempt->source.is_open,
		.pull_size =
			attempt->source.is_open ? source_length(&attempt->source) : H2_LENGTH_OPEN,
	};
	return true;
}

void attempt_open_stream(struct attempt *attempt, struct mux *mux)
{
	struct h2_fault h2_fault = {.kind = H2_FAULT_MEMORY, .why = "no memory for the request"};
	struct h2_request request;

	attempt->unconsumed = 0;
	attempt->has_piece = false;
	if (!attempt_cut_request(attempt, &request) ||
		!mux_open(mux, &attempt->mux_user, &request, &h2_fault)) {
		attempt_fail_h2(attempt, &h2_fault);
		return;
	}
	attempt->is_reused = !mux_is_first(&attempt->mux_user);
	attempt_begin(attempt);
}

/* What the stream tells. */

static void attempt_on_head(struct h2_stream *stream, const struct response_head *head)
{
	struct attempt *attempt = attempt_of(stream);

	attempt_note_received(attempt);
	attempt_heed(attempt, exchange_take_head(&attempt->exchange, head));
}

static void attempt_on_body(struct h2_stream *stream, const char *data, size_t size)
{
	struct attempt *attempt = attempt_of(stream);

	attempt_note_received(attempt);
	attempt->unconsumed += size;
	attempt_heed(attempt, exchange_take_body(&attempt->exchange, data, size));
}

void attempt_consume(struct attempt *attempt)
{
	if (attempt->unconsumed > 0)
		mux_consume(&attempt->mux_user, attempt->unconsumed);
	attempt->unconsumed = 0;
}

/* A server that cannot answer for this origin on this connection. Where the job wants to have that
 * answer, it has gone to where it wanted it. */
static bool attempt_is_misdirected(const struct attempt *attempt)
{
	return attempt->exchange.head.status == 421 && attempt->is_reused && !attempt->is_replay &&
	       !attempt->source.is_open && !attempt_status_is_ok(attempt_spec(attempt), 421);
}

static void attempt_on_stream_end(struct h2_stream *stream)
{
	struct attempt *attempt = attempt_of(stream);

	attempt_note_received(attempt);
	if (attempt_is_misdirected(attempt))
		attempt_replay(attempt);
	else
		attempt_heed(attempt, exchange_take_end(&attempt->exchange));
}

/* The way there that speaks HTTP/1.1. False: there is none, and its fault. */
static bool attempt_step_down(struct attempt *attempt, struct fault *ret_fault)
{
	struct route *route = way_find(attempt->job, &attempt->url, true, ret_fault);

	if (!route)
		return false;
	pool_leave(attempt->scheduler->pool, attempt->route);
	attempt->route = route;
	return true;
}

static bool attempt_may_say_again(const struct attempt *attempt, const struct h2_fault *fault)
{
	if (!fault->is_unprocessed || attempt->is_replay)
		return false;
	if (fault->kind == H2_FAULT_HTTP_1_1 && attempt_spec(attempt)->http == PLAN_HTTP_2)
		return false;
	return !attempt->source.is_open;
}

static void attempt_on_reset(struct h2_stream *stream, const struct h2_fault *h2_fault)
{
	struct attempt *attempt = attempt_of(stream);
	struct fault fault;

	/* It is complete, and only its file is not. */
	if (attempt->exchange.is_complete)
		return;
	if (!attempt_may_say_again(attempt, h2_fault)) {
		attempt_fail_h2(attempt, h2_fault);
		return;
	}
	if (h2_fault->kind == H2_FAULT_HTTP_1_1 && !attempt_step_down(attempt, &fault))
		attempt_reject(attempt, &fault);
	else
		attempt_replay(attempt);
}

static enum h2_pull attempt_on_pull(struct h2_stream *stream, size_t size, struct text *ret_piece)
{
	return attempt_pull(attempt_of(stream), size, ret_piece);
}

const struct h2_stream_events attempt_stream_events = {
	.on_head = attempt_on_head,
	.on_body = attempt_on_body,
	.on_end = attempt_on_stream_end,
	.on_reset = attempt_on_reset,
	.on_pull = attempt_on_pull,
};

/* What the mux tells. */

static void attempt_on_stream_sent(struct mux_user *user)
{
	attempt_note_sent(container_of(user, struct attempt, mux_user));
}

static void attempt_on_left(struct mux_user *user)
{
	struct attempt *attempt = container_of(user, struct attempt, mux_user);

	expect(attempt->state == ATTEMPT_JOIN);
	attempt_joined(attempt);
}

const struct mux_events attempt_mux_events = {
	.on_sent = attempt_on_stream_sent,
	.on_left = attempt_on_left,
};
