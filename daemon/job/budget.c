/* SPDX-License-Identifier: MIT */
#include "job/budget.h"

#include "job/job.h"
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
	if (!list_is_empty(&bound->waiting) && !list_is_linked(&bound->freed))
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

/* Nearly always the last one. Who comes from another queue is old, and belongs near the head. */
void budget_wait(struct bound *bound, struct job *job)
{
	struct list *at = &bound->waiting;

	expect(!list_is_linked(&job->link));
	if (!list_is_empty(at) && list_entry(at->previous, struct job, link)->order > job->order) {
		at = at->next;
		while (list_entry(at, struct job, link)->order < job->order)
			at = at->next;
	}
	list_insert_before(at, &job->link);
}

struct job *budget_next(struct bound *bound)
{
	struct list *link;

	if (!bound_has_room(bound))
		return NULL;
	link = list_pop_front(&bound->waiting);
	return link ? list_entry(link, struct job, link) : NULL;
}
