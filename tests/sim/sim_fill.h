/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a request must look like, or why there must be none, by what its dependencies settled to.
 */

#include "sim_value.h"

struct sim_filled {
	/* What the job may be rejected with instead of being sent; and whether it must be. */
	struct sim_codes codes;
	bool fails;
	/* header NULL: it has no x-r; body NULL: none. */
	const char *method, *target, *header, *type;
	struct text body;
};

struct sim_filled sim_fill(const struct sim_view *view);

/* A JSON template: a string that is one reference is replaced by its value. What is missing is
 * null where `lenient`, else it fails. */
const char *sim_fill_json(
	const struct sim_view *view, const char *template, bool lenient, struct sim_filled *filled);

/* The items of a fan-out; NULL and the code where there are none. */
yyjson_val *sim_fill_items(const struct sim_instance *each, enum fault_code *ret_code);
