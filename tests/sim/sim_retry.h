/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The reference model of retries: attempts, backoffs, and origins that want to be left alone.
 */

#include "sim_judge.h"

/* The attempts of a job, and why there were no more; the requests they made, or NULL each. */
void sim_retry_judge(const struct sim_record *record, struct sim_try *const *tries);

/* At the end of the world: no attempt began while its origin was paused. */
void sim_retry_check_pauses(void);
