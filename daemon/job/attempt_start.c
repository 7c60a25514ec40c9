/* SPDX-License-Identifier: MIT */
#include "job/attempt_private.h"

#include "http/request.h"
#include "job/flight.h"
#include "job/template.h"
#include "job/trail.h"
#include "job/warm.h"
#include "job/way.h"

/*
 * How an attempt begins. Its URL is filled in, which names its origin; where all bounds have room
 * it takes its places, and only then is the request filled in: a job that waits holds nothing.
 *
 * What one attempt at a time may have is a bound, too: the file that it writes, and the pipe that
 * it reads. The one before may still have a write in flight, on a slow disk, when its job begins
 * anew, and what it writes late would be in the middle of what the next one has written.
 */

/* A document may use its input many times over: what comes of it is bounded like the document. */
#define REQUEST_BYTES_MAX PLAN_BYTES_MAX

/* Memory. */

static bool attempt_init(void *object)
{
	struct attempt *attempt = object;

	list_init(&attempt->link);
	list_init(&attempt->followers);
	timer_init(&attempt->timer, attempt_on_timer);
	task_init(&attempt->go_on, attempt_on_go_on);
	buffer_init(&attempt->request, REQUEST_BYTES_MAX);
	buffer_init(&attempt->url_text, 4 * URL_SIZE_MAX);
	attempt->user.events = &attempt_conn_events;
	list_init(&attempt->user.waiting);
	h2_stream_init(&attempt->stream, &attempt_stream_events);
	mux_user_init(&attempt->mux_user, &attempt_mux_events, &attempt->stream);
	source_init(&attempt->source, &attempt_source_events);
	store_init(&attempt->store, &attempt_store_events);
	return exchange_init(&attempt->exchange, &attempt_exchange_events);
}

static void attempt_deinit(void *object)
{
	struct attempt *attempt = object;

	exchange_deinit(&attempt->exchange);
	h2_stream_deinit(&attempt->stream);
	buffer_deinit(&attempt->request);
	buffer_deinit(&attempt->url_text);
}

void attempt_slab_init(struct slab *slab, uint32_t n_max)
{
	slab_init(slab, sizeof(struct attempt), n_max);
	slab->init = attempt_init;
	slab->deinit = attempt_deinit;
}

/* Beginning. */

/* The file that the job's response goes into; NULL: there is none. */
static struct descriptor *job_output(const struct job *job)
{
	const struct plan_spec *spec = job_plan(job)->spec;

	if (spec->output != PLAN_FILE)
		return NULL;
	return descriptors_find(job_graph(job)->descriptors, spec->output_fd);
}

/* The one that the request's body comes from. Of a file, readers are not bound. */
static struct descriptor *job_input(const struct job *job)
{
	if (!attempt_has_source(job))
		return NULL;
	return descriptors_find(job_graph(job)->descriptors, job_plan(job)->spec->body_fd);
}

static struct bound *job_refusing_descriptor(const struct job *job, bool is_new)
{
	struct descriptor *output = job_output(job), *input = job_input(job);

	if (output && budget_refuses(&output->writers, is_new))
		return &output->writers;
	if (input && budget_refuses(&input->readers, is_new))
		return &input->readers;
	return NULL;
}

/* In the daemon's bound, in those of the groups it is in, in its origin's, and in that of its file;
 * that of a pipe when it is known to be one. */
static void attempt_take_places(struct attempt *attempt)
{
	struct group *group = job_parent(attempt->job);
	struct descriptor *output = job_output(attempt->job);

	claim_take(&attempt->claim, &attempt->scheduler->requests);
	for (; group->job; group = job_parent(group->job)) {
		if (group->requests.limit != BOUND_NONE)
			claim_take(&attempt->claim, &group->requests);
	}
	claim_take(&attempt->claim, &group->requests);
	claim_take(&attempt->claim, &attempt->route->origin->requests);
	if (output)
		claim_take(&attempt->claim, &output->writers);
}

/* Of a body that comes from a descriptor. */
static uint64_t attempt_body_length(const struct attempt *attempt)
{
	return attempt->source.is_open ? source_length(&attempt->source) : SOURCE_LENGTH_OPEN;
}

static void attempt_run(struct attempt *attempt)
{
	struct scheduler *scheduler = attempt->scheduler;
	struct job *job = attempt->job;
	struct fault fault;

	attempt_take_places(attempt);
	timer_stop(ring_timers(scheduler->ring), &job->timer);
	job->state = JOB_RUNNING;
	job->attempt = attempt;
	attempt->scope = job->scope;
	attempt->scope->n_busy++;
	scope_begin(job->scope);
	graph_on_attempt(attempt->graph, &attempt->link);
	scheduler->counters.attempts++;
	job->held_ns = attempt_now(attempt);
	attempt->sent_before = job->trail ? job->trail->sent : RECORD_SENT_NONE;
	attempt->slot_ns = job->trail ? job->trail->slot_ns : job->held_ns;
	if (!job->slot_ns)
		job->slot_ns = job->held_ns;
	attempt->is_safe = request_method_is_safe(template_method(job));
	rate_add(&attempt->route->share->sent, job->held_ns);
	if (!attempt_open_source(attempt, &fault) ||
		!template_request(job, &attempt->url, attempt_body_length(attempt),
			&attempt->request, &fault)) {
		attempt_reject(attempt, &fault);
		return;
	}
	flight_open(attempt);
	warm_dependents(job, attempt->route);
	attempt_lease(attempt);
}

static struct attempt *attempt_take(struct scheduler *scheduler, struct job *job)
{
	struct attempt *attempt = slab_take(&scheduler->attempts);

	if (!attempt)
		return NULL;
	attempt->scheduler = scheduler;
	attempt->graph = job_graph(job);
	attempt->job = job;
	attempt->state = ATTEMPT_LEASE;
	attempt->claim.n = 0;
	attempt->route = NULL;
	attempt->conn = NULL;
	attempt->unconsumed = 0;
	attempt->has_piece = false;
	attempt->is_last_piece = false;
	attempt->slot_ns = 0;
	attempt->lease_ns = 0;
	attempt->begun_ns = 0;
	attempt->sent_ns = 0;
	attempt->first_byte_ns = 0;
	attempt->active_ns = 0;
	attempt->uploaded = 0;
	attempt->sent_before = RECORD_SENT_NONE;
	attempt->is_replay = false;
	attempt->is_hop = false;
	attempt->has_given = false;
	attempt->is_chunked = false;
	attempt->is_reused = false;
	attempt->is_flight = false;
	exchange_rest(&attempt->exchange);
	return attempt;
}

/* Its job needs it not, or not now. */
static void attempt_give(struct attempt *attempt)
{
	attempt->job = NULL;
	if (attempt->route)
		pool_leave(attempt->scheduler->pool, attempt->route);
	attempt_forget_texts(attempt);
	slab_give(&attempt->scheduler->attempts, attempt);
}

/* Where a redirect leads; or what the document says. */
static bool attempt_find_url(struct attempt *attempt, struct fault *ret_fault)
{
	struct job *job = attempt->job;

	if (!job->trail)
		return template_url(job, &attempt->url_text, &attempt->url, ret_fault);
	buffer_clear(&attempt->url_text);
	/* A URL in normal form stays as it is. */
	if (url_parse(job->trail->url.text, &attempt->url_text, &attempt->url) == URL_OK)
		return true;
	fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the URL");
	return false;
}

/* An attempt that knows where it goes, one of up to `n_max`; NULL: its job was rejected. */
static struct attempt *attempt_prepare(struct scheduler *scheduler, struct job *job, uint32_t n_max)
{
	struct attempt *attempt = NULL;
	struct fault fault;

	if (scheduler->attempts.n_used < n_max)
		attempt = attempt_take(scheduler, job);
	if (!attempt) {
		fault_set(&fault, FAULT_OVERLOADED, "no memory for the request");
		job_reject(job, &fault, RECORD_BY_NONE);
		return NULL;
	}
	if (attempt_find_url(attempt, &fault))
		attempt->route = way_find(job, &attempt->url, false, &fault);
	if (!attempt->route) {
		attempt_give(attempt);
		job_reject(job, &fault, RECORD_BY_NONE);
		return NULL;
	}
	return attempt;
}

struct bound *attempt_start(struct scheduler *scheduler, struct job *job, bool is_new)
{
	struct attempt *attempt = attempt_prepare(scheduler, job, scheduler->options.attempts_max);
	struct bound *refusing = NULL;

	if (!attempt)
		return NULL;
	if (flight_join_instead(attempt)) {
		attempt_give(attempt);
		return NULL;
	}
	if (budget_refuses(&attempt->route->share->requests, is_new))
		refusing = &attempt->route->share->requests;
	else if (budget_refuses(&attempt->route->origin->requests, is_new))
		refusing = &attempt->route->origin->requests;
	else
		refusing = job_refusing_descriptor(job, is_new);
	if (refusing)
		attempt_give(attempt);
	else
		attempt_run(attempt);
	return refusing;
}

/* What it would have had a place for is over: an attempt that never asks for one says so, and what
 * becomes of its job is found out as of any other. */
void attempt_time_out_waiting(struct job *job)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;
	uint64_t length_ns = job_plan(job)->spec->timeouts.attempt_ns;
	/* The one beyond those that may run. */
	struct attempt *attempt =
		attempt_prepare(scheduler, job, scheduler->options.attempts_max + 1);
	struct fault fault;
	struct attempt_result result = {
		.fault = &fault,
		.retryable = fault_is_retryable(FAULT_ATTEMPT_TIMEOUT),
	};

	if (!attempt)
		return;
	fault_set(&fault, FAULT_ATTEMPT_TIMEOUT, "%.*s: no complete response within %.3f s",
		TEXT_ARGS(attempt->url.authority), (double)length_ns / 1e9);
	attempt->sent_before = job->trail->sent;
	attempt->job = NULL;
	attempt_enter(attempt, ATTEMPT_JOIN);
	job->state = JOB_RUNNING;
	/* Its wait is nothing that it took. */
	job->held_ns = ring_now(scheduler->ring);
	attempt_settle_job(attempt, job, NULL, &result, NULL);
	attempt_give(attempt);
}

bool attempt_follow(struct scheduler *scheduler, struct job *job)
{
	/* The one beyond those that may run. */
	uint32_t n_max = scheduler->options.attempts_max + 1;
	struct attempt *attempt;
	bool follows;

	if (scheduler->attempts.n_used >= n_max)
		return false;
	attempt = attempt_prepare(scheduler, job, n_max);
	/* Settled: there is nothing more to wait for. */
	if (!attempt)
		return true;
	follows = flight_join_instead(attempt);
	attempt_give(attempt);
	return follows;
}
