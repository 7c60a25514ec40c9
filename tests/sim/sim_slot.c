/* SPDX-License-Identifier: MIT */
#include "sim_slot.h"

#include "sim_world.h"

/*
 * A place is taken when an attempt has its turn, and free again when its response is complete or
 * its connection is really closed. A backoff holds none, nor does who shares another's flight.
 *
 * Only graphs are looked at of which all this is known: no other bound that is finite, nothing
 * shared, nothing sent again, nothing taken down, no attempt that ended before it was sent.
 */

#define SIM_PRIORITY 4

struct sim_slot {
	struct sim_slot *next;
	const struct sim_instance *job;
	const struct sim_try *try;
	/* Ready, taken, free; in the graph's time. The last is known at the end. */
	uint64_t ready_us, taken_us, free_us;
};

/* A connection that is closed this soon was not given back. */
#define SIM_CLOSING_NS (100 * NS_PER_MS)

static uint64_t sim_slot_free_ns(const struct sim_try *try)
{
	uint64_t closed_ns = try->conn->closed_ns ? try->conn->closed_ns : sim_now();

	if (try->conn->h2)
		return try->off_ns ? try->off_ns : sim_now();
	if (try->is_answered &&
		(try->conn->latest != try || closed_ns > try->answered_ns + SIM_CLOSING_NS))
		return try->answered_ns;
	return closed_ns;
}

void sim_slot_note(const struct sim_record *record, unsigned n, const struct sim_try *try)
{
	const struct sim_attempt *attempt = &record->attempts[n];
	struct sim_graph *graph = record->graph;
	struct sim_slot *slot;

	/* In a backoff the last one's own end is not told. */
	if (!try || record->leader || try->is_replay || record->code == FAULT_JOB_TIMEOUT ||
		(try->conn->h2 && !try->is_answered) || try->reply.codings[0] || try->from ||
		record->instance->node->source || record->instance->node->sink) {
		graph->has_unknown_slots = true;
		return;
	}
	slot = sim_alloc(sizeof(*slot));
	*slot = (struct sim_slot){.next = graph->slots,
		.job = record->instance,
		.ready_us = attempt->start_us,
		.try = try,
		.taken_us = attempt->start_us + attempt->queue_us};
	graph->slots = slot;
}

/* -- At the end --------------------------------------------------------------------------- */

static bool sim_slot_is_known(const struct sim_graph *graph)
{
	if (graph->has_unknown_slots || !graph->root.concurrency || sim_is_hurried(graph) ||
		sim_model.has_pause || sim_model.requests_max != UINT32_MAX ||
		sim_model.requests_per_origin_max != UINT32_MAX)
		return false;
	for (unsigned i = 0; i < graph->n_nodes; i++) {
		if (graph->nodes[i]->concurrency)
			return false;
	}
	for (const struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		if (resource->n_replays > 0)
			return false;
	}
	return true;
}

static unsigned sim_slots_at(const struct sim_graph *graph, uint64_t at_us)
{
	unsigned n = 0;

	for (const struct sim_slot *slot = graph->slots; slot; slot = slot->next)
		n += slot->taken_us <= at_us + SIM_ROUNDING_US && slot->free_us > at_us;
	return n;
}

static void sim_slot_check_room(
	const struct sim_graph *graph, const struct sim_slot *waiting, uint64_t at_us)
{
	if (at_us < waiting->ready_us || at_us + SIM_ROUNDING_US >= waiting->taken_us)
		return;
	if (sim_slots_at(graph, at_us) < graph->root.concurrency)
		sim_fail("%s waited for a slot from %llu to %llu us, and at %llu there was room",
			waiting->job->id, (unsigned long long)waiting->ready_us,
			(unsigned long long)waiting->taken_us, (unsigned long long)at_us);
}

static int sim_slot_priority(const struct sim_slot *slot)
{
	const struct sim_node *node = slot->job->node;

	if (node->priority >= 0)
		return node->priority;
	return node->graph->priority >= 0 ? node->graph->priority : SIM_PRIORITY;
}

static void sim_slot_check_order(const struct sim_slot *first, const struct sim_slot *second)
{
	if (sim_slot_priority(first) <= sim_slot_priority(second))
		return;
	if (first->ready_us + SIM_ROUNDING_US < second->taken_us &&
		second->taken_us + SIM_ROUNDING_US < first->taken_us)
		sim_fail("%s, ready after %llu us, waited behind %s of lower priority",
			first->job->id, (unsigned long long)first->ready_us, second->job->id);
}

void sim_slot_check(const struct sim_graph *graph)
{
	if (!sim_slot_is_known(graph))
		return;
	for (struct sim_slot *slot = graph->slots; slot; slot = slot->next)
		slot->free_us = sim_graph_us(graph, sim_slot_free_ns(slot->try));
	for (const struct sim_slot *slot = graph->slots; slot; slot = slot->next) {
		if (slot->taken_us <= slot->ready_us + SIM_ROUNDING_US)
			continue;
		sim_slot_check_room(graph, slot, slot->ready_us);
		for (const struct sim_slot *other = graph->slots; other; other = other->next) {
			sim_slot_check_room(graph, slot, other->free_us);
			sim_slot_check_order(slot, other);
		}
	}
}
