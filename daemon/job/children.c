/* SPDX-License-Identifier: MIT */
#include "job/children.h"

#include "job/graph.h"
#include "job/outcome.h"
#include "proto/json.h"

/* The winner's body is the group's, byte by byte. */
static void children_append_winner(struct buffer *out, const struct outcome *outcome)
{
	if (outcome)
		buffer_append_text(out, outcome->body);
	else
		out->failed = true;
}

/* A body as JSON: what parses is taken as it is, all else is a string. */
static void children_append_body(struct buffer *out, struct outcome *outcome)
{
	yyjson_val *json;

	if (!outcome) {
		out->failed = true;
		return;
	}
	if (outcome->code != FAULT_NONE || !outcome->body.data) {
		buffer_append_literal(out, "null");
		return;
	}
	json = outcome_json(outcome);
	if (outcome->json_lost)
		out->failed = true;
	else if (json)
		json_append_value(out, json);
	else
		json_append_string(out, outcome->body);
}

static void children_append_items(struct buffer *out, const struct group *group)
{
	const struct each *each = &group->each;

	buffer_append_byte(out, '[');
	for (uint32_t i = 0; i < each->n_items; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		children_append_body(out, each->outcomes[i]);
	}
	buffer_append_byte(out, ']');
}

static void children_append_members(struct buffer *out, const struct group *group)
{
	const struct plan *plan = group->graph->plan;
	const struct job *own = group->job;
	uint32_t first = own->place + 1, last = first + job_plan(own)->n_below;

	buffer_append_byte(out, '{');
	for (uint32_t i = first; i < last; i += plan->jobs[i].n_below + 1) {
		if (i > first)
			buffer_append_byte(out, ',');
		json_append_string(out, plan->jobs[i].id);
		buffer_append_byte(out, ':');
		children_append_body(out, own->scope->jobs[i - own->scope->first].outcome);
	}
	buffer_append_byte(out, '}');
}

static struct outcome *children_winner(const struct group *group)
{
	const struct job *own = group->job;

	if (job_plan(own)->kind == PLAN_EACH)
		return group->each.outcomes[group->decider];
	return own->scope->jobs[group->decider - own->scope->first].outcome;
}

void children_append(struct buffer *out, const struct group *group)
{
	bool is_fan_out = job_plan(group->job)->kind == PLAN_EACH;

	if (!(job_plan(group->job)->keep & PLAN_KEEP_BODY))
		return;
	if (group->decider != JOB_NONE)
		children_append_winner(out, children_winner(group));
	else if (is_fan_out)
		children_append_items(out, group);
	else
		children_append_members(out, group);
}

struct text children_text(const struct group *group, const struct buffer *out)
{
	const struct outcome *winner;

	if (out->failed || group->is_rejected || !(job_plan(group->job)->keep & PLAN_KEEP_BODY))
		return (struct text){NULL, 0};
	if (group->decider == JOB_NONE || out->size > 0)
		return buffer_text(out);
	winner = children_winner(group);
	return winner->body.data ? TEXT("") : (struct text){NULL, 0};
}

bool children_are_value(const struct group *group)
{
	const struct outcome *winner;

	if (!(job_plan(group->job)->keep & PLAN_KEEP_BODY) || group->decider == JOB_NONE)
		return true;
	winner = children_winner(group);
	return winner && winner->is_value;
}
