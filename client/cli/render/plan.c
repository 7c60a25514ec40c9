/* SPDX-License-Identifier: MIT */
#include "client/cli/render/plan.h"

#include <errno.h>

#include "client/cli/clean.h"
#include "client/cli/render/why.h"
#include "client/cli/value.h"
#include "proto/json.h"
#include "util/container.h"

/* Names wider than this do not widen the column of the others. */
#define PLAN_NAME_WIDTH_MAX 24

/* What is worked out once. */
struct plan_view {
	const struct plan *plan;
	struct arena arena;
	uint32_t *levels;
	uint32_t n_levels;
	/* Jobs by level, and in a level in the document's order; where each level begins. */
	uint32_t *order;
	uint32_t *starts;
	uint32_t *path;
	uint32_t n_path;
	uint8_t *reasons;
};

static int plan_view_order(struct plan_view *view)
{
	uint32_t n = view->plan->n_jobs;
	uint32_t *next = arena_alloc_array(&view->arena, view->n_levels + 1, sizeof(*next));

	view->order = arena_alloc_array(&view->arena, (size_t)n + 1, sizeof(*view->order));
	view->starts =
		arena_alloc_array(&view->arena, (size_t)view->n_levels + 1, sizeof(*view->starts));
	if (!next || !view->order || !view->starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		view->starts[view->levels[i] + 1]++;
	for (uint32_t i = 0; i < view->n_levels; i++) {
		view->starts[i + 1] += view->starts[i];
		next[i] = view->starts[i];
	}
	for (uint32_t i = 0; i < n; i++)
		view->order[next[view->levels[i]]++] = i;
	return 0;
}

static int plan_view_init(struct plan_view *view, const struct plan *plan)
{
	*view = (struct plan_view){.plan = plan};
	arena_init(&view->arena, SIZE_MAX / 4);
	view->levels = plan_levels(plan, &view->arena, &view->n_levels);
	view->reasons = why_collect(plan, &view->arena);
	if (!view->levels || !view->reasons)
		return -ENOMEM;
	if (plan_longest_path(plan, &view->arena, &view->path, &view->n_path) < 0)
		return -ENOMEM;
	return plan_view_order(view);
}

static void plan_view_deinit(struct plan_view *view)
{
	arena_deinit(&view->arena);
}

static struct text plan_method(const struct plan_spec *spec)
{
	if (spec->method.data)
		return spec->method;
	return spec->body == PLAN_BODY_NONE ? TEXT("GET") : TEXT("POST");
}

static struct text plan_mode_text(enum plan_mode mode)
{
	return mode == PLAN_ALL ? TEXT("all") : TEXT("settled");
}

static struct text plan_needs_text(enum plan_needs needs)
{
	return needs == PLAN_NEEDS_SETTLED ? TEXT("settled") : TEXT("fulfilled");
}

/* -- For people -------------------------------------------------------------------------------- */

static void plan_text_head(struct buffer *out, const struct plan_view *view)
{
	const struct plan *plan = view->plan;

	clean_line(out, plan->name.size > 0 ? plan->name : TEXT("graph"));
	buffer_printf(out, ": %u %s in %u %s, mode %.*s, concurrency ", plan->n_jobs,
		plan->n_jobs == 1 ? "job" : "jobs", view->n_levels,
		view->n_levels == 1 ? "level" : "levels", TEXT_ARGS(plan_mode_text(plan->mode)));
	if (plan->concurrency == PLAN_UNBOUNDED)
		buffer_append_literal(out, "unbounded");
	else
		buffer_append_u64(out, plan->concurrency);
	if (plan->timeout_ns != PLAN_NEVER) {
		buffer_append_literal(out, ", timeout ");
		value_append_seconds(out, plan->timeout_ns);
		buffer_append_literal(out, " s");
	}
	buffer_append_byte(out, '\n');
}

static size_t plan_text_width(const struct plan *plan)
{
	size_t width = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		if (plan->jobs[i].id.size > width)
			width = plan->jobs[i].id.size;
	}
	return width < PLAN_NAME_WIDTH_MAX ? width : PLAN_NAME_WIDTH_MAX;
}

static void plan_text_dependency(
	struct buffer *out, const struct plan_view *view, uint32_t edge, size_t width)
{
	const struct plan_job *job = &view->plan->jobs[view->plan->dependencies[edge]];
	const char *separator = " (";

	buffer_printf(out, "  %*s  <- %.*s", (int)width, "", TEXT_ARGS(job->id));
	for (unsigned i = 0; i < WHY_BITS; i++) {
		if (!(view->reasons[edge] & 1u << i))
			continue;
		buffer_printf(out, "%s%s", separator, why_name(i));
		separator = ", ";
	}
	buffer_append_text(out, view->reasons[edge] ? TEXT(")\n") : TEXT("\n"));
}

static void plan_text_job(
	struct buffer *out, const struct plan_view *view, uint32_t index, size_t width)
{
	const struct plan_job *job = &view->plan->jobs[index];

	buffer_printf(out, "  %-*.*s  %.*s ", (int)width, TEXT_ARGS(job->id),
		TEXT_ARGS(plan_method(job->spec)));
	clean_line(out, job->url);
	if (job->spec->optional)
		buffer_append_literal(out, ", optional");
	if (job->spec->needs == PLAN_NEEDS_SETTLED)
		buffer_append_literal(out, ", needs settled");
	buffer_append_byte(out, '\n');
	for (uint32_t i = 0; i < job->n_dependencies; i++)
		plan_text_dependency(out, view, job->first_dependency + i, width);
}

static void plan_text_path(struct buffer *out, const struct plan_view *view)
{
	if (view->n_path < 2)
		return;
	buffer_append_literal(out, "critical path: ");
	for (uint32_t i = 0; i < view->n_path; i++) {
		if (i > 0)
			buffer_append_literal(out, " > ");
		buffer_append_text(out, view->plan->jobs[view->path[i]].id);
	}
	buffer_append_byte(out, '\n');
}

int plan_render_text(struct buffer *out, const struct plan *plan)
{
	struct plan_view view;
	size_t width = plan_text_width(plan);
	int r = plan_view_init(&view, plan);

	if (r == 0) {
		plan_text_head(out, &view);
		for (uint32_t level = 0; level < view.n_levels; level++) {
			buffer_printf(out, "level %u\n", level);
			for (uint32_t i = view.starts[level]; i < view.starts[level + 1]; i++)
				plan_text_job(out, &view, view.order[i], width);
		}
		plan_text_path(out, &view);
	}
	plan_view_deinit(&view);
	return r == 0 && out->failed ? -ENOMEM : r;
}

/* -- For programs ------------------------------------------------------------------------------ */

static void plan_json_dependency(struct buffer *out, const struct plan_view *view, uint32_t edge)
{
	const struct plan_job *job = &view->plan->jobs[view->plan->dependencies[edge]];
	bool is_first = true;

	buffer_append_literal(out, "{\"job\":");
	json_append_string(out, job->id);
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

static void plan_json_job(struct buffer *out, const struct plan_view *view, uint32_t index)
{
	const struct plan_job *job = &view->plan->jobs[index];

	buffer_append_literal(out, "{\"job\":");
	json_append_string(out, job->id);
	buffer_printf(out, ",\"index\":%u,\"level\":%u,\"method\":", index, view->levels[index]);
	json_append_string(out, plan_method(job->spec));
	buffer_append_literal(out, ",\"url\":");
	json_append_string(out, job->url);
	buffer_append_literal(out, ",\"needs\":");
	json_append_string(out, plan_needs_text(job->spec->needs));
	buffer_printf(
		out, ",\"optional\":%s,\"dependencies\":[", job->spec->optional ? "true" : "false");
	for (uint32_t i = 0; i < job->n_dependencies; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		plan_json_dependency(out, view, job->first_dependency + i);
	}
	buffer_append_literal(out, "]}");
}

static void plan_json_ids(
	struct buffer *out, const struct plan *plan, const uint32_t *indices, uint32_t n)
{
	buffer_append_byte(out, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		json_append_string(out, plan->jobs[indices[i]].id);
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
	buffer_append_literal(out, "\"mode\":");
	json_append_string(out, plan_mode_text(plan->mode));
	buffer_append_literal(out, ",\"concurrency\":");
	if (plan->concurrency == PLAN_UNBOUNDED)
		buffer_append_literal(out, "\"unbounded\"");
	else
		buffer_append_u64(out, plan->concurrency);
	buffer_append_literal(out, ",\"timeout\":");
	if (plan->timeout_ns == PLAN_NEVER)
		buffer_append_literal(out, "null");
	else
		value_append_seconds(out, plan->timeout_ns);
	buffer_append_literal(out, ",\"jobs\":[");
}

int plan_render_json(struct buffer *out, const struct plan *plan)
{
	struct plan_view view;
	int r = plan_view_init(&view, plan);

	if (r == 0) {
		plan_json_head(out, plan);
		for (uint32_t i = 0; i < plan->n_jobs; i++) {
			if (i > 0)
				buffer_append_byte(out, ',');
			plan_json_job(out, &view, i);
		}
		buffer_append_literal(out, "],\"levels\":[");
		for (uint32_t level = 0; level < view.n_levels; level++) {
			if (level > 0)
				buffer_append_byte(out, ',');
			plan_json_ids(out, plan, view.order + view.starts[level],
				view.starts[level + 1] - view.starts[level]);
		}
		buffer_append_literal(out, "],\"critical_path\":");
		plan_json_ids(out, plan, view.path, view.n_path);
		buffer_append_literal(out, "}\n");
	}
	plan_view_deinit(&view);
	return r == 0 && out->failed ? -ENOMEM : r;
}
