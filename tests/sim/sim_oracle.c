/* SPDX-License-Identifier: MIT */
#include "sim_oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_server.h"
#include "sim_world.h"

/*
 * The wire is watched from the daemon's side: a request is on it from the moment the daemon asks
 * for it to be sent until the daemon is told the last byte of its response, or that its connection
 * is closed. That is the least a slot must cover, so no bound may be seen exceeded.
 */

#define SIM_CONCURRENCY_DEFAULT 256

struct sim_job *sim_oracle_job_of(const char *target)
{
	char *end;
	unsigned long key;

	if (target[0] != '/')
		sim_fail("a request for %.40s", target);
	key = strtoul(target + 1, &end, 10);
	if (end == target + 1 || *end != '/' || key >= sim_model.n_jobs)
		sim_fail("a request for %.40s, which no job makes", target);
	return sim_model.jobs[key];
}

bool sim_oracle_is_safe(const struct sim_job *job)
{
	return strcmp(job->method, "GET") == 0 || strcmp(job->method, "HEAD") == 0 ||
	       strcmp(job->method, "OPTIONS") == 0;
}

bool sim_oracle_is_ok(const struct sim_job *job)
{
	if (job->max_body && sim_reply_size(job) > job->max_body)
		return false;
	return job->reply.status < 400 || job->any_status_ok;
}

/* -- Requests ----------------------------------------------------------------------------- */

static void sim_oracle_check_graph(const struct sim_job *job)
{
	const struct sim_graph *graph = job->graph;
	const struct sim_client *client = graph->client;

	if (graph->state != SIM_GRAPH_SENT && graph->state != SIM_GRAPH_ACCEPTED)
		sim_fail("job %u was sent, but its graph is not running (%d)", job->key,
			graph->state);
	if (graph->wrong)
		sim_fail("job %u was sent, but its graph is to be refused", job->key);
	if (job->is_settled)
		sim_fail("job %u was sent after it had settled", job->key);
	if (graph->is_all && graph->first_rejection)
		sim_fail("job %u was sent after job %u had decided its graph", job->key,
			graph->first_rejection->key);
	if (client->gone_ns && sim_now() > client->gone_ns)
		sim_fail("job %u was sent after its client had gone", job->key);
	for (unsigned i = 0; i < job->n_deps && !job->needs_settled; i++) {
		const struct sim_job *dep = job->deps[i];

		if (!dep->is_answered || !sim_oracle_is_ok(dep))
			sim_fail("job %u was sent, but job %u was not fulfilled", job->key,
				dep->key);
	}
}

static void sim_oracle_check_conn(const struct sim_conn *conn, const struct sim_job *job)
{
	if (conn->origin != job->origin)
		sim_fail("job %u was sent to another origin", job->key);
	if (job->is_resolved != (conn->address == &job->origin->hidden))
		sim_fail("job %u was sent to %s, which is not where it resolves to", job->key,
			conn->address->remote);
	if (conn->n_requests > 0 && conn->uid != job->graph->client->uid)
		sim_fail("job %u was sent on another user's connection", job->key);
	if (conn->is_doubtful)
		sim_fail("job %u was sent on a connection that had ended or said too much",
			job->key);
	if (job->n_sent == 0)
		return;
	if (!job->is_replay_due)
		sim_fail("job %u was sent again", job->key);
	if (conn->n_requests > 0)
		sim_fail("job %u was sent again, but not on a fresh connection", job->key);
}

static void sim_oracle_off_wire(struct sim_conn *conn)
{
	struct sim_job *job = conn->job;

	if (!job)
		return;
	conn->job = NULL;
	sim_model.n_on_wire--;
	job->origin->n_on_wire--;
	job->graph->n_on_wire--;
}

static void sim_oracle_on_wire(struct sim_conn *conn, struct sim_job *job)
{
	struct sim_graph *graph = job->graph;
	uint32_t concurrency = graph->concurrency ? graph->concurrency : SIM_CONCURRENCY_DEFAULT;

	if (job->conn && job->conn->job == job)
		sim_oracle_off_wire(job->conn);
	if (++sim_model.n_on_wire > sim_model.requests_max)
		sim_fail("job %u: %u requests are on the wire, the daemon may have %u", job->key,
			sim_model.n_on_wire, sim_model.requests_max);
	if (++job->origin->n_on_wire > sim_model.requests_per_origin_max)
		sim_fail("job %u: %u requests are on the wire, its origin may have %u", job->key,
			job->origin->n_on_wire, sim_model.requests_per_origin_max);
	if (++graph->n_on_wire > concurrency)
		sim_fail("job %u: %u requests are on the wire, its graph may have %u", job->key,
			graph->n_on_wire, concurrency);
	conn->job = job;
	job->conn = conn;
}

void sim_oracle_on_send(struct sim_conn *conn, const char *data, size_t size)
{
	const char *space;
	char target[32] = "";
	struct sim_job *job;

	/* The rest of a request. */
	if (conn->job)
		return;
	space = memchr(data, ' ', size);
	if (!space)
		sim_fail("an origin is sent what is no request");
	memcpy(target, space + 1,
		(size_t)(data + size - space - 1) < sizeof(target) - 1
			? (size_t)(data + size - space - 1)
			: sizeof(target) - 1);
	job = sim_oracle_job_of(target);
	sim_trace("  job %u is sent", job->key);
	sim_oracle_check_graph(job);
	sim_oracle_check_conn(conn, job);
	sim_oracle_on_wire(conn, job);
	if (conn->is_tainted)
		sim_codes_add(&job->codes, FAULT_HTTP_PARSE);
	conn->uid = job->graph->client->uid;
	conn->n_requests++;
	conn->request_at = conn->received;
	conn->response_end = UINT64_MAX;
	conn->ends_at_close = false;
	job->n_sent++;
	job->is_replay_due = false;
}

/* -- Responses ---------------------------------------------------------------------------- */

static void sim_oracle_answered(struct sim_conn *conn)
{
	struct sim_job *job = conn->job;

	sim_trace("  job %u is answered", job->key);
	job->is_answered = true;
	sim_oracle_off_wire(conn);
}

/* The connection is gone under a request: what may become of the job? */
static void sim_oracle_lost(struct sim_conn *conn, bool is_reset, bool in_send)
{
	struct sim_job *job = conn->job;
	bool has_begun = conn->received > conn->request_at;

	conn->is_doubtful = true;
	if (!job)
		return;
	if (!has_begun && conn->n_requests > 1 && sim_oracle_is_safe(job) && job->n_sent == 1) {
		job->is_replay_due = true;
		return;
	}
	if (in_send)
		sim_codes_add(&job->codes, FAULT_SEND_FAILED);
	if (is_reset)
		sim_codes_add(&job->codes, FAULT_RECV_RESET);
	else if (has_begun)
		sim_codes_add(&job->codes, FAULT_BODY_TRUNCATED);
	if (!has_begun)
		sim_codes_add(&job->codes, FAULT_EMPTY_REPLY);
}

static void sim_oracle_received(struct sim_conn *conn, size_t size)
{
	conn->received += size;
	if (!conn->job) {
		conn->is_doubtful = true;
		return;
	}
	if (conn->received < conn->response_end)
		return;
	if (conn->received > conn->response_end)
		conn->is_doubtful = true;
	sim_oracle_answered(conn);
}

static bool sim_conn_is_complete(const struct sim_conn *conn)
{
	return conn->ends_at_close && conn->serving == conn->job &&
	       conn->received == conn->server.written;
}

void sim_oracle_on_told(struct sim_conn *conn, enum sim_kind kind, int result)
{
	if (kind == SIM_SEND) {
		if (result == -EPIPE || result == -ECONNRESET)
			sim_oracle_lost(conn, true, true);
		return;
	}
	if (result > 0) {
		sim_oracle_received(conn, (size_t)result);
	} else if (result == 0 && conn->job && sim_conn_is_complete(conn)) {
		conn->is_doubtful = true;
		sim_oracle_answered(conn);
	} else if (result == 0 || result == -ECONNRESET) {
		sim_oracle_lost(conn, result != 0, false);
	}
}

void sim_oracle_on_closed(struct sim_conn *conn)
{
	sim_oracle_off_wire(conn);
}
