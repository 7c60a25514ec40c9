/* SPDX-License-Identifier: MIT */
#include "job/scheduler.h"

#include "job/attempt.h"
#include "job/budget.h"
#include "job/flight.h"
#include "job/graph.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * Ready jobs and freed bounds only collect during a turn; one task at its end works them off.
 * Nothing here recurses however long a chain of jobs is that all settle in one turn: what a job's
 * settling makes ready is put behind what is ready already.
 *
 * A job is asked of the bounds in their order: the daemon, those around it from the inside out,
 * and then, because only now its URL has to be known, its origin. The first that refuses has it in
 * its queue.
 */

/* Jobs tried in a turn: most only find a bound full, but each may have to be filled in and
 * rejected, and the loop has other work. */
#define RUN_SLICE 16384

/* What a job costs is in the hands of who wrote it: all of a turn's take no longer than this. */
#define SLICE_NS (4 * NS_PER_MS)

/* `is_new`: it comes from no queue. */
static void scheduler_try(struct scheduler *scheduler, struct job *job, bool is_new)
{
	struct bound *refusing = &scheduler->requests;

	expect(job->state == JOB_READY || job->state == JOB_QUEUED);
	job->state = JOB_QUEUED;
	/* A sweep settles it. */
	if (job_is_ended(job))
		return;
	if (!budget_refuses(refusing, is_new))
		refusing = job_refusing_bound(job, is_new);
	if (!refusing)
		refusing = attempt_start(scheduler, job, is_new);
	else if (flight_join(job))
		refusing = NULL;
	if (!refusing)
		return;
	/* Who waits for its own origin holds back none of its fan-out. */
	if (!refusing->is_private && refusing != &scheduler->requests)
		scope_begin(job->scope);
	budget_wait(refusing, job);
	if (bound_has_room(refusing))
		budget_freed(refusing, &scheduler->freed);
}

/* Those who wait for that bound, `n` at most. Returns how many are left of `n`; at 0 there may be
 * more. */
static uint32_t scheduler_serve(struct scheduler *scheduler, struct bound *bound, uint32_t n)
{
	struct job *job;

	for (; n > 0; n--) {
		job = budget_next(bound);
		if (!job)
			return n;
		scheduler_try(scheduler, job, false);
		if (n % 16 == 0 && scheduler_is_late(scheduler))
			break;
	}
	if (bound_has_room(bound))
		budget_freed(bound, &scheduler->freed);
	return n;
}

/* The next one to be tried. Returns how many are left of `n`; `n` itself: there is none. */
static uint32_t scheduler_try_next(struct scheduler *scheduler, uint32_t n)
{
	struct queue_node *node;
	struct list *link;

	/* Those that are new stand behind those who wait before anybody is served. */
	node = queue_pop(&scheduler->ready, budget_is_before);
	if (node) {
		scheduler_try(scheduler, container_of(node, struct job, queued), true);
		return n - 1;
	}
	link = list_pop_front(&scheduler->freed);
	if (!link)
		return n;
	return scheduler_serve(scheduler, list_entry(link, struct bound, freed), n - 1);
}

/* One step, as above. What makes jobs ready comes first, so that all of a turn compete; what their
 * trying leads to comes when all of them have been tried. */
static uint32_t scheduler_step(struct scheduler *scheduler, uint32_t n)
{
	uint32_t left;

	if (!scheduler->is_trying && !list_is_empty(&scheduler->working)) {
		struct list *link = scheduler->working.next;

		return graph_work(list_entry(link, struct graph, work_link), n - 1);
	}
	left = scheduler_try_next(scheduler, n);
	scheduler->is_trying = left < n;
	/* Who was tried last may have made work. */
	return left == n && !list_is_empty(&scheduler->working) ? n - 1 : left;
}

bool scheduler_is_late(const struct scheduler *scheduler)
{
	return clock_now_ns() > scheduler->slice_began_ns + SLICE_NS;
}

/* A turn may come here several times: what it may do is counted over all of them. */
static void scheduler_begin_slice(struct scheduler *scheduler)
{
	uint64_t now = ring_now(scheduler->ring);

	if (scheduler->slice_turn_ns == now)
		return;
	scheduler->slice_turn_ns = now;
	scheduler->slice_began_ns = clock_now_ns();
	scheduler->slice_left = RUN_SLICE;
}

static void scheduler_run(struct task *task)
{
	struct scheduler *scheduler = container_of(task, struct scheduler, task);

	scheduler_begin_slice(scheduler);
	while (scheduler->slice_left > 0) {
		uint32_t left = scheduler_step(scheduler, scheduler->slice_left);

		if (left == scheduler->slice_left)
			return;
		scheduler->slice_left = left;
		if (left % 16 == 0 && scheduler_is_late(scheduler))
			break;
	}
	/* What was tried may have kicked us again. */
	task_cancel(&scheduler->task);
	timer_set(ring_timers(scheduler->ring), &scheduler->timer, ring_now(scheduler->ring));
}

/* An origin's pause is over. */
static void scheduler_on_resumed(struct pool_owner *owner, struct share *share)
{
	struct scheduler *scheduler = container_of(owner, struct scheduler, pool_owner);

	budget_freed(&share->requests, &scheduler->freed);
	scheduler_kick(scheduler);
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
	queue_init(&scheduler->ready);
	list_init(&scheduler->freed);
	list_init(&scheduler->working);
	list_init(&scheduler->graphs);
	task_init(&scheduler->task, scheduler_run);
	timer_init(&scheduler->timer, scheduler_on_timer);
	exchange_common_init(
		&scheduler->exchanges, &scheduler->body_bytes, options->body_bytes_max);
	store_common_init(
		&scheduler->stores, ring, &scheduler->body_bytes, options->body_bytes_max);
	scheduler->random = (struct random){options->seed};
	scheduler->pool_owner.on_resumed = scheduler_on_resumed;
	pool_set_owner(pool, &scheduler->pool_owner);
	/* One more than there are places: for who asks whether it may share a flight. */
	attempt_slab_init(&scheduler->attempts, options->attempts_max + 1);
}

void scheduler_deinit(struct scheduler *scheduler)
{
	expect(list_is_empty(&scheduler->graphs));
	expect(bound_is_unused(&scheduler->requests));
	task_cancel(&scheduler->task);
	timer_stop(ring_timers(scheduler->ring), &scheduler->timer);
	slab_deinit(&scheduler->attempts);
	exchange_common_deinit(&scheduler->exchanges);
	header_list_deinit(&scheduler->request_headers);
}

void scheduler_go_on(struct scheduler *scheduler, struct job *job)
{
	expect(job->state == JOB_WAITING);
	job->state = JOB_READY;
	queue_push(&scheduler->ready, &job->queued, budget_is_before);
	scheduler_kick(scheduler);
}

void scheduler_ready(struct scheduler *scheduler, struct job *job)
{
	job->turn_ns = ring_now(scheduler->ring);
	job->order = scheduler->next_order++;
	scheduler_go_on(scheduler, job);
}

void scheduler_forget(struct scheduler *scheduler, struct job *job)
{
	budget_leave(job);
	if (queue_is_in(&job->queued))
		queue_remove(&scheduler->ready, &job->queued, budget_is_before);
}

void scheduler_kick(struct scheduler *scheduler)
{
	if (!timer_is_armed(&scheduler->timer))
		task_defer(ring_tasks(scheduler->ring), &scheduler->task);
}
