/* SPDX-License-Identifier: MIT */
#include "job/graph.h"

#include <errno.h>
#include <stdlib.h>

#include "job/attempt.h"
#include "job/budget.h"
#include "job/dependency.h"
#include "job/descriptor.h"
#include "job/name.h"
#include "job/scheduler.h"
#include "job/summary.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * Settling one job tells each of its dependents, and who waits for nothing any more is ready in
 * this very turn (job/dependency); nothing ever looks at the graph as a whole while it runs.
 *
 * Nothing recurses, either: what a settling leads to (a dependent's rejection, a group's end, the
 * next child of a fan-out) is put on a list, and one task at the end of the turn works the lists
 * off. It does so in slices, a few thousand jobs a millisecond and no faster than its reader
 * reads, because a graph may have a million jobs and the loop has other work.
 *
 * Decided and done are two moments. In mode `all` the first rejection decides; what is in flight
 * is then aborted at once, and what waits is swept up. Done is when the last job has settled and
 * the last attempt is off the wire.
 */

/* Jobs worked off in one go: about a millisecond's work. */
#define WORK_SLICE 2048

static void graph_on_timer(struct timer *timer);
static void graph_finish(struct task *task);
static void graph_check_finished(struct graph *graph);

static struct timer_wheel *graph_timers(struct graph *graph)
{
	return ring_timers(graph->scheduler->ring);
}

/* Life. */

void graph_start_scope(struct scope *scope)
{
	const struct plan *plan = scope->graph->plan;
	uint32_t last = scope->first + scope->n_jobs;

	/* What is outside may have settled before. */
	for (uint32_t i = scope->first; scope->each && i < last; i = scope_next(scope, i))
		dependency_catch_up(&scope->jobs[i - scope->first]);
	for (uint32_t i = scope->first; i < last; i += plan->jobs[i].n_below + 1)
		graph_open(&scope->jobs[i - scope->first]);
}

static void graph_start(struct graph *graph)
{
	if (graph->plan->timeout_ns != PLAN_NEVER)
		timer_set(graph_timers(graph), &graph->group.timer,
			graph->accepted_ns + graph->plan->timeout_ns);
	graph_start_scope(graph->root);
	graph_check_finished(graph);
}

static void graph_init(struct graph *graph)
{
	list_init(&graph->attempts);
	list_init(&graph->due);
	list_init(&graph->sweeps);
	list_init(&graph->makers);
	list_init(&graph->starved);
	list_init(&graph->spent);
	list_init(&graph->work_link);
	timer_init(&graph->work_timer, graph_on_timer);
	task_init(&graph->finish_task, graph_finish);
	group_init(&graph->group, graph, NULL, graph->plan->mode, graph->plan->concurrency);
}

int graph_new(struct scheduler *scheduler, struct plan **planp, uid_t uid,
	struct graph_owner *owner, struct graph **ret_graph)
{
	struct graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return -ENOMEM;
	graph->owner = owner;
	graph->scheduler = scheduler;
	graph->plan = *planp;
	graph->uid = uid;
	graph->accepted_ns = ring_now(scheduler->ring);
	graph_init(graph);
	graph->root = scope_new(graph, NULL, 0, NULL);
	if (!graph->root) {
		group_deinit(&graph->group);
		free(graph);
		return -ENOMEM;
	}
	*planp = NULL;
	list_push_back(&scheduler->graphs, &graph->link);
	scheduler->n_graphs++;
	graph->number = scheduler->next_order++;
	graph_start(graph);
	*ret_graph = graph;
	return 0;
}

void graph_take_descriptors(struct graph *graph, struct descriptors *descriptors)
{
	expect(!graph->descriptors);
	graph->descriptors = descriptors;
}

/* One that goes may be the last that the one around it waited for. */
static void graph_free_spent(struct graph *graph)
{
	struct list *link;

	while ((link = list_pop_front(&graph->spent))) {
		struct scope *scope = list_entry(link, struct scope, spent_link);
		struct scope *around = scope->each->scope;

		scope_free(scope);
		graph->n_scopes--;
		scope_leave(around);
	}
	each_kick_starved(graph);
}

struct graph *graph_free(struct graph *graph)
{
	if (!graph)
		return NULL;
	expect(graph->is_done);
	expect(graph->n_attempts == 0);
	graph_free_spent(graph);
	expect(graph->n_scopes == 0);
	scope_free(graph->root);
	timer_stop(graph_timers(graph), &graph->work_timer);
	list_remove(&graph->work_link);
	task_cancel(&graph->finish_task);
	group_deinit(&graph->group);
	table_deinit(&graph->flights);
	list_remove(&graph->link);
	graph->scheduler->n_graphs--;
	known_forget(&graph->known, graph->scheduler->pool);
	descriptors_free(graph->scheduler->ring, graph->descriptors);
	plan_free(graph->plan);
	free(graph);
	return NULL;
}

/* Ending. */

static void graph_abort_job(struct job *job, const struct group_end *end)
{
	if (job->attempt && job->attempt->job == job)
		attempt_cancel(job->attempt, end->code, end->by);
}

/* A small group's jobs are looked through. False: it is not small, or there are others inside. */
static bool graph_abort_small(struct group *group)
{
	const struct job *own = group->job;
	uint32_t n_below = own ? job_plan(own)->n_below : UINT32_MAX;
	struct job *first;

	if (!own || job_plan(own)->kind != PLAN_GROUP || n_below > group->graph->n_attempts)
		return false;
	first = &own->scope->jobs[own->place + 1 - own->scope->first];
	for (uint32_t i = 0; i < n_below; i++) {
		if (job_plan(own)[1 + i].kind == PLAN_EACH)
			return false;
	}
	for (uint32_t i = 0; i < n_below; i++)
		graph_abort_job(&first[i], &group->end);
	return true;
}

void graph_abort_below(struct group *group)
{
	if (graph_abort_small(group))
		return;
	list_each_safe(link, &group->graph->attempts) {
		struct attempt *attempt = attempt_of_link(link);

		if (attempt->job && group_is_above(group, attempt->job))
			attempt_cancel(attempt, group->end.code, group->end.by);
	}
}

void graph_cancel(struct graph *graph, enum record_by by)
{
	enum fault_code code = by == RECORD_BY_SHUTDOWN ? FAULT_SHUTDOWN : FAULT_CANCELLED;
	struct group_end end = {GROUP_CANCELLED, code, by};

	group_decide(&graph->group, true, by == RECORD_BY_TIMEOUT ? FAULT_GRAPH_TIMEOUT : code,
		JOB_NONE);
	group_end(&graph->group, end);
}

void graph_on_ended(struct graph *graph)
{
	struct record_summary summary = summary_of_decision(graph);

	graph->owner->events->on_decided(graph, &summary);
}

bool graph_cancel_job(struct graph *graph, struct text name)
{
	struct job *job = graph_find(graph, name);

	if (!job)
		return false;
	job_end(job, (struct group_end){GROUP_CANCELLED, FAULT_CANCELLED, RECORD_BY_CLIENT});
	return true;
}

void graph_pause(struct graph *graph, bool paused)
{
	struct scheduler *scheduler = graph->scheduler;

	if (graph->is_paused == paused)
		return;
	graph->is_paused = paused;
	graph->group.requests.paused = paused;
	if (paused)
		return;
	list_each(link, &graph->attempts)
		attempt_resume(attempt_of_link(link));
	graph_kick(graph);
	budget_freed(&graph->group.requests, &scheduler->freed);
	scheduler_kick(scheduler);
}

/* Working off. */

void graph_kick(struct graph *graph)
{
	struct scheduler *scheduler = graph->scheduler;

	if (timer_is_armed(&graph->work_timer) || list_is_linked(&graph->work_link))
		return;
	list_push_back(&scheduler->working, &graph->work_link);
	scheduler_kick(scheduler);
}

void graph_due(struct job *job, enum job_due due)
{
	struct graph *graph = job_graph(job);

	if (job->state == JOB_SETTLED)
		return;
	job->due = due;
	if (!list_is_linked(&job->link))
		list_push_back(&graph->due, &job->link);
	graph_kick(graph);
}

/* There was no memory to find out whether it is to run. */
static void graph_lose(struct job *job)
{
	struct fault fault;

	fault_set(&fault, FAULT_OVERLOADED, "no memory for the condition");
	if (!job->group) {
		job_reject(job, &fault, RECORD_BY_NONE);
		return;
	}
	group_decide(job->group, true, FAULT_OVERLOADED, JOB_NONE);
	group_end(job->group, (struct group_end){GROUP_CANCELLED, FAULT_CANCELLED, RECORD_BY_NONE});
}

static void graph_settle_due(struct job *job)
{
	enum job_due due = job->due;

	job->due = JOB_DUE_NOTHING;
	/* A sweep is on its way to it. */
	if (due != JOB_DUE_CLOSE && job_is_ended(job))
		return;
	switch (due) {
	case JOB_DUE_NOTHING: break;
	case JOB_DUE_CLOSE: group_close(job->group); break;
	case JOB_DUE_LOSE: graph_lose(job); break;
	case JOB_DUE_TIME: job_time_out(job); break;
	case JOB_DUE_BEGIN: dependency_begin(job); break;
	case JOB_DUE_DOOM: job_end(job, (struct group_end){.fate = GROUP_DOOMED}); break;
	case JOB_DUE_SKIP: job_end(job, (struct group_end){.fate = GROUP_SKIPPED}); break;
	}
}

/* One step. Returns how many are left of `n`; 0 as well where there is nothing to do. */
static uint32_t graph_step(struct graph *graph, uint32_t n)
{
	struct list *link;

	if ((link = list_pop_front(&graph->due))) {
		graph_settle_due(list_entry(link, struct job, link));
		return n - 1;
	}
	if (!list_is_empty(&graph->sweeps))
		return sweep_run(list_entry(graph->sweeps.next, struct sweep, link), n);
	if ((link = list_pop_front(&graph->makers))) {
		struct each *each = list_entry(link, struct each, link);
		struct group *group = container_of(each, struct group, each);

		n = each_make(group, n - 1);
		each_kick(group);
		/* There may be room for another one, too. */
		each_kick_starved(graph);
		return n;
	}
	return 0;
}

static bool graph_has_work(const struct graph *graph)
{
	return !graph->is_paused && !(list_is_empty(&graph->due) && list_is_empty(&graph->sweeps) &&
					    list_is_empty(&graph->makers));
}

uint32_t graph_work(struct graph *graph, uint32_t n)
{
	uint32_t slice = n < WORK_SLICE ? n : WORK_SLICE;
	uint32_t left = slice;

	list_remove(&graph->work_link);
	graph_free_spent(graph);
	while (left > 0 && graph_has_work(graph)) {
		left = graph_step(graph, left);
		if (left % 16 == 0 && scheduler_is_late(graph->scheduler))
			break;
	}
	if (graph_has_work(graph)) {
		/* Not before that, also where the slice itself has asked for it. */
		list_remove(&graph->work_link);
		timer_set(graph_timers(graph), &graph->work_timer,
			ring_now(graph->scheduler->ring) + NS_PER_MS);
	}
	return n - (slice - left);
}

static void graph_on_timer(struct timer *timer)
{
	graph_kick(container_of(timer, struct graph, work_timer));
}

/* Running. */

void graph_open(struct job *job)
{
	if (job->is_open)
		return;
	job->is_open = true;
	dependency_check(job);
}

/* All have settled: that is its outcome, whatever is still to be cleared from the wire. */
static void graph_check_finished(struct graph *graph)
{
	if (graph->group.n_open > 0)
		return;
	group_close(&graph->group);
	timer_stop(graph_timers(graph), &graph->group.timer);
	if (graph->n_attempts == 0)
		task_defer(ring_tasks(graph->scheduler->ring), &graph->finish_task);
}

/* Leaves are what is counted. */
static void graph_count(struct graph *graph, const struct job *job)
{
	struct group *group = job_parent(job);

	graph->n_settled++;
	graph->n_fulfilled += !job->is_rejected;
	graph->n_rejected += job->is_rejected;
	graph->n_skipped += job->is_skipped;
	for (;; group = job_parent(group->job)) {
		group->n_leaves++;
		group->n_fulfilled += !job->is_rejected;
		group->n_rejected += job->is_rejected;
		if (!group->job)
			break;
	}
}

void graph_on_settled(struct graph *graph, struct job *job, const struct record *record)
{
	if (!job->group)
		graph_count(graph, job);
	dependency_drop(job);
	dependency_tell(job);
	group_on_child(job_parent(job), job, record);
	scope_leave(job->scope);
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
