/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * References by the book (settled-graph(5), "References"): what the records said of the jobs they
 * name is all that is known here.
 */

#include "sim_graph.h"

/* Who refers, and of which of its node's dependencies (bits) nothing is known yet. */
struct sim_view {
	const struct sim_instance *instance;
	unsigned hidden;
};

struct sim_value {
	/* FAULT_NONE: there is one. */
	enum fault_code why;
	/* As text; as JSON. */
	struct text text;
	const char *json;
	/* The value, where it is one of a body's, the input's or an item's. */
	yyjson_val *value;
};

/* A reference as it stands between braces. */
struct sim_reference {
	/* "id#/pointer", "id.status", "item". */
	struct text target;
	bool has_default, is_raw;
	struct text otherwise;
};

/* The next one in a template: its length in all with what stands before it in *ret_literal.
 * SIZE_MAX: there is none, and the literal is the rest. */
size_t sim_reference_next(
	const char *template, struct text *ret_literal, struct sim_reference *ret_reference);

/* What it stands for, its default included. */
struct sim_value sim_value_of(const struct sim_view *view, const struct sim_reference *reference);

/* The instance's body as JSON, or NULL. */
yyjson_val *sim_value_json(struct sim_instance *instance);

/* A group's body, once it is settled; data NULL: it has none. */
struct text sim_value_of_group(const struct sim_instance *group);
