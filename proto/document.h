/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A graph document made a plan, or all that is wrong with it (settled-graph(5)): keys, types,
 * values, ids, references, dependencies, cycles, URLs and headers. Nothing of a document with one
 * error is used.
 *
 * Errors are found as far as possible in one go, PLAN_ERRORS_MAX at most, each at its JSON
 * pointer; the message of an unknown key names the nearest known one.
 */

#include "proto/plan.h"

enum {
	/* The document was refused: see the errors. */
	DOCUMENT_E_REFUSED = 1,
};

struct document_limits {
	uint32_t jobs_max;
	size_t bytes_max;
	/* Descriptors that came with the document. */
	uint32_t n_fds;
};

/* PLAN_JOBS_MAX, PLAN_BYTES_MAX, PLAN_FDS_MAX: where it is only looked at. */
extern const struct document_limits document_limits_default;

/* From text. 0 and the plan; DOCUMENT_E_REFUSED and at least one error; -ENOMEM. */
int document_parse(struct text json, const struct document_limits *limits, struct plan **ret_plan,
	struct plan_errors *errors);

/* From a value of a parsed message. *docp is taken (by the plan, or freed) unless -ENOMEM. */
int document_parse_value(yyjson_doc **docp, yyjson_val *graph, const struct document_limits *limits,
	struct plan **ret_plan, struct plan_errors *errors);
