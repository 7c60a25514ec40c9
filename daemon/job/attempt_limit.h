/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How long an attempt may still take: each part has its own limit, the earliest one counts and
 * names the code.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"

struct attempt;

struct limit {
	uint64_t deadline_ns;
	/* How long it was, for the message; and what did not come: "connection". */
	uint64_t length_ns;
	const char *what;
	enum fault_code code;
	/* The job's alone: who shares its flight has more time. */
	bool is_own;
};

struct limit attempt_limit(const struct attempt *attempt);
