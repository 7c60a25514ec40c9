/* SPDX-License-Identifier: MIT */
#include "job/attempt.h"

#include "http/request.h"
#include "job/attempt_limit.h"
#include "job/attempt_record.h"
#include "job/graph.h"
#include "job/scheduler.h"
#include "job/template.h"
#include "util/panic.h"

/*
 * The attempt is its connection's user, and hears from it what happens: ready, sent, data, end,
 * closed. Every way out but one goes through attempt_settle(), which settles the job first, so
 * that the client has its answer, and then lets go of the connection: back to the pool where the
 * response proved it clean, else aborted, and the attempt waits in JOIN for its end. The one
 * other way is the replay of a safe request whose reused connection turned out to be dead.
 */

/* A document may use its input many times over: what comes of it is bounded like the document. */
#define REQUEST_BYTES_MAX PLAN_BYTES_MAX
#define REQUEST_KEEP      (8 * 1024)
#define URL_KEEP          (4 * 1024)

static void attempt_on_timer(struct timer *timer);
static const struct conn_events attempt_conn_events;

/* Memory. */

static bool attempt_init(void *object)
{
	struct attempt *attempt = object;

	list_init(&attempt->link);
	timer_init(&attempt->timer, attempt_on_timer);
	buffer_init(&attempt->request, REQUEST_BYTES_MAX);
	buffer_init(&attempt->url_text, 4 * URL_SIZE_MAX);
	attempt->user.events = &attempt_conn_events;
	return exchange_init(&attempt->exchange);
}

static void attempt_deinit(void *object)
{
	struct attempt *attempt = object;

	exchange_deinit(&attempt->exchange);
	buffer_deinit(&attempt->request);
	buffer_deinit(&attempt->url_text);
}

void attempt_slab_init(struct slab *slab, uint32_t n_max)
{
	slab_init(slab, sizeof(struct attempt), n_max);
	slab->init = attempt_init;
	slab->deinit = attempt_deinit;
}

/* Ending. */

/* Nothing of it is on the wire: its places are free. */
static void attempt_release(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	struct graph *graph = attempt->graph;

	expect(!attempt->job);
	timer_stop(ring_timers(scheduler->ring), &attempt->timer);
	claim_release(&attempt->claim, &scheduler->freed);
	scheduler_kick(scheduler);
	pool_leave(scheduler->pool, attempt->route);
	buffer_reset(&attempt->request, REQUEST_KEEP);
	buffer_reset(&attempt->url_text, URL_KEEP);
	graph_on_attempt_gone(graph, &attempt->link);
	slab_give(&scheduler->attempts, attempt);
}

static void attempt_enter(struct attempt *attempt, enum attempt_state state)
{
	expect(attempt->state != ATTEMPT_JOIN);
	attempt->state = state;
}

static uint64_t attempt_now(const struct attempt *attempt)
{
	return ring_now(attempt->scheduler->ring);
}

/* The connection goes back to the pool where it is clean, else it ends. */
static void attempt_let_go(struct attempt *attempt)
{
	struct conn *conn = attempt->conn;

	attempt_enter(attempt, ATTEMPT_JOIN);
	exchange_end(&attempt->exchange);
	if (conn && !(attempt->exchange.is_clean && conn_is_quiet(conn))) {
		timer_stop(ring_timers(attempt->scheduler->ring), &attempt->timer);
		conn_abort(conn);
		return;
	}
	if (conn)
		pool_return(attempt->scheduler->pool, conn);
	attempt->conn = NULL;
	attempt_release(attempt);
}

/* The job settles now; the wire is cleared after it. `fault` NULL: fulfilled. */
static void attempt_settle(struct attempt *attempt, const struct fault *fault,
	const struct record_reason *more, bool show_response)
{
	struct job *job = attempt->job;
	struct record record = attempt_record(attempt);
	struct buffer *body = &attempt->exchange.body;
	struct text text = {NULL, 0};

	attempt->graph->sum_ns += attempt_now(attempt) - attempt->slot_ns;
	if (!show_response)
		record.response = (struct record_response){0};
	else if (!attempt->exchange.discards)
		text = (struct text){body->data ? body->data : "", body->size};
	record.via = fault ? RECORD_VIA_NONE : RECORD_VIA_NETWORK;
	if (fault) {
		record.reason = *more;
		record.reason.fault = fault;
		record.reason.sent = attempt_sent(attempt);
	}
	attempt->job = NULL;
	job_settle(job, &record, text, &body->data);
	if (!body->data)
		buffer_take(body);
	attempt_let_go(attempt);
}

static void attempt_reject(struct attempt *attempt, const struct fault *fault)
{
	struct record_reason more = {.retryable = fault_is_retryable(fault->code)};

	attempt_settle(attempt, fault, &more, false);
}

void attempt_cancel(struct attempt *attempt, enum fault_code code, enum record_by by)
{
	struct record_reason more = {.by = by, .retryable = fault_is_retryable(code)};
	struct fault fault;

	if (!attempt->job)
		return;
	fault_set(&fault, code, "%s", "");
	attempt_settle(attempt, &fault, &more, false);
}

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

static void attempt_on_timer(struct timer *timer)
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
	attempt_reject(attempt, &fault);
}

/* A limit may now be nearer than the timer stands. */
static void attempt_watch(struct attempt *attempt)
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

static bool status_is_ok(const struct plan_spec *spec, uint16_t status)
{
	for (uint32_t i = 0; i < spec->n_ok; i++) {
		if (status >= spec->ok[i].from && status <= spec->ok[i].to)
			return true;
	}
	return false;
}

/* Statuses that speak of the moment rather than of the request. */
static bool status_is_retryable(uint16_t status)
{
	switch (status) {
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504: return true;
	default: return false;
	}
}

static void attempt_on_response(struct attempt *attempt)
{
	const struct response_head *head = &attempt->exchange.head;
	struct record_reason more = {.retryable = status_is_retryable(head->status)};
	struct fault fault;

	if (status_is_ok(job_plan(attempt->job)->spec, head->status)) {
		attempt_settle(attempt, NULL, &more, true);
		return;
	}
	fault_set(&fault, FAULT_HTTP_STATUS, "%u%s%.*s", head->status, head->reason.size ? " " : "",
		TEXT_ARGS(head->reason));
	attempt_settle(attempt, &fault, &more, true);
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

/* Starting. */

static void attempt_lease(struct attempt *attempt)
{
	struct fault fault;

	attempt_enter(attempt, ATTEMPT_LEASE);
	attempt->conn = pool_lease(
		attempt->scheduler->pool, attempt->route, &attempt->user, attempt->is_replay);
	if (!attempt->conn) {
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

static const struct conn_events attempt_conn_events = {
	.on_progress = attempt_on_progress,
	.on_ready = attempt_on_ready,
	.on_sent = attempt_on_sent,
	.on_data = attempt_on_data,
	.on_dropped = attempt_on_dropped,
	.on_end = attempt_on_end,
	.on_closed = attempt_on_closed,
};

/* Which address overrides hold for this URL. */
static const struct plan_resolve *attempt_override(const struct attempt *attempt)
{
	const struct plan_spec *spec = job_plan(attempt->job)->spec;

	for (uint32_t i = 0; i < spec->n_resolve; i++) {
		const struct plan_resolve *entry = &spec->resolve[i];

		if (entry->port == attempt->url.port &&
			text_equal_nocase(entry->host, attempt->url.host))
			return entry;
	}
	return NULL;
}

/* All that must be equal to share a connection with this request. */
static struct route_key attempt_route_key(const struct attempt *attempt)
{
	const struct plan_spec *spec = job_plan(attempt->job)->spec;
	const struct plan_resolve *override = attempt_override(attempt);
	struct route_key key = {
		.uid = attempt->graph->uid,
		.is_https = attempt->url.is_https,
		.port = attempt->url.port,
		.host = attempt->url.host,
	};

	if (attempt->url.is_https) {
		key.insecure = spec->tls.insecure;
		key.ca = spec->tls.ca;
		key.server_name = spec->tls.server_name;
	}
	if (override) {
		key.resolve = spec->resolve_key;
		key.addresses = override->addresses;
		key.n_addresses = override->n_addresses;
	}
	return key;
}

/* The route for the URL; false and the fault. */
static bool attempt_find_route(struct attempt *attempt, struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(attempt->job)->spec;
	struct known *known = &attempt->graph->known;
	struct pool *pool = attempt->scheduler->pool;
	struct route *route = known_route(known, &attempt->url, spec);
	struct route_key key;

	if (route) {
		attempt->route = pool_stay(route);
		return true;
	}
	key = attempt_route_key(attempt);
	if (key.insecure && !attempt->scheduler->options.insecure_allowed) {
		fault_set(ret_fault, FAULT_POLICY_TLS, "%s", "");
		return false;
	}
	attempt->route = pool_route(pool, &key);
	if (!attempt->route) {
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the route");
		return false;
	}
	known_learn_route(known, pool, &attempt->url, attempt->route, spec);
	return true;
}

/* Takes the places and runs. The request is filled in only now: a job that waits holds nothing. */
static void attempt_run(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	struct job *job = attempt->job;
	struct fault fault;

	claim_take(&attempt->claim, &scheduler->requests);
	claim_take(&attempt->claim, &attempt->graph->requests);
	claim_take(&attempt->claim, &attempt->route->origin->requests);
	timer_stop(ring_timers(scheduler->ring), &job->queue_timer);
	job->state = JOB_RUNNING;
	job->attempt = attempt;
	graph_on_attempt(attempt->graph, &attempt->link);
	scheduler->counters.attempts++;
	attempt->slot_ns = attempt_now(attempt);
	attempt->is_safe = request_method_is_safe(template_method(job));
	if (template_request(job, &attempt->url, &attempt->request, &fault))
		attempt_lease(attempt);
	else
		attempt_reject(attempt, &fault);
}

static struct attempt *attempt_take(struct scheduler *scheduler, struct job *job)
{
	struct attempt *attempt = slab_take(&scheduler->attempts);

	if (!attempt)
		return NULL;
	attempt->scheduler = scheduler;
	attempt->graph = job->graph;
	attempt->job = job;
	attempt->state = ATTEMPT_LEASE;
	attempt->claim.n = 0;
	attempt->route = NULL;
	attempt->conn = NULL;
	attempt->slot_ns = 0;
	attempt->begun_ns = 0;
	attempt->sent_ns = 0;
	attempt->first_byte_ns = 0;
	attempt->active_ns = 0;
	attempt->uploaded = 0;
	attempt->sent_before = RECORD_SENT_NONE;
	attempt->is_replay = false;
	attempt->is_reused = false;
	exchange_rest(&attempt->exchange);
	return attempt;
}

struct bound *attempt_start(struct scheduler *scheduler, struct job *job)
{
	struct attempt *attempt = attempt_take(scheduler, job);
	struct bound *refusing = NULL;
	struct fault fault;

	if (!attempt) {
		fault_set(&fault, FAULT_OVERLOADED, "no memory for the request");
		job_reject(job, &fault, RECORD_BY_NONE);
		return NULL;
	}
	if (!template_url(job, &attempt->url_text, &attempt->url, &fault) ||
		!attempt_find_route(attempt, &fault)) {
		slab_give(&scheduler->attempts, attempt);
		job_reject(job, &fault, RECORD_BY_NONE);
		return NULL;
	}
	if (bound_has_room(&attempt->route->origin->requests)) {
		attempt_run(attempt);
		return NULL;
	}
	refusing = &attempt->route->origin->requests;
	pool_leave(scheduler->pool, attempt->route);
	slab_give(&scheduler->attempts, attempt);
	return refusing;
}
