/* SPDX-License-Identifier: MIT */
#include "job/attempt_limit.h"

#include "job/attempt_private.h"
#include "job/trail.h"

static void limit_consider(
	struct limit *limit, uint64_t from_ns, uint64_t length_ns, const struct limit *other)
{
	uint64_t deadline_ns;

	if (length_ns == PLAN_NEVER)
		return;
	deadline_ns = from_ns + length_ns;
	if (deadline_ns >= limit->deadline_ns)
		return;
	*limit = *other;
	limit->deadline_ns = deadline_ns;
	limit->length_ns = length_ns;
}

/* One that was being made before it was asked for has as long as any. */
static uint64_t limit_from(const struct attempt *attempt, uint64_t from_ns)
{
	return from_ns > attempt->lease_ns ? from_ns : attempt->lease_ns;
}

/* Of a connection that is being made. */
static void limit_consider_conn(
	struct limit *limit, const struct attempt *attempt, const struct plan_timeouts *timeouts)
{
	static const struct limit dns = {.code = FAULT_DNS_TIMEOUT, .what = "address"};
	static const struct limit connect = {.code = FAULT_CONNECT_TIMEOUT, .what = "connection"};
	static const struct limit tls = {.code = FAULT_TLS_TIMEOUT, .what = "TLS handshake"};
	const struct conn *conn = attempt_conn(attempt);
	const struct conn_times *times;

	if (!conn)
		return;
	times = &conn->times;
	if (times->connected_ns)
		limit_consider(
			limit, limit_from(attempt, times->connected_ns), timeouts->tls_ns, &tls);
	else if (times->resolved_ns)
		limit_consider(limit, limit_from(attempt, times->resolved_ns), timeouts->connect_ns,
			&connect);
	else
		limit_consider(limit, limit_from(attempt, times->dialed_ns),
			attempt->scheduler->options.dns_timeout_ns, &dns);
}

/* Of a request on the wire. Idle is the silence of a body, in either direction. */
static void limit_consider_exchange(
	struct limit *limit, const struct attempt *attempt, const struct plan_timeouts *timeouts)
{
	static const struct limit first_byte = {
		.code = FAULT_FIRST_BYTE_TIMEOUT, .what = "byte of a response"};
	static const struct limit idle = {.code = FAULT_IDLE_TIMEOUT, .what = "byte of a body"};

	/* Who takes it is full: that is not the peer's silence. */
	if (attempt->exchange.is_full)
		return;
	if (attempt->exchange.has_head || !attempt->sent_ns)
		limit_consider(limit, attempt->active_ns, timeouts->idle_ns, &idle);
	else if (!attempt->first_byte_ns)
		limit_consider(limit, attempt->sent_ns, timeouts->first_byte_ns, &first_byte);
}

struct limit attempt_limit(const struct attempt *attempt)
{
	static const struct limit own = {
		.code = FAULT_JOB_TIMEOUT, .what = "result", .is_own = true};
	static const struct limit whole = {
		.code = FAULT_ATTEMPT_TIMEOUT, .what = "complete response"};
	static const struct limit trail = {
		.code = FAULT_ATTEMPT_TIMEOUT, .what = "complete response", .is_own = true};
	const struct job *job = attempt->job;
	const struct plan_timeouts *timeouts = &job_plan(job)->spec->timeouts;
	struct limit limit = {.deadline_ns = TIMER_NEVER};

	limit_consider(&limit, job->slot_ns, timeouts->job_ns, &own);
	limit_consider(&limit, attempt->slot_ns, timeouts->attempt_ns, &whole);
	/* It came by a redirect, and has taken the flight over from a job that began it later. */
	if (job->trail)
		limit_consider(&limit, job->trail->slot_ns, timeouts->attempt_ns, &trail);
	if (attempt->state == ATTEMPT_LEASE)
		limit_consider_conn(&limit, attempt, timeouts);
	else if (attempt->state == ATTEMPT_EXCHANGE || attempt->state == ATTEMPT_STORE)
		limit_consider_exchange(&limit, attempt, timeouts);
	return limit;
}
