/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "util/panic.h"

/*
 * Defaults: what the graph, and the groups in it, say for all jobs below them. They are merged from
 * the outside in, when the reading comes into a group that has some: what is innermost is all that
 * a job looks at. Those that are open are a stack, one in another, as the groups are.
 *
 * They reach leaves only: a group's own keys are what it says itself.
 */

void document_add_inheritance(
	struct document *document, const struct document_inheritance *inheritance)
{
	struct document_inheritance *all = document->inheritance;
	uint32_t n = document->n_inheritance;

	if (n > document->own_inheritance && all[n - 1].from == inheritance->from &&
		all[n - 1].place == inheritance->place && all[n - 1].name == inheritance->name)
		return;
	all = document_grow(document, all, n, &document->inheritance_room, sizeof(*all));
	if (!all)
		return;
	document->inheritance = all;
	all[document->n_inheritance++] = *inheritance;
}

/* What the defaults around them refer to holds for the innermost ones too, in the places whose bits
 * are set and but for headers that they (read under that number) give themselves. */
static void document_merge_inheritance(struct document *document, uint32_t number, unsigned places)
{
	const struct document_defaults *inner = document_defaults(document), *outer = inner - 1;

	for (uint32_t i = outer->first_inheritance; i < inner->first_inheritance; i++) {
		struct document_inheritance one = document->inheritance[i];

		if (document->no_memory || !document_count_step(document))
			return;
		if (!(places & 1u << one.place))
			continue;
		if (one.place == DOCUMENT_IN_HEADER) {
			const struct document_name *name = &outer->names[one.name];

			if (name->taken == number)
				continue;
			one.name = document_name_number(inner, name->name);
		}
		document_add_inheritance(document, &one);
	}
}

/* The names of the innermost defaults' headers, those that are around them included. */
static void document_merge_names(struct document *document)
{
	struct document_defaults *inner = document_defaults(document), *outer = inner - 1;

	if (document->n_defaults > 1 &&
		inner->spec->headers.fields == outer->spec->headers.fields) {
		inner->names = outer->names;
		inner->name_of_field = outer->name_of_field;
		inner->name_table = outer->name_table;
		return;
	}
	document_note_names(document, inner);
	if (document->no_memory || document->is_too_large)
		return;
	for (uint32_t i = inner->first_inheritance; i < document->n_inheritance; i++) {
		struct document_inheritance *own = &document->inheritance[i];

		if (own->place == DOCUMENT_IN_HEADER)
			own->name = inner->name_of_field[own->name];
	}
}

/* What they begin with: what is around them, or what holds where nobody has said anything. */
static void document_begin_defaults(const struct document *document, struct document_job *job)
{
	const struct document_defaults *outer = &document->defaults[document->n_defaults];

	if (document->n_defaults == 0) {
		job->spec = document_base_spec;
		job->spec.priority = document->priority;
		return;
	}
	outer--;
	job->spec = *outer->spec;
	job->has_max_body = outer->has_max_body;
	job->concurrency = outer->concurrency;
}

bool document_push_defaults(struct document *document, yyjson_val *value, uint32_t depth,
	uint32_t region, const struct document_at *at)
{
	struct document_job job = {
		.owner = DOCUMENT_OF_DEFAULTS,
		.region = region,
		.has_item = region != PLAN_NONE,
		.number = ++document->n_read,
	};
	struct document_defaults defaults = {
		.depth = depth,
		.first_inheritance = document->n_inheritance,
	};
	struct plan_spec *spec = document_alloc(document, 1, sizeof(*spec));
	uint64_t seen = 0;

	expect(document->n_defaults < PLAN_DEPTH_MAX);
	if (!spec)
		return false;
	document->own_inheritance = document->n_inheritance;
	document_begin_defaults(document, &job);
	if (value)
		seen = document_read_object(document, &document_job_keys, value, &job, at);
	document_check_credentials(document, &job, at);
	document_end_spec(&job);
	*spec = job.spec;
	defaults.spec = spec;
	defaults.has_max_body = job.has_max_body;
	defaults.concurrency = job.concurrency;
	document->defaults[document->n_defaults++] = defaults;
	document->alike = NULL;
	document_merge_names(document);
	if (document->n_defaults > 1 && !document_is_over(document))
		document_merge_inheritance(document, job.number, document_inherited_places(seen));
	return !document_is_over(document);
}

void document_pop_defaults(struct document *document, uint32_t depth)
{
	while (document->n_defaults > 0 && document_defaults(document)->depth > depth) {
		struct document_defaults *defaults = document_defaults(document);

		if (defaults->owns_names)
			table_deinit(&defaults->name_table);
		document->n_inheritance = defaults->first_inheritance;
		document->n_defaults--;
		document->alike = NULL;
	}
}
