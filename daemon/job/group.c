/* SPDX-License-Identifier: MIT */
#include "job/group.h"

#include <stdlib.h>

#include "job/children.h"
#include "job/graph.h"
#include "job/name.h"
#include "job/scheduler.h"
#include "job/scope.h"
#include "util/panic.h"

/*
 * One piece of code decides graphs, groups and fan-outs, because Promise.allSettled, all, any and
 * race mean the same on every level: a child has settled, and that may be the answer.
 *
 * Three moments: decided, when the outcome is known; ended, when no child may do anything any
 * more (a decision ends what is left, but so do a cancellation from outside, a condition that is
 * false, a dependency's rejection); closed, when the last child has its record. A group's job
 * settles when it is closed, and not before its children, so that nobody sees half of it.
 *
 * Inside of what is ended nothing is decided: children settle there because they must, and say
 * nothing about the group. So a decision never leads to another one while it is carried out, and
 * nothing recurses.
 */

static void group_on_timeout(struct timer *timer);

void group_init(struct group *group, struct graph *graph, struct job *job, enum plan_mode mode,
	uint32_t concurrency)
{
	*group = (struct group){.graph = graph, .job = job, .mode = mode};
	bound_init(&group->requests, concurrency);
	group->requests.is_private = true;
	timer_init(&group->timer, group_on_timeout);
	sweep_init(&group->sweep);
	each_init(&group->each);
	group->decider = JOB_NONE;
	group->last = JOB_NONE;
}

void group_deinit(struct group *group)
{
	timer_stop(ring_timers(group->graph->scheduler->ring), &group->timer);
	list_remove(&group->sweep.link);
	list_remove(&group->requests.freed);
	each_deinit(group);
	for (uint32_t i = 0; i < group->n_errors; i++)
		free(group->errors[i].text);
	free(group->errors);
	free(group->root_name);
}

struct group *group_new(struct graph *graph, struct job *job)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct group *group = malloc(sizeof(*group));

	if (!group)
		return NULL;
	if (job_plan(job)->kind == PLAN_EACH)
		group_init(group, graph, job, spec->each->mode, PLAN_UNBOUNDED);
	else
		group_init(group, graph, job, spec->group->mode, spec->group->concurrency);
	return group;
}

struct group *group_free(struct group *group)
{
	if (!group)
		return NULL;
	group_deinit(group);
	free(group);
	return NULL;
}

static bool group_is_fan_out(const struct group *group)
{
	return group->job && job_plan(group->job)->kind == PLAN_EACH;
}

bool group_is_above(const struct group *group, const struct job *job)
{
	const struct group *above = job_parent(job);

	while (above != group && above->job)
		above = job_parent(above->job);
	return above == group;
}

/* Where its children are, or for a fan-out the fan-out itself. */
static struct scope *group_scope(const struct group *group)
{
	return group->job ? group->job->scope : group->graph->root;
}

static uint32_t group_first(const struct group *group)
{
	return group->job ? group->job->place + 1 : 0;
}

static uint32_t group_last(const struct group *group)
{
	const struct plan *plan = group->graph->plan;

	return group->job ? group->job->place + 1 + job_plan(group->job)->n_below : plan->n_jobs;
}

/* Beginning. */

/* Its children wait for nothing but their own dependencies. */
static void group_open_children(struct group *group)
{
	struct scope *scope = group_scope(group);
	const struct plan *plan = group->graph->plan;

	for (uint32_t i = group_first(group); i < group_last(group); i += plan->jobs[i].n_below + 1)
		graph_open(&scope->jobs[i - scope->first]);
}

void group_check(struct group *group)
{
	if (group->n_open > 0 || group->each.n_made < group->each.n_items)
		return;
	/* Its fate comes first, and then it is asked again. */
	if (group->job && (group_is_ended(group) || !job_is_sealed(group->job)))
		graph_due(group->job, JOB_DUE_CLOSE);
}

void group_begin(struct group *group)
{
	const struct plan_spec *spec = job_plan(group->job)->spec;
	struct fault fault;

	group->job->state = JOB_RUNNING;
	if (group_is_fan_out(group)) {
		if (!each_begin(group, &fault)) {
			job_reject(group->job, &fault, RECORD_BY_NONE);
			return;
		}
	} else {
		if (spec->group->timeout_ns != PLAN_NEVER)
			timer_set(ring_timers(group->graph->scheduler->ring), &group->timer,
				group->job->ready_ns + spec->group->timeout_ns);
		group_open_children(group);
	}
	group_check(group);
}

static void group_on_timeout(struct timer *timer)
{
	struct group *group = container_of(timer, struct group, timer);
	struct group_end end = {GROUP_CANCELLED, FAULT_CANCELLED, RECORD_BY_TIMEOUT};

	if (!group->job) {
		graph_cancel(group->graph, RECORD_BY_TIMEOUT);
		return;
	}
	/* What is around it is being ended: that counts. */
	if (job_is_ended(group->job))
		return;
	group_decide(group, true, FAULT_GROUP_TIMEOUT, JOB_NONE);
	group_end(group, end);
}

/* Deciding. */

void group_decide(struct group *group, bool is_rejected, enum fault_code code, uint32_t decider)
{
	if (group->is_decided)
		return;
	group->is_decided = true;
	group->is_rejected = is_rejected;
	group->decider = decider;
	fault_set(&group->reason, code, "%s", "");
}

/* A rejection is kept for the errors of ALL_REJECTED. Without memory there is one less. */
static void group_keep_error(struct group *group, uint32_t order, const struct record *record)
{
	struct text message = text_from(fault_message(record->reason.fault));
	struct group_error *error, *errors = group->errors;
	uint32_t room = group->errors_room ? group->errors_room * 2 : 8;

	if (group->mode == PLAN_SETTLED || group->mode == PLAN_ALL ||
		group->n_errors == GROUP_ERRORS_MAX)
		return;
	if (group->n_errors == group->errors_room) {
		errors = reallocarray(errors, room, sizeof(*errors));
		if (!errors)
			return;
		group->errors = errors;
		group->errors_room = room;
	}
	error = &errors[group->n_errors];
	*error = (struct group_error){.order = order, .code = record->reason.fault->code};
	error->text = malloc(record->job.size + message.size + 1);
	if (!error->text)
		return;
	memcpy(error->text, record->job.data, record->job.size);
	memcpy(error->text + record->job.size, message.data, message.size);
	error->name_size = (uint32_t)record->job.size;
	error->message_size = (uint32_t)message.size;
	group->n_errors++;
}

static int group_error_compare(const void *a, const void *b)
{
	const struct group_error *left = a, *right = b;

	return (left->order > right->order) - (left->order < right->order);
}

struct record_error *group_errors(const struct group *group, uint32_t *ret_n)
{
	struct record_error *errors = NULL;

	*ret_n = 0;
	if (group->reason.code != FAULT_ALL_REJECTED || group->n_errors == 0)
		return NULL;
	errors = reallocarray(NULL, group->n_errors, sizeof(*errors));
	if (!errors)
		return NULL;
	qsort(group->errors, group->n_errors, sizeof(*group->errors), group_error_compare);
	for (uint32_t i = 0; i < group->n_errors; i++) {
		const struct group_error *error = &group->errors[i];

		errors[i].code = error->code;
		errors[i].job = (struct text){error->text, error->name_size};
		errors[i].message =
			(struct text){error->text + error->name_size, error->message_size};
	}
	*ret_n = group->n_errors;
	return errors;
}

struct text group_decider_name(const struct group *group, char *memory)
{
	struct scope *scope = group_scope(group);
	struct text name;

	if (group->decider == JOB_NONE)
		return (struct text){NULL, 0};
	if (!group_is_fan_out(group))
		return job_name(&scope->jobs[group->decider - scope->first], memory);
	name = job_name(group->job, memory);
	memmove(memory, name.data, name.size);
	name.data = memory;
	name.size += (size_t)snprintf(
		memory + name.size, JOB_NAME_MAX - name.size, "[%u]", group->decider);
	return name;
}

/* What a child's settling decides. */
enum group_verdict {
	GROUP_OPEN,
	GROUP_REJECTED,
	GROUP_WON,
};

static enum group_verdict group_judge(const struct group *group, const struct job *child)
{
	bool counts = !child->is_rejected || !job_plan(child)->spec->optional;

	switch (group->mode) {
	case PLAN_SETTLED: return GROUP_OPEN;
	case PLAN_ALL: return child->is_rejected && counts ? GROUP_REJECTED : GROUP_OPEN;
	case PLAN_ANY: return child->is_rejected || child->is_skipped ? GROUP_OPEN : GROUP_WON;
	case PLAN_RACE:
		if (child->is_skipped || !counts)
			return GROUP_OPEN;
		return child->is_rejected ? GROUP_REJECTED : GROUP_WON;
	}
	unreachable("a fifth mode");
}

/* It was decided by that child, and what is left has nothing to do any more. */
static void group_decide_early(struct group *group, bool is_rejected, uint32_t decider)
{
	struct group_end end = {GROUP_CANCELLED, FAULT_CANCELLED,
		group->mode == PLAN_ALL ? RECORD_BY_FAIL_FAST : RECORD_BY_WINNER};

	group_decide(group, is_rejected, is_rejected ? FAULT_JOB_REJECTED : FAULT_NONE, decider);
	group_end(group, end);
}

/* The first cause of a rejection: seen from outside of a fan-out, where its child's scope will be
 * gone. */
static void group_keep_root(struct group *group, const struct job *child)
{
	char memory[JOB_NAME_MAX];
	struct text name;

	if (!group->job)
		return;
	if (!group_is_fan_out(group)) {
		group->job->root = child->root;
		return;
	}
	name = job_root_name(child, memory);
	group->root_name = strndup(name.data, name.size);
}

/* Before it has begun its children can only have been cancelled, one by one: what they decide in
 * the turn in which its own fate is sealed comes too late. */
static bool group_may_be_decided(const struct group *group)
{
	const struct job *job = group->job;

	return !group->is_decided && !group_is_ended(group) &&
	       !(job && (job_is_ended(job) || job_is_sealed(job)));
}

void group_on_child(struct group *group, struct job *child, const struct record *record)
{
	uint32_t order = group_is_fan_out(group) ? child->scope->item_index : child->place;
	enum group_verdict verdict = group_judge(group, child);

	expect(group->n_open > 0);
	group->n_open--;
	group->last = order;
	if (group_is_fan_out(group))
		each_on_child(group, child->scope);
	if (group_may_be_decided(group)) {
		if (child->is_rejected && verdict == GROUP_OPEN)
			group_keep_error(group, order, record);
		if (verdict == GROUP_REJECTED)
			group_keep_root(group, child);
		if (verdict != GROUP_OPEN)
			group_decide_early(group, verdict == GROUP_REJECTED, order);
	}
	group_check(group);
}

/* Ending. */

/* Its children that have not settled are gone through; of a fan-out, those made by now. */
static void group_sweep(struct group *group)
{
	if (!group_is_fan_out(group)) {
		sweep_start(&group->sweep, group_scope(group), group, group_first(group),
			group_last(group));
		return;
	}
	list_each(link, &group->each.scopes) {
		struct scope *scope = list_entry(link, struct scope, link);

		sweep_start(
			&scope->sweep, scope, group, scope->first, scope->first + scope->n_jobs);
	}
	each_kick(group);
}

static bool group_has_settled(const struct group *group)
{
	return group->job ? group->job->state == JOB_SETTLED : group->n_open == 0;
}

/* Also what it came to, if nobody has decided that. */
static void group_take_end(struct group *group, struct group_end end)
{
	if (end.fate == GROUP_CANCELLED)
		group_decide(group, true, end.code, JOB_NONE);
	group->end = end;
	timer_stop(ring_timers(group->graph->scheduler->ring), &group->timer);
}

void group_end(struct group *group, struct group_end end)
{
	if (group_is_ended(group) || group_has_settled(group))
		return;
	group_take_end(group, end);
	if (!group->job)
		graph_on_ended(group->graph);
	if (end.fate == GROUP_CANCELLED)
		graph_abort_below(group);
	group_sweep(group);
	group_check(group);
}

void group_join_end(struct group *group, struct group_end end)
{
	if (group_is_ended(group) || group_has_settled(group))
		return;
	group_take_end(group, end);
	if (group_is_fan_out(group))
		group_sweep(group);
	group_check(group);
}

/* Closing. */

/* Fulfilled, unless the mode wanted more: nobody has decided it before its last child. */
static void group_decide_late(struct group *group)
{
	bool has_lost = group->mode == PLAN_ANY || group->mode == PLAN_RACE;

	group_decide(group, has_lost, has_lost ? FAULT_ALL_REJECTED : FAULT_NONE, JOB_NONE);
}

static void group_settle(struct group *group)
{
	struct job *job = group->job;
	struct record record;
	struct buffer body;
	char winner[JOB_NAME_MAX];
	struct record_error *errors;

	job_record(job, &record);
	buffer_init(&body, PLAN_BYTES_MAX);
	errors = group_errors(group, &record.reason.n_errors);
	record.reason.errors = errors;
	if (group->is_rejected) {
		record.reason.fault = &group->reason;
		record.reason.retryable = fault_is_retryable(group->reason.code);
		record.reason.by =
			group->reason.code == FAULT_JOB_REJECTED ? RECORD_BY_NONE : group->end.by;
		record.reason.job = group_decider_name(group, winner);
	} else {
		job->has_value = children_are_value(group);
		record.via = RECORD_VIA_NETWORK;
		record.group.winner = group_decider_name(group, winner);
		children_append(&body, group);
		job->is_lost = body.failed;
	}
	job_settle(job, &record, children_text(group, &body), NULL);
	buffer_deinit(&body);
	free(errors);
}

void group_close(struct group *group)
{
	/* What is around it ends, but its last child was told before its own turn came: the sweep
	 * is on its way, and will make it due again. */
	if (group->job && !group_is_ended(group) && job_is_ended(group->job))
		return;
	group_decide_late(group);
	if (!group->job)
		return;
	switch (group->end.fate) {
	case GROUP_SKIPPED: job_skip(group->job); break;
	case GROUP_DOOMED: job_doom(group->job); break;
	case GROUP_GOES_ON:
	case GROUP_CANCELLED: group_settle(group); break;
	}
	each_forget(group);
}
