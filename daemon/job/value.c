/* SPDX-License-Identifier: MIT */
#include "job/value.h"

#include <stdio.h>

#include "job/graph.h"
#include "job/group.h"
#include "job/outcome.h"
#include "job/scheduler.h"
#include "proto/json.h"
#include "util/panic.h"

/* Pointers in a document are short; one that is longer leads nowhere. */
#define POINTER_MAX 1024

static struct value value_missing(enum fault_code why)
{
	return (struct value){.kind = VALUE_MISSING, .why = why};
}

static struct value value_text(struct text text)
{
	return (struct value){.kind = VALUE_TEXT, .text = text};
}

/* Below `root`, which is NULL where there is nothing at all. */
static struct value value_below(yyjson_val *root, const struct reference *reference)
{
	char memory[POINTER_MAX];
	struct text pointer = {"", 0};
	struct value value = {.kind = VALUE_JSON};

	if (!root || reference->pointer.size > sizeof(memory))
		return value_missing(FAULT_REF_MISSING);
	if (reference->pointer.size > 0)
		pointer = reference_pointer(reference, memory);
	value.json = pointer.data ? json_pointer(root, pointer) : NULL;
	return value.json ? value : value_missing(FAULT_REF_MISSING);
}

static struct value value_status(const struct outcome *outcome)
{
	struct value value = {.kind = VALUE_LITERAL};

	if (outcome->status == 0)
		return value_missing(FAULT_REF_MISSING);
	value.text.size =
		(size_t)snprintf(value.digits, sizeof(value.digits), "%u", outcome->status);
	return value;
}

static struct value value_present(struct text text)
{
	return text.data ? value_text(text) : value_missing(FAULT_REF_MISSING);
}

static struct value value_pointed(struct outcome *outcome, const struct reference *reference)
{
	yyjson_val *root;

	if (!outcome->body.data)
		return value_missing(FAULT_REF_MISSING);
	root = outcome_json(outcome);
	if (root)
		return value_below(root, reference);
	return value_missing(outcome->json_lost ? FAULT_OVERLOADED : FAULT_REF_NOT_JSON);
}

static struct value value_header(const struct outcome *outcome, struct text name)
{
	for (uint32_t i = 0; i < outcome->n_headers; i++) {
		if (text_equal_nocase(outcome->headers[i].name, name))
			return value_text(outcome->headers[i].value);
	}
	return value_missing(FAULT_REF_MISSING);
}

static struct value value_of_job(const struct scope *scope, const struct reference *reference)
{
	const struct plan *plan = scope->graph->plan;
	const struct plan_job *plan_job = plan_find(plan, reference->job);
	const struct job *job;
	struct outcome *outcome;

	expect(plan_job);
	job = scope_job(scope, plan_index(plan, plan_job));
	expect(job);
	/* It may be asked for before that by who needs any of several. */
	if (job->state != JOB_SETTLED)
		return value_missing(FAULT_REF_MISSING);
	outcome = job->outcome;
	/* It is kept for as long as somebody refers to it, unless it could not be. */
	if (!outcome)
		return value_missing(FAULT_OVERLOADED);
	switch (reference->kind) {
	case REFERENCE_BODY:
		if (!outcome->body.data)
			return value_missing(FAULT_REF_MISSING);
		if (outcome->is_value)
			return value_pointed(outcome, reference);
		return (struct value){
			.kind = VALUE_BODY, .text = outcome->body, .outcome = outcome};
	case REFERENCE_POINTER: return value_pointed(outcome, reference);
	case REFERENCE_STATUS: return value_status(outcome);
	case REFERENCE_OUTCOME:
		return value_text(
			outcome->code == FAULT_NONE ? TEXT("fulfilled") : TEXT("rejected"));
	case REFERENCE_CODE:
		return value_text(
			text_from(outcome->code == FAULT_NONE ? "" : fault_name(outcome->code)));
	case REFERENCE_URL: return value_present(outcome->url);
	case REFERENCE_HEADER: return value_header(outcome, reference->name);
	default: unreachable("a reference to a job of another kind");
	}
}

static struct value value_of_secret(
	const struct graph *graph, struct text name, struct text secret_host)
{
	const struct secret_source *secrets = &graph->scheduler->options.secrets;
	struct text text;

	if (secrets->find && secret_host.data &&
		secrets->find(secrets->context, name, graph->uid, secret_host, &text))
		return value_text(text);
	return value_missing(FAULT_SECRET_UNKNOWN);
}

static struct value value_of_index(const struct scope *scope)
{
	struct value value = {.kind = VALUE_LITERAL};

	value.text.size =
		(size_t)snprintf(value.digits, sizeof(value.digits), "%u", scope->item_index);
	return value;
}

void value_of(const struct scope *scope, const struct reference *reference, struct text secret_host,
	struct value *ret_value)
{
	const struct graph *graph = scope->graph;

	switch (reference->kind) {
	case REFERENCE_INPUT: *ret_value = value_below(graph->plan->input, reference); break;
	case REFERENCE_SECRET:
		*ret_value = value_of_secret(graph, reference->name, secret_host);
		break;
	case REFERENCE_ITEM: *ret_value = value_below(scope->item, reference); break;
	case REFERENCE_INDEX: *ret_value = value_of_index(scope); break;
	default: *ret_value = value_of_job(scope, reference); break;
	}
	if (ret_value->kind == VALUE_LITERAL)
		ret_value->text.data = ret_value->digits;
}

void value_append_text(struct buffer *out, const struct value *value)
{
	expect(value->kind != VALUE_MISSING);
	if (value->kind == VALUE_JSON)
		json_append_as_text(out, value->json);
	else
		buffer_append_text(out, value->text);
}

void value_append_json(struct buffer *out, const struct value *value)
{
	yyjson_val *json = value->json;

	expect(value->kind != VALUE_MISSING);
	if (value->kind == VALUE_BODY) {
		json = outcome_json(value->outcome);
		out->failed = out->failed || value->outcome->json_lost;
	}
	if (json)
		json_append_value(out, json);
	else if (value->kind == VALUE_LITERAL)
		buffer_append_text(out, value->text);
	else
		json_append_string(out, value->text);
}

void value_append_default(struct buffer *out, struct text fallback)
{
	struct json_error error;
	yyjson_doc *json = json_read(fallback, &error);

	if (json)
		json_append_value(out, yyjson_doc_get_root(json));
	else
		json_append_string(out, fallback);
	yyjson_doc_free(json);
}

static struct text value_base(const struct reference *reference)
{
	if (reference->job.size > 0)
		return reference->job;
	return reference->kind == REFERENCE_ITEM ? TEXT("item") : TEXT("input");
}

void value_fault(
	const struct value *value, const struct reference *reference, struct fault *ret_fault)
{
	switch (value->why) {
	case FAULT_OVERLOADED:
		fault_set(ret_fault, value->why, "no memory was left to keep the body of %.*s",
			TEXT_ARGS(reference->job));
		break;
	case FAULT_SECRET_UNKNOWN:
		fault_set(ret_fault, value->why, "no secret %.*s for this user and host",
			TEXT_ARGS(reference->name));
		break;
	case FAULT_REF_NOT_JSON:
		fault_set(ret_fault, value->why, "the body of %.*s is not JSON",
			TEXT_ARGS(reference->job));
		break;
	default:
		if (reference->pointer.size + reference->name.size == 0) {
			fault_set(ret_fault, value->why, "%.*s has no body",
				TEXT_ARGS(value_base(reference)));
			break;
		}
		fault_set(ret_fault, value->why, "%.*s has no value at %.*s%.*s",
			TEXT_ARGS(value_base(reference)), TEXT_ARGS(reference->pointer),
			TEXT_ARGS(reference->name));
		break;
	}
}
