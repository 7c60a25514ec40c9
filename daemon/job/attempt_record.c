/* SPDX-License-Identifier: MIT */
#include "job/attempt_record.h"

#include "job/attempt.h"
#include "job/graph.h"
#include "job/scheduler.h"

static uint64_t span(uint64_t from, uint64_t to)
{
	return from && to > from ? to - from : 0;
}

/* Of what has begun and not ended, as long as it has taken. */
static uint64_t span_so_far(uint64_t from, uint64_t to, uint64_t now)
{
	return span(from, to ? to : now);
}

static void attempt_fill_times(
	const struct attempt *attempt, const struct job *job, struct record_time *time)
{
	uint64_t now = ring_now(attempt->scheduler->ring);

	time->queue = span(job->ready_ns, job->slot_ns);
	time->first_byte = span_so_far(attempt->begun_ns, attempt->first_byte_ns, now);
	time->body = span(attempt->first_byte_ns, now);
	if (attempt->conn && !attempt->is_reused) {
		const struct conn_times *times = &attempt->conn->times;

		time->dns = span_so_far(times->dialed_ns, times->resolved_ns, now);
		time->connect = span_so_far(times->resolved_ns, times->connected_ns, now);
		if (attempt->route->is_https)
			time->tls = span_so_far(times->connected_ns, times->ready_ns, now);
	}
}

enum record_sent attempt_sent(const struct attempt *attempt)
{
	if (attempt->sent_ns || exchange_has_begun(&attempt->exchange) ||
		attempt->sent_before == RECORD_SENT_FULL)
		return RECORD_SENT_FULL;
	/* Given to the kernel, which has not said how much of it went out. */
	return attempt->begun_ns ? RECORD_SENT_PARTIAL : attempt->sent_before;
}

struct record attempt_record(const struct attempt *attempt, const struct job *job)
{
	const struct exchange *exchange = &attempt->exchange;
	struct record record = job_record(job);

	if (!job->trial)
		record.attempts = attempt->conn || attempt->begun_ns ? 1 : 0;
	attempt_fill_times(attempt, job, &record.time);
	if (attempt->conn && attempt->conn->remote[0])
		record.conn =
			(struct record_conn){text_from(attempt->conn->remote), attempt->is_reused};
	if (!exchange->has_head)
		return record;
	record.response = (struct record_response){
		.status = exchange->head.status,
		.version = exchange->head.version_minor,
		.url = attempt->url.text,
		.headers = exchange->head.headers,
		.n_headers = exchange->head.n_headers,
		.bytes = exchange->body_bytes,
	};
	return record;
}
