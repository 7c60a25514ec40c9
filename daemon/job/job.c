/* SPDX-License-Identifier: MIT */
#include "job/job.h"

#include "job/attempt.h"
#include "job/graph.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "util/panic.h"

static void job_on_queue_timeout(struct timer *timer);

void job_init(struct job *job, struct graph *graph, uint32_t index)
{
	list_init(&job->link);
	timer_init(&job->queue_timer, job_on_queue_timeout);
	job->graph = graph;
	job->index = index;
	job->n_waiting = job_plan(job)->n_dependencies;
	job->released_by = JOB_NONE;
	job->root = JOB_NONE;
	job->cause = JOB_NONE;
	job->state = JOB_WAITING;
}

struct record job_record(const struct job *job)
{
	const struct graph *graph = job->graph;
	uint64_t now = ring_now(graph->scheduler->ring);
	uint64_t accepted = graph->accepted_ns;
	struct record record = {
		.job = job_plan(job)->id,
		.index = job->index,
		.time.end = now - accepted,
	};

	record.time.start = job->ready_ns ? job->ready_ns - accepted : record.time.end;
	return record;
}

/* Who may still refer to it: its dependents that have not settled, and `return`. */
static uint32_t job_count_users(const struct job *job)
{
	const struct plan_job *plan = job_plan(job);
	const struct graph *graph = job->graph;
	uint32_t n = graph->plan->result ? 1 : 0;

	for (uint32_t i = 0; i < plan->n_dependents; i++) {
		uint32_t index = graph->plan->dependents[plan->first_dependent + i];

		n += graph->jobs[index].state != JOB_SETTLED;
	}
	return n;
}

/* What others need of it. Without memory for that, those who need it are told so. */
static void job_keep(struct job *job, const struct record *record, struct text body)
{
	uint32_t n_users = job_plan(job)->keep ? job_count_users(job) : 0;

	if (n_users == 0)
		return;
	job->outcome = outcome_new(record, body, job_plan(job)->keep);
	if (!job->outcome)
		return;
	job->outcome->n_users = n_users;
	job->graph->scheduler->body_bytes += job->outcome->body.size;
}

void job_forget(struct job *job)
{
	if (!job->outcome)
		return;
	job->graph->scheduler->body_bytes -= job->outcome->body.size;
	job->outcome = outcome_free(job->outcome);
}

void job_settle(struct job *job, const struct record *record, struct text body, char **body_memory)
{
	struct graph *graph = job->graph;
	struct scheduler *scheduler = graph->scheduler;

	expect(job->state != JOB_SETTLED);
	expect((record->via == RECORD_VIA_NONE) == (record->reason.fault != NULL));
	list_remove(&job->link);
	timer_stop(ring_timers(scheduler->ring), &job->queue_timer);
	job->state = JOB_SETTLED;
	job->attempt = NULL;
	job->is_rejected = record->via == RECORD_VIA_NONE;
	if (job->is_rejected && job->root == JOB_NONE)
		job->root = job->index;
	job_keep(job, record, body);
	scheduler->counters.jobs_settled++;
	if (job_plan(job)->spec->omit)
		body = (struct text){NULL, 0};
	graph->owner->events->on_settled(graph, record, body, body_memory);
	graph_on_settled(graph, job);
}

void job_reject(struct job *job, const struct fault *fault, enum record_by by)
{
	struct record record = job_record(job);

	expect(!job->attempt);
	record.reason = (struct record_reason){
		.fault = fault,
		.retryable = fault_is_retryable(fault->code),
		.by = by,
	};
	if (fault->code == FAULT_DEPENDENCY_REJECTED) {
		record.reason.job = job->graph->plan->jobs[job->cause].id;
		record.reason.root = job->graph->plan->jobs[job->root].id;
	}
	if (job->ready_ns)
		record.time.queue = record.time.end - record.time.start;
	job_settle(job, &record, (struct text){NULL, 0}, NULL);
}

static void job_on_queue_timeout(struct timer *timer)
{
	struct job *job = container_of(timer, struct job, queue_timer);
	struct fault fault;

	/* Its graph's sweep settles it. */
	if (graph_is_ended(job->graph))
		return;
	fault_set(&fault, FAULT_QUEUE_TIMEOUT, "no slot within %.3f s",
		(double)job_plan(job)->spec->timeouts.queue_ns / 1e9);
	job_reject(job, &fault, RECORD_BY_NONE);
}
