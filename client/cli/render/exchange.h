/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A settled job as a conversation, for -v: what was asked ("> "), what was answered ("< "), and
 * what is told about it ("* "), a line each and clean for a terminal. What is secret in a header
 * (authorization, cookies, a proxy's credentials) is not shown.
 *
 * A record has the response; the request is shown as the plan says it, and behind a redirect as
 * the daemon makes one of it.
 */

#include "proto/plan.h"
#include "util/buffer.h"
#include "util/text.h"

/* `job` may be NULL: then the request's headers are not known. `url` is what was asked for. */
void exchange_append(
	struct buffer *out, const struct plan_job *job, struct text url, struct text record);
