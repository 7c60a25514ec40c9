/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What jobs are called: "user", "posts[3]" for a child of a fan-out and for what is in it, and
 * "x[0][1]" where fan-outs nest.
 */

#include "job/job.h"
#include "util/text.h"

#define JOB_NAME_MAX (PLAN_ID_MAX + (PLAN_DEPTH_MAX + 1) * 12)

/* Into memory of JOB_NAME_MAX bytes. */
struct text job_name(const struct job *job, char *memory);

/* Of the first cause of its rejection. */
struct text job_root_name(const struct job *job, char *memory);

/* The job of that name, or NULL: a fan-out, and the whole of it, by its id alone. */
struct job *graph_find(const struct graph *graph, struct text name);
