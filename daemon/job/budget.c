/* SPDX-License-Identifier: MIT */
#include "job/budget.h"

#include "job/graph.h"
#include "util/panic.h"

void claim_take(struct claim *claim, struct bound *bound)
{
	expect(claim->n < CLAIM_BOUNDS_MAX);
	expect(bound_has_room(bound));
	bound->used++;
	claim->bounds[claim->n++] = bound;
}

void budget_freed(struct bound *bound, struct list *freed)
{
	if (!queue_is_empty(&bound->waiting) && !list_is_linked(&bound->freed))
		list_push_back(freed, &bound->freed);
}

void claim_release(struct claim *claim, struct list *freed)
{
	while (claim->n > 0) {
		struct bound *bound = claim->bounds[--claim->n];

		expect(bound->used > 0);
		bound->used--;
		budget_freed(bound, freed);
	}
}

static const struct job *job_of_node(const struct heap_node *node)
{
	return container_of(node, struct job, queued.node);
}

/* Ties within a turn: of one graph by job order (settled-graph(5)). */
static bool budget_is_before_in_turn(const struct job *left, const struct job *right)
{
	const struct graph *one = job_graph(left), *other = job_graph(right);

	if (one != other)
		return one->number < other->number;
	if (left->place != right->place)
		return left->place < right->place;
	return left->order < right->order;
}

bool budget_is_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct job *left = job_of_node(a), *right = job_of_node(b);
	const struct plan_job *one = job_plan(left), *other = job_plan(right);

	if (one->spec->priority != other->spec->priority)
		return one->spec->priority > other->spec->priority;
	if (left->turn_ns != right->turn_ns)
		return left->turn_ns < right->turn_ns;
	if (one->remaining != other->remaining)
		return one->remaining > other->remaining;
	return budget_is_before_in_turn(left, right);
}

/* Between jobs of one graph. */
static bool budget_is_before_in_graph(const struct heap_node *a, const struct heap_node *b)
{
	const struct job *left = job_of_node(a), *right = job_of_node(b);
	const struct plan_job *one = job_plan(left), *other = job_plan(right);

	if (one->spec->priority != other->spec->priority)
		return one->spec->priority > other->spec->priority;
	if (one->remaining != other->remaining)
		return one->remaining > other->remaining;
	if (left->turn_ns != right->turn_ns)
		return left->turn_ns < right->turn_ns;
	return budget_is_before_in_turn(left, right);
}

static heap_before_fn budget_order(const struct bound *bound)
{
	return bound->is_private ? budget_is_before_in_graph : budget_is_before;
}

void budget_wait(struct bound *bound, struct job *job)
{
	job->queue = bound;
	queue_push(&bound->waiting, &job->queued, budget_order(bound));
}

struct job *budget_next(struct bound *bound)
{
	struct queue_node *node;
	struct job *job;

	if (!bound_has_room(bound))
		return NULL;
	node = queue_pop(&bound->waiting, budget_order(bound));
	if (!node)
		return NULL;
	job = container_of(node, struct job, queued);
	job->queue = NULL;
	return job;
}

void budget_leave(struct job *job)
{
	if (!job->queue)
		return;
	queue_remove(&job->queue->waiting, &job->queued, budget_order(job->queue));
	job->queue = NULL;
}
