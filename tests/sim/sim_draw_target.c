/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_graph.h"
#include "sim_world.h"
#include "util/container.h"

/*
 * Where references lead: to what is there, most of the time.
 */

/* In every JSON body (sim_reply.c). */
static const char *const members[] = {"/k", "/k", "/k", "/s", "/s", "/n", "/z", "/o", "/b", "/p",
	"/m", "/ids", "/ids/0", "/objs", "/%6b"};

static const char *sim_draw_member(void)
{
	if (sim_chance(40))
		return "/o/nothing";
	return members[sim_below(countof(members))];
}

static const char *sim_draw_child(const struct sim_node *group)
{
	return group->children[sim_below(group->n_children)]->id;
}

bool sim_node_has_bytes(const struct sim_node *node)
{
	const struct sim_graph *graph = node->graph;

	for (unsigned i = node->number; i < graph->n_nodes; i++) {
		const struct sim_node *other = graph->nodes[i], *up = other;

		while (up && up != node)
			up = up->parent;
		if (up && !other->is_group && other->label->content == SIM_BYTES)
			return true;
	}
	return false;
}

const char *sim_draw_target(const struct sim_node *node)
{
	static const char *const outcomes[] = {".outcome", ".code", ".outcome"};
	static const char *const parts[] = {".status", ".headers.x-k", ".url", ".status"};
	enum sim_mode mode = node->fan ? node->fan->mode : node->mode;
	bool is_leaf = !node->is_group && !node->fan;

	if (sim_chance(150) || sim_node_has_bytes(node) || sim_node_is_closed(node))
		return sim_format("%s%s", node->id, outcomes[sim_below(countof(outcomes))]);
	if (is_leaf && node->label->content == SIM_JSON && sim_chance(30))
		return sim_format("%s#/link", node->id);
	if (sim_chance(is_leaf ? 250 : 20))
		return sim_format("%s%s", node->id, parts[sim_below(countof(parts))]);
	if (sim_chance(150))
		return node->id;
	if ((node->is_group || node->fan) && mode < SIM_ANY) {
		if (node->fan)
			return sim_format(
				"%s#/%u%s", node->id, (unsigned)sim_below(2), sim_draw_member());
		if (node->n_children > 0 && sim_chance(900))
			return sim_format(
				"%s#/%s%s", node->id, sim_draw_child(node), sim_draw_member());
		return node->id;
	}
	/* What is no JSON has no parts. */
	if (is_leaf && node->label->content != SIM_JSON && sim_chance(900))
		return sim_format("%s.outcome", node->id);
	return sim_format("%s#%s", node->id, sim_draw_member());
}

const char *sim_draw_item(const struct sim_fan *fan)
{
	if (sim_chance(150))
		return "index";
	switch (fan->items) {
	case SIM_ITEMS_PLAIN: return "item";
	case SIM_ITEMS_OBJECTS: return sim_chance(700) ? "item#/u" : "item#/v";
	case SIM_ITEMS_BODIES: return "item#/k";
	}
	return NULL;
}

const char *sim_draw_input(void)
{
	static const char *const parts[] = {
		"input#/p",
		"input#/n",
		"input#/z",
		"input#/list",
		"input#/list/1",
	};

	return parts[sim_below(countof(parts))];
}

/* -- Conditions --------------------------------------------------------------------------- */

/* What may be said of a reference; the operand first makes sense for the one, then another. */
static const char *sim_draw_operand(const char *target)
{
	static const char *const numbers[] = {"200", "4", "0", "17", "404", "9007199254740993"};
	static const char *const strings[] = {
		"\"fulfilled\"",
		"\"pro\"",
		"\"plain\"",
		"\"\"",
		"\"HTTP_STATUS\"",
		"\"i1\"",
	};
	bool is_number = strstr(target, ".status") || strstr(target, "/m") ||
			 strstr(target, "/n") || strstr(target, "/k") || strstr(target, "index");

	if (sim_chance(100))
		return sim_chance(500) ? "true" : "null";
	if (is_number != sim_chance(80))
		return numbers[sim_below(countof(numbers))];
	return strings[sim_below(countof(strings))];
}

static const char *sim_draw_operator(const char *target)
{
	static const char *const simple[] = {"eq", "ne", "lt", "le", "gt", "ge"};

	switch (sim_below(10)) {
	case 0: return sim_format("\"exists\":%s", sim_chance(700) ? "true" : "false");
	case 1:
		return sim_format(
			"\"in\":[%s,%s]", sim_draw_operand(target), sim_draw_operand(target));
	case 2: return sim_format("\"contains\":%s", sim_draw_operand(target));
	case 3: return sim_format("\"prefix\":\"%s\"", sim_chance(500) ? "p" : "ful");
	default: break;
	}
	/* Ordered are numbers and strings. */
	return sim_format("\"%s\":%s", simple[sim_below(countof(simple))],
		strstr(target, ".outcome") ? "\"fulfilled\"" : "4");
}

static const char *sim_draw_term(const char *target)
{
	if (sim_chance(300))
		return sim_format("{\"%s\":%s}", target, sim_draw_operand(target));
	if (sim_chance(300))
		return sim_format("{\"%s\":{%s,\"exists\":true}}", target,
			sim_format("\"ne\":%s", sim_draw_operand(target)));
	return sim_format("{\"%s\":{%s}}", target, sim_draw_operator(target));
}

const char *sim_draw_condition(const char *target)
{
	const char *term = sim_draw_term(target);

	if (sim_chance(150))
		return sim_format("{\"not\":%s}", term);
	if (sim_chance(150))
		return sim_format("{\"any\":[%s,%s]}", term, sim_draw_term(target));
	if (sim_chance(80))
		return sim_format(
			"{\"not\":{\"any\":[%s,{\"not\":%s}]}}", term, sim_draw_term(target));
	return term;
}
