/* SPDX-License-Identifier: MIT */
#include "job/summary.h"

#include <stdlib.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "job/template.h"

/* A result beyond it is null. */
#define RESULT_BYTES_MAX PLAN_BYTES_MAX

/* The chain of jobs that each released the next, up to the one that settled last: what the wall
 * time was made of. */
static void summary_find_path(struct summary *summary, const struct graph *graph)
{
	uint32_t n = 0;

	for (uint32_t i = graph->last_settled; i != JOB_NONE; i = graph->jobs[i].released_by)
		n++;
	summary->path = calloc(n ? n : 1, sizeof(*summary->path));
	if (!summary->path)
		return;
	summary->record.critical_path = summary->path;
	summary->record.n_critical_path = n;
	for (uint32_t i = graph->last_settled; i != JOB_NONE; i = graph->jobs[i].released_by)
		summary->path[--n] = graph->plan->jobs[i].id;
}

struct record_summary summary_of_decision(const struct graph *graph)
{
	struct record_summary summary = {
		.graph = graph->plan->name,
		.is_rejected = graph->is_rejected,
		.jobs = graph->plan->n_jobs,
		.fulfilled = graph->n_fulfilled,
		.rejected = graph->n_rejected,
		.skipped = graph->n_skipped,
		.wall_ns = ring_now(graph->scheduler->ring) - graph->accepted_ns,
		.sum_ns = graph->sum_ns,
	};

	if (graph->reason.code == FAULT_NONE)
		return summary;
	summary.reason.fault = &graph->reason;
	summary.reason.by = graph->end.by == RECORD_BY_FAIL_FAST ? RECORD_BY_NONE : graph->end.by;
	if (graph->reason_job != JOB_NONE)
		summary.reason.job = graph->plan->jobs[graph->reason_job].id;
	return summary;
}

void summary_init(struct summary *summary, struct graph *graph)
{
	*summary = (struct summary){.record = summary_of_decision(graph)};
	summary_find_path(summary, graph);
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
	buffer_deinit(&summary->result);
}
