/* SPDX-License-Identifier: MIT */
#include "job/graph.h"

#include <errno.h>
#include <stdlib.h>

#include "job/attempt.h"
#include "job/budget.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "job/summary.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * Every job counts the dependencies that have not settled. Settling one job takes one from each of
 * its dependents, and who comes to zero is ready in this very turn; nothing ever looks at the
 * graph as a whole while it runs.
 *
 * Decided and done are two moments. In mode `all` the first rejection decides; what is in flight
 * is then aborted at once, and what waits is rejected in slices, a few thousand a millisecond and
 * no faster than its reader reads, because a graph may have a million jobs and the loop has other
 * work. Done is when the last job has settled and the last attempt is off the wire.
 */

/* Jobs of an ended graph settled in one go: about a millisecond's work. */
#define SWEEP_SLICE 2048

static void graph_on_deadline(struct timer *timer);
static void graph_on_sweep(struct timer *timer);
static void graph_run_doom(struct task *task);
static void graph_on_doom(struct timer *timer);
static void graph_finish(struct task *task);
static void graph_check_finished(struct graph *graph);

static struct timer_wheel *graph_timers(struct graph *graph)
{
	return ring_timers(graph->scheduler->ring);
}

static void graph_defer(struct graph *graph, struct task *task)
{
	task_defer(ring_tasks(graph->scheduler->ring), task);
}

/* Life. */

static void graph_start(struct graph *graph)
{
	if (graph->plan->timeout_ns != PLAN_NEVER)
		timer_set(graph_timers(graph), &graph->deadline_timer,
			graph->accepted_ns + graph->plan->timeout_ns);
	for (uint32_t i = 0; i < graph->plan->n_jobs; i++) {
		struct job *job = &graph->jobs[i];

		job_init(job, graph, i);
		if (job->n_waiting == 0)
			graph_release(graph, job);
	}
	graph_check_finished(graph);
}

int graph_new(struct scheduler *scheduler, struct plan **planp, uid_t uid,
	struct graph_owner *owner, struct graph **ret_graph)
{
	struct graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return -ENOMEM;
	graph->jobs = calloc((*planp)->n_jobs + 1, sizeof(*graph->jobs));
	if (!graph->jobs) {
		free(graph);
		return -ENOMEM;
	}
	graph->owner = owner;
	graph->scheduler = scheduler;
	graph->plan = *planp;
	*planp = NULL;
	graph->uid = uid;
	graph->accepted_ns = ring_now(scheduler->ring);
	graph->reason_job = JOB_NONE;
	graph->last_settled = JOB_NONE;
	bound_init(&graph->requests, graph->plan->concurrency);
	list_init(&graph->attempts);
	list_init(&graph->doomed);
	timer_init(&graph->deadline_timer, graph_on_deadline);
	timer_init(&graph->sweep_timer, graph_on_sweep);
	timer_init(&graph->doom_timer, graph_on_doom);
	task_init(&graph->doom_task, graph_run_doom);
	task_init(&graph->finish_task, graph_finish);
	list_push_back(&scheduler->graphs, &graph->link);
	scheduler->n_graphs++;
	graph_start(graph);
	*ret_graph = graph;
	return 0;
}

struct graph *graph_free(struct graph *graph)
{
	if (!graph)
		return NULL;
	expect(graph->is_done);
	expect(graph->n_attempts == 0);
	timer_stop(graph_timers(graph), &graph->deadline_timer);
	timer_stop(graph_timers(graph), &graph->sweep_timer);
	timer_stop(graph_timers(graph), &graph->doom_timer);
	task_cancel(&graph->doom_task);
	task_cancel(&graph->finish_task);
	list_remove(&graph->requests.freed);
	list_remove(&graph->link);
	graph->scheduler->n_graphs--;
	known_forget(&graph->known, graph->scheduler->pool);
	for (uint32_t i = 0; i < graph->plan->n_jobs; i++)
		job_forget(&graph->jobs[i]);
	plan_free(graph->plan);
	free(graph->jobs);
	free(graph);
	return NULL;
}

/* Deciding. */

static void graph_decide(
	struct graph *graph, bool is_rejected, enum fault_code reason, uint32_t job)
{
	if (graph->is_decided)
		return;
	graph->is_decided = true;
	graph->is_rejected = is_rejected;
	graph->reason.code = reason;
	graph->reason_job = job;
}

/* It ends before its jobs do: the reader is told, the wire is cleared, the rest is swept up. */
static void graph_end(struct graph *graph, enum record_by by, enum fault_code code)
{
	struct record_summary summary;

	if (graph_is_ended(graph) || graph->n_settled == graph->plan->n_jobs)
		return;
	graph->end = (struct graph_end){by, code};
	summary = summary_of_decision(graph);
	graph->owner->events->on_decided(graph, &summary);
	timer_stop(graph_timers(graph), &graph->deadline_timer);
	list_each_safe(link, &graph->attempts)
		attempt_cancel(attempt_of_link(link), code, by);
	timer_set(graph_timers(graph), &graph->sweep_timer, ring_now(graph->scheduler->ring));
}

void graph_cancel(struct graph *graph, enum record_by by)
{
	enum fault_code code = by == RECORD_BY_SHUTDOWN ? FAULT_SHUTDOWN : FAULT_CANCELLED;

	graph_decide(graph, true, by == RECORD_BY_TIMEOUT ? FAULT_GRAPH_TIMEOUT : code, JOB_NONE);
	graph_end(graph, by, code);
}

static void graph_on_deadline(struct timer *timer)
{
	graph_cancel(container_of(timer, struct graph, deadline_timer), RECORD_BY_TIMEOUT);
}

static void job_end(struct job *job, enum fault_code code, enum record_by by)
{
	struct fault fault;

	if (job->state == JOB_SETTLED)
		return;
	fault_set(&fault, code, "%s", "");
	if (job->attempt)
		attempt_cancel(job->attempt, code, by);
	else
		job_reject(job, &fault, by);
}

/* The next slice of an ended graph's jobs. */
static void graph_on_sweep(struct timer *timer)
{
	struct graph *graph = container_of(timer, struct graph, sweep_timer);
	uint32_t last = graph->plan->n_jobs;

	if (graph->requests.paused)
		return;
	if (last - graph->sweep_next > SWEEP_SLICE)
		last = graph->sweep_next + SWEEP_SLICE;
	while (graph->sweep_next < last)
		job_end(&graph->jobs[graph->sweep_next++], graph->end.code, graph->end.by);
	if (graph->sweep_next < graph->plan->n_jobs)
		timer_set(graph_timers(graph), &graph->sweep_timer,
			ring_now(graph->scheduler->ring) + NS_PER_MS);
}

bool graph_cancel_job(struct graph *graph, struct text id)
{
	const struct plan_job *plan_job = plan_find(graph->plan, id);

	if (!plan_job)
		return false;
	job_end(&graph->jobs[plan_index(graph->plan, plan_job)], FAULT_CANCELLED, RECORD_BY_CLIENT);
	return true;
}

void graph_pause(struct graph *graph, bool paused)
{
	struct scheduler *scheduler = graph->scheduler;

	if (graph->requests.paused == paused)
		return;
	graph->requests.paused = paused;
	if (paused)
		return;
	if (!list_is_empty(&graph->doomed))
		graph_defer(graph, &graph->doom_task);
	if (graph_is_ended(graph) && graph->sweep_next < graph->plan->n_jobs)
		timer_set(graph_timers(graph), &graph->sweep_timer, ring_now(scheduler->ring));
	budget_freed(&graph->requests, &scheduler->freed);
	scheduler_kick(scheduler);
}

/* Running. */

void graph_release(struct graph *graph, struct job *job)
{
	uint64_t queue_ns = job_plan(job)->spec->timeouts.queue_ns;

	expect(job->state == JOB_WAITING);
	job->state = JOB_READY;
	job->ready_ns = ring_now(graph->scheduler->ring);
	if (queue_ns != PLAN_NEVER)
		timer_set(graph_timers(graph), &job->queue_timer, job->ready_ns + queue_ns);
	scheduler_ready(graph->scheduler, job);
}

static void graph_doom(struct graph *graph, struct job *job, const struct job *cause)
{
	if (job->is_doomed)
		return;
	job->is_doomed = true;
	job->cause = cause->index;
	job->root = cause->root;
	list_push_back(&graph->doomed, &job->link);
	graph_defer(graph, &graph->doom_task);
}

/* The next slice. Once the graph has ended, its sweep settles them; while its reader is slow, they
 * wait. */
static void graph_settle_doomed(struct graph *graph)
{
	struct fault fault;
	struct list *link;

	for (int n = 0; n < SWEEP_SLICE; n++) {
		struct job *job;

		if (graph_is_ended(graph) || graph->requests.paused)
			return;
		link = list_pop_front(&graph->doomed);
		if (!link)
			return;
		job = list_entry(link, struct job, link);
		fault_set(&fault, FAULT_DEPENDENCY_REJECTED, "%.*s was rejected",
			TEXT_ARGS(graph->plan->jobs[job->cause].id));
		job_reject(job, &fault, RECORD_BY_NONE);
	}
	timer_set(graph_timers(graph), &graph->doom_timer,
		ring_now(graph->scheduler->ring) + NS_PER_MS);
}

static void graph_run_doom(struct task *task)
{
	struct graph *graph = container_of(task, struct graph, doom_task);

	if (!timer_is_armed(&graph->doom_timer))
		graph_settle_doomed(graph);
}

static void graph_on_doom(struct timer *timer)
{
	graph_settle_doomed(container_of(timer, struct graph, doom_timer));
}

/* One of the job's dependencies has settled. */
static void graph_on_dependency(struct graph *graph, struct job *job, const struct job *dependency)
{
	enum plan_needs needs = job_plan(job)->spec->needs;

	expect(job->n_waiting > 0);
	job->n_waiting--;
	job->released_by = dependency->index;
	if (job->state != JOB_WAITING || graph_is_ended(graph))
		return;
	if (dependency->is_rejected && needs == PLAN_NEEDS_FULFILLED)
		graph_doom(graph, job, dependency);
	else if (job->n_waiting == 0 && !job->is_doomed)
		graph_release(graph, job);
}

/* The job needs what it referred to no longer. */
static void graph_drop_outcomes(struct graph *graph, const struct job *job)
{
	const struct plan_job *plan = job_plan(job);

	for (uint32_t i = 0; i < plan->n_dependencies; i++) {
		uint32_t index = graph->plan->dependencies[plan->first_dependency + i];
		struct job *dependency = &graph->jobs[index];

		if (dependency->outcome && --dependency->outcome->n_users == 0)
			job_forget(dependency);
	}
}

/* All have settled: that is its outcome, whatever is still to be cleared from the wire. */
static void graph_check_finished(struct graph *graph)
{
	if (graph->n_settled < graph->plan->n_jobs)
		return;
	graph_decide(graph, false, FAULT_NONE, JOB_NONE);
	timer_stop(graph_timers(graph), &graph->deadline_timer);
	if (graph->n_attempts == 0)
		graph_defer(graph, &graph->finish_task);
}

void graph_on_settled(struct graph *graph, struct job *job)
{
	const struct plan_job *plan = job_plan(job);

	graph->n_settled++;
	graph->last_settled = job->index;
	if (job->is_rejected)
		graph->n_rejected++;
	else
		graph->n_fulfilled++;
	graph_drop_outcomes(graph, job);
	for (uint32_t i = 0; i < plan->n_dependents; i++) {
		uint32_t index = graph->plan->dependents[plan->first_dependent + i];

		graph_on_dependency(graph, &graph->jobs[index], job);
	}
	if (job->is_rejected && graph->plan->mode == PLAN_ALL && !plan->spec->optional &&
		!graph->is_decided) {
		graph_decide(graph, true, FAULT_JOB_REJECTED, job->index);
		graph_end(graph, RECORD_BY_FAIL_FAST, FAULT_CANCELLED);
	}
	graph_check_finished(graph);
}

void graph_on_attempt(struct graph *graph, struct list *link)
{
	graph->n_attempts++;
	list_push_back(&graph->attempts, link);
}

void graph_on_attempt_gone(struct graph *graph, struct list *link)
{
	expect(graph->n_attempts > 0);
	graph->n_attempts--;
	list_remove(link);
	graph_check_finished(graph);
}

static void graph_finish(struct task *task)
{
	struct graph *graph = container_of(task, struct graph, finish_task);
	struct summary summary;

	expect(!graph->is_done);
	graph->is_done = true;
	summary_init(&summary, graph);
	graph->owner->events->on_done(graph, &summary.record);
	/* The graph is gone; the summary's memory was its own. */
	summary_deinit(&summary);
}
