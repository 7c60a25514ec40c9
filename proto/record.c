/* SPDX-License-Identifier: MIT */
/*
 * The problem: a record is written for every job, a hundred thousand times a second, and about
 * 400 bytes of it are labels, numbers and strings that nearly never need an escape.
 *
 * The idea: the room is asked for once, as if nothing had to be escaped (RECORD_FIXED_MAX for
 * all labels and numbers, and the strings at their size), and then written by pointer
 * (proto/writer). So a buffer may be asked for up to RECORD_FIXED_MAX bytes more than a record
 * takes in the end; a buffer that could not give them is left as it was, but for `failed`.
 *
 * A received header is bytes, and JSON is UTF-8: each byte that is not part of a well-formed
 * sequence becomes U+FFFD.
 *
 * Headers of one name are one member, an array at the place of the first. Up to
 * RECORD_PAIRWISE_MAX headers, which is nearly every response, all pairs are compared by a number
 * made of their names; beyond it, or where two may be equal, the names go into a hash table on
 * the stack, keyed, because a server chooses the names. RECORD_HEADERS_MAX is the limit of a
 * head (http/h1.h).
 */
#include "proto/record.h"

#include "proto/writer.h"
#include "util/panic.h"
#include "util/table.h"

/* All labels and numbers of a record or a summary, every member there; tested. */
#define RECORD_FIXED_MAX 1024

/* Of a header, beside its name and value: "":[""], */
#define RECORD_HEADER_MORE 8

#define RECORD_HEADERS_MAX  1000
#define RECORD_PAIRWISE_MAX 32
#define RECORD_SLOTS        2048

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

static struct text record_sent_text(enum record_sent sent)
{
	switch (sent) {
	case RECORD_SENT_NONE: return TEXT("none");
	case RECORD_SENT_PARTIAL: return TEXT("partial");
	case RECORD_SENT_FULL: return TEXT("full");
	}
	unreachable("sent in a fourth way");
}

/* Equal names have equal keys. */
static uint32_t record_name_key(struct text name)
{
	uint32_t size = (uint32_t)name.size & 0xffff;

	if (name.size == 0)
		return 0;
	return size << 16 | (uint32_t)(unsigned char)name.data[0] << 8 |
	       (unsigned char)name.data[name.size / 2];
}

/* False where no two headers have the same name. */
static bool record_names_may_repeat(const struct header *headers, uint32_t n)
{
	uint32_t keys[RECORD_PAIRWISE_MAX];

	if (n > RECORD_PAIRWISE_MAX)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		unsigned equal = 0;

		keys[i] = record_name_key(headers[i].name);
		for (uint32_t j = 0; j < i; j++)
			equal |= keys[j] == keys[i];
		if (equal)
			return true;
	}
	return false;
}

/* Which headers share a name. */
struct record_names {
	/* The next header of the same name; 0: none, because the first one follows nobody. */
	uint16_t next[RECORD_HEADERS_MAX];
	/* Of the first of a name: the last one so far. */
	uint16_t last[RECORD_HEADERS_MAX];
	/* True exactly when an earlier one has the same name. */
	bool follows[RECORD_HEADERS_MAX];
	/* The first of a name, plus one; 0: nobody. */
	uint16_t slots[RECORD_SLOTS];
};

static void record_names_group(struct record_names *names, const struct header *headers, uint32_t n)
{
	memset(names->slots, 0, sizeof(names->slots));
	for (uint16_t i = 0; i < n; i++) {
		size_t slot = table_hash(headers[i].name) % RECORD_SLOTS;

		/* Half of the slots stay empty, so that this ends. */
		while (names->slots[slot] != 0 &&
			!text_equal(headers[names->slots[slot] - 1].name, headers[i].name))
			slot = (slot + 1) % RECORD_SLOTS;
		names->next[i] = 0;
		names->last[i] = i;
		names->follows[i] = names->slots[slot] != 0;
		if (names->follows[i]) {
			uint16_t first = (uint16_t)(names->slots[slot] - 1);

			names->next[names->last[first]] = i;
			names->last[first] = i;
		} else {
			names->slots[slot] = (uint16_t)(i + 1);
		}
	}
}

static void record_write_header(struct writer *writer, const struct header *header)
{
	writer_string(writer, header->name);
	writer_byte(writer, ':');
	writer_string(writer, header->value);
	writer_byte(writer, ',');
}

/* A header and those that follow it, as an array. */
static void record_write_repeated(struct writer *writer, const struct header *headers,
	const struct record_names *names, uint16_t first)
{
	writer_string(writer, headers[first].name);
	writer_literal(writer, ":[");
	writer_string(writer, headers[first].value);
	for (uint16_t i = names->next[first]; i != 0; i = names->next[i]) {
		writer_byte(writer, ',');
		writer_string(writer, headers[i].value);
	}
	writer_literal(writer, "],");
}

static void record_write_grouped(struct writer *writer, const struct header *headers, uint32_t n)
{
	struct record_names names;

	expect(n <= RECORD_HEADERS_MAX);

	record_names_group(&names, headers, n);
	for (uint16_t i = 0; i < n; i++) {
		if (names.follows[i])
			continue;
		if (names.next[i] != 0)
			record_write_repeated(writer, headers, &names, i);
		else
			record_write_header(writer, &headers[i]);
	}
}

static void record_write_headers(struct writer *writer, const struct header *headers, uint32_t n)
{
	writer_literal(writer, "\"headers\":{");
	if (record_names_may_repeat(headers, n)) {
		record_write_grouped(writer, headers, n);
	} else {
		for (uint32_t i = 0; i < n; i++)
			record_write_header(writer, &headers[i]);
	}
	/* The last comma gives way to the brace. */
	if (n > 0)
		writer->at--;
	writer_literal(writer, "},");
}

/* A response's object; without a response (a fallback, a skipped job) it has only a length. */
static void record_write_response(struct writer *writer, const struct record_response *response)
{
	writer_byte(writer, '{');
	if (response->status != 0) {
		writer_literal(writer, "\"status\":");
		writer_u64(writer, response->status);
		if (response->version == 2)
			writer_literal(writer, ",\"version\":\"2\",\"url\":");
		else if (response->version == 1)
			writer_literal(writer, ",\"version\":\"1.1\",\"url\":");
		else
			writer_literal(writer, ",\"version\":\"1.0\",\"url\":");
		writer_string(writer, response->url);
		writer_literal(writer, ",\"redirects\":");
		writer_u64(writer, response->redirects);
		writer_byte(writer, ',');
		record_write_headers(writer, response->headers, response->n_headers);
	}
	writer_literal(writer, "\"bytes\":");
	writer_u64(writer, response->bytes);
	writer_byte(writer, '}');
}

/* "by", "job" and "root", each with a comma before it. */
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
}

static void record_write_reason(struct writer *writer, const struct record *record)
{
	const struct record_reason *reason = &record->reason;

	writer_literal(writer, "{\"code\":\"");
	writer_text(writer, text_from(fault_name(reason->fault->code)));
	writer_literal(writer, "\",\"message\":");
	writer_string(writer, text_from(fault_message(reason->fault)));
	if (reason->retryable)
		writer_literal(writer, ",\"retryable\":true");
	else
		writer_literal(writer, ",\"retryable\":false");
	record_write_causes(writer, reason);
	writer_literal(writer, ",\"sent\":\"");
	writer_text(writer, record_sent_text(reason->sent));
	writer_byte(writer, '"');
	if (record->response.status != 0) {
		writer_literal(writer, ",\"response\":");
		record_write_response(writer, &record->response);
	}
	writer_byte(writer, '}');
}

static void record_write_time(struct writer *writer, const struct record_time *time)
{
	writer_literal(writer, ",\"time\":{\"start\":");
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

static void record_write_conn(struct writer *writer, const struct record_conn *conn)
{
	if (conn->reused)
		writer_literal(writer, ",\"conn\":{\"reused\":true,\"remote\":");
	else
		writer_literal(writer, ",\"conn\":{\"reused\":false,\"remote\":");
	writer_string(writer, conn->remote);
	writer_byte(writer, '}');
}

/* What the record takes if nothing is escaped. */
static size_t record_size(const struct record *record)
{
	const struct record_response *response = &record->response;
	size_t size = RECORD_FIXED_MAX + record->job.size + record->conn.remote.size;

	if (response->status != 0) {
		size += response->url.size;
		for (uint32_t i = 0; i < response->n_headers; i++)
			size += response->headers[i].name.size + response->headers[i].value.size +
				RECORD_HEADER_MORE;
	}
	if (record->via == RECORD_VIA_NONE)
		size += FAULT_MESSAGE_MAX + record->reason.job.size + record->reason.root.size;
	return size;
}

void record_append(struct buffer *out, const struct record *record)
{
	bool is_rejected = record->via == RECORD_VIA_NONE;
	struct writer writer;

	if (!writer_begin(&writer, out, record_size(record)))
		return;
	writer_literal(&writer, "{\"job\":");
	writer_string(&writer, record->job);
	writer_literal(&writer, ",\"index\":");
	writer_u64(&writer, record->index);
	if (is_rejected) {
		writer_literal(&writer, ",\"status\":\"rejected\",\"attempts\":");
	} else {
		writer_literal(&writer, ",\"status\":\"fulfilled\",\"via\":\"");
		writer_text(&writer, record_via_text(record->via));
		writer_literal(&writer, "\",\"attempts\":");
	}
	writer_u64(&writer, record->attempts);
	if (is_rejected) {
		writer_literal(&writer, ",\"reason\":");
		record_write_reason(&writer, record);
	} else {
		writer_literal(&writer, ",\"value\":");
		record_write_response(&writer, &record->response);
	}
	record_write_time(&writer, &record->time);
	if (record->conn.remote.data)
		record_write_conn(&writer, &record->conn);
	writer_byte(&writer, '}');
	writer_end(&writer);
}

static size_t record_summary_size(const struct record_summary *summary)
{
	size_t size = RECORD_FIXED_MAX + summary->graph.size + FAULT_MESSAGE_MAX;

	for (uint32_t i = 0; i < summary->n_critical_path; i++)
		size += summary->critical_path[i].size + RECORD_HEADER_MORE;
	return size + summary->reason.job.size + summary->reason.root.size + summary->result.size;
}

static void record_write_count(struct writer *writer, struct text label, uint64_t count)
{
	writer_text(writer, label);
	writer_u64(writer, count);
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
	writer_literal(writer, ",\"reason\":{\"code\":\"");
	writer_text(writer, text_from(fault_name(reason->fault->code)));
	writer_literal(writer, "\",\"message\":");
	writer_string(writer, text_from(fault_message(reason->fault)));
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
