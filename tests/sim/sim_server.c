/* SPDX-License-Identifier: MIT */
#include "sim_server.h"

#include <stdlib.h>
#include <string.h>

#include "sim_h2.h"
#include "sim_oracle.h"
#include "sim_put.h"
#include "sim_tls.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * A server reads one request at a time, and answers it in pieces over some time; then, by its
 * fault, it ends the stream, resets it, says nothing more, or says too much. What it does to a
 * job is noted in the job's codes: only with such a note may the job be rejected so.
 */

#define SIM_HEAD_MAX ((size_t)64 * 1024)

enum sim_step_kind {
	SIM_STEP_WRITE,
	/* The reply is out: the next request may come. */
	SIM_STEP_DONE,
	SIM_STEP_CLOSE,
	SIM_STEP_RESET,
	SIM_STEP_BABBLE,
	/* Under TLS: an end without a goodbye, no TLS. */
	SIM_STEP_LEAVE,
	SIM_STEP_RUBBISH,
	/* For connections that are idle at that time. */
	SIM_STEP_IDLE_CLOSE,
	SIM_STEP_IDLE_RESET,
	SIM_STEP_IDLE_BABBLE,
};

struct sim_step {
	struct sim_conn *conn;
	enum sim_step_kind kind;
	char *data;
	size_t size;
};

static void sim_server_read(struct sim_conn *conn);

/* -- The stream ----------------------------------------------------------------------------- */

void sim_server_say(struct sim_conn *conn, const char *data, size_t size)
{
	if (conn->server.shut)
		return;
	conn->said += size;
	if (conn->origin->is_https)
		sim_tls_say(conn, data, size);
	else
		sim_end_write(&conn->server, data, size);
}

void sim_server_break(struct sim_conn *conn)
{
	if (!conn->server.shut)
		sim_tls_say_rubbish(conn);
}

void sim_server_close(struct sim_conn *conn, bool says_so)
{
	if (conn->origin->is_https && says_so && !conn->server.shut)
		sim_tls_say_end(conn);
	sim_end_close(&conn->server);
}

/* -- Steps ------------------------------------------------------------------------------------ */

static void sim_step_run(void *context)
{
	struct sim_step step = *(struct sim_step *)context;
	struct sim_conn *conn = step.conn;
	bool is_idle = conn->h2 ? sim_h2_is_idle(conn) : !conn->serving && conn->request.size == 0;

	sim_release(context, sizeof(step));
	/* It may still be in the middle of its handshake. */
	if (step.kind >= SIM_STEP_IDLE_CLOSE && is_idle && !conn->connected_ns) {
		sim_codes_add(&conn->origin->tls_codes, FAULT_TLS_HANDSHAKE);
		sim_codes_add(&conn->origin->tls_codes, FAULT_TLS_NOT_TLS);
	}
	switch (step.kind) {
	case SIM_STEP_WRITE:
		sim_server_say(conn, step.data, step.size);
		sim_release(step.data, step.size);
		break;
	case SIM_STEP_DONE:
		conn->serving = NULL;
		if (!conn->is_deaf)
			sim_server_read(conn);
		break;
	case SIM_STEP_IDLE_CLOSE:
		if (is_idle && conn->h2 && sim_chance(700))
			sim_h2_leave(conn);
		else if (is_idle)
			sim_server_close(conn, sim_chance(700));
		break;
	case SIM_STEP_CLOSE: sim_server_close(conn, true); break;
	case SIM_STEP_LEAVE: sim_server_close(conn, false); break;
	case SIM_STEP_IDLE_RESET:
		if (is_idle)
			sim_end_reset(&conn->server);
		break;
	case SIM_STEP_RESET: sim_end_reset(&conn->server); break;
	case SIM_STEP_RUBBISH: sim_server_break(conn); break;
	case SIM_STEP_IDLE_BABBLE:
		if (!is_idle)
			break;
		/* fall through */
	case SIM_STEP_BABBLE:
		if (conn->h2) {
			sim_h2_babble(conn);
			break;
		}
		conn->is_tainted = true;
		if (conn->try && conn->try != conn->serving)
			sim_oracle_taint(conn->try);
		sim_server_say(conn, "BABBLE\r\n\r\n", 10);
		break;
	}
}

static void sim_server_step(struct sim_conn *conn, uint64_t delay_ns, enum sim_step_kind kind,
	const char *data, size_t size)
{
	struct sim_step *step = sim_alloc(sizeof(*step));

	step->conn = conn;
	step->kind = kind;
	step->size = size;
	if (size) {
		step->data = sim_alloc(size);
		memcpy(step->data, data, size);
	}
	sim_after(delay_ns, sim_step_run, step);
}

/* -- Replies ------------------------------------------------------------------------------ */

/* How much of the reply goes out, and what comes then. */
static size_t sim_server_cut(
	const struct sim_try *try, size_t head, size_t size, enum sim_step_kind *ret_end)
{
	*ret_end = SIM_STEP_DONE;
	switch (try->reply.fault) {
	case SIM_REPLY_RESET: *ret_end = SIM_STEP_RESET; return 0;
	case SIM_REPLY_END: *ret_end = SIM_STEP_CLOSE; return 0;
	case SIM_REPLY_RESET_HEAD:
		*ret_end = SIM_STEP_RESET;
		return (size_t)sim_between(1, head - 1);
	case SIM_REPLY_END_HEAD: *ret_end = SIM_STEP_CLOSE; return (size_t)sim_between(1, head - 1);
	case SIM_REPLY_RESET_BODY:
		*ret_end = SIM_STEP_RESET;
		return (size_t)sim_between(head, size - 1);
	case SIM_REPLY_END_BODY:
		*ret_end = SIM_STEP_CLOSE;
		return (size_t)sim_between(head, size - 1);
	case SIM_REPLY_STALL: return 0;
	case SIM_REPLY_STALL_HEAD: return (size_t)sim_between(1, head - 1);
	case SIM_REPLY_STALL_BODY: return (size_t)sim_between(head, size - 1);
	case SIM_REPLY_MALFORMED:
		*ret_end = sim_chance(500) ? SIM_STEP_CLOSE : SIM_STEP_DONE;
		return size;
	case SIM_REPLY_EXTRA: *ret_end = SIM_STEP_BABBLE; return size;
	case SIM_REPLY_RUBBISH:
		*ret_end = SIM_STEP_RUBBISH;
		return (size_t)sim_between(0, size - 1);
	case SIM_REPLY_UNSAID: *ret_end = SIM_STEP_LEAVE; return size;
	default: break;
	}
	if (try->reply.framing == SIM_BY_CLOSE || try->reply.is_old || try->reply.says_close ||
		try->reply.fault == SIM_REPLY_EARLY)
		*ret_end = SIM_STEP_CLOSE;
	return size;
}

/* What the daemon may find wrong with this reply. Ends and resets are noted when it is told. */
static void sim_server_note(struct sim_try *try)
{
	switch (try->reply.fault) {
	case SIM_REPLY_MALFORMED: sim_codes_add(&try->codes, FAULT_HTTP_PARSE); break;
	case SIM_REPLY_CONFLICT:
	case SIM_REPLY_BAD_CHUNK: sim_codes_add(&try->codes, FAULT_HTTP_FRAMING); break;
	case SIM_REPLY_HUGE_HEAD: sim_codes_add(&try->codes, FAULT_HEADERS_TOO_LARGE); break;
	default: break;
	}
}

/* True where the bytes that go out make a whole response. */
static bool sim_server_is_whole(const struct sim_try *try)
{
	switch (try->reply.fault) {
	case SIM_REPLY_WELL:
	case SIM_REPLY_EXTRA:
	case SIM_REPLY_UNSAID:
	case SIM_REPLY_CORRUPT:
	case SIM_REPLY_UNSUPPORTED:
	case SIM_REPLY_EARLY: return true;
	default: return false;
	}
}

static void sim_server_reply(struct sim_conn *conn, struct sim_try *try)
{
	const struct sim_reply *reply = &try->reply;
	struct sim_bytes out = {0};
	uint64_t at_ns = reply->latency_ns;
	enum sim_step_kind end;
	size_t head, cut, step;

	sim_reply_write(try, &out, &head);
	cut = sim_server_cut(try, head, out.size, &end);
	sim_server_note(try);
	if (sim_server_is_whole(try) && !conn->is_tainted) {
		conn->ends_at_close = reply->framing == SIM_BY_CLOSE && !sim_reply_is_bare(try);
		conn->response_end = conn->ends_at_close ? UINT64_MAX : conn->said + out.size;
	}
	step = 1 + cut / reply->n_pieces;
	for (size_t from = 0; from < cut; from += step) {
		size_t n = cut - from < step ? cut - from : step;

		sim_server_step(conn, at_ns, SIM_STEP_WRITE, out.data + from, n);
		at_ns += from + step < cut ? sim_delay(reply->gap_ns) : 0;
	}
	if (reply->fault != SIM_REPLY_STALL && reply->fault != SIM_REPLY_STALL_HEAD &&
		reply->fault != SIM_REPLY_STALL_BODY)
		sim_server_step(
			conn, at_ns + (sim_chance(700) ? 0 : sim_delay(NS_PER_MS)), end, NULL, 0);
	if (end == SIM_STEP_DONE && sim_chance(sim_world.profile.idle_fault))
		sim_server_step(conn, at_ns + 1 + sim_delay(5 * NS_PER_MS),
			(enum sim_step_kind)sim_between(SIM_STEP_IDLE_CLOSE, SIM_STEP_IDLE_BABBLE),
			NULL, 0);
	sim_release(out.data, out.capacity);
}

/* -- Requests ----------------------------------------------------------------------------- */

/* The value of a field (name in lower case), copied; NULL: not there. */
static char *sim_head_field(const char *head, const char *end, const char *name)
{
	size_t size = strlen(name);
	char *found = NULL;

	for (const char *line = strstr(head, "\r\n"); line && line + 2 < end;
		line = strstr(line + 2, "\r\n")) {
		const char *value = line + 2 + size, *stop;

		if (strncasecmp(line + 2, name, size) != 0 || *value != ':')
			continue;
		if (found)
			sim_fail("a request says %s twice", name);
		value += 1 + (value[1] == ' ');
		stop = strstr(value, "\r\n");
		found = sim_copy(value, (size_t)(stop - value));
	}
	return found;
}

static struct sim_try *sim_server_take_head(
	struct sim_conn *conn, char *head, const char *end, size_t *ret_body, bool *ret_chunked)
{
	struct sim_try *try = conn->latest;
	const struct sim_resource *resource = try->resource;
	const char *line = sim_format("%s %s HTTP/1.1\r\n", resource->method, resource->target);
	const char *host = sim_head_field(head, end, "host"), *length;

	if (strncmp(head, line, strlen(line)) != 0)
		sim_fail("an origin got %.60s, not %s", head, line);
	if (!host || strcmp(host, try->origin->authority) != 0)
		sim_fail("%s was sent with host %s, not %s", resource->target,
			host ? host : "missing", try->origin->authority);
	*ret_chunked = sim_head_field(head, end, "transfer-encoding") != NULL;
	if (*ret_chunked && (!try->label->is_chunked || !try->keeps_body))
		sim_fail("%s was sent with a transfer-encoding", resource->target);
	try->is_read = true;
	try->type = sim_head_field(head, end, "content-type");
	length = sim_head_field(head, end, "content-length");
	*ret_body = length ? (size_t)strtoull(length, NULL, 10) : 0;
	return try;
}

/* Their size in all; more than there is where the last one is not there yet. */
static size_t sim_server_chunks(struct sim_conn *conn, const char *from, struct sim_bytes *out)
{
	const struct sim_bytes *request = &conn->request;
	const char *at = from, *end = request->data + request->start + request->size;

	for (;;) {
		const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
		size_t n = line ? (size_t)strtoull(at, NULL, 16) : 0;

		if (!line || (size_t)(end - line) < n + 4)
			return request->size + 1;
		if (memcmp(line + 2 + n, "\r\n", 2) != 0)
			sim_fail("%s is sent in bad chunks", conn->latest->resource->target);
		sim_bytes_append(out, line + 2, n);
		at = line + 4 + n;
		if (n == 0)
			return (size_t)(at - from);
	}
}

/* Read a request, if all of it is there. */
static void sim_server_read(struct sim_conn *conn)
{
	struct sim_bytes *request = &conn->request;
	struct sim_bytes chunks = {0};
	char *head, *end;
	size_t body, whole;
	struct sim_try *try;
	bool is_chunked;

	if (request->size == 0 || conn->serving || conn->server.closed)
		return;
	head = sim_put_end(request);
	end = strstr(head, "\r\n\r\n");
	if (!end) {
		if (request->size > SIM_HEAD_MAX)
			sim_fail("an origin got a head without an end");
		return;
	}
	try = sim_server_take_head(conn, head, end, &body, &is_chunked);
	whole = (size_t)(end + 4 - head) + body;
	if (is_chunked)
		whole += sim_server_chunks(conn, end + 4, &chunks);
	if (request->size < whole && try->reply.fault != SIM_REPLY_EARLY &&
		try->reply.fault != SIM_REPLY_STALL)
		return;
	conn->is_deaf = request->size < whole;
	if (is_chunked)
		body = chunks.size;
	try->body = conn->is_deaf ? NULL : sim_copy(is_chunked ? chunks.data : end + 4, body);
	try->body_size = body;
	sim_bytes_take(request, conn->is_deaf ? request->size : whole);
	if (request->size > 0)
		sim_fail("an origin got more than a request");
	conn->serving = try;
	conn->n_served++;
	conn->response_end = UINT64_MAX;
	conn->ends_at_close = false;
	sim_trace("  origin reads %s (%u), and will say %u%s", try->resource->target, try->number,
		try->reply.status, try->reply.later ? ", later" : "");
	sim_server_reply(conn, try);
}

static void sim_server_on_change(struct sim_end *end)
{
	struct sim_conn *conn = container_of(end, struct sim_conn, server);

	if (end->end) {
		/* The daemon never says only half of it. */
		if (!end->hangup)
			sim_fail("a connection to an origin was half closed");
		if (end->in.size)
			sim_end_take(end, end->in.size);
		sim_end_close(end);
		return;
	}
	if (end->in.size == 0)
		return;
	/* Some read on and drop it; others do not, and their close will be a reset. */
	if (conn->is_deaf && conn->serving && conn->serving->key % 2)
		return;
	if (!conn->is_deaf && conn->origin->is_https)
		sim_tls_hear(conn, end->in.data + end->in.start, end->in.size);
	else if (!conn->is_deaf)
		sim_bytes_append(&conn->request, end->in.data + end->in.start, end->in.size);
	sim_end_take(end, end->in.size);
	if (conn->h2)
		sim_h2_hear(conn);
	else
		sim_server_read(conn);
}

void sim_server_begin(struct sim_conn *conn)
{
	conn->server.on_change = sim_server_on_change;
	if (conn->origin->is_https)
		sim_tls_serve(conn);
	/* Some close or speak before they were asked anything. */
	if (sim_chance(sim_world.profile.idle_fault / 8))
		sim_server_step(conn, sim_delay(20 * NS_PER_MS),
			(enum sim_step_kind)sim_between(SIM_STEP_IDLE_CLOSE, SIM_STEP_IDLE_BABBLE),
			NULL, 0);
}
