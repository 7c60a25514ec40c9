/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The route of a job: all that must be equal for two requests to share a connection.
 */

#include "http/url.h"
#include "net/origin.h"
#include "proto/fault.h"
#include "proto/plan.h"

struct job;

/* True where the host of the URL is who it is for everybody: a job that says itself where the host
 * is, or how it shows that it is, or who carries its request there in the clear, could have a
 * secret used at anybody's. */
bool way_is_bound(const struct plan_spec *spec, const struct url *url);

/* For that URL of the job's; `http11_only` whatever the job says. The caller is counted as a user
 * of it, until pool_leave(). NULL: the fault, POLICY_TLS, SECRET_UNKNOWN or OVERLOADED. */
struct route *way_find(const struct job *job, const struct url *url, bool http11_only,
	struct fault *ret_fault);
