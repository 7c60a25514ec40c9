/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_graph.h"
#include "sim_put.h"
#include "sim_world.h"
#include "util/container.h"

/*
 * What a job depends on is drawn first, then where each reference is to stand; for what finds no
 * place there is `after`.
 */

#define SIM_CANDIDATES_MAX 64

enum sim_place {
	SIM_IN_PATH,
	SIM_IN_QUERY,
	SIM_IN_FIELD,
	SIM_IN_HEADER,
	/* A whole string of the body, and a part of one. */
	SIM_IN_BODY,
	SIM_IN_BODY_TEXT,
	SIM_IN_WHEN,
	SIM_IN_URL,
	SIM_PLACES,
};

/* -- Who may be referred to ------------------------------------------------------------------ */

struct sim_candidates {
	struct sim_node *nodes[SIM_CANDIDATES_MAX];
	unsigned n;
};

/* A node, and what is in it, as far as that can be seen from outside. */
static void sim_candidates_add(struct sim_candidates *candidates, struct sim_node *top)
{
	unsigned done = candidates->n;

	if (candidates->n < SIM_CANDIDATES_MAX)
		candidates->nodes[candidates->n++] = top;
	for (; done < candidates->n; done++) {
		struct sim_node *node = candidates->nodes[done];

		for (unsigned i = 0; i < node->n_children && !node->fan; i++) {
			if (candidates->n < SIM_CANDIDATES_MAX)
				candidates->nodes[candidates->n++] = node->children[i];
		}
	}
}

/* All that is ranked below the node, or below what it is in. */
static void sim_candidates_find(struct sim_candidates *candidates, const struct sim_node *node)
{
	for (; node->parent; node = node->parent) {
		const struct sim_node *parent = node->parent;
		unsigned from = (unsigned)sim_below(parent->n_children);

		for (unsigned i = 0; i < parent->n_children; i++) {
			struct sim_node *other = parent->children[(from + i) % parent->n_children];

			if (other->rank < node->rank)
				sim_candidates_add(candidates, other);
		}
	}
}

static bool sim_node_depends(struct sim_node *node, struct sim_node *dep)
{
	for (unsigned i = 0; i < node->n_deps; i++) {
		if (node->deps[i] == dep)
			return false;
	}
	if (node->n_deps == SIM_DEPS_MAX)
		return false;
	node->deps[node->n_deps++] = dep;
	return true;
}

/* -- Where it is to stand -------------------------------------------------------------------- */

struct sim_places {
	/* Without braces; NULL: nothing there. */
	const char *targets[SIM_PLACES];
};

static bool sim_place_suits(const struct sim_node *node, const struct sim_places *places,
	enum sim_place place, const char *target)
{
	bool is_link = strstr(target, "#/link") != NULL;

	if (places->targets[place])
		return false;
	/* A URL that is a reference has no other parts. */
	if (place == SIM_IN_URL)
		return is_link && !node->is_group && !node->label->has_body &&
		       !places->targets[SIM_IN_PATH] && !places->targets[SIM_IN_QUERY];
	if (places->targets[SIM_IN_URL] && (place == SIM_IN_PATH || place == SIM_IN_QUERY))
		return false;
	if (is_link)
		return false;
	if (place == SIM_IN_WHEN)
		return sim_may(SIM_FEATURE_WHEN);
	if (node->is_group)
		return false;
	if (place == SIM_IN_BODY || place == SIM_IN_BODY_TEXT)
		return node->label->has_body && !node->source;
	return true;
}

static bool sim_place_draw(struct sim_node *node, struct sim_places *places, const char *target)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		enum sim_place place = (enum sim_place)sim_below(SIM_PLACES);

		if (!sim_place_suits(node, places, place, target))
			continue;
		places->targets[place] = target;
		return true;
	}
	return false;
}

/* In braces; `otherwise` where there is no reference. */
static const char *sim_braces(
	const struct sim_node *node, const char *target, const char *otherwise, bool may_be_raw)
{
	const char *space = sim_chance(300) ? " " : "";
	bool has_default = sim_chance(400) || node->needs == SIM_NEEDS_ANY;
	const char *text = sim_chance(800) ? "dflt" : "[1,2]";

	if (!target)
		return otherwise;
	return sim_format("{{%s%s%s%s%s%s}}", space, target, has_default ? " ?? " : "",
		has_default ? text : "",
		may_be_raw && !has_default && sim_chance(100) ? " | raw" : "", space);
}

/* Only what is safe in a URL as it stands. */
static bool sim_target_is_tame(const char *target)
{
	return target && (strstr(target, "/k") || strstr(target, "/n") || strstr(target, "/m") ||
				 strstr(target, ".status"));
}

/* -- A leaf's templates ---------------------------------------------------------------------- */

static const struct sim_fan *sim_node_fan(const struct sim_node *node)
{
	while (node && !node->fan)
		node = node->parent;
	return node ? node->fan : NULL;
}

static void sim_leaf_write_url(struct sim_node *leaf, const struct sim_places *places)
{
	const struct sim_origin *origin = leaf->label->origin;
	const struct sim_fan *fan = sim_node_fan(leaf);
	const char *item = fan && sim_chance(850) ? sim_format("/{{%s}}", sim_draw_item(fan)) : "";
	const char *path = places->targets[SIM_IN_PATH], *query = places->targets[SIM_IN_QUERY];
	bool is_plain = leaf->label->n_nodes > 1 && !path && !query;
	const char *port = "";

	if (places->targets[SIM_IN_URL]) {
		leaf->url = sim_format("{{%s}}", places->targets[SIM_IN_URL]);
		leaf->label = &leaf->graph->labels[0];
		return;
	}
	if (strcmp(origin->authority, origin->host) == 0 && sim_chance(250))
		port = sim_format(":%u", origin->port);
	leaf->url = sim_format("%s%s/%u.%u%s/%s%s%s", origin->base, port, leaf->graph->key,
		leaf->label->number, item, sim_braces(leaf, path, "p", sim_target_is_tame(path)),
		is_plain ? "" : "?q=",
		is_plain ? "" : sim_braces(leaf, query, "q", sim_target_is_tame(query)));
}

static void sim_leaf_write_fields(struct sim_node *leaf, const struct sim_places *places)
{
	const char *target = places->targets[SIM_IN_FIELD];
	bool has_field = target || (leaf->label->n_nodes == 1 && sim_chance(150));

	if (!has_field)
		return;
	leaf->query[0] = (struct sim_field){
		"f g", sim_format("\"<%s>\"", sim_braces(leaf, target, "f", false))};
	leaf->query[1] = (struct sim_field){"h", "[1,true,\"a&b=c\",2.50]"};
	leaf->n_query = (unsigned)sim_between(1, 2);
}

static void sim_leaf_write_body(struct sim_node *leaf, const struct sim_places *places)
{
	const char *whole = sim_braces(leaf, places->targets[SIM_IN_BODY], "j", false);
	const char *part = sim_braces(leaf, places->targets[SIM_IN_BODY_TEXT], "t", false);
	struct sim_bytes out = {0};
	size_t padding = sim_chance(100) ? (size_t)sim_below(100000) : 0;

	if (!leaf->label->has_body)
		return;
	if (leaf->source) {
		leaf->body = SIM_FORM_FILE;
		return;
	}
	leaf->body = sim_chance(700) ? SIM_FORM_JSON
				     : (enum sim_form)sim_between(SIM_FORM_FORM, SIM_FORM_TEXT);
	switch (leaf->body) {
	case SIM_FORM_FILE:
	case SIM_FORM_NONE: break;
	case SIM_FORM_JSON:
		sim_put(&out, "{\"v\":%s,\"t\":\"[%s]\",\"p\":\"", sim_format("\"%s\"", whole),
			part);
		while (padding-- > 0)
			sim_bytes_append(&out, "p", 1);
		sim_put(&out, "\"}");
		leaf->json = sim_put_end(&out);
		break;
	case SIM_FORM_FORM:
		leaf->form[0] = (struct sim_field){"a b", sim_format("\"%s\"", whole)};
		leaf->form[1] =
			(struct sim_field){"c", sim_format("[false,\"1 2\",\"%s~\"]", part)};
		leaf->n_form = 2;
		break;
	case SIM_FORM_TEXT: leaf->text = sim_format("%s, %s.", whole, part); break;
	}
}

static void sim_leaf_write(struct sim_node *leaf, const struct sim_places *places)
{
	const char *header = places->targets[SIM_IN_HEADER];

	sim_leaf_write_url(leaf, places);
	sim_leaf_write_fields(leaf, places);
	if (header || (leaf->label->n_nodes == 1 && sim_chance(200)))
		leaf->header = sim_format("<%s>", sim_braces(leaf, header, "h", false));
	sim_leaf_write_body(leaf, places);
}

/* -- Items ----------------------------------------------------------------------------------- */

static const char *const literals[] = {"[]", "[7]", "[1,2,3]", "[\"a\",\"b\",\"c d\",\"e/f\"]",
	"[10,20,30,40,50,60]", "[1,1,2,1]"};

static const char *const objects[] = {
	"[{\"u\":\"x\",\"sub\":[1,2],\"v\":3},{\"u\":\"y\",\"sub\":[3],\"v\":5}]",
	"[{\"u\":1,\"sub\":[],\"v\":0},{\"u\":2,\"sub\":[4,5,6],\"v\":4},{\"u\":3,\"sub\":[7]}]",
};

/* A job whose body has arrays. */
static struct sim_node *sim_fan_draw_source(const struct sim_candidates *candidates)
{
	for (unsigned tries = 0; tries < 6 && candidates->n > 0; tries++) {
		struct sim_node *source = candidates->nodes[sim_below(candidates->n)];

		/* Its body may not be referred to. */
		if (sim_node_is_closed(source))
			continue;
		if (source->fan && source->fan->mode < SIM_ANY && !sim_node_has_bytes(source))
			return source;
		if (!source->is_group && !source->fan && source->label->content == SIM_JSON &&
			strcmp(source->label->method, "HEAD") != 0)
			return source;
	}
	return NULL;
}

static const char *sim_fan_draw_reference(struct sim_fan *fan, const struct sim_node *source)
{
	const char *suffix = "#/ids";

	if (source->fan) {
		fan->items = SIM_ITEMS_BODIES;
		return source->id;
	}
	if (sim_chance(350)) {
		fan->items = SIM_ITEMS_OBJECTS;
		suffix = "#/objs";
	} else if (sim_chance(60)) {
		static const char *const bad[] = {"#/k", "#/nothing", "#/none", "#/z"};

		suffix = bad[sim_below(countof(bad))];
	}
	return sim_format("%s%s", source->id, suffix);
}

static void sim_fan_draw_items(struct sim_node *node, const struct sim_candidates *candidates)
{
	struct sim_fan *fan = node->fan;
	const struct sim_fan *outer = sim_node_fan(node->parent);
	struct sim_node *source = sim_fan_draw_source(candidates);
	const char *target = NULL;

	if (outer && outer->items == SIM_ITEMS_OBJECTS && sim_chance(500)) {
		target = "item#/sub";
	} else if (source && sim_chance(650)) {
		target = sim_fan_draw_reference(fan, source);
		sim_node_depends(node, source);
	} else if (node->graph->input && sim_chance(200)) {
		target = "input#/list";
	}
	if (target && (sim_chance(900) || fan->items != SIM_ITEMS_PLAIN)) {
		fan->in = sim_format("\"{{%s%s}}\"", target, sim_chance(150) ? " ?? [1,2]" : "");
	} else if (target) {
		fan->in = sim_format("[\"{{%s}}\",\"b\",{\"c\":\"<{{%s}}>\"}]", target, target);
	} else if (sim_chance(300)) {
		fan->items = SIM_ITEMS_OBJECTS;
		fan->in = objects[sim_below(countof(objects))];
	} else {
		fan->in = literals[sim_below(countof(literals))];
	}
}

/* -- A node ---------------------------------------------------------------------------------- */

/* What depends on nothing needs nothing of it. */
static void sim_draw_needs(struct sim_node *node)
{
	uint64_t n = sim_below(1000);

	if (n < 200)
		node->needs = SIM_NEEDS_SETTLED;
	else if (n < 270 && sim_may(SIM_FEATURE_NEEDS))
		node->needs = SIM_NEEDS_REJECTED;
	else if (n < 350 && sim_may(SIM_FEATURE_NEEDS))
		node->needs = SIM_NEEDS_ANY;
}

static void sim_draw_otherwise(struct sim_node *node)
{
	static const char *const bodies[] = {
		"null",
		"{\"k\":0,\"ids\":[1,2],\"p\":\"pro\"}",
		"\"other wise\"",
		"[]",
		"false",
	};

	if (node->when && sim_chance(600))
		node->otherwise = bodies[sim_below(countof(bodies))];
	if (sim_chance(150) && sim_may(SIM_FEATURE_FALLBACK))
		node->fallback = bodies[sim_below(countof(bodies))];
}

void sim_draw_references(struct sim_node *node, unsigned density)
{
	struct sim_candidates candidates = {.n = 0};
	struct sim_places places = {{NULL}};
	const struct sim_fan *fan = sim_node_fan(node);

	sim_candidates_find(&candidates, node);
	sim_draw_needs(node);
	if (node->fan)
		sim_fan_draw_items(node, &candidates);
	/* What the items are is not to depend on what came first in one turn. */
	if (node->fan && node->needs == SIM_NEEDS_ANY)
		node->needs = SIM_NEEDS_SETTLED;
	while (candidates.n > 0 && node->n_deps < SIM_DEPS_MAX && sim_chance(density)) {
		struct sim_node *dep = candidates.nodes[sim_below(candidates.n)];
		const char *target = sim_draw_target(dep);

		if (!sim_node_depends(node, dep))
			break;
		if (sim_chance(250) || !sim_place_draw(node, &places, target))
			node->is_after[node->n_deps - 1] = true;
	}
	if (fan && sim_chance(200))
		sim_place_draw(node, &places, sim_draw_item(fan));
	if (node->graph->input && sim_chance(150))
		sim_place_draw(node, &places, sim_draw_input());
	if (node->n_deps == 0)
		node->needs = SIM_NEEDS_FULFILLED;
	/* The next attempt, or hop, would ask for something else, where more is known by then. */
	if (node->needs == SIM_NEEDS_ANY)
		node->retry = (struct sim_retry){0};
	if (node->needs == SIM_NEEDS_ANY && !node->is_group)
		node->label->moves = 0;
	if (places.targets[SIM_IN_WHEN])
		node->when = sim_draw_condition(places.targets[SIM_IN_WHEN]);
	sim_draw_otherwise(node);
	if (!node->is_group)
		sim_leaf_write(node, &places);
}

/* -- `return` -------------------------------------------------------------------------------- */

const char *sim_draw_result(struct sim_graph *graph)
{
	struct sim_candidates candidates = {.n = 0};
	struct sim_bytes out = {0};
	uint64_t n = sim_between(1, 3);

	for (unsigned i = 0; i < graph->root.n_children; i++)
		sim_candidates_add(&candidates, graph->root.children[i]);
	if (candidates.n == 0)
		return "{\"nothing\":[]}";
	sim_put(&out, "{\"a\":[1.50,{\"b\":null}]");
	for (uint64_t i = 0; i < n; i++) {
		const struct sim_node *node = candidates.nodes[sim_below(candidates.n)];

		sim_put(&out, ",\"r%u\":\"{{%s%s}}\"", (unsigned)i, sim_draw_target(node),
			sim_chance(200) ? " ?? 7" : "");
	}
	sim_put(&out, "}");
	return sim_put_end(&out);
}
