/* SPDX-License-Identifier: MIT */
#include "job/attempt_limit.h"

#include "job/attempt.h"
#include "job/graph.h"
#include "job/scheduler.h"

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

/* Of a connection that is being made. */
static void limit_consider_conn(
	struct limit *limit, const struct attempt *attempt, const struct plan_timeouts *timeouts)
{
	static const struct limit dns = {.code = FAULT_DNS_TIMEOUT, .what = "address"};
	static const struct limit connect = {.code = FAULT_CONNECT_TIMEOUT, .what = "connection"};
	static const struct limit tls = {.code = FAULT_TLS_TIMEOUT, .what = "TLS handshake"};
	const struct conn_times *times;

	if (!attempt->conn)
		return;
	times = &attempt->conn->times;
	if (times->connected_ns)
		limit_consider(limit, times->connected_ns, timeouts->tls_ns, &tls);
	else if (times->resolved_ns)
		limit_consider(limit, times->resolved_ns, timeouts->connect_ns, &connect);
	else
		limit_consider(
			limit, times->dialed_ns, attempt->scheduler->options.dns_timeout_ns, &dns);
}

/* Of a request on the wire. Idle is the silence of a body, in either direction. */
static void limit_consider_exchange(
	struct limit *limit, const struct attempt *attempt, const struct plan_timeouts *timeouts)
{
	static const struct limit first_byte = {
		.code = FAULT_FIRST_BYTE_TIMEOUT, .what = "byte of a response"};
	static const struct limit idle = {.code = FAULT_IDLE_TIMEOUT, .what = "byte of a body"};

	if (attempt->exchange.has_head || !attempt->sent_ns)
		limit_consider(limit, attempt->active_ns, timeouts->idle_ns, &idle);
	else if (!attempt->first_byte_ns)
		limit_consider(limit, attempt->sent_ns, timeouts->first_byte_ns, &first_byte);
}

struct limit attempt_limit(const struct attempt *attempt)
{
	static const struct limit job = {.code = FAULT_JOB_TIMEOUT, .what = "result"};
	static const struct limit whole = {
		.code = FAULT_ATTEMPT_TIMEOUT, .what = "complete response"};
	const struct plan_timeouts *timeouts = &job_plan(attempt->job)->spec->timeouts;
	struct limit limit = {.deadline_ns = TIMER_NEVER};

	limit_consider(&limit, attempt->job->slot_ns, timeouts->job_ns, &job);
	limit_consider(&limit, attempt->slot_ns, timeouts->attempt_ns, &whole);
	if (attempt->state == ATTEMPT_LEASE)
		limit_consider_conn(&limit, attempt, timeouts);
	else if (attempt->state == ATTEMPT_EXCHANGE)
		limit_consider_exchange(&limit, attempt, timeouts);
	return limit;
}
