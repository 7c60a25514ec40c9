/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_judge.h"
#include "sim_world.h"

/*
 * How the children of a group (a fan-out, a graph) decide it: by the records, in their order. A
 * child that was cancelled because its group was to end says nothing about the group.
 */

/* -- Cancels ------------------------------------------------------------------------------ */

static bool sim_cancel_names(const struct sim_cancel *cancel, const struct sim_instance *instance)
{
	if (!cancel->id)
		return true;
	for (; instance->parent; instance = instance->parent) {
		if (strcmp(cancel->id, instance->id) == 0 ||
			strcmp(cancel->id, instance->node->id) == 0)
			return true;
	}
	return false;
}

/* The first one of that turn that names it, or what it is in; else the first one before. What
 * there was not yet when it was to be cancelled was not. */
static const struct sim_cancel *sim_cancel_first(
	const struct sim_instance *instance, uint64_t end_us)
{
	const struct sim_graph *graph = instance->graph;
	const struct sim_cancel *first = NULL;
	bool first_is_now = false;

	for (unsigned i = 0; i < graph->n_cancels; i++) {
		const struct sim_cancel *cancel = &graph->cancels[i];
		uint64_t told_us = sim_graph_us(graph, cancel->told_ns);
		bool is_now = told_us + SIM_ROUNDING_US >= end_us;

		if (!cancel->told_ns || !sim_cancel_names(cancel, instance) ||
			told_us > end_us + SIM_ROUNDING_US)
			continue;
		if (first && (first_is_now != is_now ? first_is_now : first->order < cancel->order))
			continue;
		first = cancel;
		first_is_now = is_now;
	}
	return first;
}

bool sim_cancel_covers(const struct sim_instance *instance, uint64_t end_us)
{
	const struct sim_cancel *cancel = sim_cancel_first(instance, end_us);

	if (!cancel)
		return false;
	return sim_is_hurried(instance->graph) ||
	       end_us <= sim_graph_us(instance->graph, cancel->told_ns) + SIM_CANCEL_US;
}

/* -- Deciding ----------------------------------------------------------------------------- */

static void sim_group_decide(struct sim_instance *group, const struct sim_instance *decider,
	enum fault_code code, uint64_t at_us)
{
	group->is_decided = true;
	group->is_decided_rejected = code != FAULT_NONE;
	group->decided_code = code;
	group->decider = decider;
	group->decided_us = at_us;
	sim_trace("  %s is decided: %s%s%s", group->parent ? group->id : "the graph",
		sim_code_name(code), decider ? " by " : "", decider ? decider->id : "");
}

static void sim_group_weigh(struct sim_instance *group, const struct sim_instance *child)
{
	enum sim_mode mode = sim_instance_mode(group);
	bool is_candidate = !child->is_rejected && child->via != SIM_VIA_SKIPPED;
	bool counts = child->is_rejected && !child->node->is_optional;

	if (mode >= SIM_ANY && is_candidate)
		sim_group_decide(group, child, FAULT_NONE, child->end_us);
	else if ((mode == SIM_ALL || mode == SIM_RACE) && counts)
		sim_group_decide(group, child, FAULT_JOB_REJECTED, child->end_us);
	else if (group->n_settled == group->n_children)
		sim_group_decide(group, NULL, mode >= SIM_ANY ? FAULT_ALL_REJECTED : FAULT_NONE,
			child->end_us);
}

/* Inside of what is over nothing is decided any more. */
static bool sim_group_is_over(const struct sim_instance *group)
{
	for (; group; group = group->parent) {
		if (group->is_decided || group->is_ended)
			return true;
	}
	return false;
}

static bool sim_child_was_taken_down(
	const struct sim_instance *group, const struct sim_instance *child)
{
	if (child->is_inherited)
		return true;
	if (child->code != FAULT_CANCELLED && child->code != FAULT_SHUTDOWN)
		return false;
	if (child->via != SIM_VIA_NONE)
		return false;
	if (child->by != SIM_BY_CLIENT)
		return true;
	return sim_cancel_names(sim_cancel_first(child, child->end_us), group);
}

void sim_group_tell(struct sim_instance *child)
{
	struct sim_instance *group = child->parent;

	if (child->role == SIM_LEAF) {
		for (struct sim_instance *i = group; i; i = i->parent) {
			i->n_leaves++;
			i->n_fulfilled += !child->is_rejected;
			i->n_skipped += child->via == SIM_VIA_SKIPPED;
		}
	}
	group->n_settled++;
	if (group->is_settled || group->is_decided)
		return;
	if (!group->is_ended && sim_child_was_taken_down(group, child)) {
		sim_trace("  %s is ended with %s", group->id, child->id);
		group->is_ended = true;
		group->ended_by = child->by;
		group->ended_us = child->end_us;
	}
	if (!sim_group_is_over(group))
		sim_group_weigh(group, child);
}

/* -- Its record --------------------------------------------------------------------------- */

void sim_group_check_errors(const struct sim_instance *group, yyjson_val *reason)
{
	yyjson_val *errors = yyjson_obj_get(reason, "errors");
	size_t n = 0;

	/* Without memory there may be less. */
	if (sim_world.memory_failed)
		return;
	for (unsigned i = 0; i < group->n_children; i++) {
		const struct sim_instance *child = group->children[i];
		yyjson_val *error = yyjson_arr_get(errors, n);

		if (!child->is_settled || !child->is_rejected)
			continue;
		n++;
		if (strcmp(sim_member(error, "job"), child->id) != 0 ||
			strcmp(sim_member(error, "code"), fault_name(child->code)) != 0)
			sim_fail("%s: error %zu is not that of %s", group->id, n, child->id);
	}
	if (yyjson_arr_size(errors) != n)
		sim_fail(
			"%s: %zu errors for %zu rejections", group->id, yyjson_arr_size(errors), n);
}

static void sim_group_check_counts(const struct sim_record *record)
{
	const struct sim_instance *group = record->instance;
	uint64_t jobs = yyjson_get_uint(yyjson_obj_get(record->value, "jobs"));
	uint64_t fulfilled = yyjson_get_uint(yyjson_obj_get(record->value, "fulfilled"));
	uint64_t rejected = yyjson_get_uint(yyjson_obj_get(record->value, "rejected"));
	const char *winner = sim_member(record->value, "winner");

	if (jobs != group->n_leaves || fulfilled != group->n_fulfilled ||
		rejected != group->n_leaves - group->n_fulfilled)
		sim_fail("%s: its record counts %llu/%llu/%llu, its leaves were %u/%u/%u",
			group->id, (unsigned long long)jobs, (unsigned long long)fulfilled,
			(unsigned long long)rejected, group->n_leaves, group->n_fulfilled,
			group->n_leaves - group->n_fulfilled);
	if (strcmp(winner, group->decider ? group->decider->id : "") != 0)
		sim_fail("%s: its winner is \"%s\", not %s", group->id, winner,
			group->decider ? group->decider->id : "nobody");
}

void sim_group_judge(const struct sim_record *record)
{
	struct sim_instance *group = record->instance;

	if (group->is_expanded && group->n_children == 0 && !group->is_decided) {
		enum sim_mode mode = sim_instance_mode(group);

		sim_group_decide(group, NULL, mode >= SIM_ANY ? FAULT_ALL_REJECTED : FAULT_NONE,
			group->begin_us);
	}
	if (!group->is_decided)
		sim_fail("%s settled before its children had decided it", group->id);
	if (record->code != group->decided_code)
		sim_fail("%s: settled as %s, its children decided %s", group->id,
			sim_code_name(record->code), sim_code_name(group->decided_code));
	if (group->decided_code == FAULT_JOB_REJECTED &&
		strcmp(sim_member(record->reason, "job"), group->decider->id) != 0)
		sim_fail("%s: rejected by %s, not %s", group->id, sim_member(record->reason, "job"),
			group->decider->id);
	if (group->decided_code == FAULT_ALL_REJECTED)
		sim_group_check_errors(group, record->reason);
	if (!record->is_rejected && record->via == SIM_VIA_NONE)
		sim_group_check_counts(record);
	if (!sim_is_hurried(record->graph) &&
		!sim_is_at(record->end_us, group->decided_us, group->begin_slack_us))
		sim_fail("%s: settled after %llu us, its children decided it after %llu", group->id,
			(unsigned long long)record->end_us, (unsigned long long)group->decided_us);
}
