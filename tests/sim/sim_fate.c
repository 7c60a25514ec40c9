/* SPDX-License-Identifier: MIT */
#include "sim_judge.h"
#include "sim_when.h"
#include "sim_world.h"

/*
 * An instance begins when what it is in has begun and what it needs has settled. A fan-out's child
 * begins in its turn: the window has room, the batch before it has settled.
 */

/* -- Dependencies ------------------------------------------------------------------------- */

static uint64_t sim_later_us(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What came of an instance's dependencies. */
struct sim_deps {
	const struct sim_instance *first_rejected, *last_rejected, *first_fulfilled, *last;
	unsigned n, n_settled, n_rejected;
};

static struct sim_deps sim_deps_of(const struct sim_instance *instance)
{
	const struct sim_node *node = instance->node;
	struct sim_deps deps = {.n = node->n_deps};

	for (unsigned i = 0; i < node->n_deps; i++) {
		const struct sim_instance *dep = sim_tree_see(instance, node->deps[i]);

		if (!dep->is_settled)
			continue;
		deps.n_settled++;
		if (!deps.last || dep->order > deps.last->order)
			deps.last = dep;
		if (!dep->is_rejected) {
			if (!deps.first_fulfilled || dep->order < deps.first_fulfilled->order)
				deps.first_fulfilled = dep;
			continue;
		}
		deps.n_rejected++;
		if (!deps.first_rejected || dep->order < deps.first_rejected->order)
			deps.first_rejected = dep;
		if (!deps.last_rejected || dep->order > deps.last_rejected->order)
			deps.last_rejected = dep;
	}
	return deps;
}

static struct sim_fate sim_fate_after(
	enum sim_fate_kind kind, const struct sim_fate *parent, const struct sim_instance *dep)
{
	struct sim_fate fate = *parent;

	fate.kind = kind;
	if (dep && dep->end_us >= parent->at_us) {
		fate.at_us = dep->end_us;
		fate.slack_us =
			dep->end_us > parent->at_us + parent->slack_us ? 0 : parent->slack_us;
	}
	fate.cause = kind == SIM_DOOMED ? dep : NULL;
	return fate;
}

static struct sim_fate sim_fate_by_deps(
	const struct sim_instance *instance, const struct sim_fate *parent)
{
	struct sim_deps deps = sim_deps_of(instance);
	bool all = deps.n_settled == deps.n;

	switch (instance->node->needs) {
	case SIM_NEEDS_FULFILLED:
		if (deps.first_rejected)
			return sim_fate_after(SIM_DOOMED, parent, deps.first_rejected);
		return sim_fate_after(all ? SIM_READY : SIM_WAITS, parent, deps.last);
	case SIM_NEEDS_SETTLED:
		return sim_fate_after(all ? SIM_READY : SIM_WAITS, parent, deps.last);
	case SIM_NEEDS_REJECTED:
		if (!all)
			return sim_fate_after(SIM_WAITS, parent, NULL);
		return sim_fate_after(deps.n_rejected ? SIM_READY : SIM_SKIPS, parent, deps.last);
	case SIM_NEEDS_ANY: break;
	}
	if (deps.first_fulfilled)
		return sim_fate_after(SIM_READY, parent, deps.first_fulfilled);
	return sim_fate_after(all ? SIM_DOOMED : SIM_WAITS, parent, deps.last_rejected);
}

/* -- Fan-outs ----------------------------------------------------------------------------- */

/* When as many as that of the first `n` children had settled; false: they have not. */
static bool sim_each_nth(
	const struct sim_instance *each, unsigned n, unsigned wanted, uint64_t *ret_us)
{
	unsigned place = 0;

	/* By the order of their records. */
	for (unsigned order = 0; order < wanted; order++) {
		const struct sim_instance *next = NULL;

		for (unsigned i = 0; i < n; i++) {
			const struct sim_instance *child = each->children[i];

			if (child->is_settled && child->order >= place &&
				(!next || child->order < next->order))
				next = child;
		}
		if (!next)
			return false;
		place = next->order + 1;
		*ret_us = next->end_us;
	}
	return true;
}

static struct sim_fate sim_fate_in_turn(
	const struct sim_instance *child, const struct sim_fate *parent)
{
	const struct sim_instance *each = child->parent;
	const struct sim_fan *fan = each->node->fan;
	struct sim_fate fate = *parent;
	uint64_t at_us = 0;
	unsigned first = 0;

	fate.kind = SIM_WAITS;
	if (fan->batch_size) {
		first = child->place / fan->batch_size * fan->batch_size;
		if (first > 0 && !sim_each_nth(each, first, first, &at_us))
			return fate;
		if (first > 0) {
			fate.at_us = sim_later_us(fate.at_us, at_us + fan->batch_delay_ns / 1000);
			fate.slack_us = fan->batch_delay_ns ? SIM_LATE_US : 0;
		}
	}
	if (fan->window && child->place >= fan->window) {
		if (!sim_each_nth(each, child->place, child->place - fan->window + 1, &at_us))
			return fate;
		/* A batch that began late may have been what it waited for. */
		if (at_us > fate.at_us + fate.slack_us)
			fate.slack_us = 0;
		fate.at_us = sim_later_us(fate.at_us, at_us);
	}
	fate.kind = SIM_READY;
	return fate;
}

enum fault_code sim_fate_expand(struct sim_instance *each)
{
	enum fault_code code = FAULT_NONE;
	yyjson_val *items;

	if (each->is_expanded)
		return FAULT_NONE;
	items = sim_fill_items(each, &code);
	if (items)
		sim_tree_expand(each, items);
	return code;
}

/* -- Conditions --------------------------------------------------------------------------- */

unsigned sim_views(const struct sim_instance *instance, uint64_t until_us, unsigned hidden[64])
{
	const struct sim_node *node = instance->node;
	const struct sim_instance *first = sim_deps_of(instance).first_fulfilled;
	unsigned open = 0, later = 0, n = 0;

	for (unsigned i = 0; i < node->n_deps && node->needs == SIM_NEEDS_ANY; i++) {
		const struct sim_instance *dep = sim_tree_see(instance, node->deps[i]);

		/* What it had waited for is known. */
		if (dep == first)
			continue;
		if (dep->is_settled && dep->end_us > until_us + SIM_ROUNDING_US)
			later |= 1u << i;
		else if (dep->is_settled && dep->end_us + SIM_ROUNDING_US >= instance->begin_us)
			open |= 1u << i;
	}
	/* Every subset of what is open, and nothing of what came later. */
	for (unsigned mask = 0; mask < 1u << node->n_deps; mask++) {
		if ((mask & ~open) == 0)
			hidden[n++] = mask | later;
	}
	return n;
}

/* A condition is looked at when its turn has come. */
static void sim_fate_by_condition(struct sim_fate *fate, struct sim_instance *instance)
{
	unsigned hidden[64], n, n_held = 0;

	if (!instance->node->when)
		return;
	n = sim_views(instance, fate->at_us + fate->slack_us, hidden);
	for (unsigned i = 0; i < n; i++)
		n_held += sim_when(&(struct sim_view){instance, hidden[i]});
	if (n_held > 0 && n_held < n && !fate->open)
		fate->open = instance;
	if (n_held == 0)
		fate->kind = SIM_SKIPS;
}

void sim_tree_reach(struct sim_instance *each)
{
	if (!each->is_expanded && sim_fate_of(each).kind == SIM_READY)
		sim_fate_expand(each);
}

/* -- All of it ---------------------------------------------------------------------------- */

static struct sim_fate sim_fate_next(struct sim_instance *instance, const struct sim_fate *parent)
{
	struct sim_fate fate;

	if (sim_instance_is_item(instance))
		fate = sim_fate_in_turn(instance, parent);
	else
		fate = sim_fate_by_deps(instance, parent);
	fate.holder = instance;
	if (fate.kind != SIM_READY)
		return fate;
	instance->has_begun = true;
	instance->begin_us = fate.at_us;
	instance->begin_slack_us = fate.slack_us;
	if (instance->role != SIM_EACH)
		sim_fate_by_condition(&fate, instance);
	return fate;
}

struct sim_fate sim_fate_of(struct sim_instance *instance)
{
	struct sim_instance *path[2 * SIM_DEPTH_MAX + 2];
	struct sim_fate fate = {.kind = SIM_READY};
	unsigned n = 0;

	for (struct sim_instance *i = instance; i->parent; i = i->parent)
		path[n++] = i;
	while (n > 0 && fate.kind == SIM_READY) {
		struct sim_instance *open = fate.open;

		n--;
		fate = sim_fate_next(path[n], &fate);
		if (open)
			fate.open = open;
	}
	return fate;
}
