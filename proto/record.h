/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A settled job as JSON (settled-graph(5), "The record"), and the summary of a graph. The writer
 * is the daemon's: it formats by hand into a buffer, because a hundred thousand of them a second
 * are written. The body does not stand in a record on the wire: it follows as payload, and
 * record_splice() is how a client puts it in.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/header.h"
#include "proto/fault.h"
#include "util/buffer.h"
#include "util/text.h"

enum record_via {
	RECORD_VIA_NONE, /* rejected */
	RECORD_VIA_NETWORK,
	RECORD_VIA_FALLBACK,
	RECORD_VIA_SKIPPED,
	RECORD_VIA_DEDUPE,
};

/* Whether the peer may have acted. */
enum record_sent {
	RECORD_SENT_NONE,
	RECORD_SENT_PARTIAL,
	RECORD_SENT_FULL,
};

/* Who cancelled. */
enum record_by {
	RECORD_BY_NONE,
	RECORD_BY_FAIL_FAST,
	RECORD_BY_WINNER,
	RECORD_BY_CLIENT,
	RECORD_BY_DISCONNECT,
	RECORD_BY_TIMEOUT,
	RECORD_BY_SHUTDOWN,
};

/* "fail_fast" … ; NULL for RECORD_BY_NONE. */
const char *record_by_text(enum record_by by);

/* Lengths in ns but for `start` and `end`, which run from the graph's acceptance. */
struct record_time {
	uint64_t start, queue, dns, connect, tls, first_byte, body, end;
};

/* A redirect that was followed: who answered, and how. */
struct record_hop {
	uint16_t status;
	struct text url;
};

/* A response, as far as a record shows it. `status` 0: there was none. */
struct record_response {
	uint16_t status;
	/* 0: HTTP/1.0, 1: HTTP/1.1, 2: HTTP/2. */
	uint8_t version;
	/* The redirects that led to it: "redirects" is how many, "hops" is left out where there
	 * are none. With no response they stand in the reason itself, where there are any. */
	const struct record_hop *hops;
	uint32_t n_hops;
	struct text url;
	const struct header *headers;
	uint32_t n_headers;
	/* The same by record_header_append(); empty: they are written anew. */
	struct text headers_json;
	/* Bytes of the decoded body. */
	uint64_t bytes;
};

struct record_conn {
	/* "127.0.0.1:80", "[::1]:443"; data == NULL: there was no connection. */
	struct text remote;
	bool reused;
};

/* Why there was no further attempt. */
enum record_stopped {
	/* None was allowed. */
	RECORD_STOPPED_NONE,
	RECORD_STOPPED_POLICY,
	RECORD_STOPPED_ATTEMPTS,
	RECORD_STOPPED_NOT_IDEMPOTENT,
	RECORD_STOPPED_BUDGET,
	RECORD_STOPPED_DEADLINE,
};

/* One of the rejections that ALL_REJECTED is made of. */
struct record_error {
	struct text job;
	enum fault_code code;
	struct text message;
};

struct record_reason {
	/* NULL: there is none. */
	const struct fault *fault;
	bool retryable;
	enum record_sent sent;
	enum record_by by;
	enum record_stopped stopped;
	/* data == NULL: none. */
	struct text job, root;
	/* In input order. */
	const struct record_error *errors;
	uint32_t n_errors;
};

/* One of several attempts. */
struct record_try {
	/* FAULT_NONE: the one that fulfilled its job. */
	enum fault_code code;
	/* 0: there was no response. */
	uint16_t status;
	/* As in the record; `start` is when it was ready, or its backoff was over. */
	struct record_time time;
	/* The backoff behind it. 0: none. */
	uint64_t backoff;
};

/* What a group's or a fan-out's children have come to: leaves below it. */
struct record_group {
	/* data == NULL: none. */
	struct text winner;
	uint32_t jobs, fulfilled, rejected;
};

struct record {
	struct text job;
	uint32_t index;
	/* A fan-out's child, or below one: its place among the children, from 0 on. */
	bool has_item;
	uint32_t item;
	uint32_t attempts;
	enum record_via via;
	/* Fulfilled exactly when via is not RECORD_VIA_NONE; RECORD_VIA_NETWORK of a group that
	 * simply ran, which is not shown. Of RECORD_VIA_FALLBACK the response is that of the
	 * reason, but for the bytes, which are the fallback's; of a group there is none. */
	struct record_response response;
	/* Where rejected; with RECORD_VIA_FALLBACK the cause; else there is none. */
	struct record_reason reason;
	/* RECORD_VIA_DEDUPE: whose flight it shared. */
	struct text of;
	/* Fulfilled: the value is `group`. It has no attempts. */
	bool is_group;
	struct record_group group;
	/* n_tries > 1, or they are not shown. */
	const struct record_try *tries;
	uint32_t n_tries;
	struct record_time time;
	struct record_conn conn;
};

struct record_summary {
	/* data == NULL: the graph has no name. */
	struct text graph;
	bool is_rejected;
	/* data == NULL: none. */
	struct text winner;
	uint32_t jobs, fulfilled, rejected, skipped;
	uint64_t wall_ns, sum_ns;
	const struct text *critical_path;
	uint32_t n_critical_path;
	/* FAULT_NONE: no reason. */
	struct record_reason reason;
	/* JSON text; data == NULL: no `return` in the document. */
	struct text result;
};

/* The record's JSON object, no line end. A fulfilled record has "value", a rejected one "reason"
 * (with "response" inside where response.status is not 0), a fallback "value" and "cause" (the
 * same shape, its response without "bytes"). Members in the order of the documentation; headers
 * of one name become an array at the place of the first. */
void record_append(struct buffer *out, const struct record *record);

void record_append_summary(struct buffer *out, const struct record_summary *summary);

/* The client's side: copies `record` (a record's JSON object as it came on the wire) to `out`
 * with "body": or "body_base64": put in behind "bytes": of its value, or of its reason's
 * response. How the body is shown: JSON where `content_type` says JSON (application/json,
 * text/json, any +json) and it parses, without its white space if it has line ends; else a string
 * where it is UTF-8; else base64. RECORD_BODY_TEXT: a string, U+FFFD for what is not UTF-8. An
 * empty body is "". `content_type` with data == NULL: what the record's own headers say; the body
 * of a value without a response (fallback, skipped) is the document's own, and JSON whatever it
 * says. False: the record has no such place (a group, a cause alone), and is copied as it is. */
enum record_body {
	RECORD_BODY_AUTO,
	RECORD_BODY_TEXT,
	RECORD_BODY_BASE64,
};
bool record_splice(struct buffer *out, struct text record, struct text body,
	struct text content_type, enum record_body how);
