/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The route of a job: all that must be equal for two requests to share a connection.
 */

#include "http/url.h"
#include "net/origin.h"
#include "proto/fault.h"

struct job;

/* For that URL of the job's. The caller is counted as a user of it, until pool_leave(). NULL: the
 * fault, POLICY_TLS or OVERLOADED. */
struct route *way_find(const struct job *job, const struct url *url, struct fault *ret_fault);
