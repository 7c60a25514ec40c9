/* SPDX-License-Identifier: MIT */
/*
 * What to think about before a graph runs. A warning must be worth reading: it says what will
 * happen, is about what the job itself says (not what it took over from the defaults), and what is
 * usual is never warned of. So a GET that nobody refers to is fine, because its record is the
 * result; and to wait for a POST without using its response is fine, because the order matters.
 *
 * Whether an `after` lengthens the critical path is found out by drawing the plan once more without
 * it. That takes a walk over the whole plan, so it is done for PLAN_TRIALS_MAX edges at most.
 */
#include "client/cli/render/plan_private.h"

#include <errno.h>
#include <stdlib.h>

#include "client/cli/render/why.h"

#define PLAN_TRIALS_MAX 20

/* What looks at one node. */
struct plan_warner {
	struct plan_view *view;
	uint32_t at;
	/* The message being put together. */
	struct buffer message;
	uint32_t n_trials;
	/* The first reference that may have no value, the key it stands in, and how many there
	 * are. */
	struct buffer missing;
	enum why missing_in;
	uint32_t n_missing;
	bool no_memory;
};

/* Member of the job's own object. */
static yyjson_val *plan_warner_key(const struct plan_warner *warner, const char *key)
{
	return yyjson_obj_get(warner->view->sources[warner->at].value, key);
}

/* The message is complete. `key`: "", or where in the job it stands. */
static void plan_warner_add(struct plan_warner *warner, const char *kind, const char *key)
{
	struct plan_view *view = warner->view;
	struct plan_warning *warning = &view->warnings[view->n_warnings];
	struct buffer at;

	if (view->n_warnings == PLAN_WARNINGS_MAX)
		return;
	buffer_init(&at, SIZE_MAX / 4);
	source_append_pointer(&at, view->plan, view->sources, warner->at);
	if (key[0] != '\0')
		buffer_printf(&at, "/%s", key);
	warning->kind = kind;
	warning->at = arena_copy(&view->arena, buffer_text(&at));
	warning->message = arena_copy(&view->arena, buffer_text(&warner->message));
	warner->no_memory |=
		!warning->at.data || !warning->message.data || at.failed || warner->message.failed;
	view->n_warnings++;
	buffer_deinit(&at);
	buffer_clear(&warner->message);
}

static bool plan_warning_is_safe(const struct plan_job *leaf)
{
	struct text method = plan_view_method(leaf->spec);

	return leaf->kind == PLAN_LEAF &&
	       (text_is(method, "GET") || text_is(method, "HEAD") || text_is(method, "OPTIONS"));
}

static bool plan_warning_is_idempotent(const struct plan_job *leaf)
{
	struct text method = plan_view_method(leaf->spec);

	return plan_warning_is_safe(leaf) || text_is(method, "PUT") || text_is(method, "DELETE") ||
	       text_is(method, "TRACE");
}

/* True where nothing in the node changes anything at its peer. */
static bool plan_warning_is_only_safe(const struct plan *plan, uint32_t at)
{
	for (uint32_t i = at; i <= at + plan->jobs[at].n_below; i++) {
		if (plan->jobs[i].kind == PLAN_LEAF && !plan_warning_is_safe(&plan->jobs[i]))
			return false;
	}
	return true;
}

/* -- An `after` that costs time ---------------------------------------------------------------- */

/* How long the longest chain is without that edge. */
static int plan_warning_chain_without(const struct plan *plan, uint32_t skipped, uint32_t *ret_n)
{
	struct plan_edge *edges = reallocarray(NULL, plan->n_edges, sizeof(*edges));
	struct plan copy = {.n_jobs = plan->n_jobs};
	uint32_t n = 0, *path;
	int r = -ENOMEM;

	arena_init(&copy.arena, SIZE_MAX / 4);
	copy.jobs = arena_alloc_array(&copy.arena, plan->n_jobs, sizeof(*copy.jobs));
	if (edges && copy.jobs) {
		for (uint32_t i = 0; i < plan->n_jobs; i++) {
			const struct plan_job *job = &plan->jobs[i];

			copy.jobs[i] = *job;
			copy.jobs[i].n_dependencies = copy.jobs[i].n_dependents = 0;
			for (uint32_t k = 0; k < job->n_dependencies; k++) {
				uint32_t edge = job->first_dependency + k;

				if (edge != skipped)
					edges[n++] =
						(struct plan_edge){plan->dependencies[edge], i};
			}
		}
		r = plan_set_edges(&copy, edges, n);
		if (r == 0)
			r = plan_longest_path(&copy, &copy.arena, &path, ret_n);
	}
	free(edges);
	arena_deinit(&copy.arena);
	return r;
}

static void plan_warn_of_edge(struct plan_warner *warner, uint32_t edge)
{
	const struct plan_view *view = warner->view;
	uint32_t from = view->plan->dependencies[edge], n;

	if (view->reasons[edge] != WHY_AFTER || !plan_picture_is_critical(view, warner->at, edge) ||
		!plan_warning_is_only_safe(view->plan, from) || warner->n_trials == PLAN_TRIALS_MAX)
		return;
	warner->n_trials++;
	if (plan_warning_chain_without(view->plan, edge, &n) < 0) {
		warner->no_memory = true;
		return;
	}
	if (n >= view->n_path)
		return;
	buffer_printf(&warner->message,
		"it waits for %.*s and takes nothing from it; without that the longest chain "
		"would be of %u %s, not %u",
		TEXT_ARGS(view->plan->jobs[from].id), n, n == 1 ? "job" : "jobs", view->n_path);
	plan_warner_add(warner, "after_without_data", "after");
}

static void plan_warn_of_after(struct plan_warner *warner)
{
	const struct plan_job *job = &warner->view->plan->jobs[warner->at];

	/* Whoever runs in spite of a rejection, or because of it, waits to see what became of it.
	 */
	if (job->spec->needs != PLAN_NEEDS_FULFILLED)
		return;
	for (uint32_t i = 0; i < job->n_dependencies; i++)
		plan_warn_of_edge(warner, job->first_dependency + i);
}

/* -- References that may have no value --------------------------------------------------------- */

/* True where the job has a body whatever happens to it, or as good as. */
static bool plan_warning_has_value(const struct plan *plan, const struct plan_job *target)
{
	const struct plan_job *inner = plan_view_inner(plan, plan_index(plan, target));

	if (target->kind == PLAN_EACH)
		return target->spec->each->mode == PLAN_SETTLED;
	if (inner->kind == PLAN_GROUP && inner->spec->group->mode == PLAN_SETTLED)
		return true;
	return inner->spec->fallback != NULL;
}

static void plan_warning_reference(struct buffer *out, const struct reference *reference)
{
	buffer_printf(out, "{{%.*s", TEXT_ARGS(reference->job));
	switch (reference->kind) {
	case REFERENCE_POINTER: buffer_printf(out, "#%.*s", TEXT_ARGS(reference->pointer)); break;
	case REFERENCE_STATUS: buffer_append_literal(out, ".status"); break;
	case REFERENCE_URL: buffer_append_literal(out, ".url"); break;
	case REFERENCE_HEADER:
		buffer_printf(out, ".headers.%.*s", TEXT_ARGS(reference->name));
		break;
	default: break;
	}
	buffer_append_literal(out, "}}");
}

static void plan_warning_see(
	void *context, enum why why, struct text id, const struct reference *reference)
{
	struct plan_warner *warner = context;
	const struct plan *plan = warner->view->plan;
	const struct plan_job *target = plan_find(plan, id);

	/* What is missing in a condition makes it false, which is what it is for. */
	if (!reference || !target || reference->fallback.data || why == WHY_WHEN ||
		reference->kind == REFERENCE_OUTCOME || reference->kind == REFERENCE_CODE)
		return;
	if (plan->jobs[warner->at].spec->needs != PLAN_NEEDS_ANY &&
		plan_warning_has_value(plan, target))
		return;
	if (warner->n_missing++ > 0)
		return;
	warner->missing_in = why;
	buffer_clear(&warner->missing);
	plan_warning_reference(&warner->missing, reference);
}

static void plan_warn_of_missing(struct plan_warner *warner)
{
	const struct plan_view *view = warner->view;
	enum plan_needs needs = view->plan->jobs[warner->at].spec->needs;
	unsigned bit = 0;
	const char *key;

	if (needs == PLAN_NEEDS_FULFILLED)
		return;
	warner->n_missing = 0;
	why_visit(view->plan, view->sources, warner->at, plan_warning_see, warner);
	if (warner->n_missing == 0)
		return;
	while (warner->missing_in != 1u << bit)
		bit++;
	key = why_name(bit);
	buffer_append_text(&warner->message, buffer_text(&warner->missing));
	if (warner->n_missing > 1)
		buffer_printf(&warner->message, " and %u more", warner->n_missing - 1);
	buffer_printf(&warner->message,
		" may have no value, because the job needs \"%s\"; it is then rejected with "
		"REF_MISSING: give a default with \"??\"",
		plan_view_needs(needs));
	plan_warner_add(warner, "no_default", plan_warner_key(warner, key) ? key : "");
}

static void plan_warn_of_never(struct plan_warner *warner)
{
	const struct plan *plan = warner->view->plan;
	const struct plan_job *job = &plan->jobs[warner->at];
	const struct plan_spec *inner = plan_view_inner(plan, warner->at)->spec;

	if (job->spec->needs == PLAN_NEEDS_REJECTED) {
		if (job->n_dependencies > 0)
			return;
		buffer_append_literal(&warner->message,
			"it is always skipped: it runs where a dependency is rejected, and has "
			"none");
		plan_warner_add(warner, "never_runs", "needs");
	} else if (inner->otherwise && !inner->when) {
		buffer_append_literal(
			&warner->message, "it is never skipped: there is no \"when\"");
		plan_warner_add(warner, "else_unused", "else");
	}
}

/* -- Limits that do not go together ------------------------------------------------------------ */

/* All backoffs, at their mean. Stops where they are as long as `enough`. */
static uint64_t plan_warning_backoff(const struct plan_retry *retry, uint64_t enough)
{
	uint64_t sum = 0, delay = retry->delay_ns, one;

	for (uint32_t i = 1; i < retry->attempts && sum < enough && delay > 0; i++) {
		one = delay < retry->max_delay_ns ? delay : retry->max_delay_ns;
		if (retry->jitter == PLAN_JITTER_FULL)
			one /= 2;
		else if (retry->jitter == PLAN_JITTER_EQUAL)
			one -= one / 4;
		/* A mean of nothing never comes to anything. */
		if (one == 0)
			break;
		sum += one;
		if (retry->backoff == PLAN_BACKOFF_LINEAR)
			delay += retry->delay_ns;
		else if (retry->backoff == PLAN_BACKOFF_EXPONENTIAL && delay < UINT64_MAX / 2)
			delay *= 2;
	}
	return sum;
}

static void plan_warn_of_timeout(struct plan_warner *warner)
{
	const struct plan_job *leaf = plan_view_inner(warner->view->plan, warner->at);
	uint64_t timeout = leaf->spec->timeouts.job_ns;

	if (leaf->kind != PLAN_LEAF || timeout == PLAN_NEVER)
		return;
	if (plan_warner_key(warner, "attempt_timeout") &&
		leaf->spec->timeouts.attempt_ns > timeout) {
		buffer_append_literal(
			&warner->message, "it has no effect: the job's \"timeout\" is shorter, ");
		plan_word_duration(&warner->message, timeout);
		plan_warner_add(warner, "timeout_unused", "attempt_timeout");
	}
	if (leaf->spec->retry && plan_warning_backoff(leaf->spec->retry, timeout) >= timeout &&
		(plan_warner_key(warner, "retry") || plan_warner_key(warner, "timeout"))) {
		buffer_append_literal(&warner->message, "its timeout, ");
		plan_word_duration(&warner->message, timeout);
		buffer_printf(&warner->message,
			", is over before %u attempts are made: the backoffs between them are "
			"longer",
			leaf->spec->retry->attempts);
		plan_warner_add(warner, "timeout_before_retry",
			plan_warner_key(warner, "timeout") ? "timeout" : "retry");
	}
}

/* The least bound of what is around the node, and who has it. */
static uint32_t plan_warning_bound(const struct plan *plan, uint32_t at, struct text *ret_whose)
{
	uint32_t chain[PLAN_DEPTH_MAX], n = plan_view_chain(plan, at, chain);
	uint32_t least = plan->concurrency;

	*ret_whose = TEXT("the graph");
	for (uint32_t i = 0; i < n; i++) {
		const struct plan_spec *spec = plan_view_inner(plan, chain[i])->spec;

		if (spec->group->concurrency < least) {
			least = spec->group->concurrency;
			*ret_whose = plan->jobs[chain[i]].id;
		}
	}
	return least;
}

static void plan_warn_of_concurrency(struct plan_warner *warner)
{
	const struct plan *plan = warner->view->plan;
	const struct plan_job *job = &plan->jobs[warner->at];
	bool is_each = job->kind == PLAN_EACH;
	yyjson_val *each = plan_warner_key(warner, "each");
	const char *key =
		plan_warner_key(warner, "concurrency") ? "concurrency" : "each/concurrency";
	uint32_t concurrency, bound;
	struct text whose;

	if (job->kind == PLAN_LEAF ||
		(!plan_warner_key(warner, "concurrency") && !yyjson_obj_get(each, "concurrency")))
		return;
	concurrency = is_each ? job->spec->each->concurrency : job->spec->group->concurrency;
	if (concurrency == PLAN_UNBOUNDED)
		return;
	bound = plan_warning_bound(plan, warner->at, &whose);
	if (concurrency > bound) {
		buffer_printf(&warner->message, "%u will never be on the wire: %.*s has %u at most",
			concurrency, TEXT_ARGS(whose), bound);
		plan_warner_add(warner, "concurrency_unused", key);
	} else if (is_each && yyjson_is_arr(job->spec->each->in) &&
		   concurrency > yyjson_arr_size(job->spec->each->in)) {
		buffer_printf(&warner->message, "it has no effect: there %s %zu %s",
			yyjson_arr_size(job->spec->each->in) == 1 ? "is" : "are",
			yyjson_arr_size(job->spec->each->in),
			yyjson_arr_size(job->spec->each->in) == 1 ? "item" : "items");
		plan_warner_add(warner, "concurrency_unused", key);
	}
}

/* -- Requests ---------------------------------------------------------------------------------- */

static bool plan_warning_has_key_header(const struct plan_spec *spec)
{
	for (uint32_t i = 0; i < spec->headers.n; i++) {
		if (text_equal_nocase(spec->headers.fields[i].name, TEXT("idempotency-key")))
			return true;
	}
	return false;
}

static void plan_warn_of_replay(struct plan_warner *warner)
{
	const struct plan_job *leaf = plan_view_inner(warner->view->plan, warner->at);

	if (leaf->kind != PLAN_LEAF || !leaf->spec->retry || leaf->spec->retry->attempts < 2 ||
		leaf->spec->retry->unsafe || !plan_warner_key(warner, "retry") ||
		plan_warning_is_idempotent(leaf) || plan_warning_has_key_header(leaf->spec))
		return;
	buffer_printf(&warner->message,
		"a %.*s is not repeated once bytes of it were sent: give it a header "
		"\"idempotency-key\", or say \"unsafe\": true",
		TEXT_ARGS(plan_view_method(leaf->spec)));
	plan_warner_add(warner, "not_idempotent", "retry");
}

static void plan_warn_of_omit(struct plan_warner *warner)
{
	const struct plan *plan = warner->view->plan;
	const struct plan_job *leaf = plan_view_inner(plan, warner->at);

	if (leaf->kind != PLAN_LEAF || !leaf->spec->omit || leaf->spec->output == PLAN_DISCARD ||
		!plan_warner_key(warner, "omit") || !plan_warning_is_safe(leaf) ||
		(leaf->keep & PLAN_KEEP_BODY))
		return;
	/* A group's body is made of its children's, a fan-out's as well. */
	for (uint32_t up = leaf->parent; up != PLAN_NONE; up = plan->jobs[up].parent) {
		if (plan->jobs[up].keep & PLAN_KEEP_BODY)
			return;
	}
	buffer_append_literal(&warner->message,
		"nobody sees its body: no job refers to it, and \"omit\" leaves it out of the "
		"record");
	plan_warner_add(warner, "body_unused", "omit");
}

int plan_warning_collect(struct plan_view *view)
{
	static void (*const checks[])(struct plan_warner *) = {plan_warn_of_after,
		plan_warn_of_missing, plan_warn_of_never, plan_warn_of_timeout,
		plan_warn_of_concurrency, plan_warn_of_replay, plan_warn_of_omit};
	struct plan_warner warner = {.view = view};

	buffer_init(&warner.message, SIZE_MAX / 4);
	buffer_init(&warner.missing, SIZE_MAX / 4);
	for (uint32_t i = 0; i < view->plan->n_jobs && view->n_warnings < PLAN_WARNINGS_MAX; i++) {
		warner.at = i;
		if (plan_view_is_child(view->plan, i))
			continue;
		for (size_t k = 0; k < sizeof(checks) / sizeof(checks[0]); k++)
			checks[k](&warner);
	}
	buffer_deinit(&warner.message);
	buffer_deinit(&warner.missing);
	return warner.no_memory ? -ENOMEM : 0;
}
