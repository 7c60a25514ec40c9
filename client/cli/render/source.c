/* SPDX-License-Identifier: MIT */
/*
 * A plan is flat and in the document's order, depth first, so that one walk over the document
 * meets its jobs one by one. The plan says which of them have others in them; the walk keeps one
 * frame for each group it is in, and does not recurse.
 */
#include "client/cli/render/source.h"

#include "util/panic.h"

/* What is left of a "jobs". */
struct source_frame {
	bool is_array;
	yyjson_arr_iter array;
	yyjson_obj_iter object;
	uint32_t ordinal;
};

static struct source_frame source_open(yyjson_val *owner)
{
	yyjson_val *jobs = yyjson_obj_get(owner, "jobs");
	struct source_frame frame = {.is_array = yyjson_is_arr(jobs)};

	if (frame.is_array)
		yyjson_arr_iter_init(jobs, &frame.array);
	else
		yyjson_obj_iter_init(jobs, &frame.object);
	return frame;
}

static yyjson_val *source_next(struct source_frame *frame)
{
	if (frame->is_array)
		return yyjson_arr_iter_next(&frame->array);
	return yyjson_obj_iter_get_val(yyjson_obj_iter_next(&frame->object));
}

struct source *source_collect(const struct plan *plan, struct arena *arena)
{
	struct source *sources =
		arena_alloc_array(arena, (size_t)plan->n_jobs + 1, sizeof(*sources));
	struct source_frame frames[PLAN_DEPTH_MAX + 1];
	uint32_t depth = 0, at = 0;
	yyjson_val *value;

	if (!sources)
		return NULL;
	frames[0] = source_open(yyjson_doc_get_root(plan->doc));
	while (at < plan->n_jobs) {
		value = source_next(&frames[depth]);
		if (!value) {
			expect(depth > 0);
			depth--;
			continue;
		}
		sources[at] = (struct source){value, frames[depth].ordinal++};
		if (plan->jobs[at].kind == PLAN_EACH) {
			sources[at + 1] = sources[at];
			at++;
		}
		if (plan->jobs[at++].kind != PLAN_GROUP)
			continue;
		expect(depth < PLAN_DEPTH_MAX);
		frames[++depth] = source_open(value);
	}
	return sources;
}

/* The nearest group around the job: an object of its own in the document. */
static uint32_t source_parent(const struct plan *plan, uint32_t index)
{
	uint32_t parent = plan->jobs[index].parent;

	/* A fan-out is the same object as its child. */
	if (parent != PLAN_NONE && plan->jobs[parent].kind == PLAN_EACH)
		parent = plan->jobs[parent].parent;
	return parent;
}

void source_append_pointer(
	struct buffer *out, const struct plan *plan, const struct source *sources, uint32_t index)
{
	uint32_t chain[PLAN_DEPTH_MAX + 1];
	uint32_t n = 0;

	for (uint32_t at = index; at != PLAN_NONE; at = source_parent(plan, at)) {
		expect(n <= PLAN_DEPTH_MAX);
		chain[n++] = at;
	}
	while (n-- > 0) {
		uint32_t parent = source_parent(plan, chain[n]);
		yyjson_val *owner = parent == PLAN_NONE ? yyjson_doc_get_root(plan->doc)
							: sources[parent].value;

		if (yyjson_is_arr(yyjson_obj_get(owner, "jobs")))
			buffer_printf(out, "/jobs/%u", sources[chain[n]].ordinal);
		else
			buffer_printf(out, "/jobs/%.*s", TEXT_ARGS(plan->jobs[chain[n]].id));
	}
}
