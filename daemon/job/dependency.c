/* SPDX-License-Identifier: MIT */
#include "job/dependency.h"

#include "job/condition.h"
#include "job/graph.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "util/panic.h"

/*
 * Every job counts the dependencies that have not settled. Settling one job takes one from each of
 * its dependents; what is in a group waits for the group to begin besides.
 *
 * Edges lead from a job to another one of its scope, or down into a fan-out: then to each of the
 * children made by now, while those to be made look for themselves (dependency_catch_up). For the
 * same reason a fan-out as a whole is what uses an outcome that something inside of it refers to.
 */

/* Running. */

static void dependency_compete(struct job *job)
{
	struct scheduler *scheduler = job_graph(job)->scheduler;
	uint64_t queue_ns = job_plan(job)->spec->timeouts.queue_ns;

	if (queue_ns != PLAN_NEVER)
		timer_set(ring_timers(scheduler->ring), &job->timer, job->ready_ns + queue_ns);
	scheduler_ready(scheduler, job);
}

void dependency_begin(struct job *job)
{
	const struct plan_job *plan = job_plan(job);
	struct fault fault;

	if (plan->kind != PLAN_EACH && plan->spec->when &&
		!condition_holds(job, plan->spec->when, &fault))
		graph_due(job, fault.code == FAULT_NONE ? JOB_DUE_SKIP : JOB_DUE_LOSE);
	else if (job->group)
		group_begin(job->group);
	else
		dependency_compete(job);
}

/* What takes more than a moment is put off to the end of the turn, where it is done in slices. */
static void dependency_ready(struct job *job)
{
	job->ready_ns = ring_now(job_graph(job)->scheduler->ring);
	if (job->group || job_plan(job)->spec->when)
		graph_due(job, JOB_DUE_BEGIN);
	else
		dependency_compete(job);
}

static void dependency_doom(struct job *job, const struct job *cause)
{
	job->is_doomed = true;
	job->cause = cause->place;
	job->root = cause->root;
}

void dependency_check(struct job *job)
{
	enum plan_needs needs = job_plan(job)->spec->needs;

	if (job->state != JOB_WAITING || !job->is_open || job->due != JOB_DUE_NOTHING ||
		job_is_ended(job))
		return;
	if (job->is_doomed)
		graph_due(job, JOB_DUE_DOOM);
	else if (needs == PLAN_NEEDS_ANY && job->has_fulfilled)
		dependency_ready(job);
	else if (job->n_waiting > 0)
		return;
	else if (needs == PLAN_NEEDS_REJECTED && !job->has_rejected)
		graph_due(job, JOB_DUE_SKIP);
	else
		dependency_ready(job);
}

/* One of the job's dependencies has settled. */
static void dependency_note(struct job *job, const struct job *dependency)
{
	enum plan_needs needs = job_plan(job)->spec->needs;

	expect(job->n_waiting > 0);
	job->n_waiting--;
	if (job->state != JOB_WAITING)
		return;
	job->released_by = dependency->place;
	job->has_rejected = job->has_rejected || dependency->is_rejected;
	job->has_fulfilled = job->has_fulfilled || !dependency->is_rejected;
	if (dependency->is_rejected && !job->is_doomed &&
		(needs == PLAN_NEEDS_FULFILLED ||
			(needs == PLAN_NEEDS_ANY && job->n_waiting == 0 && !job->has_fulfilled)))
		dependency_doom(job, dependency);
	dependency_check(job);
}

void dependency_catch_up(struct job *job)
{
	const struct plan *plan = job_graph(job)->plan;
	const struct plan_job *own = job_plan(job);

	for (uint32_t i = 0; i < own->n_dependencies; i++) {
		uint32_t place = plan->dependencies[own->first_dependency + i];
		const struct job *dependency;

		if (scope_has(job->scope, place))
			continue;
		dependency = scope_job(job->scope, place);
		expect(dependency);
		if (dependency->state == JOB_SETTLED)
			dependency_note(job, dependency);
	}
}

/* A dependent inside a fan-out: each child of it that there is. */
static void dependency_tell_made(struct job *job, uint32_t place)
{
	struct scope_walk walk;
	struct scope *scope;

	scope_walk_init(&walk, job->scope, place);
	while ((scope = scope_walk_next(&walk, job->scope)))
		dependency_note(&scope->jobs[place - scope->first], job);
}

void dependency_tell(struct job *job)
{
	const struct plan *plan = job_graph(job)->plan;
	const struct plan_job *own = job_plan(job);
	struct scope *scope = job->scope;

	for (uint32_t i = 0; i < own->n_dependents; i++) {
		uint32_t place = plan->dependents[own->first_dependent + i];

		if (scope_has(scope, place))
			dependency_note(&scope->jobs[place - scope->first], job);
		else
			dependency_tell_made(job, place);
	}
}

/* Outcomes. */

/* The job of this scope that the one at `place` is, or is inside of. */
static struct job *dependency_user(const struct scope *scope, uint32_t place)
{
	const struct plan_job *jobs = scope->graph->plan->jobs;

	while (!scope_has(scope, place))
		place = jobs[place].region;
	return (struct job *)&scope->jobs[place - scope->first];
}

uint32_t dependency_count_users(const struct job *job)
{
	const struct graph *graph = job_graph(job);
	const struct plan_job *own = job_plan(job);
	const struct group *parent = job_parent(job);
	uint32_t n = !job->scope->each && graph->plan->result ? 1 : 0;

	if (parent->job && job_plan(parent->job)->keep & PLAN_KEEP_BODY)
		n++;
	for (uint32_t i = 0; i < own->n_dependents; i++) {
		uint32_t place = graph->plan->dependents[own->first_dependent + i];

		n += dependency_user(job->scope, place)->state != JOB_SETTLED;
	}
	return n;
}

static void dependency_release(struct job *job)
{
	if (job->outcome && --job->outcome->n_users == 0)
		job_forget(job);
}

/* What the job at `place`, which is `job` or is inside of it, refers to in the scope of `job`. */
static void dependency_drop_at(struct job *job, uint32_t place)
{
	const struct plan *plan = job_graph(job)->plan;
	const struct plan_job *own = &plan->jobs[place];
	struct scope *scope = job->scope;

	for (uint32_t i = 0; i < own->n_dependencies; i++) {
		uint32_t from = plan->dependencies[own->first_dependency + i];

		if (from >= scope->first && from < scope->first + scope->n_jobs &&
			scope_has(scope, from))
			dependency_release(&scope->jobs[from - scope->first]);
	}
}

void dependency_drop(struct job *job)
{
	const struct plan_job *own = job_plan(job);
	const struct plan_job *jobs = job_graph(job)->plan->jobs;
	uint32_t last = job->place + 1 + own->n_below;

	dependency_drop_at(job, job->place);
	if (own->kind == PLAN_EACH) {
		for (uint32_t i = job->place + 1; i < last; i++)
			dependency_drop_at(job, i);
	} else if (own->kind == PLAN_GROUP && own->keep & PLAN_KEEP_BODY) {
		for (uint32_t i = job->place + 1; i < last; i += jobs[i].n_below + 1)
			dependency_release(&job->scope->jobs[i - job->scope->first]);
	}
}
