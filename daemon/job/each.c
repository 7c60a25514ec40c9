/* SPDX-License-Identifier: MIT */
#include "job/each.h"

#include <stdlib.h>

#include "job/graph.h"
#include "job/group.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "job/scope.h"
#include "job/template_json.h"
#include "job/value.h"
#include "proto/json.h"
#include "proto/reference.h"
#include "util/panic.h"

/*
 * A fan-out of a hundred thousand items is a cursor in a JSON array: children are made as the
 * window lets them in, and without a window as fast as they have their turn, EACH_FRESH_MAX ahead.
 * That loses nothing: children wait for the same jobs, and who waits for its own origin has had its
 * turn. A child's scope goes when it has settled; what stays is its outcome, and only
 * where somebody refers to the whole.
 *
 * A fan-out that is ended goes on making children, for each item is owed its record; they are
 * swept as they are made.
 */

static void each_on_timer(struct timer *timer)
{
	struct each *each = container_of(timer, struct each, timer);

	each_kick(container_of(each, struct group, each));
}

void each_init(struct each *each)
{
	*each = (struct each){0};
	list_init(&each->link);
	list_init(&each->scopes);
	timer_init(&each->timer, each_on_timer);
}

static const struct plan_each *each_plan(const struct group *group)
{
	return job_plan(group->job)->spec->each;
}

void each_forget(struct group *group)
{
	struct each *each = &group->each;

	for (uint32_t i = 0; each->outcomes && i < each->n_items; i++)
		outcome_drop(group->graph->scheduler, &each->outcomes[i]);
	free(each->outcomes);
	each->outcomes = NULL;
}

void each_deinit(struct group *group)
{
	struct each *each = &group->each;

	list_remove(&each->link);
	timer_stop(ring_timers(group->graph->scheduler->ring), &each->timer);
	each_forget(group);
	yyjson_doc_free(each->doc);
	each->doc = NULL;
}

/* Items. */

/* JSON that was made for this fan-out alone. NULL: it is none, or there is no memory. */
static yyjson_val *each_own(struct each *each, struct text json)
{
	struct json_error error;

	each->doc = json_read(json, &error);
	return yyjson_doc_get_root(each->doc);
}

static yyjson_val *each_default(struct each *each, const struct reference *reference)
{
	return each_own(each, reference->fallback);
}

/* What a reference stands for. NULL, and the fault where there is nothing at all. */
static yyjson_val *each_refer(
	struct group *group, const struct reference *reference, struct fault *ret_fault)
{
	struct value value;

	value_of(group->job->scope, reference, (struct text){NULL, 0}, &value);
	switch (value.kind) {
	case VALUE_JSON: return value.json;
	case VALUE_BODY: return outcome_json(value.outcome);
	case VALUE_TEXT:
	case VALUE_LITERAL: return NULL;
	case VALUE_MISSING: break;
	}
	if (value_takes_default(&value, reference))
		return each_default(&group->each, reference);
	value_fault(&value, reference, ret_fault);
	return NULL;
}

/* An array of the document's with references in it. */
static yyjson_val *each_fill(struct group *group, yyjson_val *in, struct fault *ret_fault)
{
	struct buffer filled;
	yyjson_val *items = NULL;

	buffer_init(&filled, PLAN_BYTES_MAX);
	if (template_json_fill(group->job->scope, in, false, &filled, ret_fault))
		items = filled.failed ? NULL : each_own(&group->each, buffer_text(&filled));
	if (!items && ret_fault->code == FAULT_NONE)
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the items");
	buffer_deinit(&filled);
	return items;
}

static yyjson_val *each_items(struct group *group, struct fault *ret_fault)
{
	yyjson_val *in = each_plan(group)->in;
	struct reference reference;

	if (yyjson_is_str(in)) {
		expect(reference_is_whole(json_string(in), &reference));
		return each_refer(group, &reference, ret_fault);
	}
	return template_json_is_plain(in) ? in : each_fill(group, in, ret_fault);
}

static bool each_keeps(const struct group *group)
{
	return job_plan(group->job)->keep & PLAN_KEEP_BODY;
}

bool each_begin(struct group *group, struct fault *ret_fault)
{
	struct each *each = &group->each;
	yyjson_val *items;

	fault_set(ret_fault, FAULT_NONE, "%s", "");
	items = each_items(group, ret_fault);
	if (ret_fault->code != FAULT_NONE)
		return false;
	if (!yyjson_is_arr(items)) {
		fault_set(ret_fault, FAULT_EACH_NOT_ARRAY, "%s",
			"what each should fan out over is not an array");
		return false;
	}
	if (yyjson_arr_size(items) > each_plan(group)->items_max) {
		fault_set(ret_fault, FAULT_EACH_TOO_LARGE, "%zu items, and %u may be",
			yyjson_arr_size(items), each_plan(group)->items_max);
		return false;
	}
	group->graph->n_items += yyjson_arr_size(items);
	if (group->graph->n_items > group->graph->plan->jobs_max) {
		fault_set(ret_fault, FAULT_EACH_TOO_LARGE,
			"the fan-outs of the graph would make more than %u jobs",
			group->graph->plan->jobs_max);
		return false;
	}
	if (each_keeps(group) && yyjson_arr_size(items) > 0) {
		each->outcomes = calloc(yyjson_arr_size(items), sizeof(struct outcome *));
		if (!each->outcomes) {
			fault_set(ret_fault, FAULT_OVERLOADED, "no memory for the items");
			return false;
		}
	}
	each->n_items = (uint32_t)yyjson_arr_size(items);
	each->iter = yyjson_arr_iter_with(items);
	each_kick(group);
	return true;
}

/* Children. */

/* The first of a batch waits for all of the one before, and then for the delay. */
static bool each_may_begin_batch(const struct group *group)
{
	const struct plan_each *plan = each_plan(group);

	if (plan->batch_size == 0 || group->each.n_made % plan->batch_size != 0)
		return true;
	return group->n_open == 0 && !timer_is_armed(&group->each.timer);
}

static bool graph_is_full(const struct graph *graph)
{
	return graph->n_fresh >= GRAPH_FRESH_MAX || graph->n_scopes >= GRAPH_SCOPES_MAX;
}

static bool each_is_starved(const struct group *group)
{
	uint32_t least = group->job->scope->each ? 1 : EACH_OPEN_MIN;

	return group->n_open >= least && graph_is_full(group->graph);
}

/* True where its window has room. */
static bool each_wants_more(const struct group *group)
{
	const struct each *each = &group->each;

	if (each->n_made == each->n_items)
		return false;
	if (group_is_ended(group))
		return true;
	return group->n_open < each_plan(group)->concurrency && each->n_fresh < EACH_FRESH_MAX &&
	       each_may_begin_batch(group);
}

static bool each_may_make(const struct group *group)
{
	return each_wants_more(group) && (group_is_ended(group) || !each_is_starved(group));
}

void each_kick(struct group *group)
{
	struct graph *graph = group->graph;

	list_remove(&group->each.link);
	if (!each_wants_more(group))
		return;
	if (!each_may_make(group)) {
		list_push_back(&graph->starved, &group->each.link);
		return;
	}
	list_push_back(&graph->makers, &group->each.link);
	graph_kick(graph);
}

void each_kick_starved(struct graph *graph)
{
	/* One for the one that went. */
	if (list_is_empty(&graph->starved) || graph_is_full(graph))
		return;
	list_push_back(&graph->makers, list_pop_front(&graph->starved));
	graph_kick(graph);
}

/* No child of it will be made any more. */
static void each_stop(struct group *group)
{
	group->each.n_items = group->each.n_made;
}

/* The next one. */
static void each_make_one(struct group *group)
{
	struct each *each = &group->each;
	struct group_end end = {GROUP_CANCELLED, FAULT_CANCELLED, RECORD_BY_NONE};
	struct scope *scope;

	scope = scope_new(
		group->graph, group->job, each->n_made, yyjson_arr_iter_next(&each->iter));
	if (!scope) {
		each_stop(group);
		group_decide(group, true, FAULT_OVERLOADED, JOB_NONE);
		group_end(group, end);
		group_check(group);
		return;
	}
	each->n_made++;
	each->n_fresh++;
	if (group_is_ended(group)) {
		sweep_start(
			&scope->sweep, scope, group, scope->first, scope->first + scope->n_jobs);
		return;
	}
	graph_start_scope(scope);
}

uint32_t each_make(struct group *group, uint32_t n)
{
	for (; n > 0 && each_may_make(group); n--)
		each_make_one(group);
	return n;
}

void each_on_child(struct group *group, struct scope *scope)
{
	const struct plan_each *plan = each_plan(group);
	struct each *each = &group->each;
	struct job *child = &scope->jobs[0];

	if (!scope->has_begun)
		scope_begin(scope);
	if (each->outcomes) {
		each->outcomes[scope->item_index] = child->outcome;
		child->outcome = NULL;
	}
	if (plan->batch_size > 0 && plan->batch_delay_ns > 0 && group->n_open == 0 &&
		each->n_made % plan->batch_size == 0 && each->n_made < each->n_items &&
		!group_is_ended(group)) {
		struct ring *ring = group->graph->scheduler->ring;

		timer_set(ring_timers(ring), &each->timer, ring_now(ring) + plan->batch_delay_ns);
		return;
	}
	each_kick(group);
}
