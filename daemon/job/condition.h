/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * `when` (settled-graph(5), "Conditions"): whether a job runs, once all it refers to has settled.
 */

#include <stdbool.h>
#include <yyjson.h>

#include "proto/fault.h"

struct job;

/* True where the condition holds, which was checked at admission. What has no value, or another
 * type than its operator wants, is false, and so is the condition where there was no memory to
 * find out: then *ret_fault has the code OVERLOADED, else FAULT_NONE. */
bool condition_holds(struct job *job, yyjson_val *when, struct fault *ret_fault);
