/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "job/attempt_record.h"
#include "job/flight.h"
#include "job/name.h"
#include "job/template.h"
#include "job/trail.h"

/*
 * How an attempt ends. Its job comes first: it settles, so that the client has its answer, or goes
 * into its backoff; so do all that share the flight, each by its own rules. Then the connection is
 * let go: back to the pool where the response proved it clean, else aborted, and the attempt waits
 * in JOIN for its end.
 *
 * A settling may end a group that has the other jobs of this flight, too. So an attempt that is
 * over has no job any more before the first of them settles, and the others are taken from its
 * list one by one.
 */

#define REQUEST_KEEP (8 * 1024)
#define URL_KEEP     (4 * 1024)

/* The wire. */

void attempt_forget_texts(struct attempt *attempt)
{
	buffer_reset(&attempt->request, REQUEST_KEEP);
	buffer_reset(&attempt->url_text, URL_KEEP);
	h2_stream_rest(&attempt->stream);
}

void attempt_release(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	struct graph *graph = attempt->graph;
	struct scope *scope = attempt->scope;

	expect(!attempt->job);
	timer_stop(ring_timers(scheduler->ring), &attempt->timer);
	claim_release(&attempt->claim, &scheduler->freed);
	scheduler_kick(scheduler);
	pool_leave(scheduler->pool, attempt->route);
	attempt_forget_texts(attempt);
	graph_on_attempt_gone(graph, &attempt->link);
	slab_give(&scheduler->attempts, attempt);
	scope_leave(scope);
}

void attempt_joined(struct attempt *attempt)
{
	expect(attempt->state == ATTEMPT_JOIN);
	expect(attempt->n_joining > 0);
	if (--attempt->n_joining == 0)
		attempt_release(attempt);
}

/* A connection of its own goes back to the pool where nothing about it is doubtful, and the request
 * was sent whole; else it ends. False: it has not ended yet. */
static bool attempt_let_conn_go(struct attempt *attempt)
{
	struct conn *conn = attempt->conn;

	if (!attempt->exchange.is_clean || !attempt->sent_ns || !conn_is_quiet(conn)) {
		conn_abort(conn);
		return false;
	}
	pool_return(attempt->scheduler->pool, conn);
	attempt->conn = NULL;
	return true;
}

/* The same of whatever it has. */
static bool attempt_let_lease_go(struct attempt *attempt)
{
	if (attempt->conn)
		return attempt_let_conn_go(attempt);
	if (attempt_is_shared(attempt))
		return mux_leave(&attempt->mux_user);
	pool_unlease(attempt->scheduler->pool, &attempt->user);
	return true;
}

static void attempt_let_go(struct attempt *attempt)
{
	flight_close(attempt);
	attempt_enter(attempt, ATTEMPT_JOIN);
	exchange_end(&attempt->exchange);
	timer_stop(ring_timers(attempt->scheduler->ring), &attempt->timer);
	task_cancel(&attempt->go_on);
	/* One for ourselves, so that it is not over before all have been asked. */
	attempt->n_joining = 1;
	attempt->n_joining += !attempt_let_lease_go(attempt);
	/* While the connection is being closed, the kernel may still send the last piece. */
	if (!attempt->conn)
		attempt->n_joining += !source_close(&attempt->source);
	attempt->n_joining += !store_close(&attempt->store);
	attempt_joined(attempt);
}

/* Jobs. */

static struct text attempt_body(const struct attempt *attempt)
{
	const struct buffer *body = &attempt->exchange.body;

	if (attempt->exchange.to != EXCHANGE_KEEP)
		return (struct text){NULL, 0};
	return (struct text){body->data ? body->data : "", body->size};
}

void attempt_settle_job(struct attempt *attempt, struct job *job, const char *leader,
	const struct attempt_result *result, char **body_memory)
{
	enum record_stopped stopped = RECORD_STOPPED_NONE;
	struct text body = {NULL, 0};
	struct record record;

	if (result->fault && result->by == RECORD_BY_NONE &&
		attempt_try_again(attempt, job, result, &stopped))
		return;
	attempt_count(attempt, job);
	if (job->trial)
		attempt_note_try(attempt, job, result);
	attempt_record(attempt, job, &record);
	if (!result->show_response)
		record.response = (struct record_response){
			.hops = record.response.hops, .n_hops = record.response.n_hops};
	else
		body = attempt_body(attempt);
	if (leader && !result->fault)
		record.of = text_from(leader);
	record.via = leader ? RECORD_VIA_DEDUPE : RECORD_VIA_NETWORK;
	if (result->fault) {
		record.via = RECORD_VIA_NONE;
		record.reason.fault = result->fault;
		record.reason.retryable = result->retryable;
		record.reason.by = result->by;
		record.reason.stopped = stopped;
		if (record.reason.sent < attempt_sent(attempt))
			record.reason.sent = attempt_sent(attempt);
	}
	job_settle(job, &record, body, body_memory);
}

bool attempt_status_is_ok(const struct plan_spec *spec, uint16_t status)
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

/* True where the job goes on elsewhere. *ret_fault has a code where it cannot. */
static bool attempt_hop(struct attempt *attempt, struct job *job, struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct trail_request request = {
		.url = &attempt->url,
		.method = template_method(job),
		.has_body = template_has_body(job),
	};

	if (!attempt->is_hop || trail_follow(&job->trail, spec, &request, &attempt->exchange.head,
					ret_fault) != TRAIL_GOES_ON)
		return false;
	/* Not when the attempt began: the job may have joined it. */
	if (job->trail->n_hops == 1) {
		job->trail->turn_ns = job->turn_ns;
		job->trail->slot_ns = job->held_ns;
	}
	attempt_count(attempt, job);
	job_hop(job);
	return true;
}

/* The response is not the origin's, but of a proxy that passes requests on (RFC 9110 15.5.8). */
static bool attempt_is_by_proxy(const struct attempt *attempt)
{
	const struct route *route = attempt->route;

	return attempt->exchange.head.status == 407 && route_has_proxy(route) && !route->is_https;
}

/* A complete response, as the job takes it. */
static void attempt_settle_by_response(
	struct attempt *attempt, struct job *job, const char *leader, char **body_memory)
{
	const struct response_head *head = &attempt->exchange.head;
	struct attempt_result result = {
		.retryable = status_is_retryable(head->status),
		.show_response = true,
	};
	struct fault fault;

	fault.code = FAULT_NONE;
	if (attempt_hop(attempt, job, &fault))
		return;
	if (attempt_is_by_proxy(attempt))
		fault_set(&fault, FAULT_PROXY_AUTH, "the proxy wants credentials: 407%s%.*s",
			head->reason.size ? " " : "", TEXT_ARGS(head->reason));
	if (fault.code != FAULT_NONE) {
		result.fault = &fault;
		result.retryable = false;
	} else if (!attempt_status_is_ok(job_plan(job)->spec, head->status)) {
		fault_set(&fault, FAULT_HTTP_STATUS, "%u%s%.*s", head->status,
			head->reason.size ? " " : "", TEXT_ARGS(head->reason));
		result.fault = &fault;
	}
	attempt_settle_job(attempt, job, leader, &result, body_memory);
}

/* The next one that shares it and still has something to wait for, taken out; NULL: nobody. Who is
 * ended is left to its sweep, whose time is up to the end of the turn: there may be very many. */
static struct job *attempt_next_follower(struct attempt *attempt)
{
	while (!list_is_empty(&attempt->followers)) {
		struct job *job = list_entry(attempt->followers.next, struct job, link);
		uint64_t job_ns = job_plan(job)->spec->timeouts.job_ns;

		if (!job_is_ended(job) &&
			(job_ns == PLAN_NEVER || job->slot_ns + job_ns > attempt_now(attempt))) {
			list_remove(&job->link);
			return job;
		}
		flight_leave(job);
		if (!job_is_ended(job))
			graph_due(job, JOB_DUE_TIME);
	}
	return NULL;
}

/* In the order of joining. */
static void attempt_settle_followers(
	struct attempt *attempt, const char *leader, const struct attempt_result *result)
{
	struct job *job;

	while ((job = attempt_next_follower(attempt))) {
		if (result)
			attempt_settle_job(attempt, job, leader, result, NULL);
		else
			attempt_settle_by_response(attempt, job, leader, NULL);
	}
}

/* The name of the job that leads, where somebody follows. */
static const char *attempt_leader_name(struct attempt *attempt, const struct job *job)
{
	char *memory = attempt->scheduler->names.of;
	struct text name;

	if (list_is_empty(&attempt->followers))
		return NULL;
	name = job_name(job, memory);
	memmove(memory, name.data, name.size);
	memory[name.size] = '\0';
	return memory;
}

/* It is over. `result` NULL: there is a response. */
static void attempt_conclude(struct attempt *attempt, const struct attempt_result *result)
{
	struct buffer *body = &attempt->exchange.body;
	struct job *job = attempt->job;
	const char *leader = attempt_leader_name(attempt, job);
	char **memory = leader ? NULL : &body->data;

	flight_close(attempt);
	attempt_pause_origin(attempt);
	attempt->job = NULL;
	if (result)
		attempt_settle_job(attempt, job, NULL, result, memory);
	else
		attempt_settle_by_response(attempt, job, NULL, memory);
	attempt_settle_followers(attempt, leader, result);
	if (!body->data)
		buffer_take(body);
	attempt_let_go(attempt);
}

void attempt_reject(struct attempt *attempt, const struct fault *fault)
{
	struct attempt_result result = {
		.fault = fault,
		.retryable = fault_is_retryable(fault->code),
	};

	attempt_conclude(attempt, &result);
}

/* Its job settles, and it goes on with another one, or it ends. */
static void attempt_leave(struct attempt *attempt, const struct attempt_result *result)
{
	struct job *job = attempt->job;
	struct job *next = attempt_next_follower(attempt);

	attempt->job = next;
	if (next) {
		timer_stop(ring_timers(attempt->scheduler->ring), &next->timer);
		attempt_watch(attempt);
	}
	attempt_settle_job(attempt, job, NULL, result, NULL);
	/* With another job it may be gone by now. */
	if (!next)
		attempt_let_go(attempt);
}

void attempt_time_out(struct attempt *attempt, const struct fault *fault)
{
	struct attempt_result result = {
		.fault = fault,
		.retryable = fault_is_retryable(fault->code),
	};

	attempt_leave(attempt, &result);
}

void attempt_cancel(struct attempt *attempt, enum fault_code code, enum record_by by)
{
	struct attempt_result result = {.retryable = fault_is_retryable(code), .by = by};
	struct fault fault;

	if (!attempt->job)
		return;
	fault_set(&fault, code, "%s", "");
	result.fault = &fault;
	attempt_leave(attempt, &result);
}

void attempt_on_response(struct attempt *attempt)
{
	attempt_conclude(attempt, NULL);
}
