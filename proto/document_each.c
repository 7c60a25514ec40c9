/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/container.h"

/*
 * Fan-outs. In the plan a fan-out is two jobs: the fan-out itself, and behind it its one child,
 * which is made anew for each item. The keys of both stand in one object of the document, so they
 * are read together, and shared out when all are read: `after`, `needs` and `each` are the
 * fan-out's, all else is its child's, and both know whether they are optional.
 *
 * The items may come from a reference, which the fan-out waits for, or stand in the document. In
 * `each` of a fan-out inside another, {{item}} is the outer one's.
 */

static void document_read_reference_alone(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	uint32_t n_errors = document->errors->n;
	struct reference reference;

	document_read_template(document, job, json_string(value), at);
	if (document->errors->n == n_errors && !reference_is_whole(json_string(value), &reference))
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be one reference and nothing else, like \"{{user#/ids}}\"");
}

static void document_read_items(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->place = DOCUMENT_IN_EACH;
	job->each.in = value;
	if (yyjson_is_arr(value))
		document_read_json(document, job, value, at);
	else if (yyjson_is_str(value))
		document_read_reference_alone(document, job, value, at);
	else
		document_refuse_type(document, at, value, "an array or a reference");
}

static void document_read_window(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bound(document, value, at, &job->each.concurrency);
}

static void document_read_items_max(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	uint32_t max;

	if (document_read_count(document, value, at, &max) && max < job->each.items_max)
		job->each.items_max = max;
}

static void document_read_batch_size(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_count(document, value, at, &job->each.batch_size);
}

static void document_read_batch_delay(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_delay(document, value, at, &job->each.batch_delay_ns);
}

static void document_read_batch(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("size"), document_read_batch_size, 0},
		{TEXT_INIT("delay"), document_read_batch_delay, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	uint64_t seen = document_read_object(document, &schema, value, job, at);

	if (yyjson_is_obj(value) && !(seen & 1))
		document_refuse(document, at, FAULT_GRAPH_KEY, "the key \"size\" is missing");
}

static void document_read_each_mode(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct plan_group group = job->group;

	document_read_mode(document, job, value, at);
	job->each.mode = job->group.mode;
	job->group = group;
}

static void document_read_each_object(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	static const struct document_key keys[] = {
		{TEXT_INIT("in"), document_read_items, 0},
		{TEXT_INIT("concurrency"), document_read_window, 0},
		{TEXT_INIT("max"), document_read_items_max, 0},
		{TEXT_INIT("batch"), document_read_batch, 0},
		{TEXT_INIT("mode"), document_read_each_mode, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	uint64_t seen = document_read_object(document, &schema, value, job, at);

	if (!(seen & 1))
		document_refuse(document, at, FAULT_GRAPH_KEY, "the key \"in\" is missing");
}

void document_read_each(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	bool has_item = job->has_item;

	job->has_item = job->region != PLAN_NONE;
	job->each.items_max = document->limits->jobs_max;
	if (yyjson_is_obj(value))
		document_read_each_object(document, job, value, at);
	else if (yyjson_is_arr(value) || yyjson_is_str(value))
		document_read_items(document, job, value, at);
	else
		document_refuse_type(document, at, value, "an array, a reference or an object");
	job->has_item = has_item;
}

/* How many children are alive at once. Where a group says so in `each` and beside it, the latter
 * bounds what is in each child. */
static void document_set_window(
	struct document *document, struct document_job *job, const struct document_at *at)
{
	struct document_at member = {.parent = at, .key = TEXT("concurrency")};
	struct plan_each *each = &job->each;
	bool is_leaf = job->owner == DOCUMENT_OF_LEAF;

	if (is_leaf && job->concurrency > 0 && each->concurrency > 0)
		document_refuse(document, &member, FAULT_GRAPH_KEY,
			"\"concurrency\" stands in \"each\", too: write it once");
	if (each->concurrency == 0) {
		each->concurrency = job->concurrency;
		job->concurrency = 0;
	}
	if (is_leaf && each->concurrency == 0)
		each->concurrency = document_defaults(document)->concurrency;
	if (each->concurrency == 0)
		each->concurrency = PLAN_UNBOUNDED;
}

struct plan_spec *document_end_each(
	struct document *document, struct document_job *job, const struct document_at *at)
{
	struct plan_spec *spec = document_alloc(document, 1, sizeof(*spec));
	struct plan_each *each = document_alloc(document, 1, sizeof(*each));

	if (!spec || !each)
		return NULL;
	document_set_window(document, job, at);
	*each = job->each;
	each->number = document->n_eaches++;
	*spec = document_base_spec;
	spec->each = each;
	spec->needs = job->spec.needs;
	spec->optional = job->spec.optional;
	job->spec.needs = PLAN_NEEDS_FULFILLED;
	return spec;
}
