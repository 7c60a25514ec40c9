/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Documents in tests are written with ' for ", and job_of(...) puts the members of one job into a
 * graph that has it alone.
 */

#include <stdio.h>

#include "proto/document.h"
#include "proto/json.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* A document that has one thing wrong with it. */
struct refusal {
	const char *json;
	enum fault_code code;
	const char *at;
	/* A part of the message. */
	const char *message;
};

static inline char *document_quoted(const char *json)
{
	char *text = strdup(json);

	for (char *at = text; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	return text;
}

static inline int document_try(const char *json, struct plan **ret_plan, struct plan_errors *errors)
{
	char *text = document_quoted(json);
	int r;

	plan_errors_init(errors);
	*ret_plan = NULL;
	r = document_parse(text_from(text), &document_limits_default, ret_plan, errors);
	free(text);
	return r;
}

/* The plan of a document that must be right; to be freed. */
static inline struct plan *document_plan(const char *json)
{
	struct plan_errors errors;
	struct plan *plan;
	int r = document_try(json, &plan, &errors);

	ck_assert_msg(r == 0, "%s: %s at \"%.*s\": %.*s", json, fault_name(errors.errors[0].code),
		TEXT_ARGS(errors.errors[0].at), TEXT_ARGS(errors.errors[0].message));
	ck_assert_uint_eq(errors.n, 0);
	ck_assert_ptr_nonnull(plan);
	plan_errors_deinit(&errors);
	return plan;
}

static inline struct plan *document_plan_of_job(const char *members)
{
	char json[4096];

	snprintf(json, sizeof(json),
		"{'jobs':{'a':{'url':'http://h/',%s},'b':{'url':'http://h/'}}}", members);
	return document_plan(json);
}

/* The errors of a document that must be refused; to be deinited. */
static inline void document_errors(const char *json, struct plan_errors *errors)
{
	struct plan *plan;
	int r = document_try(json, &plan, errors);

	ck_assert_msg(r == DOCUMENT_E_REFUSED, "%s gave %d", json, r);
	ck_assert_ptr_null(plan);
	ck_assert_uint_gt(errors->n, 0);
}

static inline void document_refusal(const char *json, const struct refusal *wanted)
{
	struct plan_errors errors;
	const struct plan_error *error = &errors.errors[0];

	document_errors(json, &errors);
	ck_assert_msg(error->code == wanted->code, "%s: %s: %.*s", json, fault_name(error->code),
		TEXT_ARGS(error->message));
	ck_assert_msg(
		text_is(error->at, wanted->at), "%s: at \"%.*s\"", json, TEXT_ARGS(error->at));
	ck_assert_msg(memmem(error->message.data, error->message.size, wanted->message,
			      strlen(wanted->message)) != NULL,
		"%s: %.*s", json, TEXT_ARGS(error->message));
	ck_assert_msg(errors.n == 1, "%s: and %s at \"%.*s\": %.*s", json,
		fault_name(errors.errors[1].code), TEXT_ARGS(errors.errors[1].at),
		TEXT_ARGS(errors.errors[1].message));
	plan_errors_deinit(&errors);
}

static inline void document_refusals(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		document_refusal(cases[i].json, &cases[i]);
}

/* `json` is the members of job "a" beside its url; `at` is below it. */
static inline void document_job_refusals(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct refusal wanted = cases[i];
		char json[4096], at[256];

		snprintf(json, sizeof(json),
			"{'jobs':{'a':{'url':'http://h/',%s},'b':{'url':'http://h/'}}}",
			wanted.json);
		snprintf(at, sizeof(at), "/jobs/a%s", wanted.at);
		wanted.at = at;
		document_refusal(json, &wanted);
	}
}

static inline void document_assert_text(struct text text, const char *wanted)
{
	ck_assert_msg(text_is(text, wanted), "\"%.*s\", not \"%s\"", TEXT_ARGS(text), wanted);
}
