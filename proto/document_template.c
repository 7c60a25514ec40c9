/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "http/url.h"

/*
 * References in a document: are they well-formed, do they stand where they may, which job do they
 * name. What they name becomes a dependency of the job they stand in, and what they want of it is
 * noted at the job they name. In `return` they are no dependencies: it is filled when all is done.
 *
 * A reference in the defaults makes every job that takes that part over depend on what it names,
 * so a few bytes may stand for a million edges. Therefore the steps taken for dependencies are
 * counted, and bounded by DOCUMENT_STEPS_MAX.
 */

#define DOCUMENT_STEPS_MAX 16000000

bool document_count_step(struct document *document)
{
	if (document->is_too_large)
		return false;
	if (document->n_steps == DOCUMENT_STEPS_MAX) {
		document_refuse_size(document, NULL, "there are more than 16000000 dependencies");
		return false;
	}
	document->n_steps++;
	return true;
}

static void document_add_edge(struct document *document, uint32_t from, uint32_t to)
{
	struct plan_edge *edges = document->edges;
	uint32_t n = document->n_edges;

	if (n > 0 && edges[n - 1].from == from && edges[n - 1].to == to)
		return;
	edges = document_grow(document, edges, n, &document->edges_room, sizeof(*edges));
	if (!edges)
		return;
	document->edges = edges;
	edges[document->n_edges++] = (struct plan_edge){from, to};
}

void document_depend(struct document *document, const struct document_job *job, uint32_t from)
{
	struct document_inheritance inheritance = {from, job->place, job->field};

	if (job->owner == DOCUMENT_OF_GRAPH || !document_count_step(document))
		return;
	if (job->owner == DOCUMENT_OF_DEFAULTS)
		document_add_inheritance(document, &inheritance);
	else
		document_add_edge(document, from, job->dependent);
}

/* True where what is in `region` may be referred to by who is in the region `from`, or in fan-outs
 * inside it. */
static bool document_region_is_around(const struct plan *plan, uint32_t region, uint32_t from)
{
	while (from != region && from != PLAN_NONE)
		from = plan->jobs[from].region;
	return from == region;
}

/* The job is inside a fan-out that `job` is not in. */
static void document_refuse_region(struct document *document, const struct document_job *job,
	const struct plan_job *from, const struct document_at *at)
{
	const struct plan *plan = document->plan;
	uint32_t each = from->region;

	while (!document_region_is_around(plan, plan->jobs[each].region, job->region))
		each = plan->jobs[each].region;
	document_refuse(document, at, FAULT_GRAPH_VALUE,
		"\"%.*s\" is made for each item of the fan-out \"%.*s\"; refer to that, whose body "
		"is the array of its children's",
		TEXT_ARGS(from->id), TEXT_ARGS(plan->jobs[each].id));
}

struct plan_job *document_find_job(struct document *document, const struct document_job *job,
	struct text id, const struct document_at *at)
{
	const struct plan *plan = document->plan;
	struct plan_job *from = plan_find(plan, id);

	if (!from) {
		document_refuse(document, at, FAULT_GRAPH_UNKNOWN_JOB, "there is no job \"%s\"%s",
			document_quote(id).text,
			document_hint(document, id, plan->jobs, plan->n_jobs, sizeof(plan->jobs[0]))
				.text);
		return NULL;
	}
	if (document_region_is_around(plan, from->region, job->region))
		return from;
	document_refuse_region(document, job, from, at);
	return NULL;
}

/* What a reference of that kind wants of the job. */
static uint8_t document_keep(enum reference_kind kind)
{
	switch (kind) {
	case REFERENCE_BODY:
	case REFERENCE_POINTER: return PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME;
	case REFERENCE_HEADER: return PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME;
	default: return PLAN_KEEP_OUTCOME;
	}
}

static void document_check_sink(
	struct document *document, const struct plan_job *from, const struct document_at *at)
{
	static const char *const words[] = {[PLAN_INLINE] = NULL,
		[PLAN_DISCARD] = "discard",
		[PLAN_STREAM] = "stream",
		[PLAN_FILE] = "file"};
	const char *word = words[document->sinks[plan_index(document->plan, from)]];

	if (word)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"the body of \"%.*s\" is not kept: its \"output\" is \"%s\"",
			TEXT_ARGS(from->id), word);
}

static void document_refer_to_job(struct document *document, struct document_job *job,
	const struct reference *reference, const struct document_at *at)
{
	struct plan_job *from = document_find_job(document, job, reference->job, at);

	if (!from)
		return;
	if (document->sinks && (document_keep(reference->kind) & PLAN_KEEP_BODY))
		document_check_sink(document, from, at);
	from->keep |= document_keep(reference->kind);
	document_depend(document, job, plan_index(document->plan, from));
}

void document_refer(struct document *document, struct document_job *job,
	const struct reference *reference, const struct document_at *at)
{
	if (job->place != DOCUMENT_IN_URL)
		job->has_references = true;
	if (reference->raw && job->place == DOCUMENT_IN_HEADER)
		document_refuse(
			document, at, FAULT_GRAPH_VALUE, "\"| raw\" may not stand in a header");
	switch (reference->kind) {
	case REFERENCE_INPUT: break;
	case REFERENCE_ITEM:
	case REFERENCE_INDEX:
		if (!job->has_item)
			document_refuse(document, at, FAULT_GRAPH_VALUE,
				"{{item}} and {{index}} have a meaning inside a fan-out only");
		break;
	case REFERENCE_SECRET:
		if (job->place != DOCUMENT_IN_HEADER)
			document_refuse(document, at, FAULT_GRAPH_VALUE,
				"a secret may stand in the value of a header only");
		break;
	default: document_refer_to_job(document, job, reference, at); break;
	}
}

void document_read_template(struct document *document, struct document_job *job, struct text text,
	const struct document_at *at)
{
	struct reference_cursor cursor = reference_cursor(text);
	struct reference reference;
	struct text literal;

	if (!reference_is_in(text))
		return;
	for (;;) {
		switch (reference_next(&cursor, &literal, &reference)) {
		case REFERENCE_LITERAL: break;
		case REFERENCE_FOUND: document_refer(document, job, &reference, at); break;
		case REFERENCE_BAD:
			document_refuse(
				document, at, FAULT_GRAPH_VALUE, "%.*s", TEXT_ARGS(literal));
			return;
		case REFERENCE_END: return;
		}
	}
}

void document_inherit(struct document *document, const struct document_job *job, unsigned places)
{
	const struct document_defaults *defaults = document_defaults(document);

	for (uint32_t i = defaults->first_inheritance; i < document->n_inheritance; i++) {
		const struct document_inheritance *one = &document->inheritance[i];

		if (document->no_memory || !document_count_step(document))
			return;
		if (!(places & 1u << one->place))
			continue;
		if (one->place != DOCUMENT_IN_HEADER ||
			defaults->names[one->name].taken != job->number)
			document_add_edge(document, one->from, job->dependent);
	}
}

/* -- URLs -------------------------------------------------------------------------------------- */

/* "https://example.com/" of "https://example.com/a", or nothing where no path follows. */
static struct text document_origin_of(struct text url)
{
	size_t at = 0;

	for (int slashes = 0; slashes < 3; slashes++)
		at += text_find(text_from_at(url, at), '/') + 1;
	return (struct text){url.data, at <= url.size ? at : 0};
}

/* True where the URL differs from one that was right in path and query only, and holds nothing
 * there but what may stand there. In a large graph nearly all do, and this is a third of the cost
 * of parsing them. */
static bool document_url_is_known(const struct document *document, struct text url)
{
	if (document->origin.size == 0 || url.size > URL_SIZE_MAX ||
		!text_starts_with(url, document->origin))
		return false;
	for (size_t i = document->origin.size; i < url.size; i++) {
		if (!url_is_target_byte((unsigned char)url.data[i]))
			return false;
	}
	return true;
}

static void document_check_url(
	struct document *document, struct text text, const struct document_at *at)
{
	struct url url;
	enum url_error error;

	if (document_url_is_known(document, text))
		return;
	buffer_clear(&document->scratch);
	error = url_parse(text, &document->scratch, &url);
	if (error == URL_E_MEMORY)
		document->no_memory = true;
	else if (error != URL_OK)
		document_refuse(document, at, FAULT_URL_INVALID, "%s", url_error_text(error));
	else
		document->origin = document_origin_of(text);
}

/* How far literal text has come in "scheme://authority/": what is looked for next. */
struct document_authority {
	uint8_t n_found;
	bool is_over;
};

/* "://", and then what ends the authority (RFC 3986 section 3.2). */
static void document_pass_literal(struct document_authority *authority, struct text literal)
{
	for (size_t i = 0; i < literal.size && !authority->is_over; i++) {
		char c = literal.data[i];

		if (authority->n_found == 3)
			authority->is_over = c == '/' || c == '?' || c == '#';
		else if (c == "://"[authority->n_found])
			authority->n_found++;
		else
			authority->n_found = c == ':';
	}
}

/* A URL with "{{" in it: a reference alone, or behind the authority; or none at all, where every
 * "{{" is escaped. */
static void document_check_url_template(
	struct document *document, struct text text, const struct document_at *at)
{
	struct reference_cursor cursor = reference_cursor(text);
	struct document_authority authority = {0};
	struct buffer whole;
	struct reference reference;
	enum reference_piece piece;
	struct text literal;

	if (reference_is_whole(text, &reference))
		return;
	buffer_init(&whole, text.size);
	while ((piece = reference_next(&cursor, &literal, &reference)) == REFERENCE_LITERAL) {
		document_pass_literal(&authority, literal);
		buffer_append_text(&whole, literal);
	}
	if (whole.failed)
		document->no_memory = true;
	else if (piece == REFERENCE_END)
		document_check_url(document, buffer_text(&whole), at);
	else if (piece == REFERENCE_FOUND && !authority.is_over)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"a reference may stand behind scheme, host and port, or be the whole url");
	/* It would be a view into what goes now. */
	document->origin = (struct text){NULL, 0};
	buffer_deinit(&whole);
}

void document_read_url(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct plan_job *plan_job;
	struct text text;

	if (!document_read_string(document, value, at, &text))
		return;
	plan_job = &document->plan->jobs[job->index];
	plan_job->url = text;
	plan_job->url_is_template = reference_is_in(text);
	if (!plan_job->url_is_template) {
		document_check_url(document, text, at);
		return;
	}
	job->place = DOCUMENT_IN_URL;
	document_read_template(document, job, text, at);
	document_check_url_template(document, text, at);
}
