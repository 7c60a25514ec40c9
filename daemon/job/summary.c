/* SPDX-License-Identifier: MIT */
#include "job/summary.h"

#include <stdlib.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "job/template.h"

/* A result beyond it is null. */
#define RESULT_BYTES_MAX PLAN_BYTES_MAX

/* Where the wall time's chain ends: with who decided, else with who settled last. */
static uint32_t path_end(const struct group *group)
{
	return group->decider != JOB_NONE ? group->decider : group->last;
}

/* From a group to the child that its settling waited for, as long as there is one. */
static const struct job *path_leaf(const struct graph *graph, uint32_t place)
{
	const struct job *job = &graph->root->jobs[place];

	while (job_plan(job)->kind == PLAN_GROUP && path_end(job->group) != JOB_NONE)
		job = &graph->root->jobs[path_end(job->group)];
	return job;
}

static const struct job *path_before(const struct graph *graph, const struct job *job)
{
	/* Of a child that waited for nothing but its group, it is what the group waited for. */
	while (job->released_by == JOB_NONE && job_parent(job)->job)
		job = job_parent(job)->job;
	return job->released_by == JOB_NONE ? NULL : path_leaf(graph, job->released_by);
}

static const struct job *path_last(const struct graph *graph)
{
	uint32_t end = path_end(&graph->group);

	return end == JOB_NONE ? NULL : path_leaf(graph, end);
}

/* The chain of jobs that each released the next, up to the one that settled last: what the wall
 * time was made of. */
static void summary_find_path(struct summary *summary, const struct graph *graph)
{
	uint32_t n = 0;

	for (const struct job *job = path_last(graph); job; job = path_before(graph, job))
		n++;
	summary->path = calloc(n ? n : 1, sizeof(*summary->path));
	if (!summary->path)
		return;
	summary->record.critical_path = summary->path;
	summary->record.n_critical_path = n;
	for (const struct job *job = path_last(graph); job; job = path_before(graph, job))
		summary->path[--n] = job_plan(job)->id;
}

struct record_summary summary_of_decision(const struct graph *graph)
{
	const struct group *group = &graph->group;
	struct scheduler_names *names = &graph->scheduler->names;
	struct text decider = group_decider_name(group, names->cause);
	struct record_summary summary = {
		.graph = graph->plan->name,
		.is_rejected = group->is_rejected,
		.jobs = graph->n_leaves,
		.fulfilled = graph->n_fulfilled,
		.rejected = graph->n_rejected,
		.skipped = graph->n_skipped,
		.wall_ns = ring_now(graph->scheduler->ring) - graph->accepted_ns,
		.sum_ns = graph->sum_ns,
	};

	if (!group->is_rejected) {
		summary.winner = decider;
		return summary;
	}
	summary.reason.fault = &group->reason;
	summary.reason.job = decider;
	if (group->reason.code != FAULT_JOB_REJECTED && group->reason.code != FAULT_ALL_REJECTED)
		summary.reason.by = group->end.by;
	return summary;
}

void summary_init(struct summary *summary, struct graph *graph)
{
	*summary = (struct summary){.record = summary_of_decision(graph)};
	summary_find_path(summary, graph);
	summary->errors = group_errors(&graph->group, &summary->record.reason.n_errors);
	summary->record.reason.errors = summary->errors;
	buffer_init(&summary->result, RESULT_BYTES_MAX);
	if (!graph->plan->result)
		return;
	template_result(graph, &summary->result);
	summary->record.result =
		summary->result.failed ? TEXT("null") : buffer_text(&summary->result);
}

void summary_deinit(struct summary *summary)
{
	free(summary->path);
	free(summary->errors);
	buffer_deinit(&summary->result);
}
