/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What others may refer to of a job that has settled: kept only where the document has such a
 * reference, and only as long as somebody may still need it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "http/header.h"
#include "proto/record.h"
#include "util/text.h"

struct scheduler;

struct outcome {
	/* Dependents that have not settled, and one for `return`. */
	uint32_t n_users;
	/* FAULT_NONE: fulfilled. */
	enum fault_code code;
	/* 0: there was no response. */
	uint16_t status;
	/* Own memory; data == NULL: none. */
	struct text url;
	struct text body;
	const struct header *headers;
	uint32_t n_headers;
	/* True exactly when the body is a JSON value, rather than bytes that may be one: as text, a
	 * string of it has no quotes. */
	bool is_value;
	/* The body as JSON: read when first asked for. NULL where it is none. */
	yyjson_doc *json;
	bool json_read;
	/* True exactly when there was no memory to read it. */
	bool json_lost;
};

/* A copy of what `keep` (bits of enum plan_keep) asks for. Of a fallback, a skipped job or a group
 * there is a body, but no response. NULL: no memory. */
struct outcome *outcome_new(const struct record *record, struct text body, uint8_t keep);

/* Frees it, if there is one, and takes it off what the scheduler's bodies come to. */
void outcome_drop(struct scheduler *scheduler, struct outcome **outcomep);

/* The body's JSON value, or NULL where it is not JSON. */
yyjson_val *outcome_json(struct outcome *outcome);
