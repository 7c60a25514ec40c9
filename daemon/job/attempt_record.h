/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an attempt has come to, for the record of its job.
 */

#include "proto/record.h"

struct attempt;
struct job;

/* Whether the peer may have acted on it, also where it was sent twice. */
enum record_sent attempt_sent(const struct attempt *attempt);

/* All that is known of the try, whatever came of it, for the job, which made it or shared it. Views
 * into the attempt. */
void attempt_record(
	const struct attempt *attempt, const struct job *job, struct record *ret_record);
