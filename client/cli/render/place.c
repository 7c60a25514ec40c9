/* SPDX-License-Identifier: MIT */
#include "client/cli/render/place.h"

#include "util/panic.h"

struct text place_base(struct text id)
{
	return (struct text){id.data, text_find(id, '[')};
}

struct text place_items(struct text id)
{
	return text_from_at(id, text_find(id, '['));
}

bool place_next_item(struct text *items, uint32_t *ret_item)
{
	size_t size = text_find(*items, ']');
	uint64_t item;

	if (items->size < 3 || items->data[0] != '[' || size == items->size)
		return false;
	if (!text_to_u64((struct text){items->data + 1, size - 1}, UINT32_MAX, &item))
		return false;
	*items = text_from_at(*items, size + 1);
	*ret_item = (uint32_t)item;
	return true;
}

struct text place_first_items(struct text items, uint32_t n)
{
	struct text rest = items;
	uint32_t item;

	for (uint32_t i = 0; i < n && place_next_item(&rest, &item); i++)
		continue;
	return (struct text){items.data, items.size - rest.size};
}

int place_compare_items(struct text left, struct text right)
{
	uint32_t left_item = 0, right_item = 0;

	for (;;) {
		bool has_left = place_next_item(&left, &left_item);
		bool has_right = place_next_item(&right, &right_item);

		if (!has_left || !has_right)
			return has_left - has_right;
		if (left_item != right_item)
			return left_item < right_item ? -1 : 1;
	}
}

uint32_t place_depth(const struct plan *plan, const struct plan_job *job)
{
	uint32_t depth = 0;

	for (uint32_t region = job->region; region != PLAN_NONE; depth++) {
		expect(region < plan->n_jobs);
		region = plan->jobs[region].region;
	}
	return depth;
}

const struct plan_job *place_find(const struct plan *plan, struct text id)
{
	const struct plan_job *job = plan ? plan_find(plan, place_base(id)) : NULL;
	struct text items = place_items(id);
	uint32_t n = 0, item;

	if (!job || job->kind != PLAN_EACH)
		return job;
	while (place_next_item(&items, &item))
		n++;
	/* The fan-out's one child stands right behind it. */
	return n > place_depth(plan, job) ? job + 1 : job;
}

static bool place_has_candidates(enum plan_mode mode)
{
	return mode == PLAN_ANY || mode == PLAN_RACE;
}

bool place_is_required(const struct plan *plan, const struct plan_job *job)
{
	uint32_t parent = job->parent;

	if (job->spec->optional)
		return false;
	while (parent != PLAN_NONE) {
		const struct plan_spec *spec = plan->jobs[parent].spec;

		if (spec->optional || (spec->each && place_has_candidates(spec->each->mode)) ||
			(spec->group && place_has_candidates(spec->group->mode)))
			return false;
		parent = plan->jobs[parent].parent;
	}
	return !place_has_candidates(plan->mode);
}
