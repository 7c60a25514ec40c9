/* SPDX-License-Identifier: MIT */
#include "job/attempt_record.h"

#include "job/attempt_private.h"
#include "job/trial.h"

static uint64_t span(uint64_t from, uint64_t to)
{
	return from && to > from ? to - from : 0;
}

/* Of what has begun and not ended, as long as it has taken. */
static uint64_t span_so_far(uint64_t from, uint64_t to, uint64_t now)
{
	return span(from, to ? to : now);
}

/* What of it passed while the attempt waited for it: nothing, where it was there. */
static uint64_t span_waited(const struct attempt *attempt, uint64_t from, uint64_t to)
{
	uint64_t now = ring_now(attempt->scheduler->ring);

	if (!from)
		return 0;
	return span_so_far(from > attempt->lease_ns ? from : attempt->lease_ns, to, now);
}

static void attempt_fill_conn_times(const struct attempt *attempt, struct record_time *time)
{
	const struct conn *conn = attempt_conn(attempt);
	const struct conn_times *times;

	if (!conn)
		return;
	times = &conn->times;
	time->dns = span_waited(attempt, times->dialed_ns, times->resolved_ns);
	time->connect = span_waited(attempt, times->resolved_ns, times->connected_ns);
	if (attempt->route->is_https)
		time->tls = span_waited(attempt, times->connected_ns, times->ready_ns);
}

static void attempt_fill_times(
	const struct attempt *attempt, const struct job *job, struct record_time *time)
{
	uint64_t now = ring_now(attempt->scheduler->ring);

	time->queue = span(job->ready_ns, job->slot_ns);
	time->first_byte = span_so_far(attempt->begun_ns, attempt->first_byte_ns, now);
	time->body = span(attempt->first_byte_ns, now);
	attempt_fill_conn_times(attempt, time);
}

enum record_sent attempt_sent(const struct attempt *attempt)
{
	if (attempt->sent_ns || exchange_has_begun(&attempt->exchange) ||
		attempt->sent_before == RECORD_SENT_FULL)
		return RECORD_SENT_FULL;
	/* It waited for its turn on a shared connection. */
	if (attempt_is_shared(attempt) && h2_sent(&attempt->stream) == H2_SENT_NONE)
		return attempt->sent_before;
	/* Given to the kernel, which has not said how much of it went out. */
	return attempt->begun_ns ? RECORD_SENT_PARTIAL : attempt->sent_before;
}

void attempt_record(const struct attempt *attempt, const struct job *job, struct record *ret_record)
{
	const struct exchange *exchange = &attempt->exchange;
	struct record_response *response = &ret_record->response;
	const struct conn *conn = attempt_conn(attempt);

	job_record(job, ret_record);
	if (job->trial)
		ret_record->attempts = job->trial->n_attempts;
	else
		ret_record->attempts = attempt->lease_ns || job->trail ? 1 : 0;
	attempt_fill_times(attempt, job, &ret_record->time);
	if (conn && conn->remote[0])
		ret_record->conn =
			(struct record_conn){text_from(conn->remote), attempt->is_reused};
	if (exchange->has_head) {
		const struct response_head *head = &exchange->head;

		response->status = head->status;
		response->version = head->version_major == 2 ? 2 : head->version_minor;
		response->url = attempt->url.text;
		response->headers = head->headers;
		response->n_headers = head->n_headers;
		response->headers_json = buffer_text(&exchange->headers_json);
		response->bytes = exchange->body_bytes;
	}
}
