/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a failed attempt is tried again, and when (settled-graph(5), "Retry"). Pure: the caller
 * brings the clock, the dice and the budget.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/plan.h"
#include "proto/record.h"

/* The response has no Retry-After that can be understood. */
#define RETRY_AFTER_NONE UINT64_MAX

struct retry_question {
	/* NULL: one attempt. */
	const struct plan_retry *retry;
	/* Made, this one included: from 1 on. */
	uint32_t n_attempts;
	/* Why it failed; of FAULT_HTTP_STATUS the status, else 0. */
	enum fault_code code;
	uint16_t status;
	/* True where it failed because it asked for a part: there is no need to. */
	bool is_part_refused;
	enum record_sent sent;
	/* True where the method is (GET, HEAD, PUT, DELETE, OPTIONS, TRACE), or the request has an
	 * Idempotency-Key. */
	bool is_idempotent;
	/* The deadline is the earliest of the job's, its groups' and the graph's; TIMER_NEVER:
	 * none. */
	uint64_t now_ns, deadline_ns;
	/* What the response asked for, or RETRY_AFTER_NONE; and at most that much of it. */
	uint64_t retry_after_ns, retry_after_max_ns;
	/* True where the origin may have one more request that is a repetition. */
	bool has_budget;
	/* Evenly spread over all its values. */
	uint64_t random;
};

struct retry_answer {
	/* True: once more, after so long. False: why not. */
	bool again;
	enum record_stopped stopped;
	uint64_t delay_ns;
};

struct retry_answer retry_decide(const struct retry_question *question);
