/* SPDX-License-Identifier: MIT */
#include "job/scheduler.h"

#include "job/attempt.h"
#include "job/budget.h"
#include "job/graph.h"
#include "util/panic.h"

/*
 * Ready jobs and freed bounds only collect during a turn; one task at its end works them off.
 * Nothing here recurses however long a chain of jobs is that all settle in one turn: what a job's
 * settling makes ready is put behind what is ready already.
 *
 * A job is asked of the bounds in their order: the daemon, the graph, and then, because only now
 * its URL has to be known, the origin. The first that refuses has it in its queue.
 */

/* Jobs tried in a turn: most only find a bound full, but each may have to be filled in and
 * rejected, and the loop has other work. */
#define RUN_SLICE 16384

static void scheduler_try(struct scheduler *scheduler, struct job *job)
{
	struct graph *graph = job->graph;
	struct bound *refusing = NULL;

	expect(job->state == JOB_READY || job->state == JOB_QUEUED);
	/* Its graph's sweep settles it. */
	if (graph_is_ended(graph)) {
		job->state = JOB_QUEUED;
		return;
	}
	if (!bound_has_room(&scheduler->requests))
		refusing = &scheduler->requests;
	else if (!bound_has_room(&graph->requests))
		refusing = &graph->requests;
	else
		refusing = attempt_start(scheduler, job);
	if (!refusing)
		return;
	job->state = JOB_QUEUED;
	budget_wait(refusing, job);
}

static void scheduler_serve(struct scheduler *scheduler, struct bound *bound)
{
	struct job *job;

	while ((job = budget_next(bound)))
		scheduler_try(scheduler, job);
}

static void scheduler_run(struct task *task)
{
	struct scheduler *scheduler = container_of(task, struct scheduler, task);
	struct list *link;

	for (int n = 0; n < RUN_SLICE; n++) {
		if ((link = list_pop_front(&scheduler->freed)))
			scheduler_serve(scheduler, list_entry(link, struct bound, freed));
		else if ((link = list_pop_front(&scheduler->ready)))
			scheduler_try(scheduler, list_entry(link, struct job, link));
		else
			return;
	}
	/* What was tried may have kicked us again. */
	task_cancel(&scheduler->task);
	timer_set(ring_timers(scheduler->ring), &scheduler->timer, ring_now(scheduler->ring));
}

static void scheduler_on_timer(struct timer *timer)
{
	scheduler_kick(container_of(timer, struct scheduler, timer));
}

void scheduler_init(struct scheduler *scheduler, struct ring *ring, struct pool *pool,
	const struct scheduler_options *options)
{
	*scheduler = (struct scheduler){.ring = ring, .pool = pool, .options = *options};
	bound_init(&scheduler->requests, options->requests_max);
	list_init(&scheduler->ready);
	list_init(&scheduler->freed);
	list_init(&scheduler->graphs);
	task_init(&scheduler->task, scheduler_run);
	timer_init(&scheduler->timer, scheduler_on_timer);
	attempt_slab_init(&scheduler->attempts, options->attempts_max);
}

void scheduler_deinit(struct scheduler *scheduler)
{
	expect(list_is_empty(&scheduler->graphs));
	expect(bound_is_unused(&scheduler->requests));
	task_cancel(&scheduler->task);
	timer_stop(ring_timers(scheduler->ring), &scheduler->timer);
	slab_deinit(&scheduler->attempts);
}

void scheduler_ready(struct scheduler *scheduler, struct job *job)
{
	expect(job->state == JOB_READY);
	job->order = scheduler->next_order++;
	list_push_back(&scheduler->ready, &job->link);
	scheduler_kick(scheduler);
}

void scheduler_kick(struct scheduler *scheduler)
{
	if (!timer_is_armed(&scheduler->timer))
		task_defer(ring_tasks(scheduler->ring), &scheduler->task);
}
