/* SPDX-License-Identifier: MIT */
#include "job/job.h"

#include "job/attempt.h"
#include "job/budget.h"
#include "job/dependency.h"
#include "job/flight.h"
#include "job/graph.h"
#include "job/name.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "job/trail.h"
#include "job/trial.h"
#include "proto/json.h"
#include "util/panic.h"

static void job_on_timer(struct timer *timer);

void job_init(struct job *job, struct scope *scope, uint32_t place)
{
	list_init(&job->link);
	timer_init(&job->timer, job_on_timer);
	job->scope = scope;
	job->place = place;
	job->n_waiting = job_plan(job)->n_dependencies;
	job->released_by = JOB_NONE;
	job->root = JOB_NONE;
	job->cause = JOB_NONE;
	job->state = JOB_WAITING;
}

void job_deinit(struct job *job)
{
	/* One that has settled is in no list, and has no timer. */
	if (job->state != JOB_SETTLED) {
		timer_stop(ring_timers(job_graph(job)->scheduler->ring), &job->timer);
		list_remove(&job->link);
	}
	if (job->outcome)
		job_forget(job);
	job->trial = trial_free(job->trial);
	job->trail = trail_free(job->trail);
	job->group = group_free(job->group);
}

/* Around it. */

struct group *job_parent(const struct job *job)
{
	const struct scope *scope = job->scope;
	uint32_t parent = job_plan(job)->parent;

	if (parent == PLAN_NONE)
		return &scope->graph->group;
	if (scope->each && parent == scope->each->place)
		return scope->each->group;
	return scope->jobs[parent - scope->first].group;
}

const struct group_end *job_end_above(const struct job *job)
{
	const struct group *group = job_parent(job);

	while (!group_is_ended(group)) {
		if (!group->job)
			return NULL;
		group = job_parent(group->job);
	}
	return &group->end;
}

uint64_t job_deadline_above(const struct job *job)
{
	uint64_t deadline = TIMER_NEVER;

	for (const struct group *group = job_parent(job);; group = job_parent(group->job)) {
		if (timer_is_armed(&group->timer) && group->timer.deadline_ns < deadline)
			deadline = group->timer.deadline_ns;
		if (!group->job)
			return deadline;
	}
}

struct bound *job_refusing_bound(const struct job *job, bool is_new)
{
	struct group *group = job_parent(job);

	for (;; group = job_parent(group->job)) {
		if (budget_refuses(&group->requests, is_new))
			return &group->requests;
		if (!group->job)
			return NULL;
	}
}

/* Its record. */

static void job_record_trial(const struct job *job, struct record *record)
{
	const struct trial *trial = job->trial;

	if (!trial && (job->has_flown || job->trail)) {
		record->attempts = 1;
		record->reason.sent = job->trail ? job->trail->sent : job->flown_sent;
	}
	if (!trial)
		return;
	record->attempts = trial->n_attempts;
	record->tries = trial->tries;
	record->n_tries = trial->n_tries;
	record->reason.sent = trial->sent;
	record->time.queue = trial->queue_ns;
}

void job_record(const struct job *job, struct record *ret_record)
{
	const struct graph *graph = job_graph(job);
	struct scheduler *scheduler = graph->scheduler;
	const struct plan_job *plan = job_plan(job);
	uint64_t now = ring_now(scheduler->ring);
	uint64_t accepted = graph->accepted_ns;
	struct text name = job_name(job, scheduler->names.job);

	*ret_record = (struct record){
		.job = name,
		.index = plan->index,
		.has_item = job->scope->each != NULL,
		.item = job->scope->item_index,
		.is_group = job->group != NULL,
		.time.end = now - accepted,
	};

	/* Also where it failed on the way. */
	if (job->trail) {
		ret_record->response.hops = job->trail->hops;
		ret_record->response.n_hops = job->trail->n_hops;
	}
	if (job->group)
		ret_record->group = (struct record_group){.jobs = job->group->n_leaves,
			.fulfilled = job->group->n_fulfilled,
			.rejected = job->group->n_rejected};
	ret_record->time.start = job->ready_ns ? job->ready_ns - accepted : now - accepted;
	job_record_trial(job, ret_record);
}

/* Settling. */

/* What others need of it. Without memory for that, those who need it are told so. */
static void job_keep(struct job *job, const struct record *record, struct text body)
{
	uint32_t n_users = job_plan(job)->keep ? dependency_count_users(job) : 0;

	if (n_users == 0 || job->is_lost)
		return;
	job->outcome = outcome_new(record, body, job_plan(job)->keep);
	if (!job->outcome)
		return;
	job->outcome->n_users = n_users;
	job->outcome->is_value = job->has_value || record->via == RECORD_VIA_FALLBACK ||
				 record->via == RECORD_VIA_SKIPPED;
	job_graph(job)->scheduler->body_bytes += job->outcome->body.size;
}

void job_forget(struct job *job)
{
	outcome_drop(job_graph(job)->scheduler, &job->outcome);
}

static bool job_falls_back(const struct job *job, const struct record *record)
{
	const struct plan_job *plan = job_plan(job);
	const struct fault *fault = record->reason.fault;

	if (record->via != RECORD_VIA_NONE || !plan->spec->fallback || plan->kind == PLAN_EACH)
		return false;
	return fault->code != FAULT_CANCELLED && fault->code != FAULT_SHUTDOWN;
}

/* A body that the document has: a fallback, or what a skipped job has instead. NULL is null. */
static struct text job_document_body(struct buffer *out, yyjson_val *value)
{
	buffer_init(out, PLAN_BYTES_MAX);
	if (value)
		json_append_value(out, value);
	else
		buffer_append_literal(out, "null");
	return out->failed ? (struct text){NULL, 0} : buffer_text(out);
}

/* Nothing is left of where it was. */
static void job_leave_all(struct job *job)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;

	scheduler_forget(scheduler, job);
	list_remove(&job->link);
	timer_stop(ring_timers(scheduler->ring), &job->timer);
	if (!job->scope->has_begun)
		scope_begin(job->scope);
	job->state = JOB_SETTLED;
	job->attempt = NULL;
}

/* True where its rejection began with another job's. */
static bool job_has_cause(const struct job *job, enum fault_code code)
{
	return job->root != JOB_NONE &&
	       (code == FAULT_DEPENDENCY_REJECTED || code == FAULT_JOB_REJECTED);
}

static void job_settle_as(
	struct job *job, const struct record *record, struct text body, char **body_memory)
{
	struct graph *graph = job_graph(job);

	expect(job->state != JOB_SETTLED);
	job_leave_all(job);
	job->is_rejected = record->via == RECORD_VIA_NONE;
	job->is_skipped = record->via == RECORD_VIA_SKIPPED;
	if (job->is_rejected && !job_has_cause(job, record->reason.fault->code))
		job->root = job->place;
	job_keep(job, record, body);
	graph->scheduler->counters.jobs_settled++;
	if (job_plan(job)->spec->omit || job->group)
		body = (struct text){NULL, 0};
	graph->owner->events->on_settled(graph, record, body, body_memory);
	graph_on_settled(graph, job, record);
	job->trial = trial_free(job->trial);
	job->trail = trail_free(job->trail);
}

void job_settle(struct job *job, struct record *record, struct text body, char **body_memory)
{
	struct buffer fallback;

	expect(record->via != RECORD_VIA_NONE || record->reason.fault);
	if (!job_falls_back(job, record)) {
		job_settle_as(job, record, body, body_memory);
		return;
	}
	record->via = RECORD_VIA_FALLBACK;
	body = job_document_body(&fallback, job_plan(job)->spec->fallback);
	record->response.bytes = body.size;
	job_settle_as(job, record, body, NULL);
	buffer_deinit(&fallback);
}

/* It ends in the middle of an attempt, between two of its requests. */
static void job_note_hop(struct job *job, enum fault_code code)
{
	const struct trail *trail = job->trail;
	const struct graph *graph = job_graph(job);
	uint64_t now = ring_now(graph->scheduler->ring);
	struct record_try one = {
		.code = code,
		.time.start = trail->turn_ns - graph->accepted_ns,
		.time.queue = trail->slot_ns - trail->turn_ns,
		.time.end = now - graph->accepted_ns,
	};

	trial_add(job->trial, &one, trail->sent);
}

void job_reject(struct job *job, const struct fault *fault, enum record_by by)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;
	struct record record;

	flight_leave(job);
	expect(!job->attempt);
	if (job->trial && job->trail)
		job_note_hop(job, fault->code);
	job_record(job, &record);
	record.reason.fault = fault;
	record.reason.retryable = fault_is_retryable(fault->code);
	record.reason.by = by;
	/* No policy asks for another attempt of a job whose time is up. */
	if (job->trial && fault->code == FAULT_JOB_TIMEOUT)
		record.reason.stopped = RECORD_STOPPED_POLICY;
	if (fault->code == FAULT_DEPENDENCY_REJECTED) {
		record.reason.job =
			job_name(scope_job(job->scope, job->cause), scheduler->names.cause);
		record.reason.root = job_root_name(job, scheduler->names.root);
	}
	if (job->slot_ns)
		record.time.queue = job->slot_ns - job->ready_ns;
	else if (job->ready_ns)
		record.time.queue = record.time.end - record.time.start;
	job_settle(job, &record, (struct text){NULL, 0}, NULL);
}

void job_skip(struct job *job)
{
	struct record record;
	struct buffer otherwise;
	struct text body;

	job_record(job, &record);
	record.via = RECORD_VIA_SKIPPED;
	body = job_document_body(&otherwise, job_plan(job)->spec->otherwise);
	record.response.bytes = body.size;
	job_settle(job, &record, body, NULL);
	buffer_deinit(&otherwise);
}

void job_doom(struct job *job)
{
	char memory[JOB_NAME_MAX];
	struct fault fault;

	fault_set(&fault, FAULT_DEPENDENCY_REJECTED, "%.*s was rejected",
		TEXT_ARGS(job_name(scope_job(job->scope, job->cause), memory)));
	job_reject(job, &fault, RECORD_BY_NONE);
}

static void job_cancel(struct job *job, struct group_end end)
{
	struct fault fault;

	fault_set(&fault, end.code, "%s", "");
	if (job->attempt && job->attempt->job == job)
		attempt_cancel(job->attempt, end.code, end.by);
	else
		job_reject(job, &fault, end.by);
}

void job_end(struct job *job, struct group_end end)
{
	if (job->state == JOB_SETTLED)
		return;
	if (job->group) {
		group_end(job->group, end);
		return;
	}
	switch (end.fate) {
	case GROUP_GOES_ON: break;
	case GROUP_CANCELLED: job_cancel(job, end); break;
	case GROUP_SKIPPED: job_skip(job); break;
	case GROUP_DOOMED: job_doom(job); break;
	}
}

/* Time. */

void job_back_off(struct job *job, uint64_t delay_ns)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;

	expect(job->state == JOB_RUNNING && job->trial);
	job->state = JOB_BACKOFF;
	job->attempt = NULL;
	job->trail = trail_free(job->trail);
	trial_set_backoff(job->trial, delay_ns);
	timer_set(ring_timers(scheduler->ring), &job->timer, ring_now(scheduler->ring) + delay_ns);
}

/* The end of its own time. */
static uint64_t job_deadline(const struct job *job)
{
	uint64_t job_ns = job_plan(job)->spec->timeouts.job_ns;

	return job_ns == PLAN_NEVER ? TIMER_NEVER : job->slot_ns + job_ns;
}

/* That of the attempt which has begun elsewhere. */
static uint64_t job_trail_deadline(const struct job *job)
{
	uint64_t attempt_ns = job_plan(job)->spec->timeouts.attempt_ns;

	if (!job->trail || attempt_ns == PLAN_NEVER)
		return TIMER_NEVER;
	return job->trail->slot_ns + attempt_ns;
}

uint64_t job_waits_until(const struct job *job)
{
	uint64_t own = job_deadline(job), attempt = job_trail_deadline(job);

	return own < attempt ? own : attempt;
}

/* It is to compete for a place again, but its time is running. */
static void job_return(struct job *job)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;

	timer_set(ring_timers(scheduler->ring), &job->timer, job_waits_until(job));
	job->state = JOB_WAITING;
}

void job_hop(struct job *job)
{
	expect(job->state == JOB_RUNNING && job->trail);
	job->attempt = NULL;
	job_return(job);
	/* Before those who have not begun: its attempt's time is running, and its trail is kept. */
	scheduler_go_on(job_graph(job)->scheduler, job);
}

void job_time_out(struct job *job)
{
	const struct plan_timeouts *timeouts = &job_plan(job)->spec->timeouts;
	struct fault fault;

	if (job->slot_ns && job_trail_deadline(job) < job_deadline(job)) {
		attempt_time_out_waiting(job);
		return;
	}
	if (job->slot_ns)
		fault_set(&fault, FAULT_JOB_TIMEOUT, "no result within %.3f s",
			(double)timeouts->job_ns / 1e9);
	else
		fault_set(&fault, FAULT_QUEUE_TIMEOUT, "no slot within %.3f s",
			(double)timeouts->queue_ns / 1e9);
	job_reject(job, &fault, RECORD_BY_NONE);
}

/* Very many may be late at once: they are settled in slices. It competes for nothing until then. */
static void job_on_timer(struct timer *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	/* A sweep settles it. */
	if (job_is_ended(job))
		return;
	if (job->state == JOB_BACKOFF) {
		job_graph(job)->sum_ns += job->trial->backoff_ns;
		job_return(job);
		scheduler_ready(job_graph(job)->scheduler, job);
		return;
	}
	scheduler_forget(job_graph(job)->scheduler, job);
	flight_leave(job);
	graph_due(job, JOB_DUE_TIME);
}
