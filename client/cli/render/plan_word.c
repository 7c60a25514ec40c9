/* SPDX-License-Identifier: MIT */
/*
 * A node in words. All forms say the same thing in the same words, but for JSON, which has keys for
 * it. Whatever the document says goes through clean_line().
 */
#include "client/cli/render/plan_private.h"

#include "client/cli/clean.h"
#include "client/cli/render/why.h"
#include "proto/json.h"

/* Characters of a line of a label. */
#define PLAN_LABEL_WIDTH 44

/* A condition longer than this is cut. */
#define PLAN_JSON_WIDTH 200

static void plan_word_separate(struct buffer *out, size_t begin)
{
	if (out->size > begin)
		buffer_append_literal(out, ", ");
}

void plan_word_duration(struct buffer *out, uint64_t ns)
{
	uint64_t us = ns / 1000;

	if (us >= 1000000)
		json_append_ms(out, us);
	else
		json_append_ms(out, us * 1000);
	buffer_append_text(out, us >= 1000000 ? TEXT(" s") : TEXT(" ms"));
}

static void plan_word_json(struct buffer *out, yyjson_val *value)
{
	struct text whole, shown;
	struct buffer compact;

	buffer_init(&compact, SIZE_MAX / 4);
	json_append_value(&compact, value);
	whole = buffer_text(&compact);
	shown = clean_cut(whole, PLAN_JSON_WIDTH);
	clean_line(out, shown);
	if (shown.size < whole.size)
		buffer_append_literal(out, "...");
	out->failed |= compact.failed;
	buffer_deinit(&compact);
}

static void plan_word_group(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_group *group = plan_view_inner(plan, at)->spec->group;
	uint32_t n = plan_view_leaves(plan, at);

	buffer_printf(out, "group of %u %s, mode %s", n, n == 1 ? "job" : "jobs",
		plan_view_mode(group->mode));
	if (group->concurrency != PLAN_UNBOUNDED)
		buffer_printf(out, ", concurrency %u", group->concurrency);
	if (group->timeout_ns != PLAN_NEVER) {
		buffer_append_literal(out, ", timeout ");
		plan_word_duration(out, group->timeout_ns);
	}
}

void plan_word_inner(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_job *inner = plan_view_inner(plan, at);

	if (inner->kind == PLAN_GROUP) {
		plan_word_group(out, plan, at);
		return;
	}
	clean_line(out, plan_view_method(inner->spec));
	buffer_append_byte(out, ' ');
	clean_line(out, inner->url);
}

void plan_word_each(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_each *each = plan->jobs[at].spec->each;
	size_t n;

	if (plan->jobs[at].kind != PLAN_EACH)
		return;
	buffer_append_literal(out, "for each of ");
	n = yyjson_arr_size(each->in);
	if (yyjson_is_arr(each->in))
		buffer_printf(out, "%zu %s", n, n == 1 ? "item" : "items");
	else
		clean_line(out, json_string(each->in));
	if (each->mode != PLAN_SETTLED)
		buffer_printf(out, ", mode %s", plan_view_mode(each->mode));
	if (each->concurrency != PLAN_UNBOUNDED)
		buffer_printf(out, ", concurrency %u", each->concurrency);
	if (each->batch_size == 0)
		return;
	buffer_printf(out, ", batches of %u", each->batch_size);
	if (each->batch_delay_ns > 0) {
		buffer_append_literal(out, ", ");
		plan_word_duration(out, each->batch_delay_ns);
		buffer_append_literal(out, " apart");
	}
}

/* Of the request alone. */
static void plan_word_request(struct buffer *out, const struct plan_spec *spec, size_t begin)
{
	if (spec->retry && spec->retry->attempts > 1) {
		plan_word_separate(out, begin);
		buffer_printf(out, "%u attempts", spec->retry->attempts);
	}
	if (spec->output == PLAN_DISCARD) {
		plan_word_separate(out, begin);
		buffer_append_literal(out, "body discarded");
	} else if (spec->omit) {
		plan_word_separate(out, begin);
		buffer_append_literal(out, "body for dependents only");
	}
	if (spec->tls.insecure) {
		plan_word_separate(out, begin);
		buffer_append_literal(out, "certificate not verified");
	}
}

void plan_word_notes(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_job *inner = plan_view_inner(plan, at);
	enum plan_needs needs = plan->jobs[at].spec->needs;
	size_t begin = out->size;

	if (inner->spec->optional)
		buffer_append_literal(out, "optional");
	if (inner->spec->fallback) {
		plan_word_separate(out, begin);
		buffer_append_literal(out, "fallback");
	}
	if (needs != PLAN_NEEDS_FULFILLED) {
		plan_word_separate(out, begin);
		buffer_printf(out, "needs %s", plan_view_needs(needs));
	}
	if (inner->kind == PLAN_LEAF)
		plan_word_request(out, inner->spec, begin);
}

void plan_word_when(struct buffer *out, const struct plan *plan, uint32_t at)
{
	const struct plan_spec *spec = plan_view_inner(plan, at)->spec;

	if (spec->when) {
		buffer_append_literal(out, "when ");
		plan_word_json(out, spec->when);
	}
	if (spec->otherwise) {
		buffer_append_text(out, spec->when ? TEXT(", else ") : TEXT("else "));
		plan_word_json(out, spec->otherwise);
	}
}

void plan_word_why(struct buffer *out, const struct plan_view *view, uint32_t edge)
{
	size_t begin = out->size;

	for (unsigned i = 0; i < WHY_BITS; i++) {
		if (!(view->reasons[edge] & 1u << i))
			continue;
		plan_word_separate(out, begin);
		buffer_append_text(out, text_from(why_name(i)));
	}
}

static void plan_word_line(struct buffer *out, struct buffer *line)
{
	struct text whole = buffer_text(line), shown = clean_cut(whole, PLAN_LABEL_WIDTH);

	if (whole.size > 0) {
		buffer_append_byte(out, '\n');
		buffer_append_text(out, shown);
		if (shown.size < whole.size)
			buffer_append_literal(out, "...");
	}
	out->failed |= line->failed;
	buffer_clear(line);
}

void plan_word_label(struct buffer *out, const struct plan *plan, uint32_t at)
{
	static void (*const words[])(struct buffer *, const struct plan *, uint32_t) = {
		plan_word_each, plan_word_inner, plan_word_notes, plan_word_when};
	struct buffer line;

	buffer_init(&line, SIZE_MAX / 4);
	buffer_append_text(out, plan->jobs[at].id);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		words[i](&line, plan, at);
		plan_word_line(out, &line);
	}
	buffer_deinit(&line);
}
