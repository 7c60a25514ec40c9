/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_json.h"
#include "sim_judge.h"
#include "sim_oracle.h"
#include "sim_redirect.h"
#include "sim_slot.h"
#include "sim_world.h"

/*
 * A graph is done: every instance has its record, every request its job; and what only shows when
 * all of it is known.
 */

/* -- Completeness ------------------------------------------------------------------------- */

/* A fan-out that never began, or could not, has no children. */
static void sim_done_check_settled(const struct sim_graph *graph)
{
	const struct sim_instance *top = graph->top;

	for (struct sim_instance *i = graph->top; i; i = sim_tree_next(top, i)) {
		if (!i->is_settled && i != top)
			sim_fail("graph %llu is done, but %s has not settled",
				(unsigned long long)graph->number, i->id);
	}
}

/* Nothing is sent for a job that has settled, and nothing for nobody. */
static void sim_done_check_tries(const struct sim_graph *graph)
{
	for (const struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		for (const struct sim_try *try = resource->first; try; try = try->next) {
			if (!try->owner && resource->is_alone)
				sim_fail("%s was sent, and belongs to nobody", resource->target);
			if (try->owner && sim_graph_us(graph, try->sent_ns) >
						  try->owner->end_us + SIM_ROUNDING_US)
				sim_fail("%s was sent after %s had settled", resource->target,
					try->owner->id);
		}
	}
}

/* -- Bounds ------------------------------------------------------------------------------- */

static bool sim_try_is_on_wire(const struct sim_try *try, uint64_t at_ns)
{
	return try->sent_ns <= at_ns && (!try->off_ns || try->off_ns > at_ns);
}

/* When this one was sent, how many of the group were on the wire? */
static void sim_done_check_bound(
	const struct sim_graph *graph, const struct sim_instance *group, const struct sim_try *sent)
{
	unsigned n = 0;

	sim_trace("  %s is sent (%u)", sent->resource->target, sent->number);
	for (const struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		for (struct sim_try *try = resource->first; try; try = try->next) {
			if (sim_redirect_first(try)->resource->is_shared || !try->owner ||
				!sim_tree_is_below(try->owner, group) ||
				!sim_try_is_on_wire(try, sent->sent_ns))
				continue;
			sim_trace("  on the wire: %s (%u) of %s from %llu to %llu",
				resource->target, try->number, try->owner->id,
				(unsigned long long)sim_graph_us(graph, try->sent_ns),
				(unsigned long long)sim_graph_us(graph, try->off_ns));
			n++;
		}
	}
	if (n > group->node->concurrency)
		sim_fail("%s: %u requests of it were on the wire, it may have %u", group->id, n,
			group->node->concurrency);
}

/* A fan-out's `concurrency` is its window, which its children's beginnings have shown. */
static void sim_done_check_bounds(const struct sim_graph *graph)
{
	for (const struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		for (const struct sim_try *try = resource->first; try; try = try->next) {
			const struct sim_instance *group = try->owner;

			while (group && (group = group->parent) && group->parent) {
				if (group->role == SIM_GROUP && group->node->concurrency)
					sim_done_check_bound(graph, group, try);
			}
		}
	}
}

/* Of what may be shared, no two were on the wire: but one whose job was taken down may still have
 * been on its way off it. */
static void sim_done_check_dedupe(const struct sim_graph *graph)
{
	for (const struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		bool shares =
			resource->label->dedupes && (strcmp(resource->method, "GET") == 0 ||
							    strcmp(resource->method, "HEAD") == 0);

		shares = shares && !resource->has_stepped_down;
		for (const struct sim_try *try = resource->first; try && shares; try = try->next) {
			for (const struct sim_try *next = try->next; next; next = next->next) {
				if (try->is_answered && try->owner && try->owner->key == try->key &&
					next->sent_ns < try->answered_ns)
					sim_fail("%s was sent twice at once", resource->target);
			}
		}
	}
}

/* -- The summary -------------------------------------------------------------------------- */

static void sim_done_check_return(const struct sim_graph *graph)
{
	/* Once more, with its numbers as they are written. */
	yyjson_val *message = sim_json_read(graph->client->line.data, graph->client->line.size);
	yyjson_val *result = yyjson_obj_get(yyjson_obj_get(message, "done"), "return");
	struct sim_view view = {.instance = graph->top};
	struct sim_filled filled = {0};
	const char *expected = sim_fill_json(&view, graph->result, true, &filled);
	const char *said = result ? sim_json_write(result) : "nothing";

	if (!sim_json_is_equal(text_from(said), text_from(expected)))
		sim_fail("graph %llu returns %s, not %s", (unsigned long long)graph->number, said,
			expected);
}

static enum fault_code sim_done_code(yyjson_val *done)
{
	yyjson_val *code = yyjson_obj_get(yyjson_obj_get(done, "reason"), "code");

	if (!code)
		return FAULT_NONE;
	return fault_from_name((struct text){yyjson_get_str(code), yyjson_get_len(code)});
}

/* Ended from outside. */
static bool sim_done_is_ended(const struct sim_graph *graph, enum fault_code code)
{
	switch (code) {
	case FAULT_GRAPH_TIMEOUT: return graph->root.timeout_ns != 0;
	case FAULT_CANCELLED: return graph->n_cancels > 0 || graph->client->is_over;
	case FAULT_SHUTDOWN: return sim_model.drain_ns != 0;
	default: return false;
	}
}

static void sim_done_check_status(const struct sim_graph *graph, yyjson_val *done)
{
	const struct sim_instance *top = graph->top;
	const char *status = sim_member(done, "status"), *winner = sim_member(done, "winner");
	yyjson_val *reason = yyjson_obj_get(done, "reason");
	enum fault_code code = sim_done_code(done);

	if ((strcmp(status, "rejected") == 0) != (code != FAULT_NONE))
		sim_fail("a graph is done as \"%s\" with %s", status, sim_code_name(code));
	if (top->is_ended && !top->is_decided) {
		/* A job and all the graph may have been cancelled in one turn. */
		if (!sim_done_is_ended(graph, code) && top->ended_by != SIM_BY_CLIENT)
			sim_fail("graph %llu is done as %s", (unsigned long long)graph->number,
				sim_code_name(code));
		return;
	}
	if (code != top->decided_code && !sim_done_is_ended(graph, code))
		sim_fail("graph %llu is done as %s, its jobs decided %s",
			(unsigned long long)graph->number, sim_code_name(code),
			sim_code_name(top->decided_code));
	if (code != top->decided_code)
		return;
	if (code == FAULT_JOB_REJECTED && strcmp(sim_member(reason, "job"), top->decider->id) != 0)
		sim_fail("graph %llu was rejected by %s, not %s", (unsigned long long)graph->number,
			sim_member(reason, "job"), top->decider->id);
	if (code == FAULT_ALL_REJECTED)
		sim_group_check_errors(top, reason);
	if (strcmp(winner, code == FAULT_NONE && top->decider ? top->decider->id : "") != 0)
		sim_fail("graph %llu: its winner is \"%s\"", (unsigned long long)graph->number,
			winner);
}

static uint64_t sim_count(yyjson_val *done, const char *name)
{
	return yyjson_get_uint(yyjson_obj_get(done, name));
}

static void sim_done_check_counts(const struct sim_graph *graph, yyjson_val *done)
{
	const struct sim_instance *top = graph->top;

	if (sim_count(done, "jobs") != top->n_leaves ||
		sim_count(done, "fulfilled") != top->n_fulfilled ||
		sim_count(done, "rejected") != top->n_leaves - top->n_fulfilled ||
		sim_count(done, "skipped") != top->n_skipped)
		sim_fail("graph %llu is done with other counts than its records: %u jobs, %u "
			 "fulfilled, %u skipped",
			(unsigned long long)graph->number, top->n_leaves, top->n_fulfilled,
			top->n_skipped);
}

/* The path names jobs that there were, and the time is that of the last record at least. */
static void sim_done_check_path(struct sim_graph *graph, yyjson_val *done)
{
	yyjson_val *path = yyjson_obj_get(done, "critical_path"), *id;
	double wall_ms = yyjson_get_num(yyjson_obj_get(done, "wall_ms"));
	size_t i, n;

	yyjson_arr_foreach(path, i, n, id)
	{
		const struct sim_instance *job = sim_tree_find(graph, yyjson_get_str(id));

		if (!job || !job->is_settled)
			sim_fail("graph %llu: %s is on its critical path",
				(unsigned long long)graph->number, yyjson_get_str(id));
	}
	if (wall_ms * 1000 + SIM_ROUNDING_US < (double)graph->last_us)
		sim_fail("graph %llu took %.3f ms, its last job settled after %llu us",
			(unsigned long long)graph->number, wall_ms,
			(unsigned long long)graph->last_us);
}

void sim_done_judge(struct sim_graph *graph, yyjson_val *done)
{
	struct sim_instance *top = graph->top;

	if (graph->n_on_wire > 0 && !sim_world.memory_failed)
		sim_fail("graph %llu is done with %u requests on the wire",
			(unsigned long long)graph->number, graph->n_on_wire);
	if (top->n_children == 0 && !top->is_decided) {
		top->is_decided = true;
		if (graph->root.mode >= SIM_ANY)
			top->decided_code = FAULT_ALL_REJECTED;
	}
	top->is_settled = true;
	if (sim_world.memory_failed)
		return;
	sim_done_check_settled(graph);
	sim_done_check_counts(graph, done);
	sim_done_check_status(graph, done);
	sim_done_check_path(graph, done);
	sim_done_check_tries(graph);
	sim_done_check_bounds(graph);
	sim_done_check_dedupe(graph);
	sim_slot_check(graph);
	if (graph->result)
		sim_done_check_return(graph);
}
