/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "http/retry_after.h"
#include "job/attempt_record.h"
#include "job/flight.h"
#include "job/name.h"
#include "job/retry.h"
#include "job/template.h"
#include "job/trial.h"
#include "net/share.h"
#include "util/clock.h"

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

/* What came of it. */
struct attempt_result {
	/* NULL: fulfilled. */
	const struct fault *fault;
	bool retryable;
	bool show_response;
	enum record_by by;
};

/* The wire. */

void attempt_forget_texts(struct attempt *attempt)
{
	buffer_reset(&attempt->request, REQUEST_KEEP);
	buffer_reset(&attempt->url_text, URL_KEEP);
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

/* The connection goes back to the pool where it is clean, else it ends. */
static void attempt_let_go(struct attempt *attempt)
{
	struct conn *conn = attempt->conn;

	flight_close(attempt);
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

/* Once more? */

static bool status_asks_for_pause(uint16_t status)
{
	return status == 429 || status == 503;
}

/* What the response asks for, where the job listens to that. */
static uint64_t attempt_retry_after(const struct attempt *attempt, const struct plan_spec *spec)
{
	const struct response_head *head = &attempt->exchange.head;
	uint64_t after_ns;

	if (!attempt->exchange.has_head || (spec->retry && !spec->retry->retry_after))
		return RETRY_AFTER_NONE;
	for (uint32_t i = 0; i < head->n_headers; i++) {
		if (text_equal_nocase(head->headers[i].name, TEXT("retry-after")) &&
			retry_after_parse(head->headers[i].value,
				(int64_t)(clock_unix_ns() / NS_PER_S), &after_ns))
			return after_ns;
	}
	return RETRY_AFTER_NONE;
}

/* An origin that asks for it is left alone for a while, by all graphs of its user. */
static void attempt_pause_origin(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	uint64_t after_ns;

	if (!attempt->exchange.has_head || !status_asks_for_pause(attempt->exchange.head.status))
		return;
	after_ns = attempt_retry_after(attempt, job_plan(attempt->job)->spec);
	if (after_ns == RETRY_AFTER_NONE || after_ns == 0)
		return;
	if (after_ns > scheduler->options.retry_after_max_ns)
		after_ns = scheduler->options.retry_after_max_ns;
	share_pause(scheduler->pool, attempt->route->share, attempt_now(attempt) + after_ns);
}

static bool job_is_idempotent(const struct job *job)
{
	static const struct text methods[] = {TEXT_INIT("GET"), TEXT_INIT("HEAD"), TEXT_INIT("PUT"),
		TEXT_INIT("DELETE"), TEXT_INIT("OPTIONS"), TEXT_INIT("TRACE")};
	const struct plan_fields *headers = &job_plan(job)->spec->headers;
	struct text method = template_method(job);

	for (size_t i = 0; i < countof(methods); i++) {
		if (text_equal(method, methods[i]))
			return true;
	}
	for (uint32_t i = 0; i < headers->n; i++) {
		if (text_equal_nocase(headers->fields[i].name, TEXT("idempotency-key")))
			return true;
	}
	return false;
}

/* The job's own deadline, or an earlier one of what is around it. */
static uint64_t job_deadline(const struct job *job)
{
	uint64_t above = job_deadline_above(job);
	uint64_t length = job_plan(job)->spec->timeouts.job_ns;

	return length < above - job->slot_ns ? job->slot_ns + length : above;
}

/* A fifth of what goes there may be repetitions, and a few in any case. */
#define BUDGET_FLOOR 3

static bool share_has_budget(struct share *share, uint64_t now_ns)
{
	uint64_t allowed = rate_count(&share->sent, now_ns) / 5;

	return rate_count(&share->repeated, now_ns) <
	       (allowed > BUDGET_FLOOR ? allowed : BUDGET_FLOOR);
}

static struct retry_answer attempt_ask_retry(
	const struct attempt *attempt, const struct job *job, const struct attempt_result *result)
{
	struct scheduler *scheduler = attempt->scheduler;
	const struct plan_spec *spec = job_plan(job)->spec;
	uint64_t now_ns = attempt_now(attempt);
	enum record_sent sent = attempt_sent(attempt);
	struct retry_question question = {
		.retry = spec->retry,
		.n_attempts = (job->trial ? job->trial->n_attempts : 0) + 1,
		.code = result->fault->code,
		.status = result->show_response ? attempt->exchange.head.status : 0,
		.sent = job->trial && job->trial->sent > sent ? job->trial->sent : sent,
		.is_idempotent = job_is_idempotent(job),
		.now_ns = now_ns,
		.deadline_ns = job_deadline(job),
		.retry_after_ns = attempt_retry_after(attempt, spec),
		.retry_after_max_ns = scheduler->options.retry_after_max_ns,
		.has_budget = share_has_budget(attempt->route->share, now_ns),
		.random = random_next(&scheduler->random),
	};

	return retry_decide(&question);
}

/* Into its trial; false: no memory for the first one. */
static bool attempt_note_try(
	const struct attempt *attempt, struct job *job, const struct attempt_result *result)
{
	struct record record = attempt_record(attempt, job);
	struct record_try one = {.time = record.time};

	if (result->fault)
		one.code = result->fault->code;
	if (result->show_response)
		one.status = record.response.status;
	if (!job->trial) {
		job->trial = trial_new();
		if (!job->trial)
			return false;
		job->trial->queue_ns = record.time.queue;
	}
	one.time.start = job->turn_ns - attempt->graph->accepted_ns;
	one.time.queue = job->held_ns - job->turn_ns;
	trial_add(job->trial, &one, attempt_sent(attempt));
	return true;
}

/* What it took the job, who may have joined late. */
static void attempt_count(struct attempt *attempt, const struct job *job)
{
	attempt->graph->sum_ns += attempt_now(attempt) - job->held_ns;
}

/* True where the job goes into its backoff. */
static bool attempt_try_again(struct attempt *attempt, struct job *job,
	const struct attempt_result *result, enum record_stopped *ret_stopped)
{
	struct retry_answer answer = attempt_ask_retry(attempt, job, result);

	*ret_stopped = answer.stopped;
	if (!answer.again || job_is_ended(job) || !attempt_note_try(attempt, job, result))
		return false;
	attempt_count(attempt, job);
	rate_add(&attempt->route->share->repeated, attempt_now(attempt));
	attempt->scheduler->counters.retries++;
	job_back_off(job, answer.delay_ns);
	return true;
}

/* Jobs. */

static struct text attempt_body(const struct attempt *attempt)
{
	const struct buffer *body = &attempt->exchange.body;

	if (attempt->exchange.discards)
		return (struct text){NULL, 0};
	return (struct text){body->data ? body->data : "", body->size};
}

/* The job settles by this. `leader`: whose flight it was, if not its own. `body_memory` may be
 * NULL. */
static void attempt_settle_job(struct attempt *attempt, struct job *job, const char *leader,
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
	record = attempt_record(attempt, job);
	if (!result->show_response)
		record.response = (struct record_response){0};
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

	if (!status_is_ok(job_plan(job)->spec, head->status)) {
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
