/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_graph.h"
#include "sim_world.h"
#include "util/panic.h"

/*
 * The tree of instances: what is in no fan-out is made with the graph, the rest when the items of
 * the fan-outs around it are known.
 */

static void sim_instance_name(struct sim_instance *instance)
{
	unsigned items[SIM_DEPTH_MAX];
	unsigned n_items = 0;
	int at = snprintf(instance->id, sizeof(instance->id), "%s", instance->node->id);

	for (const struct sim_instance *i = instance; i->parent; i = i->parent) {
		if (sim_instance_is_item(i))
			items[n_items++] = i->place;
	}
	while (n_items > 0)
		at += snprintf(instance->id + at, sizeof(instance->id) - (size_t)at, "[%u]",
			items[--n_items]);
}

static struct sim_instance *sim_instance_new(struct sim_node *node, struct sim_instance *parent)
{
	struct sim_instance *instance = sim_alloc(sizeof(*instance));

	instance->graph = node->graph;
	instance->node = node;
	instance->parent = parent;
	instance->place = node->place;
	instance->role = node->is_group ? SIM_GROUP : SIM_LEAF;
	if (node->fan && parent->role != SIM_EACH)
		instance->role = SIM_EACH;
	return instance;
}

/* The children of a group, and theirs. */
static void sim_tree_fill(struct sim_instance *top)
{
	for (struct sim_instance *i = top; i; i = sim_tree_next(top, i)) {
		sim_instance_name(i);
		if (i->role != SIM_GROUP)
			continue;
		i->n_children = i->node->n_children;
		i->children = sim_alloc((i->n_children + 1) * sizeof(*i->children));
		for (unsigned n = 0; n < i->n_children; n++)
			i->children[n] = sim_instance_new(i->node->children[n], i);
		i->is_expanded = true;
	}
}

void sim_tree_begin(struct sim_graph *graph)
{
	graph->top = sim_instance_new(&graph->root, NULL);
	graph->top->has_begun = true;
	sim_tree_fill(graph->top);
}

void sim_tree_expand(struct sim_instance *each, yyjson_val *items)
{
	expect(each->role == SIM_EACH && !each->is_expanded);
	each->is_expanded = true;
	each->n_children = (unsigned)yyjson_arr_size(items);
	each->children = sim_alloc((each->n_children + 1) * sizeof(*each->children));
	for (unsigned n = 0; n < each->n_children; n++) {
		struct sim_instance *child = sim_instance_new(each->node, each);

		child->place = n;
		child->item = yyjson_arr_get(items, n);
		each->children[n] = child;
		sim_tree_fill(child);
	}
}

struct sim_instance *sim_tree_next(
	const struct sim_instance *top, const struct sim_instance *instance)
{
	if (instance->n_children > 0)
		return instance->children[0];
	while (instance != top) {
		const struct sim_instance *parent = instance->parent;

		if (instance->place + 1 < parent->n_children)
			return parent->children[instance->place + 1];
		instance = parent;
	}
	return NULL;
}

bool sim_tree_is_below(const struct sim_instance *instance, const struct sim_instance *top)
{
	while (instance && instance != top)
		instance = instance->parent;
	return instance == top;
}

const struct sim_instance *sim_tree_item(const struct sim_instance *instance)
{
	while (instance && !sim_instance_is_item(instance))
		instance = instance->parent;
	return instance;
}

/* From the graph down to the node: its length. */
static unsigned sim_node_path(
	const struct sim_node *node, const struct sim_node *path[SIM_DEPTH_MAX + 1])
{
	const struct sim_node *up[SIM_DEPTH_MAX + 1];
	unsigned n = 0;

	for (; node->parent; node = node->parent)
		up[n++] = node;
	for (unsigned i = 0; i < n; i++)
		path[i] = up[n - 1 - i];
	return n;
}

static const struct sim_node *sim_node_find(const struct sim_graph *graph, struct text id)
{
	for (unsigned i = 0; i < graph->n_nodes; i++) {
		if (text_is(id, graph->nodes[i]->id))
			return graph->nodes[i];
	}
	return NULL;
}

struct sim_instance *sim_tree_find(struct sim_graph *graph, const char *id)
{
	const struct sim_node *path[SIM_DEPTH_MAX + 1];
	const char *items = id + strcspn(id, "[");
	const struct sim_node *node = sim_node_find(graph, (struct text){id, (size_t)(items - id)});
	struct sim_instance *at = graph->top;
	unsigned n = node ? sim_node_path(node, path) : 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned long place;
		char *end;

		at = at->children[path[i]->place];
		if (at->role != SIM_EACH || (i + 1 == n && *items == 0))
			continue;
		if (*items != '[')
			return NULL;
		sim_tree_reach(at);
		place = strtoul(items + 1, &end, 10);
		if (end == items + 1 || *end != ']' || place >= at->n_children)
			return NULL;
		items = end + 1;
		at = at->children[place];
	}
	return n > 0 && *items == 0 ? at : NULL;
}

struct sim_instance *sim_tree_see(const struct sim_instance *instance, const struct sim_node *node)
{
	const struct sim_node *path[SIM_DEPTH_MAX + 1];
	unsigned n = sim_node_path(node, path), level = 0;
	const struct sim_instance *at = instance;
	struct sim_instance *seen;

	/* The innermost one around this that the node is in. */
	for (;; at = at->parent) {
		if (at->role != SIM_GROUP)
			continue;
		for (level = n; level > 0 && path[level - 1] != at->node; level--)
			;
		if (level > 0 || !at->parent)
			break;
	}
	seen = at->children[path[level]->place];
	for (unsigned i = level + 1; i < n; i++) {
		expect(seen->role == SIM_GROUP);
		seen = seen->children[path[i]->place];
	}
	return seen;
}
