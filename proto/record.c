/* SPDX-License-Identifier: MIT */
/*
 * The problem: a record is written for every job, a hundred thousand times a second, and about
 * 400 bytes of it are labels, numbers and strings that nearly never need an escape.
 *
 * The idea: the room is asked for once, as if nothing had to be escaped (RECORD_FIXED_MAX for
 * all labels and numbers, the like for each attempt and each error, and the strings at their
 * size), and then written by pointer (proto/writer). So a buffer may be asked for up to
 * RECORD_FIXED_MAX bytes more than a record takes in the end; a buffer that could not give them
 * is left as it was, but for `failed`.
 *
 * The body of a fulfilled record is put in behind "bytes": of its value, by who knows nothing but
 * the text (proto/splice). That is why what stands behind the value has no such member: a cause
 * shows the head of a response, and not its length.
 */
#include "proto/record.h"

#include "proto/record_header.h"
#include "proto/writer.h"
#include "util/panic.h"

/* All labels and numbers of a record or a summary, every member there; tested. */
#define RECORD_FIXED_MAX 1024

/* A string in an array: "", */
#define RECORD_STRING_MORE 3
/* One of `errors`, one of `hops`, beside their strings; one of `tries`. Tested. */
#define RECORD_ERROR_MORE 72
#define RECORD_HOP_MORE   32
#define RECORD_TRY_MAX    336

const char *record_by_text(enum record_by by)
{
	switch (by) {
	case RECORD_BY_NONE: return NULL;
	case RECORD_BY_FAIL_FAST: return "fail_fast";
	case RECORD_BY_WINNER: return "winner";
	case RECORD_BY_CLIENT: return "client";
	case RECORD_BY_DISCONNECT: return "disconnect";
	case RECORD_BY_TIMEOUT: return "timeout";
	case RECORD_BY_SHUTDOWN: return "shutdown";
	}
	unreachable("a cancellation by nobody");
}

static struct text record_via_text(enum record_via via)
{
	switch (via) {
	case RECORD_VIA_NETWORK: return TEXT("network");
	case RECORD_VIA_FALLBACK: return TEXT("fallback");
	case RECORD_VIA_SKIPPED: return TEXT("skipped");
	case RECORD_VIA_DEDUPE: return TEXT("dedupe");
	case RECORD_VIA_NONE: break;
	}
	unreachable("a rejected record has no via");
}

static struct text record_stopped_text(enum record_stopped stopped)
{
	switch (stopped) {
	case RECORD_STOPPED_POLICY: return TEXT("policy");
	case RECORD_STOPPED_ATTEMPTS: return TEXT("attempts");
	case RECORD_STOPPED_NOT_IDEMPOTENT: return TEXT("not_idempotent");
	case RECORD_STOPPED_BUDGET: return TEXT("budget");
	case RECORD_STOPPED_DEADLINE: return TEXT("deadline");
	case RECORD_STOPPED_NONE: break;
	}
	unreachable("stopped by nothing");
}

static struct text record_sent_text(enum record_sent sent)
{
	switch (sent) {
	case RECORD_SENT_NONE: return TEXT("none");
	case RECORD_SENT_PARTIAL: return TEXT("partial");
	case RECORD_SENT_FULL: return TEXT("full");
	}
	unreachable("sent in a fourth way");
}

/* "redirects", and "hops" where there are any. */
static void record_write_hops(struct writer *writer, const struct record_response *response)
{
	writer_literal(writer, "\"redirects\":");
	writer_u64(writer, response->n_hops);
	if (response->n_hops == 0)
		return;
	writer_literal(writer, ",\"hops\":[");
	for (uint32_t i = 0; i < response->n_hops; i++) {
		if (i > 0)
			writer_byte(writer, ',');
		writer_literal(writer, "{\"status\":");
		writer_u64(writer, response->hops[i].status);
		writer_literal(writer, ",\"url\":");
		writer_string(writer, response->hops[i].url);
		writer_byte(writer, '}');
	}
	writer_byte(writer, ']');
}

/* "status" to "headers". */
static void record_write_head(struct writer *writer, const struct record_response *response)
{
	writer_literal(writer, "\"status\":");
	writer_u64(writer, response->status);
	if (response->version == 2)
		writer_literal(writer, ",\"version\":\"2\",\"url\":");
	else if (response->version == 1)
		writer_literal(writer, ",\"version\":\"1.1\",\"url\":");
	else
		writer_literal(writer, ",\"version\":\"1.0\",\"url\":");
	writer_string(writer, response->url);
	writer_byte(writer, ',');
	record_write_hops(writer, response);
	writer_literal(writer, ",\"headers\":");
	if (response->headers_json.size > 0)
		writer_text(writer, response->headers_json);
	else
		record_header_write(writer, response->headers, response->n_headers);
}

static void record_write_response(struct writer *writer, const struct record_response *response)
{
	writer_byte(writer, '{');
	record_write_head(writer, response);
	writer_literal(writer, ",\"bytes\":");
	writer_u64(writer, response->bytes);
	writer_byte(writer, '}');
}

static void record_write_count(struct writer *writer, struct text label, uint64_t count)
{
	writer_text(writer, label);
	writer_u64(writer, count);
}

static void record_write_group(struct writer *writer, const struct record_group *group)
{
	writer_byte(writer, '{');
	if (group->winner.data) {
		writer_literal(writer, "\"winner\":");
		writer_string(writer, group->winner);
		writer_byte(writer, ',');
	}
	record_write_count(writer, TEXT("\"jobs\":"), group->jobs);
	record_write_count(writer, TEXT(",\"fulfilled\":"), group->fulfilled);
	record_write_count(writer, TEXT(",\"rejected\":"), group->rejected);
	writer_byte(writer, '}');
}

static void record_write_value(struct writer *writer, const struct record *record)
{
	/* The response of a fallback is its cause's. */
	bool has_response = record->response.status != 0 && record->via != RECORD_VIA_FALLBACK;

	if (record->is_group) {
		record_write_group(writer, &record->group);
	} else if (has_response) {
		record_write_response(writer, &record->response);
	} else {
		record_write_count(writer, TEXT("{\"bytes\":"), record->response.bytes);
		writer_byte(writer, '}');
	}
}

static void record_write_errors(
	struct writer *writer, const struct record_error *errors, uint32_t n_errors)
{
	writer_literal(writer, ",\"errors\":[");
	for (uint32_t i = 0; i < n_errors; i++) {
		if (i > 0)
			writer_byte(writer, ',');
		writer_literal(writer, "{\"job\":");
		writer_string(writer, errors[i].job);
		writer_literal(writer, ",\"code\":\"");
		writer_text(writer, text_from(fault_name(errors[i].code)));
		writer_literal(writer, "\",\"message\":");
		writer_string(writer, errors[i].message);
		writer_byte(writer, '}');
	}
	writer_byte(writer, ']');
}

/* "by", "job", "root" and "errors", each with a comma before it. */
static void record_write_causes(struct writer *writer, const struct record_reason *reason)
{
	if (reason->by != RECORD_BY_NONE) {
		writer_literal(writer, ",\"by\":\"");
		writer_text(writer, text_from(record_by_text(reason->by)));
		writer_byte(writer, '"');
	}
	if (reason->job.data) {
		writer_literal(writer, ",\"job\":");
		writer_string(writer, reason->job);
	}
	if (reason->root.data) {
		writer_literal(writer, ",\"root\":");
		writer_string(writer, reason->root);
	}
	if (reason->n_errors > 0)
		record_write_errors(writer, reason->errors, reason->n_errors);
}

static void record_write_code(struct writer *writer, const struct fault *fault)
{
	writer_literal(writer, "{\"code\":\"");
	writer_text(writer, text_from(fault_name(fault->code)));
	writer_literal(writer, "\",\"message\":");
	writer_string(writer, text_from(fault_message(fault)));
}

/* As the reason of a rejection, or as the cause of a fallback. */
static void record_write_reason(struct writer *writer, const struct record *record)
{
	const struct record_reason *reason = &record->reason;

	record_write_code(writer, reason->fault);
	if (reason->retryable)
		writer_literal(writer, ",\"retryable\":true");
	else
		writer_literal(writer, ",\"retryable\":false");
	record_write_causes(writer, reason);
	writer_literal(writer, ",\"sent\":\"");
	writer_text(writer, record_sent_text(reason->sent));
	writer_byte(writer, '"');
	if (reason->stopped != RECORD_STOPPED_NONE) {
		writer_literal(writer, ",\"stopped\":\"");
		writer_text(writer, record_stopped_text(reason->stopped));
		writer_byte(writer, '"');
	}
	if (record->response.status != 0) {
		writer_literal(writer, ",\"response\":{");
		record_write_head(writer, &record->response);
		/* The length of a fallback's cause is not known any more. */
		if (record->via == RECORD_VIA_NONE)
			record_write_count(writer, TEXT(",\"bytes\":"), record->response.bytes);
		writer_byte(writer, '}');
	} else if (record->response.n_hops > 0) {
		/* It failed on the way. */
		writer_byte(writer, ',');
		record_write_hops(writer, &record->response);
	}
	writer_byte(writer, '}');
}

static void record_write_time(struct writer *writer, const struct record_time *time)
{
	writer_literal(writer, "\"time\":{\"start\":");
	writer_ms(writer, time->start);
	writer_literal(writer, ",\"queue\":");
	writer_ms(writer, time->queue);
	writer_literal(writer, ",\"dns\":");
	writer_ms(writer, time->dns);
	writer_literal(writer, ",\"connect\":");
	writer_ms(writer, time->connect);
	writer_literal(writer, ",\"tls\":");
	writer_ms(writer, time->tls);
	writer_literal(writer, ",\"first_byte\":");
	writer_ms(writer, time->first_byte);
	writer_literal(writer, ",\"body\":");
	writer_ms(writer, time->body);
	writer_literal(writer, ",\"end\":");
	writer_ms(writer, time->end);
	writer_byte(writer, '}');
}

static void record_write_try(struct writer *writer, const struct record_try *try)
{
	writer_byte(writer, '{');
	if (try->code != FAULT_NONE) {
		writer_literal(writer, "\"code\":\"");
		writer_text(writer, text_from(fault_name(try->code)));
		writer_literal(writer, "\",");
	}
	if (try->status != 0) {
		record_write_count(writer, TEXT("\"status\":"), try->status);
		writer_byte(writer, ',');
	}
	record_write_time(writer, &try->time);
	if (try->backoff > 0) {
		writer_literal(writer, ",\"backoff\":");
		writer_ms(writer, try->backoff);
	}
	writer_byte(writer, '}');
}

static void record_write_tries(
	struct writer *writer, const struct record_try *tries, uint32_t n_tries)
{
	writer_literal(writer, ",\"tries\":[");
	for (uint32_t i = 0; i < n_tries; i++) {
		if (i > 0)
			writer_byte(writer, ',');
		record_write_try(writer, &tries[i]);
	}
	writer_byte(writer, ']');
}

static void record_write_conn(struct writer *writer, const struct record_conn *conn)
{
	if (conn->reused)
		writer_literal(writer, ",\"conn\":{\"reused\":true,\"remote\":");
	else
		writer_literal(writer, ",\"conn\":{\"reused\":false,\"remote\":");
	writer_string(writer, conn->remote);
	writer_byte(writer, '}');
}

/* What a reason takes beside labels and numbers. */
static size_t record_reason_size(const struct record_reason *reason)
{
	size_t size = FAULT_MESSAGE_MAX + reason->job.size + reason->root.size;

	for (uint32_t i = 0; i < reason->n_errors; i++)
		size += reason->errors[i].job.size + reason->errors[i].message.size +
			RECORD_ERROR_MORE;
	return size;
}

/* What the record takes if nothing is escaped. */
static size_t record_size(const struct record *record)
{
	const struct record_response *response = &record->response;
	size_t size = RECORD_FIXED_MAX + record->job.size + record->of.size +
		      record->conn.remote.size + (size_t)record->n_tries * RECORD_TRY_MAX;

	for (uint32_t i = 0; i < response->n_hops; i++)
		size += response->hops[i].url.size + RECORD_HOP_MORE;
	if (response->status != 0) {
		size += response->url.size + response->headers_json.size;
		if (response->headers_json.size == 0)
			size += record_header_size(response->headers, response->n_headers);
	}
	if (record->reason.fault)
		size += record_reason_size(&record->reason);
	if (record->is_group)
		size += record->group.winner.size;
	return size;
}

/* "status", "via", "of" and "attempts". A group has no attempts, and no `via` where it ran. */
static void record_write_status(struct writer *writer, const struct record *record)
{
	if (record->via == RECORD_VIA_NONE)
		writer_literal(writer, ",\"status\":\"rejected\"");
	else
		writer_literal(writer, ",\"status\":\"fulfilled\"");
	if (record->via != RECORD_VIA_NONE &&
		!(record->is_group && record->via == RECORD_VIA_NETWORK)) {
		writer_literal(writer, ",\"via\":\"");
		writer_text(writer, record_via_text(record->via));
		writer_byte(writer, '"');
	}
	if (record->of.data) {
		writer_literal(writer, ",\"of\":");
		writer_string(writer, record->of);
	}
	if (!record->is_group)
		record_write_count(writer, TEXT(",\"attempts\":"), record->attempts);
}

/* "value", "reason" and "cause". */
static void record_write_outcome(struct writer *writer, const struct record *record)
{
	expect((record->via == RECORD_VIA_NONE || record->via == RECORD_VIA_FALLBACK) ==
		(record->reason.fault != NULL));

	if (record->via == RECORD_VIA_NONE) {
		writer_literal(writer, ",\"reason\":");
		record_write_reason(writer, record);
		return;
	}
	writer_literal(writer, ",\"value\":");
	record_write_value(writer, record);
	if (record->via == RECORD_VIA_FALLBACK) {
		writer_literal(writer, ",\"cause\":");
		record_write_reason(writer, record);
	}
}

void record_append(struct buffer *out, const struct record *record)
{
	struct writer writer;

	if (!writer_begin(&writer, out, record_size(record)))
		return;
	writer_literal(&writer, "{\"job\":");
	writer_string(&writer, record->job);
	record_write_count(&writer, TEXT(",\"index\":"), record->index);
	if (record->has_item)
		record_write_count(&writer, TEXT(",\"item\":"), record->item);
	if (record->is_group)
		writer_literal(&writer, ",\"group\":true");
	record_write_status(&writer, record);
	record_write_outcome(&writer, record);
	if (record->n_tries > 1)
		record_write_tries(&writer, record->tries, record->n_tries);
	writer_byte(&writer, ',');
	record_write_time(&writer, &record->time);
	if (record->conn.remote.data)
		record_write_conn(&writer, &record->conn);
	writer_byte(&writer, '}');
	writer_end(&writer);
}

static size_t record_summary_size(const struct record_summary *summary)
{
	size_t size = RECORD_FIXED_MAX + summary->graph.size + summary->winner.size;

	for (uint32_t i = 0; i < summary->n_critical_path; i++)
		size += summary->critical_path[i].size + RECORD_STRING_MORE;
	return size + record_reason_size(&summary->reason) + summary->result.size;
}

/* How many times faster it was than one request after the other: one decimal, rounded. */
static void record_write_speedup(struct writer *writer, uint64_t sum_ns, uint64_t wall_ns)
{
	unsigned __int128 tenths = 0;

	if (wall_ns > 0)
		tenths = ((unsigned __int128)sum_ns * 10 + wall_ns / 2) / wall_ns;
	if (tenths > UINT64_MAX)
		tenths = UINT64_MAX;
	record_write_count(writer, TEXT(",\"speedup\":"), (uint64_t)tenths / 10);
	writer_byte(writer, '.');
	writer_u64(writer, (uint64_t)tenths % 10);
}

static void record_write_critical_path(struct writer *writer, const struct record_summary *summary)
{
	writer_literal(writer, ",\"critical_path\":[");
	for (uint32_t i = 0; i < summary->n_critical_path; i++) {
		if (i > 0)
			writer_byte(writer, ',');
		writer_string(writer, summary->critical_path[i]);
	}
	writer_byte(writer, ']');
}

static void record_write_summary_reason(struct writer *writer, const struct record_reason *reason)
{
	writer_literal(writer, ",\"reason\":");
	record_write_code(writer, reason->fault);
	record_write_causes(writer, reason);
	writer_byte(writer, '}');
}

void record_append_summary(struct buffer *out, const struct record_summary *summary)
{
	const struct fault *fault = summary->reason.fault;
	struct writer writer;

	if (!writer_begin(&writer, out, record_summary_size(summary)))
		return;
	writer_byte(&writer, '{');
	if (summary->graph.data) {
		writer_literal(&writer, "\"graph\":");
		writer_string(&writer, summary->graph);
		writer_byte(&writer, ',');
	}
	if (summary->is_rejected)
		writer_literal(&writer, "\"status\":\"rejected\"");
	else
		writer_literal(&writer, "\"status\":\"fulfilled\"");
	if (summary->winner.data) {
		writer_literal(&writer, ",\"winner\":");
		writer_string(&writer, summary->winner);
	}
	record_write_count(&writer, TEXT(",\"jobs\":"), summary->jobs);
	record_write_count(&writer, TEXT(",\"fulfilled\":"), summary->fulfilled);
	record_write_count(&writer, TEXT(",\"rejected\":"), summary->rejected);
	record_write_count(&writer, TEXT(",\"skipped\":"), summary->skipped);
	writer_literal(&writer, ",\"wall_ms\":");
	writer_ms(&writer, summary->wall_ns);
	writer_literal(&writer, ",\"sum_ms\":");
	writer_ms(&writer, summary->sum_ns);
	record_write_speedup(&writer, summary->sum_ns, summary->wall_ns);
	record_write_critical_path(&writer, summary);
	if (fault && fault->code != FAULT_NONE)
		record_write_summary_reason(&writer, &summary->reason);
	if (summary->result.data) {
		writer_literal(&writer, ",\"return\":");
		writer_text(&writer, summary->result);
	}
	writer_byte(&writer, '}');
	writer_end(&writer);
}
