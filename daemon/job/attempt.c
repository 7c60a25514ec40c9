/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "job/attempt_limit.h"
#include "job/attempt_record.h"
#include "job/template.h"

/*
 * The attempt is its connection's user, and hears from it what happens: ready, sent, data, end,
 * closed. Every way out but one is in attempt_end.c; the other one is the replay of a safe request
 * whose reused connection turned out to be dead.
 */

/* Limits. */

/* An upload moves without telling us: look whether it did since the last look. */
static void attempt_note_upload(struct attempt *attempt)
{
	if (!attempt->begun_ns || attempt->sent_ns || !attempt->conn)
		return;
	if (attempt->conn->taken_size == attempt->uploaded)
		return;
	attempt->uploaded = attempt->conn->taken_size;
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
	if (limit.code == FAULT_JOB_TIMEOUT)
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

static void attempt_send(struct attempt *attempt)
{
	const struct plan_spec *spec = job_plan(attempt->job)->spec;
	struct exchange_request request = {
		.body_bytes_max = spec->max_body,
		.held_bytes = &attempt->scheduler->body_bytes,
		.held_bytes_max = attempt->scheduler->options.body_bytes_max,
		.is_head = text_is(template_method(attempt->job), "HEAD"),
		.discards = spec->output == PLAN_DISCARD,
	};

	attempt_enter(attempt, ATTEMPT_EXCHANGE);
	attempt->begun_ns = attempt_now(attempt);
	attempt->active_ns = attempt->begun_ns;
	exchange_begin(&attempt->exchange, &request);
	attempt_watch(attempt);
	conn_send(attempt->conn, attempt->request.data, attempt->request.size);
}

/* The failure of a connection that had been idle, before a byte of the response: the peer had
 * closed it, and what is safe may be said again on a fresh one (RFC 9112 9.3.1). */
static bool attempt_may_replay(const struct attempt *attempt, enum fault_code code)
{
	if (!attempt->is_reused || attempt->is_replay || !attempt->is_safe)
		return false;
	if (attempt->state != ATTEMPT_EXCHANGE || exchange_has_begun(&attempt->exchange))
		return false;
	return code == FAULT_EMPTY_REPLY || code == FAULT_RECV_RESET || code == FAULT_SEND_FAILED ||
	       code == FAULT_TLS_BROKEN;
}

static void attempt_fail(struct attempt *attempt, const struct fault *fault)
{
	if (!attempt_may_replay(attempt, fault->code)) {
		attempt_reject(attempt, fault);
		return;
	}
	attempt->scheduler->counters.replays++;
	attempt_enter(attempt, ATTEMPT_REPLAY);
	conn_abort(attempt->conn);
}

static struct attempt *attempt_of(struct conn_user *user)
{
	return container_of(user, struct attempt, user);
}

static void attempt_on_progress(struct conn_user *user)
{
	attempt_watch(attempt_of(user));
}

static void attempt_on_ready(struct conn_user *user)
{
	attempt_send(attempt_of(user));
}

static void attempt_on_sent(struct conn_user *user)
{
	struct attempt *attempt = attempt_of(user);

	attempt->sent_ns = attempt_now(attempt);
	attempt->active_ns = attempt->sent_ns;
	if (job_plan(attempt->job)->spec->timeouts.first_byte_ns != PLAN_NEVER)
		attempt_watch(attempt);
}

/* How the rest of the response is best received. */
static void attempt_receive_rest(struct attempt *attempt)
{
	uint64_t droppable = attempt->conn->tls ? 0 : exchange_droppable(&attempt->exchange);

	/* Said anew each time: what came meanwhile has changed how much there is to drop. */
	if (droppable > 0)
		conn_drop(attempt->conn, droppable);
	else
		conn_receive(attempt->conn, exchange_is_long(&attempt->exchange)
						    ? CONN_RECEIVE_LONG
						    : CONN_RECEIVE_SHORT);
	attempt_watch(attempt);
}

static void attempt_on_exchange(struct attempt *attempt, enum exchange_result result)
{
	switch (result) {
	case EXCHANGE_MORE: attempt_receive_rest(attempt); break;
	case EXCHANGE_DONE: attempt_on_response(attempt); break;
	case EXCHANGE_FAULT: attempt_fail(attempt, &attempt->exchange.fault); break;
	}
}

static void attempt_on_data(struct conn_user *user, const char *data, size_t size)
{
	struct attempt *attempt = attempt_of(user);
	struct fault fault;

	attempt->active_ns = attempt_now(attempt);
	if (!attempt->first_byte_ns)
		attempt->first_byte_ns = attempt->active_ns;
	if (attempt->state == ATTEMPT_EXCHANGE) {
		attempt_on_exchange(attempt, exchange_feed(&attempt->exchange, data, size));
		return;
	}
	fault_set(&fault, FAULT_HTTP_PARSE, "bytes before the request was sent");
	attempt_reject(attempt, &fault);
}

static void attempt_on_dropped(struct conn_user *user, size_t size)
{
	struct attempt *attempt = attempt_of(user);

	attempt->active_ns = attempt_now(attempt);
	attempt_on_exchange(attempt, exchange_skip(&attempt->exchange, size));
}

static void attempt_on_end(struct conn_user *user, const struct fault *fault)
{
	struct attempt *attempt = attempt_of(user);
	struct exchange *exchange = &attempt->exchange;

	if (fault && !(attempt->state == ATTEMPT_EXCHANGE && fault->code == FAULT_BODY_TRUNCATED &&
			     !exchange_has_begun(exchange))) {
		attempt_fail(attempt, fault);
		return;
	}
	/* The framing says whether that was the end of the response. */
	switch (exchange_feed_end(exchange)) {
	case EXCHANGE_DONE: attempt_on_response(attempt); break;
	case EXCHANGE_FAULT: attempt_fail(attempt, &exchange->fault); break;
	case EXCHANGE_MORE: unreachable("more of a response whose connection has ended");
	}
}

/* The connection. */

void attempt_lease(struct attempt *attempt)
{
	struct fault fault;

	attempt_enter(attempt, ATTEMPT_LEASE);
	struct mux *mux;
	enum lease lease = pool_lease(
		attempt->scheduler->pool, attempt->route, &attempt->user, attempt->is_replay, &mux);

	attempt->conn = attempt->user.conn;
	if (lease == LEASE_NONE) {
		fault_set(&fault, FAULT_OVERLOADED, "no memory for a connection");
		attempt_reject(attempt, &fault);
		return;
	}
	attempt->is_reused = attempt->conn->reused;
	if (attempt->conn->state == CONN_ACTIVE)
		attempt_send(attempt);
	else
		attempt_watch(attempt);
}

static void attempt_on_closed(struct conn_user *user)
{
	struct attempt *attempt = attempt_of(user);

	attempt->conn = NULL;
	if (attempt->state == ATTEMPT_REPLAY) {
		attempt->sent_before = attempt_sent(attempt);
		attempt->is_replay = true;
		attempt->begun_ns = 0;
		attempt->sent_ns = 0;
		attempt_lease(attempt);
		return;
	}
	expect(attempt->state == ATTEMPT_JOIN);
	attempt_release(attempt);
}

const struct conn_events attempt_conn_events = {
	.on_progress = attempt_on_progress,
	.on_ready = attempt_on_ready,
	.on_sent = attempt_on_sent,
	.on_data = attempt_on_data,
	.on_dropped = attempt_on_dropped,
	.on_end = attempt_on_end,
	.on_closed = attempt_on_closed,
};
