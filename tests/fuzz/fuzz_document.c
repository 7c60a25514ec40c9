/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a graph document. One that is refused has errors that can be shown: a code, a
 * pointer, a line. One that is accepted is a plan that can be run: ids that are found, groups and
 * fan-outs in front of what is in them, edges that are sorted and the same from both ends, no
 * cycle, and every reference in it an edge, with what it wants kept, to a job that it may see.
 */

#include <stdlib.h>

#include "proto/document.h"
#include "proto/json.h"
#include "proto/reference.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_check_errors(const struct plan_errors *errors)
{
	expect(errors->n > 0 && errors->n <= PLAN_ERRORS_MAX);
	for (uint32_t i = 0; i < errors->n; i++) {
		const struct plan_error *error = &errors->errors[i];

		expect(error->code > FAULT_NONE && error->code < FAULT_COUNT);
		expect(fault_name(error->code)[0] != '\0');
		expect(error->at.data && json_pointer_is_valid(error->at));
		expect(text_is_utf8(error->at));
		expect(error->message.size > 0 && text_is_utf8(error->message));
		/* A cycle's begins and ends with an id. */
		if (error->code != FAULT_GRAPH_CYCLE) {
			expect(error->message.data[error->message.size - 1] != '.');
			expect(error->message.data[0] < 'A' || error->message.data[0] > 'Z');
		}
		for (size_t k = 0; k < error->message.size; k++)
			expect((unsigned char)error->message.data[k] >= ' ');
	}
}

static bool fuzz_has(const uint32_t *slice, uint32_t n, uint32_t wanted)
{
	bool found = false;

	for (uint32_t i = 0; i < n; i++) {
		expect(i == 0 || slice[i - 1] < slice[i]);
		found = found || slice[i] == wanted;
	}
	return found;
}

static bool fuzz_depends(const struct plan *plan, uint32_t to, uint32_t from)
{
	const struct plan_job *job = &plan->jobs[to];

	return fuzz_has(plan->dependencies + job->first_dependency, job->n_dependencies, from);
}

static void fuzz_check_edges(const struct plan *plan)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		expect(job->first_dependent == n || job->n_dependents == 0);
		for (uint32_t k = 0; k < job->n_dependents; k++) {
			uint32_t to = plan->dependents[job->first_dependent + k];

			expect(to < plan->n_jobs && to != i);
			expect(fuzz_depends(plan, to, i));
		}
		n += job->n_dependents;
	}
	expect(n == plan->n_edges);
}

static uint8_t fuzz_keep(enum reference_kind kind)
{
	if (kind == REFERENCE_BODY || kind == REFERENCE_POINTER)
		return PLAN_KEEP_BODY | PLAN_KEEP_OUTCOME;
	return kind == REFERENCE_HEADER ? PLAN_KEEP_HEADERS | PLAN_KEEP_OUTCOME : PLAN_KEEP_OUTCOME;
}

/* `to` sees what is in the region, which is one around it. */
static bool fuzz_sees(const struct plan *plan, uint32_t to, uint32_t region)
{
	uint32_t at = to < plan->n_jobs ? plan->jobs[to].region : PLAN_NONE;

	while (at != region && at != PLAN_NONE)
		at = plan->jobs[at].region;
	return at == region;
}

/* `to` is who waits for it, or n_jobs: nobody does. */
static void fuzz_check_reference(
	const struct plan *plan, const struct reference *reference, uint32_t to)
{
	const struct plan_job *from;
	uint8_t keep = fuzz_keep(reference->kind);

	if (reference->job.size == 0)
		return;
	from = plan_find(plan, reference->job);
	expect(from && (from->keep & keep) == keep);
	expect(fuzz_sees(plan, to, from->region));
	expect(to == plan->n_jobs || fuzz_depends(plan, to, plan_index(plan, from)));
}

static void fuzz_check_template(const struct plan *plan, struct text text, uint32_t to)
{
	struct reference_cursor cursor = reference_cursor(text);
	struct reference reference;
	enum reference_piece piece;
	struct text literal;

	while ((piece = reference_next(&cursor, &literal, &reference)) != REFERENCE_END) {
		expect(piece != REFERENCE_BAD);
		if (piece == REFERENCE_FOUND)
			fuzz_check_reference(plan, &reference, to);
	}
}

static void fuzz_check_json(const struct plan *plan, yyjson_val *value, uint32_t to)
{
	yyjson_val *end = value ? unsafe_yyjson_get_next(value) : NULL;

	for (; value < end; value++) {
		if (yyjson_is_str(value))
			fuzz_check_template(plan, json_string(value), to);
	}
}

static void fuzz_check_fields(
	const struct plan *plan, const struct plan_fields *fields, uint32_t to)
{
	for (uint32_t i = 0; i < fields->n; i++) {
		const struct plan_field *field = &fields->fields[i];

		expect(field->name.data && field->value.data);
		expect(field->is_template == reference_is_in(field->value));
		fuzz_check_template(plan, field->value, to);
	}
}

/* Descriptors that came with it. */
#define FUZZ_FDS 4

static void fuzz_check_proxy(const struct plan_proxy *proxy)
{
	const char *end = proxy->url.data + proxy->url.size;

	expect(text_starts_with(proxy->url, TEXT("http://")) && proxy->port > 0);
	expect(proxy->host.size > 0 && proxy->host.data >= proxy->url.data + 7);
	expect(proxy->host.data + proxy->host.size < end);
	expect(proxy->is_secret ? plan_id_is_valid(proxy->credentials)
				: !proxy->credentials.data || text_find(proxy->credentials, ':') <
								      proxy->credentials.size);
}

static void fuzz_check_spec(const struct plan *plan, const struct plan_spec *spec, uint32_t to)
{
	fuzz_check_fields(plan, &spec->headers, to);
	fuzz_check_fields(plan, &spec->query, to);
	fuzz_check_fields(plan, &spec->form, to);
	if (spec->body == PLAN_BODY_TEXT)
		fuzz_check_template(plan, spec->body_text, to);
	if (spec->body == PLAN_BODY_JSON)
		fuzz_check_json(plan, spec->body_value, to);
	expect(spec->n_ok > 0);
	for (uint32_t i = 0; i < spec->n_ok; i++)
		expect(spec->ok[i].from <= spec->ok[i].to && spec->ok[i].from >= 100);
	expect(spec->timeouts.job_ns > 0 && spec->timeouts.attempt_ns > 0);
	for (uint32_t i = 0; i < spec->n_resolve; i++)
		expect(spec->resolve[i].port > 0 && spec->resolve[i].n_addresses > 0);
	expect(!spec->when || yyjson_is_obj(spec->when));
	fuzz_check_json(plan, spec->when, to);
	expect(spec->priority <= PLAN_PRIORITY_MAX);
	expect(spec->redirects <= PLAN_REDIRECTS_MAX);
	expect(spec->body != PLAN_BODY_FD || spec->body_fd < FUZZ_FDS);
	expect(spec->output != PLAN_FILE || spec->output_fd < FUZZ_FDS);
	expect((spec->auth == PLAN_AUTH_NONE) == !spec->auth_secret.data);
	expect(!spec->auth_secret.data || plan_id_is_valid(spec->auth_secret));
	if (spec->proxy.url.data)
		fuzz_check_proxy(&spec->proxy);
	expect(!spec->retry ||
		(spec->retry->attempts > 1 && spec->retry->delay_ns <= spec->retry->max_delay_ns));
}

static void fuzz_check_each(const struct plan *plan, uint32_t index)
{
	const struct plan_job *job = &plan->jobs[index];
	const struct plan_each *each = job->spec->each;

	expect(each && each->concurrency > 0 && each->items_max > 0);
	expect(each->number < plan->n_eaches);
	expect(yyjson_is_arr(each->in) || yyjson_is_str(each->in));
	fuzz_check_json(plan, each->in, index);
	expect(index + 1 < plan->n_jobs && job[1].parent == index && job[1].region == index);
	expect(job[1].index == job->index && text_equal(job[1].id, job->id));
	expect(job[1].kind != PLAN_EACH && job[1].n_below + 1 == job->n_below);
	expect(job[1].n_dependencies == 0 && job[1].n_dependents == 0);
	expect(job->spec->optional == job[1].spec->optional);
}

/* What is not kept is referred to by nobody, but as null in a group's body. */
static void fuzz_check_sink(const struct plan *plan, const struct plan_job *job)
{
	if (!(job->keep & PLAN_KEEP_BODY))
		return;
	if (job->parent != PLAN_NONE && plan->jobs[job->parent].kind == PLAN_EACH)
		job = &plan->jobs[job->parent];
	expect(job->parent != PLAN_NONE && (plan->jobs[job->parent].keep & PLAN_KEEP_BODY));
}

/* Where the job stands, and what its kind has. */
static void fuzz_check_place(const struct plan *plan, uint32_t index)
{
	const struct plan_job *job = &plan->jobs[index];
	const struct plan_job *parent = NULL;
	uint32_t region = PLAN_NONE;

	if (job->parent != PLAN_NONE) {
		expect(job->parent < index);
		parent = &plan->jobs[job->parent];
		expect(parent->kind != PLAN_LEAF);
		expect(index + job->n_below <= job->parent + parent->n_below);
		region = parent->kind == PLAN_EACH ? job->parent : parent->region;
	}
	expect(index + job->n_below < plan->n_jobs);
	expect(job->region == region);
	expect((job->kind == PLAN_GROUP) == (job->spec->group != NULL));
	expect((job->kind == PLAN_EACH) == (job->spec->each != NULL));
	expect((job->kind == PLAN_LEAF) == (job->url.data != NULL));
	expect(job->kind != PLAN_LEAF || (job->n_below == 0 && job->remaining > 0));
	if (parent && (parent->keep & PLAN_KEEP_BODY))
		expect(job->keep & PLAN_KEEP_BODY);
	if (job->kind == PLAN_EACH)
		fuzz_check_each(plan, index);
	if (job->kind == PLAN_LEAF && job->spec->output != PLAN_INLINE)
		fuzz_check_sink(plan, job);
	expect(job->kind != PLAN_LEAF || job->spec->output != PLAN_FILE || region == PLAN_NONE);
}

/* Levels, chains and what remains agree with each other. */
static void fuzz_check_chains(const struct plan *plan)
{
	uint32_t *path, *levels, n, n_levels, most = 0;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	expect(plan_find_cycle(plan, &arena, &path, &n) == 0 && n == 0);
	levels = plan_levels(plan, &arena, &n_levels);
	expect(levels && plan_longest_path(plan, &arena, &path, &n) == 0 && n <= n_levels);
	for (uint32_t i = 0; i < n; i++) {
		expect(plan->jobs[path[i]].kind == PLAN_LEAF && levels[path[i]] == i);
		expect(plan->jobs[path[i]].remaining == n - i);
	}
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];

		expect(levels[i] < n_levels && levels[i] + job->remaining <= n);
		if (job->remaining > most)
			most = job->remaining;
		for (uint32_t k = 0; k < job->n_dependents; k++) {
			uint32_t to = plan->dependents[job->first_dependent + k];

			expect(levels[to] >= levels[i] + (job->kind == PLAN_LEAF));
		}
	}
	expect(most == n);
	arena_deinit(&arena);
}

static void fuzz_check_plan(const struct plan *plan)
{
	uint32_t n_leaves = 0, n_eaches = 0;

	expect(plan->doc && plan->concurrency > 0 && plan->timeout_ns > 0);
	for (uint32_t i = 0; i < plan->n_jobs; i++) {
		const struct plan_job *job = &plan->jobs[i];
		bool is_child =
			job->parent != PLAN_NONE && plan->jobs[job->parent].kind == PLAN_EACH;
		uint32_t dependent = is_child ? job->parent : i;

		expect(plan_id_is_valid(job->id) && job->spec);
		expect(plan_find(plan, job->id) == &plan->jobs[dependent]);
		expect(job->url_is_template == reference_is_in(job->url));
		fuzz_check_place(plan, i);
		fuzz_check_template(plan, job->url, dependent);
		fuzz_check_spec(plan, job->spec, dependent);
		n_leaves += job->kind == PLAN_LEAF;
		n_eaches += job->kind == PLAN_EACH;
	}
	expect(n_leaves == plan->n_leaves && n_eaches == plan->n_eaches);
	fuzz_check_json(plan, plan->result, plan->n_jobs);
	fuzz_check_edges(plan);
	fuzz_check_chains(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct document_limits limits = {
		.jobs_max = 200, .bytes_max = 1 << 16, .n_fds = FUZZ_FDS};
	struct plan_errors errors;
	struct plan *plan = NULL;
	int r;

	plan_errors_init(&errors);
	r = document_parse((struct text){(const char *)data, size}, &limits, &plan, &errors);
	expect(r == 0 || r == DOCUMENT_E_REFUSED);
	if (r == 0) {
		expect(plan && errors.n == 0);
		fuzz_check_plan(plan);
	} else {
		expect(!plan);
		fuzz_check_errors(&errors);
	}
	plan_free(plan);
	plan_errors_deinit(&errors);
	return 0;
}
