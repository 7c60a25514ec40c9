/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who waits for whom: the settling of one job releases others, or seals their fate; and what a job
 * has to say is kept for as long as somebody may still ask.
 */

#include <stdint.h>

#include "job/job.h"

/* The job may run, be skipped or be rejected, if all it needs has come. */
void dependency_check(struct job *job);

/* It waits for nothing any more (its due came): its condition is asked, and it begins. */
void dependency_begin(struct job *job);

/* The job was made late: what it depends on outside of its scope may have settled before. */
void dependency_catch_up(struct job *job);

/* The job has settled: its dependents hear of it. */
void dependency_tell(struct job *job);

/* It needs what it referred to no longer. */
void dependency_drop(struct job *job);

/* How many may still ask for its outcome. */
uint32_t dependency_count_users(const struct job *job);
