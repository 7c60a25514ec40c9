/* SPDX-License-Identifier: MIT */
/*
 * For programs: one object, the nodes in the document's order. What a node does not have is left
 * out; "needs", "optional" and "dependencies" are always there.
 */
#include "client/cli/render/plan_private.h"

#include <errno.h>

#include "client/cli/render/why.h"
#include "client/cli/value.h"
#include "proto/json.h"

static void plan_json_id(struct buffer *out, const struct plan *plan, uint32_t at)
{
	json_append_string(out, plan->jobs[at].id);
}

static void plan_json_count(struct buffer *out, uint32_t n)
{
	if (n == PLAN_UNBOUNDED)
		buffer_append_literal(out, "\"unbounded\"");
	else
		buffer_append_u64(out, n);
}

static void plan_json_timeout(struct buffer *out, uint64_t ns)
{
	if (ns == PLAN_NEVER)
		buffer_append_literal(out, "null");
	else
		value_append_seconds(out, ns);
}

static void plan_json_dependency(struct buffer *out, const struct plan_view *view, uint32_t edge)
{
	bool is_first = true;

	buffer_append_literal(out, "{\"job\":");
	plan_json_id(out, view->plan, view->plan->dependencies[edge]);
	buffer_append_literal(out, ",\"by\":[");
	for (unsigned i = 0; i < WHY_BITS; i++) {
		if (!(view->reasons[edge] & 1u << i))
			continue;
		if (!is_first)
			buffer_append_byte(out, ',');
		is_first = false;
		json_append_string(out, text_from(why_name(i)));
	}
	buffer_append_literal(out, "]}");
}

static void plan_json_dependencies(
	struct buffer *out, const struct plan_view *view, const struct plan_job *job)
{
	buffer_append_literal(out, ",\"dependencies\":[");
	for (uint32_t i = 0; i < job->n_dependencies; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		plan_json_dependency(out, view, job->first_dependency + i);
	}
	buffer_append_byte(out, ']');
}

static void plan_json_each(struct buffer *out, const struct plan_each *each)
{
	buffer_append_literal(out, ",\"each\":{\"in\":");
	json_append_value(out, each->in);
	buffer_printf(out, ",\"mode\":\"%s\",\"concurrency\":", plan_view_mode(each->mode));
	plan_json_count(out, each->concurrency);
	buffer_printf(out, ",\"max\":%u", each->items_max);
	if (each->batch_size > 0) {
		buffer_printf(out, ",\"batch\":{\"size\":%u,\"delay\":", each->batch_size);
		value_append_seconds(out, each->batch_delay_ns);
		buffer_append_byte(out, '}');
	}
	buffer_append_byte(out, '}');
}

static void plan_json_group(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_group *group = plan_view_inner(plan, at)->spec->group;

	buffer_printf(out, ",\"group\":{\"jobs\":%u,\"mode\":\"%s\",\"concurrency\":",
		plan_view_leaves(plan, at), plan_view_mode(group->mode));
	plan_json_count(out, group->concurrency);
	buffer_append_literal(out, ",\"timeout\":");
	plan_json_timeout(out, group->timeout_ns);
	buffer_append_byte(out, '}');
}

static void plan_json_request(struct buffer *out, const struct plan_job *leaf)
{
	buffer_append_literal(out, ",\"method\":");
	json_append_string(out, plan_view_method(leaf->spec));
	buffer_append_literal(out, ",\"url\":");
	json_append_string(out, leaf->url);
	if (leaf->spec->retry && leaf->spec->retry->attempts > 1)
		buffer_printf(out, ",\"attempts\":%u", leaf->spec->retry->attempts);
}

static void plan_json_job(struct buffer *out, const struct plan_view *view, uint32_t at)
{
	const struct plan *plan = view->plan;
	const struct plan_job *job = &plan->jobs[at], *inner = plan_view_inner(plan, at);
	uint32_t parent = plan_view_parent(plan, at);

	buffer_append_literal(out, "{\"job\":");
	json_append_string(out, job->id);
	buffer_printf(out, ",\"index\":%u,\"level\":%u", job->index, view->levels[at]);
	if (parent != PLAN_NONE) {
		buffer_append_literal(out, ",\"parent\":");
		plan_json_id(out, plan, parent);
	}
	if (job->kind == PLAN_EACH)
		plan_json_each(out, job->spec->each);
	if (inner->kind == PLAN_GROUP)
		plan_json_group(out, plan, at);
	else
		plan_json_request(out, inner);
	if (inner->spec->when) {
		buffer_append_literal(out, ",\"when\":");
		json_append_value(out, inner->spec->when);
	}
	if (inner->spec->fallback) {
		buffer_append_literal(out, ",\"fallback\":");
		json_append_value(out, inner->spec->fallback);
	}
	buffer_printf(out, ",\"needs\":\"%s\",\"optional\":%s", plan_view_needs(job->spec->needs),
		inner->spec->optional ? "true" : "false");
	plan_json_dependencies(out, view, job);
	buffer_append_byte(out, '}');
}

static void plan_json_jobs(struct buffer *out, const struct plan_view *view)
{
	bool is_first = true;

	buffer_append_literal(out, ",\"jobs\":[");
	for (uint32_t i = 0; i < view->plan->n_jobs; i++) {
		if (plan_view_is_child(view->plan, i))
			continue;
		if (!is_first)
			buffer_append_byte(out, ',');
		is_first = false;
		plan_json_job(out, view, i);
	}
	buffer_append_byte(out, ']');
}

static void plan_json_ids(
	struct buffer *out, const struct plan *plan, const uint32_t *indices, uint32_t n)
{
	buffer_append_byte(out, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		plan_json_id(out, plan, indices[i]);
	}
	buffer_append_byte(out, ']');
}

static void plan_json_head(struct buffer *out, const struct plan *plan)
{
	buffer_append_byte(out, '{');
	if (plan->name.data) {
		buffer_append_literal(out, "\"graph\":");
		json_append_string(out, plan->name);
		buffer_append_byte(out, ',');
	}
	buffer_printf(out, "\"mode\":\"%s\",\"concurrency\":", plan_view_mode(plan->mode));
	plan_json_count(out, plan->concurrency);
	buffer_append_literal(out, ",\"timeout\":");
	plan_json_timeout(out, plan->timeout_ns);
}

static void plan_json_levels(struct buffer *out, const struct plan_view *view)
{
	buffer_append_literal(out, ",\"levels\":[");
	for (uint32_t level = 0; level < view->n_levels; level++) {
		if (level > 0)
			buffer_append_byte(out, ',');
		plan_json_ids(out, view->plan, view->order + view->starts[level],
			view->starts[level + 1] - view->starts[level]);
	}
	buffer_append_byte(out, ']');
}

static void plan_json_warnings(struct buffer *out, const struct plan_view *view)
{
	buffer_append_literal(out, ",\"warnings\":[");
	for (uint32_t i = 0; i < view->n_warnings; i++) {
		const struct plan_warning *warning = &view->warnings[i];

		buffer_printf(out, "%s{\"kind\":\"%s\",\"at\":", i > 0 ? "," : "", warning->kind);
		json_append_string(out, warning->at);
		buffer_append_literal(out, ",\"message\":");
		json_append_string(out, warning->message);
		buffer_append_byte(out, '}');
	}
	buffer_append_byte(out, ']');
}

int plan_render_json(struct buffer *out, const struct plan *plan)
{
	struct plan_view view;
	int r = plan_view_init(&view, plan);

	if (r == 0) {
		plan_json_head(out, plan);
		plan_json_jobs(out, &view);
		plan_json_levels(out, &view);
		buffer_append_literal(out, ",\"critical_path\":");
		plan_json_ids(out, plan, view.path, view.n_path);
		plan_json_warnings(out, &view);
		buffer_append_literal(out, "}\n");
	}
	plan_view_deinit(&view);
	return r == 0 && out->failed ? -ENOMEM : r;
}
