/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "job/attempt_limit.h"
#include "job/attempt_record.h"
#include "job/template.h"
#include "job/way.h"

/*
 * An attempt has a connection of its own (HTTP/1.1) or a stream of a shared one (HTTP/2:
 * attempt_stream.c), and hears what happens from there: ready, sent, data, end, closed. What is
 * done about it is the same for both: the response is fed to the exchange, and what the exchange
 * says of it is heeded. Every way out but one is in attempt_end.c; the other one is the replay of
 * a request that was not looked at.
 */

/* Of a redirect's body no more is received for the connection's sake. */
#define HOP_BODY_MAX (64 * 1024)

const struct conn *attempt_conn(const struct attempt *attempt)
{
	if (attempt->conn)
		return attempt->conn;
	if (attempt_is_shared(attempt))
		return mux_conn(attempt->mux_user.mux);
	return attempt->state == ATTEMPT_LEASE ? pool_awaited(attempt->route) : NULL;
}

/* Limits. */

/* How much has gone out, of anything. */
static uint64_t attempt_uploaded(const struct attempt *attempt)
{
	return attempt->conn ? attempt->conn->taken_size : h2_body_sent(&attempt->stream);
}

/* An upload moves without telling us: look whether it did since the last look. */
static void attempt_note_upload(struct attempt *attempt)
{
	uint64_t uploaded;

	if (!attempt->begun_ns || attempt->sent_ns)
		return;
	uploaded = attempt_uploaded(attempt);
	if (uploaded == attempt->uploaded)
		return;
	attempt->uploaded = uploaded;
	attempt->active_ns = attempt_now(attempt);
}

void attempt_on_timer(struct timer *timer)
{
	struct attempt *attempt = container_of(timer, struct attempt, timer);
	struct limit limit;
	struct fault fault;

	attempt_note_upload(attempt);
	limit = attempt_limit(attempt);
	if (limit.deadline_ns > attempt_now(attempt)) {
		timer_set(ring_timers(attempt->scheduler->ring), timer, limit.deadline_ns);
		return;
	}
	fault_set(&fault, limit.code, "%.*s: no %s within %.3f s",
		TEXT_ARGS(attempt->url.authority), limit.what, (double)limit.length_ns / 1e9);
	if (limit.is_own)
		attempt_time_out(attempt, &fault);
	else
		attempt_reject(attempt, &fault);
}

void attempt_watch(struct attempt *attempt)
{
	struct limit limit = attempt_limit(attempt);

	if (!timer_is_armed(&attempt->timer) || limit.deadline_ns < attempt->timer.deadline_ns)
		timer_set(
			ring_timers(attempt->scheduler->ring), &attempt->timer, limit.deadline_ns);
}

/* The exchange. */

void attempt_begin(struct attempt *attempt)
{
	const struct plan_spec *spec = attempt_spec(attempt);
	struct exchange_request request = {
		.body_bytes_max = spec->max_body,
		.to = spec->output == PLAN_DISCARD ? EXCHANGE_DROP : EXCHANGE_KEEP,
		.is_head = text_is(template_method(attempt->job), "HEAD"),
		.decodes = spec->decode,
	};

	attempt_enter(attempt, ATTEMPT_EXCHANGE);
	attempt->begun_ns = attempt_now(attempt);
	attempt->active_ns = attempt->begun_ns;
	exchange_begin(&attempt->exchange, &attempt->scheduler->exchanges, &request);
	attempt_watch(attempt);
}

void attempt_note_sent(struct attempt *attempt)
{
	attempt->sent_ns = attempt_now(attempt);
	attempt->active_ns = attempt->sent_ns;
	if (attempt_spec(attempt)->timeouts.first_byte_ns != PLAN_NEVER)
		attempt_watch(attempt);
}

void attempt_note_received(struct attempt *attempt)
{
	attempt->active_ns = attempt_now(attempt);
	if (!attempt->first_byte_ns)
		attempt->first_byte_ns = attempt->active_ns;
}

/* How the rest of the response is best received. */
static void attempt_receive_rest(struct attempt *attempt)
{
	struct conn *conn = attempt->conn;
	uint64_t droppable = conn->tls ? 0 : exchange_droppable(&attempt->exchange);

	/* Said anew each time: what came meanwhile has changed how much there is to drop. */
	if (droppable > 0)
		conn_drop(conn, droppable);
	else
		conn_receive(conn, exchange_is_long(&attempt->exchange) ? CONN_RECEIVE_LONG
									: CONN_RECEIVE_SHORT);
}

/* More of it may come. */
static void attempt_on_more(struct attempt *attempt)
{
	if (attempt->is_hop && attempt->exchange.body_bytes > HOP_BODY_MAX) {
		attempt_complete(attempt);
		return;
	}
	if (attempt_is_shared(attempt))
		attempt_consume(attempt);
	else
		attempt_receive_rest(attempt);
	attempt_watch(attempt);
}

/* Nothing more may come for now: the origin is to feel it. */
static void attempt_on_held(struct attempt *attempt)
{
	if (attempt->conn && attempt->conn->state == CONN_ACTIVE)
		conn_receive(attempt->conn, CONN_RECEIVE_NONE);
	if (!attempt->exchange.is_full)
		task_defer_next(ring_tasks(attempt->scheduler->ring), &attempt->go_on);
	attempt_watch(attempt);
}

void attempt_heed(struct attempt *attempt, enum exchange_result result)
{
	/* What still comes only makes the connection doubtful, which the exchange has noted. */
	if (attempt->state == ATTEMPT_STORE)
		return;
	switch (result) {
	case EXCHANGE_MORE: attempt_on_more(attempt); break;
	case EXCHANGE_HELD: attempt_on_held(attempt); break;
	case EXCHANGE_DONE: attempt_complete(attempt); break;
	case EXCHANGE_FAULT: attempt_fail(attempt, &attempt->exchange.fault); break;
	}
}

void attempt_on_go_on(struct task *task)
{
	struct attempt *attempt = container_of(task, struct attempt, go_on);

	attempt->active_ns = attempt_now(attempt);
	attempt_heed(attempt, exchange_go_on(&attempt->exchange));
}

void attempt_resume(struct attempt *attempt)
{
	if (attempt->state != ATTEMPT_EXCHANGE || !attempt->exchange.is_full)
		return;
	attempt->exchange.is_full = false;
	task_defer(ring_tasks(attempt->scheduler->ring), &attempt->go_on);
}

/* Once more. */

/* The failure of a connection that had been idle, before a byte of the response: the peer had
 * closed it, and what is safe may be said again on a fresh one (RFC 9112 9.3.1). */
static bool attempt_may_replay(const struct attempt *attempt, enum fault_code code)
{
	if (!attempt->is_reused || attempt->is_replay || !attempt->is_safe || !attempt->conn)
		return false;
	if (attempt->state != ATTEMPT_EXCHANGE || exchange_has_begun(&attempt->exchange))
		return false;
	/* Its body has been read. */
	if (attempt->source.is_open)
		return false;
	return code == FAULT_EMPTY_REPLY || code == FAULT_RECV_RESET || code == FAULT_SEND_FAILED ||
	       code == FAULT_TLS_BROKEN;
}

void attempt_fail(struct attempt *attempt, const struct fault *fault)
{
	if (attempt_may_replay(attempt, fault->code))
		attempt_replay(attempt);
	else
		attempt_reject(attempt, fault);
}

/* The connection it had is gone, or its stream is. */
static void attempt_again(struct attempt *attempt)
{
	attempt->is_replay = true;
	attempt->begun_ns = 0;
	attempt->sent_ns = 0;
	attempt->first_byte_ns = 0;
	exchange_end(&attempt->exchange);
	exchange_rest(&attempt->exchange);
	attempt_lease(attempt);
}

void attempt_replay(struct attempt *attempt)
{
	attempt->scheduler->counters.replays++;
	attempt_enter(attempt, ATTEMPT_REPLAY);
	attempt->sent_before = attempt_sent(attempt);
	task_cancel(&attempt->go_on);
	if (attempt->conn)
		conn_abort(attempt->conn);
	else if (mux_leave(&attempt->mux_user))
		attempt_again(attempt);
}

/* Leasing. */

static struct attempt *attempt_of(struct conn_user *user)
{
	return container_of(user, struct attempt, user);
}

static void attempt_send(struct attempt *attempt)
{
	attempt_begin(attempt);
	conn_send(attempt->conn, attempt->request.data, attempt->request.size);
}

void attempt_lease(struct attempt *attempt)
{
	struct mux *mux;
	struct fault fault;

	attempt_enter(attempt, ATTEMPT_LEASE);
	attempt->lease_ns = attempt_now(attempt);
	switch (pool_lease(attempt->scheduler->pool, attempt->route, &attempt->user,
		attempt->is_replay, &mux)) {
	case LEASE_OWN:
		attempt->conn = attempt->user.conn;
		attempt->is_reused = attempt->conn->reused;
		if (attempt->conn->state == CONN_ACTIVE)
			attempt_send(attempt);
		else
			attempt_watch(attempt);
		break;
	case LEASE_SHARED: attempt_open_stream(attempt, mux); break;
	case LEASE_AWAITED: attempt_watch(attempt); break;
	case LEASE_NONE:
		fault_set(&fault, FAULT_OVERLOADED, "no memory for a connection");
		attempt_reject(attempt, &fault);
		break;
	}
}

/* What a connection of its own tells. */

static void attempt_on_progress(struct conn_user *user)
{
	struct attempt *attempt = attempt_of(user);

	/* What it awaited may have become its own. */
	attempt->conn = user->conn;
	attempt_watch(attempt);
}

static void attempt_on_ready(struct conn_user *user)
{
	struct attempt *attempt = attempt_of(user);

	attempt->conn = user->conn;
	attempt->is_reused = attempt->conn->reused;
	attempt_send(attempt);
}

static void attempt_on_shared(struct conn_user *user, struct mux *mux)
{
	struct attempt *attempt = attempt_of(user);

	attempt->conn = NULL;
	attempt_open_stream(attempt, mux);
}

static void attempt_on_sent(struct conn_user *user)
{
	attempt_send_more(attempt_of(user));
}

static void attempt_on_data(struct conn_user *user, const char *data, size_t size)
{
	struct attempt *attempt = attempt_of(user);
	struct fault fault;

	attempt_note_received(attempt);
	if (attempt->state != ATTEMPT_LEASE) {
		attempt_heed(attempt, exchange_feed(&attempt->exchange, data, size));
		return;
	}
	fault_set(&fault, FAULT_HTTP_PARSE, "bytes before the request was sent");
	attempt_reject(attempt, &fault);
}

static void attempt_on_dropped(struct conn_user *user, size_t size)
{
	struct attempt *attempt = attempt_of(user);

	attempt->active_ns = attempt_now(attempt);
	attempt_heed(attempt, exchange_skip(&attempt->exchange, size));
}

static void attempt_on_end(struct conn_user *user, const struct fault *fault)
{
	struct attempt *attempt = attempt_of(user);
	struct exchange *exchange = &attempt->exchange;

	/* All has come: what the peer does now is its own affair. */
	if (exchange->is_complete) {
		exchange_feed_end(exchange);
		return;
	}
	if (fault && !(attempt->state == ATTEMPT_EXCHANGE && fault->code == FAULT_BODY_TRUNCATED &&
			     !exchange_has_begun(exchange))) {
		attempt_fail(attempt, fault);
		return;
	}
	/* The framing says whether that was the end of the response. */
	attempt_heed(attempt, exchange_feed_end(exchange));
}

static void attempt_on_closed(struct conn_user *user)
{
	struct attempt *attempt = attempt_of(user);

	attempt->conn = NULL;
	if (attempt->state == ATTEMPT_REPLAY) {
		attempt_again(attempt);
		return;
	}
	attempt->n_joining += !source_close(&attempt->source);
	attempt_joined(attempt);
}

const struct conn_events attempt_conn_events = {
	.on_progress = attempt_on_progress,
	.on_ready = attempt_on_ready,
	.on_shared = attempt_on_shared,
	.on_sent = attempt_on_sent,
	.on_data = attempt_on_data,
	.on_dropped = attempt_on_dropped,
	.on_end = attempt_on_end,
	.on_closed = attempt_on_closed,
};
