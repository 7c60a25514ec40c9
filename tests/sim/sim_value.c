/* SPDX-License-Identifier: MIT */
#include "sim_value.h"

#include <stdlib.h>
#include <string.h>

#include "sim_json.h"
#include "sim_put.h"
#include "sim_world.h"

yyjson_val *sim_value_json(struct sim_instance *instance)
{
	if (!instance->is_json_read && instance->body.data)
		instance->json = sim_json_read(instance->body.data, instance->body.size);
	instance->is_json_read = true;
	return instance->json;
}

/* -- Cutting ------------------------------------------------------------------------------ */

static struct text sim_trim(const char *from, const char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	return (struct text){from, (size_t)(to - from)};
}

size_t sim_reference_next(
	const char *template, struct text *ret_literal, struct sim_reference *ret_reference)
{
	const char *open = strstr(template, "{{"), *close, *bar, *marks, *stop;

	if (!open) {
		*ret_literal = text_from(template);
		return SIZE_MAX;
	}
	*ret_literal = (struct text){template, (size_t)(open - template)};
	*ret_reference = (struct sim_reference){0};
	close = strstr(open, "}}");
	stop = close;
	bar = memmem(open, (size_t)(stop - open), "| raw", 5);
	if (bar) {
		ret_reference->is_raw = true;
		stop = bar;
	}
	marks = memmem(open, (size_t)(stop - open), "??", 2);
	if (marks) {
		ret_reference->has_default = true;
		ret_reference->otherwise = sim_trim(marks + 2, stop);
		stop = marks;
	}
	ret_reference->target = sim_trim(open + 2, stop);
	return (size_t)(close + 2 - template);
}

/* -- Values ------------------------------------------------------------------------------- */

static struct sim_value sim_missing(enum fault_code why)
{
	return (struct sim_value){.why = why};
}

static struct sim_value sim_of_json(yyjson_val *value)
{
	if (!value)
		return sim_missing(FAULT_REF_MISSING);
	return (struct sim_value){
		.text = sim_json_text(value), .json = sim_json_write(value), .value = value};
}

static struct sim_value sim_of_text(const char *text)
{
	return (struct sim_value){.text = text_from(text), .json = sim_json_quote(text_from(text))};
}

/* "#/a%20b" without its "#", decoded. */
static const char *sim_pointer(struct text suffix)
{
	char *pointer = sim_copy(suffix.data + 1, suffix.size - 1), *to = pointer;

	for (const char *from = pointer; *from; from++) {
		if (*from == '%') {
			char digits[3] = {from[1], from[2], 0};

			*to++ = (char)strtoul(digits, NULL, 16);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
	return pointer;
}

/* The value, or what a pointer into it leads to. */
static struct sim_value sim_of_pointed(yyjson_val *root, struct text suffix)
{
	if (suffix.size == 0 || !root)
		return sim_of_json(root);
	return sim_of_json(sim_json_at(root, sim_pointer(suffix)));
}

static struct sim_value sim_of_body(struct sim_instance *job, struct text suffix)
{
	yyjson_val *json;

	if (!job->body.data)
		return sim_missing(FAULT_REF_MISSING);
	json = sim_value_json(job);
	if (suffix.size > 0)
		return json ? sim_of_pointed(json, suffix) : sim_missing(FAULT_REF_NOT_JSON);
	return (struct sim_value){.text = json && job->is_value ? sim_json_text(json) : job->body,
		.json = json ? sim_json_write(json) : sim_json_quote(job->body),
		.value = json};
}

static struct sim_value sim_of_status(const struct sim_instance *job)
{
	const char *digits = sim_format("%u", job->status);

	if (!job->status)
		return sim_missing(FAULT_REF_MISSING);
	return (struct sim_value){.text = text_from(digits),
		.json = digits,
		.value = sim_json_read(digits, strlen(digits))};
}

static struct sim_value sim_of_job(struct sim_instance *job, struct text suffix)
{
	if (suffix.size == 0 || suffix.data[0] == '#')
		return sim_of_body(job, suffix);
	if (text_is(suffix, ".outcome"))
		return sim_of_text(job->is_rejected ? "rejected" : "fulfilled");
	if (text_is(suffix, ".code"))
		return sim_of_text(job->is_rejected ? fault_name(job->code) : "");
	if (text_is(suffix, ".status"))
		return sim_of_status(job);
	if (job->status && text_is(suffix, ".url"))
		return sim_of_text(job->url);
	if (job->status && text_is(suffix, ".headers.x-k"))
		return sim_of_text(sim_format("%u", job->key));
	return sim_missing(FAULT_REF_MISSING);
}

static bool sim_view_hides(const struct sim_view *view, const struct sim_node *node)
{
	const struct sim_node *own = view->instance->node;

	for (unsigned i = 0; i < own->n_deps; i++) {
		if (own->deps[i] == node && (view->hidden >> i) & 1)
			return true;
	}
	return false;
}

static struct sim_node *sim_value_node(const struct sim_graph *graph, struct text id)
{
	for (unsigned i = 0; i < graph->n_nodes; i++) {
		if (text_is(id, graph->nodes[i]->id))
			return graph->nodes[i];
	}
	sim_fail("the simulator refers to %.*s", TEXT_ARGS(id));
}

static struct sim_value sim_value_raw(const struct sim_view *view, struct text target)
{
	const struct sim_graph *graph = view->instance->graph;
	const struct sim_instance *item = sim_tree_item(view->instance);
	size_t size = 0;
	struct text id, suffix;
	struct sim_instance *job;
	struct sim_node *node;

	while (size < target.size && target.data[size] != '#' && target.data[size] != '.')
		size++;
	id = (struct text){target.data, size};
	suffix = text_from_at(target, size);
	if (text_is(id, "input"))
		return sim_of_pointed(graph->input_json, suffix);
	if (text_is(id, "item"))
		return sim_of_pointed(item->item, suffix);
	if (text_is(id, "index")) {
		const char *digits = sim_format("%u", item->place);

		return sim_of_json(sim_json_read(digits, strlen(digits)));
	}
	node = sim_value_node(graph, id);
	job = sim_tree_see(view->instance, node);
	if (!job->is_settled || sim_view_hides(view, node))
		return sim_missing(FAULT_REF_MISSING);
	return sim_of_job(job, suffix);
}

struct sim_value sim_value_of(const struct sim_view *view, const struct sim_reference *reference)
{
	struct sim_value value = sim_value_raw(view, reference->target);
	struct text otherwise = reference->otherwise;

	if (value.why == FAULT_NONE || !reference->has_default)
		return value;
	value = (struct sim_value){.text = otherwise};
	value.value = sim_json_read(otherwise.data, otherwise.size);
	value.json = value.value ? sim_json_write(value.value) : sim_json_quote(otherwise);
	return value;
}

/* -- Groups ------------------------------------------------------------------------------- */

/* As it stands in the body of what it is in. */
static void sim_put_body(struct sim_bytes *out, struct sim_instance *child)
{
	yyjson_val *json = sim_value_json(child);

	if (child->is_rejected || !child->body.data)
		sim_put(out, "null");
	else if (json)
		sim_put_text(out, text_from(sim_json_write(json)));
	else
		sim_put_text(out, text_from(sim_json_quote(child->body)));
}

struct text sim_value_of_group(const struct sim_instance *group)
{
	bool is_each = group->role == SIM_EACH;
	struct sim_bytes out = {0};

	if (sim_instance_mode(group) >= SIM_ANY)
		return group->decider ? group->decider->body : (struct text){NULL, 0};
	sim_put(&out, is_each ? "[" : "{");
	for (unsigned i = 0; i < group->n_children; i++) {
		struct sim_instance *child = group->children[i];

		sim_put(&out, "%s", i ? "," : "");
		if (!is_each)
			sim_put(&out, "\"%s\":", child->node->id);
		sim_put_body(&out, child);
	}
	sim_put(&out, is_each ? "]" : "}");
	sim_put_end(&out);
	return (struct text){out.data + out.start, out.size};
}
