/* SPDX-License-Identifier: MIT */
#include "proto/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "util/panic.h"

/*
 * Cycles, levels and longest chains: walks over a plan in topological order (Kahn, 1962), in time
 * and memory of its jobs and edges. Nothing recurses, because a chain of a million jobs is a legal
 * graph.
 *
 * A group or a fan-out (here: a container) is two events, to begin and to settle, and all that is
 * in it happens between them:
 *
 *   its dependencies settle -> it begins -> its children begin ... settle -> it settles
 *
 * These edges are nowhere written down; they follow from where the jobs stand. A leaf is one event:
 * that it settles. Chains are counted in leaves, so a container alone is of no length.
 */

/* An event is a job's place, and whether it settles. */
#define PLAN_SETTLES 1u

struct plan_walk {
	const struct plan *plan;
	/* Each behind all that it waits for. Those that wait for ever are not among them. */
	uint32_t *events;
	uint32_t n_events;
	/* Of each job: how much must happen before it begins, or settles, and has not yet. */
	uint32_t *to_begin, *to_settle;
};

static bool plan_is_container(const struct plan_job *job)
{
	return job->kind != PLAN_LEAF;
}

static uint32_t plan_event_of_settling(uint32_t at)
{
	return at << 1 | PLAN_SETTLES;
}

static uint32_t plan_event_of_beginning(const struct plan *plan, uint32_t at)
{
	return at << 1 | (plan_is_container(&plan->jobs[at]) ? 0 : PLAN_SETTLES);
}

static void plan_walk_deinit(struct plan_walk *walk)
{
	free(walk->events);
}

static void plan_walk_came(struct plan_walk *walk, uint32_t *waiting, uint32_t event)
{
	if (--*waiting == 0)
		walk->events[walk->n_events++] = event;
}

/* One thing less to wait for before the job begins. */
static void plan_walk_toward_begin(struct plan_walk *walk, uint32_t at)
{
	plan_walk_came(walk, &walk->to_begin[at], plan_event_of_beginning(walk->plan, at));
}

static void plan_walk_toward_end(struct plan_walk *walk, uint32_t at)
{
	plan_walk_came(walk, &walk->to_settle[at], plan_event_of_settling(at));
}

static void plan_walk_begun(struct plan_walk *walk, uint32_t at)
{
	uint32_t end = at + 1 + walk->plan->jobs[at].n_below;

	for (uint32_t i = at + 1; i < end; i += 1 + walk->plan->jobs[i].n_below)
		plan_walk_toward_begin(walk, i);
	plan_walk_toward_end(walk, at);
}

static void plan_walk_settled(struct plan_walk *walk, uint32_t at)
{
	const struct plan_job *job = &walk->plan->jobs[at];

	walk->to_settle[at] = 0;
	for (uint32_t i = 0; i < job->n_dependents; i++)
		plan_walk_toward_begin(walk, walk->plan->dependents[job->first_dependent + i]);
	if (job->parent != PLAN_NONE)
		plan_walk_toward_end(walk, job->parent);
}

/* 0, or -ENOMEM. */
static int plan_walk_init(struct plan_walk *walk, const struct plan *plan)
{
	size_t n = plan->n_jobs;

	expect(n < PLAN_NONE / 2);
	*walk = (struct plan_walk){.plan = plan};
	walk->events = calloc(n + 1, 4 * sizeof(*walk->events));
	if (!walk->events)
		return -ENOMEM;
	walk->to_begin = walk->events + 2 * n;
	walk->to_settle = walk->to_begin + n;
	for (uint32_t i = 0; i < n; i++) {
		const struct plan_job *job = &plan->jobs[i];

		/* One more for the walk's own start. */
		walk->to_begin[i] = job->n_dependencies + (job->parent != PLAN_NONE) + 1;
		/* That a container has begun is one of what its end waits for. */
		walk->to_settle[i]++;
		if (job->parent != PLAN_NONE)
			walk->to_settle[job->parent]++;
	}
	for (uint32_t i = 0; i < n; i++)
		plan_walk_toward_begin(walk, i);
	for (uint32_t at = 0; at < walk->n_events; at++) {
		uint32_t event = walk->events[at];

		if (event & PLAN_SETTLES)
			plan_walk_settled(walk, event >> 1);
		else
			plan_walk_begun(walk, event >> 1);
	}
	return 0;
}

/* -- Cycles ------------------------------------------------------------------------------------ */

/* Of an event that waits for ever: the first that it waits for and that does, too. There is one. */
static uint32_t plan_waits_for(const struct plan_walk *walk, uint32_t event)
{
	const struct plan *plan = walk->plan;
	uint32_t at = event >> 1;
	const struct plan_job *job = &plan->jobs[at];
	uint32_t end = at + 1 + job->n_below;

	if (plan_is_container(job) && (event & PLAN_SETTLES)) {
		if (walk->to_begin[at] > 0)
			return plan_event_of_beginning(plan, at);
		for (at++; at < end; at += 1 + plan->jobs[at].n_below) {
			if (walk->to_settle[at] > 0)
				return plan_event_of_settling(at);
		}
		unreachable("it waits for one of its children");
	}
	for (uint32_t i = 0; i < job->n_dependencies; i++) {
		at = plan->dependencies[job->first_dependency + i];
		if (walk->to_settle[at] > 0)
			return plan_event_of_settling(at);
	}
	expect(job->parent != PLAN_NONE && walk->to_begin[job->parent] > 0);
	return plan_event_of_beginning(plan, job->parent);
}

/* Goes from an event that waits for ever to what it waits for, until it comes to one for the second
 * time. `place` is all 0. Returns where in `path` the circle begins, and its length. */
static uint32_t plan_trace_cycle(
	const struct plan_walk *walk, uint32_t *path, uint32_t *place, uint32_t *ret_n)
{
	uint32_t at = 0, n = 0, event;

	while (walk->to_settle[at] == 0)
		at++;
	event = plan_event_of_settling(at);
	while (place[event] == 0) {
		path[n] = event;
		place[event] = ++n;
		event = plan_waits_for(walk, event);
	}
	*ret_n = n - (place[event] - 1);
	return place[event] - 1;
}

/* Events become jobs, a fan-out's child the fan-out, each once where it stood several times in a
 * row. Returns how many are left. */
static uint32_t plan_name_cycle(const struct plan *plan, uint32_t *circle, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = circle[i] >> 1, parent = plan->jobs[at].parent;

		if (parent != PLAN_NONE && plan->jobs[parent].kind == PLAN_EACH)
			at = parent;
		if (kept == 0 || circle[kept - 1] != at)
			circle[kept++] = at;
	}
	while (kept > 1 && circle[kept - 1] == circle[0])
		kept--;
	return kept;
}

/* The same circle, from its first job on. */
static uint32_t *plan_turn_cycle(struct arena *arena, const uint32_t *circle, uint32_t n)
{
	uint32_t *path = arena_alloc_array(arena, n, sizeof(*path));
	uint32_t first = 0;

	if (!path)
		return NULL;
	for (uint32_t i = 1; i < n; i++) {
		if (circle[i] < circle[first])
			first = i;
	}
	for (uint32_t i = 0; i < n; i++)
		path[i] = circle[(first + i) % n];
	return path;
}

/* There is a cycle. 0, or -ENOMEM. */
static int plan_show_cycle(
	struct plan_walk *walk, struct arena *arena, uint32_t **ret_path, uint32_t *ret_n)
{
	uint32_t *place = calloc(walk->plan->n_jobs, 2 * sizeof(*place));
	uint32_t *circle, n;

	if (!place)
		return -ENOMEM;
	/* The events that came are needed no more. */
	circle = walk->events + plan_trace_cycle(walk, walk->events, place, &n);
	n = plan_name_cycle(walk->plan, circle, n);
	*ret_path = plan_turn_cycle(arena, circle, n);
	*ret_n = n;
	free(place);
	return *ret_path ? 0 : -ENOMEM;
}

int plan_find_cycle(
	const struct plan *plan, struct arena *arena, uint32_t **ret_path, uint32_t *ret_n)
{
	struct plan_walk walk;
	uint32_t at = 0;
	int r;

	*ret_path = NULL;
	*ret_n = 0;
	if (plan->n_edges == 0)
		return 0;
	r = plan_walk_init(&walk, plan);
	if (r < 0)
		return r;
	while (at < plan->n_jobs && walk.to_settle[at] == 0)
		at++;
	if (at < plan->n_jobs)
		r = plan_show_cycle(&walk, arena, ret_path, ret_n);
	plan_walk_deinit(&walk);
	return r;
}

/* -- Chains ------------------------------------------------------------------------------------ */

/* The longest chain that leads to something, by its length and its last leaf. */
struct plan_chain {
	uint32_t length, last;
};

/* Of each job: what leads to its beginning, and to its having settled. */
struct plan_chains {
	struct plan_chain *begun, *settled;
};

/* Of two of one length, that of the first leaf. */
static void plan_chain_reach(struct plan_chain *to, struct plan_chain from)
{
	if (from.length > to->length || (from.length == to->length && from.last < to->last))
		*to = from;
}

static void plan_chains_begun(
	const struct plan_chains *chains, const struct plan *plan, uint32_t at)
{
	uint32_t end = at + 1 + plan->jobs[at].n_below;

	for (uint32_t i = at + 1; i < end; i += 1 + plan->jobs[i].n_below)
		plan_chain_reach(&chains->begun[i], chains->begun[at]);
	plan_chain_reach(&chains->settled[at], chains->begun[at]);
}

static void plan_chains_settled(
	const struct plan_chains *chains, const struct plan *plan, uint32_t at)
{
	const struct plan_job *job = &plan->jobs[at];

	if (!plan_is_container(job))
		chains->settled[at] = (struct plan_chain){chains->begun[at].length + 1, at};
	for (uint32_t i = 0; i < job->n_dependents; i++)
		plan_chain_reach(&chains->begun[plan->dependents[job->first_dependent + i]],
			chains->settled[at]);
	if (job->parent != PLAN_NONE)
		plan_chain_reach(&chains->settled[job->parent], chains->settled[at]);
}

static void plan_chains_deinit(struct plan_chains *chains)
{
	free(chains->begun);
}

/* 0, or -ENOMEM. No cycles. */
static int plan_chains_init(struct plan_chains *chains, const struct plan *plan)
{
	size_t n = plan->n_jobs;
	struct plan_walk walk;

	chains->begun = calloc(n + 1, 2 * sizeof(*chains->begun));
	chains->settled = chains->begun + n;
	if (!chains->begun || plan_walk_init(&walk, plan) < 0) {
		plan_chains_deinit(chains);
		return -ENOMEM;
	}
	for (size_t i = 0; i < 2 * n; i++)
		chains->begun[i].last = PLAN_NONE;
	for (uint32_t i = 0; i < walk.n_events; i++) {
		if (walk.events[i] & PLAN_SETTLES)
			plan_chains_settled(chains, plan, walk.events[i] >> 1);
		else
			plan_chains_begun(chains, plan, walk.events[i] >> 1);
	}
	for (uint32_t i = 0; i < n; i++)
		expect(walk.to_settle[i] == 0);
	plan_walk_deinit(&walk);
	return 0;
}

uint32_t *plan_levels(const struct plan *plan, struct arena *arena, uint32_t *ret_n_levels)
{
	uint32_t *levels = arena_alloc_array(arena, (size_t)plan->n_jobs + 1, sizeof(*levels));
	struct plan_chains chains;
	uint32_t n_levels = 0;

	if (!levels || plan_chains_init(&chains, plan) < 0)
		return NULL;
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		levels[i] = chains.begun[i].length;
		if (levels[i] >= n_levels)
			n_levels = levels[i] + 1;
	}
	plan_chains_deinit(&chains);
	*ret_n_levels = n_levels;
	return levels;
}

int plan_longest_path(
	const struct plan *plan, struct arena *arena, uint32_t **ret_path, uint32_t *ret_n)
{
	struct plan_chain longest = {0, PLAN_NONE};
	struct plan_chains chains;
	uint32_t *path;

	if (plan_chains_init(&chains, plan) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_jobs; i++)
		plan_chain_reach(&longest, chains.settled[i]);
	path = arena_alloc_array(arena, (size_t)longest.length + 1, sizeof(*path));
	for (uint32_t i = longest.length, at = longest.last; path && i > 0; i--) {
		path[i - 1] = at;
		at = chains.begun[at].last;
	}
	plan_chains_deinit(&chains);
	if (!path)
		return -ENOMEM;
	*ret_path = path;
	*ret_n = longest.length;
	return 0;
}

/* -- What remains ------------------------------------------------------------------------------ */

/* Without edges a chain is one leaf. */
static void plan_set_remaining_alone(struct plan *plan)
{
	for (uint32_t i = plan->n_jobs; i > 0; i--) {
		struct plan_job *job = &plan->jobs[i - 1];

		if (!plan_is_container(job))
			job->remaining = 1;
		if (job->parent != PLAN_NONE && job->remaining > 0)
			plan->jobs[job->parent].remaining = 1;
	}
}

/* What comes behind a job that has settled. */
static uint32_t plan_remaining_behind(
	const struct plan *plan, const uint32_t *behind, const struct plan_job *job)
{
	uint32_t most = job->parent != PLAN_NONE ? behind[job->parent] : 0;

	for (uint32_t i = 0; i < job->n_dependents; i++) {
		uint32_t at = plan->dependents[job->first_dependent + i];

		if (plan->jobs[at].remaining > most)
			most = plan->jobs[at].remaining;
	}
	return most;
}

static uint32_t plan_remaining_within(const struct plan *plan, uint32_t at, uint32_t behind)
{
	uint32_t end = at + 1 + plan->jobs[at].n_below;
	uint32_t most = behind;

	for (uint32_t i = at + 1; i < end; i += 1 + plan->jobs[i].n_below) {
		if (plan->jobs[i].remaining > most)
			most = plan->jobs[i].remaining;
	}
	return most;
}

int plan_set_remaining(struct plan *plan)
{
	struct plan_walk walk;
	uint32_t *behind;

	if (plan->n_edges == 0) {
		plan_set_remaining_alone(plan);
		return 0;
	}
	behind = calloc(plan->n_jobs, sizeof(*behind));
	if (!behind || plan_walk_init(&walk, plan) < 0) {
		free(behind);
		return -ENOMEM;
	}
	/* From the last event to the first: what comes behind it is known. */
	for (uint32_t i = walk.n_events; i > 0; i--) {
		uint32_t event = walk.events[i - 1], at = event >> 1;
		struct plan_job *job = &plan->jobs[at];

		if (event & PLAN_SETTLES)
			behind[at] = plan_remaining_behind(plan, behind, job);
		job->remaining = plan_is_container(job)
					 ? plan_remaining_within(plan, at, behind[at])
					 : behind[at] + 1;
	}
	plan_walk_deinit(&walk);
	free(behind);
	return 0;
}
