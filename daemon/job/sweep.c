/* SPDX-License-Identifier: MIT */
#include "job/sweep.h"

#include "job/graph.h"
#include "job/group.h"
#include "job/scope.h"

void sweep_start(struct sweep *sweep, struct scope *scope, const struct group *group,
	uint32_t first, uint32_t last)
{
	if (list_is_linked(&sweep->link))
		return;
	sweep->scope = scope;
	sweep->group = group;
	sweep->next = first;
	sweep->last = last;
	list_push_back(&scope->graph->sweeps, &sweep->link);
	graph_kick(scope->graph);
}

/* A group waits for its children, which come behind it. */
static void sweep_job(const struct group *group, struct job *job)
{
	if (job->state == JOB_SETTLED)
		return;
	if (group->end.fate == GROUP_DOOMED) {
		job->cause = group->job->cause;
		job->root = group->job->root;
	}
	if (job->group)
		group_join_end(job->group, group->end);
	else
		job_end(job, group->end);
}

uint32_t sweep_run(struct sweep *sweep, uint32_t n)
{
	struct scope *scope = sweep->scope;

	while (n > 0 && !sweep_is_over(sweep)) {
		struct job *job = &scope->jobs[sweep->next - scope->first];

		sweep->next = scope_next(scope, sweep->next);
		sweep_job(sweep->group, job);
		n--;
	}
	if (sweep_is_over(sweep))
		list_remove(&sweep->link);
	return n;
}
