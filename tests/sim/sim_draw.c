/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "sim_graph.h"
#include "sim_json.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * A graph is a random tree of jobs and groups. The children of a group are ranked, and a job may
 * depend on what is in siblings of lower rank (its own, or those of what it is in): so there are
 * no cycles. The document lists them in another order.
 */

#define SIM_JOBS_FEW  10
#define SIM_JOBS_SOME 36
#define SIM_JOBS_MANY 300
#define SIM_BELOW_MAX 6

/* -- The tree ----------------------------------------------------------------------------- */

static unsigned sim_node_depth(const struct sim_node *node)
{
	unsigned depth = 0;

	while ((node = node->parent))
		depth++;
	return depth;
}

static unsigned sim_node_fans(const struct sim_node *node)
{
	unsigned n = 0;

	for (; node; node = node->parent)
		n += node->fan != NULL;
	return n;
}

static bool sim_node_is_in(const struct sim_node *node, const struct sim_node *group)
{
	while (node && node != group)
		node = node->parent;
	return node == group;
}

static struct sim_node *sim_node_new(struct sim_node *parent)
{
	struct sim_node *node = sim_alloc(sizeof(*node));

	node->graph = parent->graph;
	node->parent = parent;
	node->priority = -1;
	node->place = parent->n_children;
	parent->children[parent->n_children++] = node;
	return node;
}

/* Which may depend on which: a random order of the children. */
static void sim_draw_ranks(struct sim_node *group)
{
	for (unsigned i = 0; i < group->n_children; i++) {
		unsigned other = (unsigned)sim_below(i + 1);

		group->children[i]->rank = i;
		if (other < i) {
			group->children[i]->rank = group->children[other]->rank;
			group->children[other]->rank = i;
		}
	}
}

static enum sim_mode sim_draw_mode(unsigned all)
{
	enum sim_mode mode = sim_chance(all) ? SIM_ALL : SIM_SETTLED;
	bool other = sim_chance(250);

	return other && sim_may(SIM_FEATURE_MODES) ? (enum sim_mode)sim_between(SIM_ANY, SIM_RACE)
						   : mode;
}

static void sim_draw_group(struct sim_node *group)
{
	group->is_group = true;
	group->is_array = sim_chance(250);
	group->mode = sim_draw_mode(250);
	group->concurrency = sim_chance(250) ? (uint32_t)sim_between(1, 4) : 0;
	group->is_optional = sim_chance(150);
	if (sim_chance(sim_world.profile.short_timeout / 2))
		group->timeout_ns = sim_between(1, 1500) * NS_PER_MS;
}

static void sim_draw_fan(struct sim_node *node)
{
	struct sim_fan *fan = sim_alloc(sizeof(*fan));

	node->fan = fan;
	fan->mode = sim_draw_mode(150);
	fan->window = sim_chance(500) ? (uint32_t)sim_between(1, 4) : 0;
	fan->items_max = sim_chance(100) ? (uint32_t)sim_between(1, 6) : 0;
	if (sim_chance(250)) {
		fan->batch_size = (uint32_t)sim_between(1, 4);
		fan->batch_delay_ns = sim_chance(600) ? sim_between(1, 300) * NS_PER_MS : 0;
	}
}

/* Children of a group, and of the groups among them. */
static void sim_draw_children(struct sim_node *top, unsigned n_children)
{
	struct sim_node *groups[64] = {top};
	unsigned counts[64] = {n_children}, n_groups = 1;

	for (unsigned g = 0; g < n_groups; g++) {
		struct sim_node *group = groups[g];
		bool may_nest = sim_node_depth(group) + 1 < SIM_DEPTH_MAX && n_children < 100;

		group->children = sim_alloc((counts[g] + 1) * sizeof(*group->children));
		for (unsigned i = 0; i < counts[g]; i++) {
			struct sim_node *node = sim_node_new(group);
			bool is_group = may_nest && sim_chance(180);
			bool has_fan = sim_node_fans(node) < 2 && sim_chance(150);

			if (has_fan && sim_may(SIM_FEATURE_EACH))
				sim_draw_fan(node);
			if (!is_group || !sim_may(SIM_FEATURE_GROUPS) ||
				n_groups == countof(groups))
				continue;
			sim_draw_group(node);
			/* Alone it would be the window. */
			if (node->fan && !node->fan->window)
				node->concurrency = 0;
			counts[n_groups] = sim_chance(node->mode == SIM_RACE ? 10 : 60)
						   ? 0
						   : (unsigned)sim_between(1, SIM_BELOW_MAX / 2);
			groups[n_groups++] = node;
		}
		sim_draw_ranks(group);
	}
}

/* -- Names -------------------------------------------------------------------------------- */

static struct sim_node *sim_node_next(struct sim_node *node)
{
	if (node->n_children > 0)
		return node->children[0];
	while (node->parent && node->place + 1 == node->parent->n_children)
		node = node->parent;
	return node->parent ? node->parent->children[node->place + 1] : NULL;
}

static void sim_graph_number(struct sim_graph *graph)
{
	unsigned n = 0;

	for (struct sim_node *node = &graph->root; node; node = sim_node_next(node))
		n++;
	graph->nodes = sim_alloc((n + 1) * sizeof(*graph->nodes));
	for (struct sim_node *node = sim_node_next(&graph->root); node;
		node = sim_node_next(node)) {
		node->number = graph->n_nodes;
		graph->nodes[graph->n_nodes++] = node;
		graph->n_leaves += !node->is_group;
		if (node->parent == &graph->root && graph->root.is_array)
			snprintf(node->id, sizeof(node->id), "%u", node->place);
		else
			snprintf(node->id, sizeof(node->id), "%s%u",
				node->is_group ? "group" : "job_", node->number);
	}
}

/* -- All of it ---------------------------------------------------------------------------- */

static unsigned sim_graph_draw_size(void)
{
	if (sim_chance(5))
		return SIM_JOBS_MANY;
	if (sim_chance(20))
		return 0;
	return (unsigned)sim_between(1, sim_chance(150) ? SIM_JOBS_SOME : SIM_JOBS_FEW);
}

/* A node inside of a fan-out that the first job is not in: it must not refer to it. */
static struct sim_node *sim_graph_find_hidden(const struct sim_graph *graph)
{
	for (unsigned i = 1; i < graph->n_nodes; i++) {
		struct sim_node *node = graph->nodes[i];
		const struct sim_node *fan = node->parent;

		while (fan && !fan->fan)
			fan = fan->parent;
		if (fan && fan != graph->nodes[0] && !sim_node_is_in(fan, graph->nodes[0]))
			return node;
	}
	return NULL;
}

static void sim_graph_draw_wrong(struct sim_graph *graph)
{
	static const enum fault_code wrongs[] = {
		FAULT_GRAPH_KEY,
		FAULT_GRAPH_CYCLE,
		FAULT_GRAPH_TYPE,
		FAULT_GRAPH_UNKNOWN_JOB,
		FAULT_GRAPH_VALUE,
	};

	if (graph->n_nodes > 0 && sim_chance(30))
		graph->wrong = wrongs[sim_below(countof(wrongs))];
	if (graph->wrong == FAULT_GRAPH_VALUE) {
		graph->hidden = sim_graph_find_hidden(graph);
		if (!graph->hidden)
			graph->wrong = FAULT_NONE;
	}
	for (unsigned i = 0; i < graph->n_nodes; i++) {
		const struct sim_node *node = graph->nodes[i];

		if (node->is_group && node->n_children == 0 && node->mode == SIM_RACE)
			graph->wrong = FAULT_GRAPH_EMPTY;
	}
	if (graph->n_nodes == 0 && graph->root.mode == SIM_RACE)
		graph->wrong = FAULT_GRAPH_EMPTY;
}

static void sim_graph_draw_root(struct sim_graph *graph)
{
	struct sim_node *root = &graph->root;

	root->graph = graph;
	root->is_group = true;
	root->mode = sim_draw_mode(350);
	root->is_array = sim_chance(250);
	root->concurrency = sim_chance(400) ? (uint32_t)sim_between(1, 8) : 0;
	if (sim_chance(sim_world.profile.short_timeout / 2))
		root->timeout_ns = sim_between(1, 1500) * NS_PER_MS;
	graph->priority = sim_chance(200) ? (int)sim_below(10) : -1;
	if (!sim_may(SIM_FEATURE_PRIORITY))
		graph->priority = -1;
	graph->input = sim_chance(400) ? "{\"p\":\"in put\",\"n\":17,\"raw\":\"a;b=1\","
					 "\"list\":[\"i0\",\"i1\",\"i2\"],\"z\":null}"
				       : NULL;
	if (graph->input)
		graph->input_json = sim_json_read(graph->input, strlen(graph->input));
}

struct sim_graph *sim_graph_draw(struct sim_client *client, uint64_t number)
{
	struct sim_graph *graph = sim_alloc(sizeof(*graph));
	unsigned density = (unsigned)sim_below(1000);

	graph->client = client;
	graph->number = number;
	graph->key = sim_model.n_graphs;
	sim_model.graphs[sim_model.n_graphs++] = graph;
	sim_graph_draw_root(graph);
	sim_draw_children(&graph->root, sim_graph_draw_size());
	sim_graph_number(graph);
	graph->labels = sim_alloc((graph->n_leaves + 1) * sizeof(*graph->labels));
	sim_draw_labels(graph);
	for (unsigned i = 0; i < graph->n_nodes; i++) {
		if (!graph->nodes[i]->is_group)
			sim_draw_leaf(graph->nodes[i]);
	}
	for (unsigned i = 0; i < graph->n_nodes; i++)
		sim_draw_references(graph->nodes[i], density);
	if (sim_chance(300))
		graph->result = sim_draw_result(graph);
	sim_graph_draw_wrong(graph);
	sim_write(graph);
	sim_tree_begin(graph);
	return graph;
}
