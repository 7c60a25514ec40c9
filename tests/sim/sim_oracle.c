/* SPDX-License-Identifier: MIT */
#include "sim_oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_h2.h"
#include "sim_redirect.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/panic.h"

/*
 * The wire is watched from the daemon's side: a request is on it from the moment the daemon asks
 * for it to be sent until the daemon is told the last byte of its response, or that its connection
 * is closed. That is the least a slot must cover, so no bound may be seen exceeded.
 *
 * Which job a request is for cannot always be told from its bytes: jobs may ask for the same.
 * Equal requests are a resource; whose they were comes out when the jobs settle (sim_claim.c).
 */

bool sim_method_is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	       strcmp(method, "OPTIONS") == 0;
}

/* -- Resources ---------------------------------------------------------------------------- */

static uint64_t sim_resource_hash(const char *method, const char *target, const char *header)
{
	uint64_t hash = sim_sum(method, strlen(method)) * 31 + sim_sum(target, strlen(target));

	return header ? hash * 31 + sim_sum(header, strlen(header)) : hash;
}

struct sim_resource *sim_resource_find(
	const struct sim_graph *graph, const char *method, const char *target, const char *header)
{
	uint64_t hash = sim_resource_hash(method, target, header);

	for (struct sim_resource *resource = graph->resources; resource;
		resource = resource->next) {
		if (resource->hash == hash && strcmp(resource->target, target) == 0)
			return resource;
	}
	return NULL;
}

/* The graph and the label that a target ("/3.17/...") begins with. */
static const struct sim_label *sim_target_label(const char *target, struct sim_graph **ret_graph)
{
	unsigned graph, label;
	int size = 0;

	if (sscanf(target, "/%u.%u%n", &graph, &label, &size) != 2 || !strchr("/?", target[size]) ||
		graph >= sim_model.n_graphs || label >= sim_model.graphs[graph]->n_labels)
		sim_fail("a request for %.60s, which no job makes", target);
	*ret_graph = sim_model.graphs[graph];
	return &sim_model.graphs[graph]->labels[label];
}

struct sim_resource *sim_resource_get(const char *method, const char *target, const char *header)
{
	struct sim_graph *graph;
	const struct sim_label *label = sim_target_label(target, &graph);
	struct sim_resource *resource = sim_resource_find(graph, method, target, header);

	if (resource)
		return resource;
	resource = sim_alloc(sizeof(*resource));
	*resource = (struct sim_resource){.next = graph->resources,
		.graph = graph,
		.label = label,
		.hash = sim_resource_hash(method, target, header),
		.method = method,
		.target = target,
		.header = header};
	graph->resources = resource;
	return resource;
}

/* True where the connection was made since the request was lost: for it alone, or for others, too.
 */
static bool sim_conn_is_fresh(const struct sim_conn *conn, const struct sim_try *lost)
{
	return conn->n_requests == 0 || (conn->h2 && conn->connected_ns >= lost->off_ns);
}

/* One that is to be sent again: over HTTP/1.1 that is what a fresh connection is for. */
static bool sim_resource_take_due(struct sim_resource *resource, const struct sim_conn *conn)
{
	bool is_due = false;

	for (struct sim_try *try = resource->first; try; try = try->next) {
		bool is_h2 = try->conn->h2 != NULL;

		if (!try->is_replay_due || (!is_h2 && !sim_conn_is_fresh(conn, try)))
			continue;
		try->is_replay_due = false;
		if (is_h2)
			return true;
		is_due = true;
	}
	return is_due;
}

/* One that a redirect led to. */
static void sim_try_follow(struct sim_try *try)
{
	struct sim_try *from = sim_redirect_from(try->resource->target);

	if (!from)
		return;
	if (!from->reply.to)
		sim_fail("%s was sent, but nobody was redirected there", try->resource->target);
	from->hop = try;
	try->from = from;
	try->n_hops = from->n_hops + 1;
	try->origin = from->reply.to;
	try->keeps_body = from->keeps_body && from->reply.to_keeps_body;
	try->is_foreign = from->is_foreign || try->origin != from->origin;
}

static struct sim_try *sim_resource_try(struct sim_resource *resource, struct sim_conn *conn)
{
	struct sim_try *try = sim_alloc(sizeof(*try));

	if (resource->n_tries == 0 && sim_chance(resource->label->sick))
		resource->n_sick = (unsigned)sim_between(1, 3);
	try->is_replay = sim_resource_take_due(resource, conn);
	resource->n_replays += try->is_replay;
	try->resource = resource;
	try->graph = resource->graph;
	try->label = resource->label;
	try->conn = conn;
	try->origin = resource->label->origin;
	try->keeps_body = true;
	sim_try_follow(try);
	try->key = sim_model.n_tries++;
	expect(try->key < SIM_TRIES_MAX);
	sim_model.tries[try->key] = try;
	try->number = resource->n_tries++;
	try->sent_ns = sim_now();
	if (resource->last)
		resource->last->next = try;
	else
		resource->first = try;
	resource->last = try;
	sim_reply_draw(try);
	return try;
}

/* -- Requests ----------------------------------------------------------------------------- */

static void sim_oracle_check_graph(const struct sim_try *try)
{
	const struct sim_graph *graph = try->graph;
	const struct sim_client *client = graph->client;

	if (graph->state != SIM_GRAPH_SENT && graph->state != SIM_GRAPH_ACCEPTED)
		sim_fail("%s was sent, but its graph is not running (%d)", try->resource->target,
			graph->state);
	if (graph->wrong)
		sim_fail("%s was sent, but its graph is to be refused", try->resource->target);
	if (!sim_world.memory_failed && (graph->top->is_decided || graph->top->is_ended))
		sim_fail("%s was sent after its graph was decided", try->resource->target);
	if (client->gone_ns && sim_now() > client->gone_ns)
		sim_fail("%s was sent after its client had gone", try->resource->target);
}

static void sim_oracle_check_conn(const struct sim_conn *conn, const struct sim_try *try)
{
	const char *target = try->resource->target;

	bool is_resolved = try->label->is_resolved && try->origin == try->label->origin;

	if (try->from)
		sim_redirect_check(try);
	else if (strcmp(try->resource->method, try->label->method) != 0)
		sim_fail("%s was sent as %s", target, try->resource->method);
	if (conn->origin != try->origin)
		sim_fail("%s was sent to another origin", target);
	if (is_resolved != (conn->address == &try->origin->hidden))
		sim_fail("%s was sent to %s, which is not where it resolves to", target,
			conn->address->remote);
	if (conn->n_requests > 0 && conn->uid != try->graph->client->uid)
		sim_fail("%s was sent on another user's connection", target);
	if (try->origin->is_https && conn->is_insecure != try->label->is_insecure)
		sim_fail("%s was sent on a connection that was %sverified", target,
			conn->is_insecure ? "not " : "");
	if (conn->h2 ? try->label->http == SIM_HTTP_1_1 : try->label->http == SIM_HTTP_2)
		sim_fail("%s was sent over HTTP/%s", target, conn->h2 ? "2" : "1.1");
	if (conn->is_doubtful)
		sim_fail("%s was sent on a connection that had ended or said too much", target);
}

void sim_oracle_off_wire(struct sim_try *try)
{
	sim_oracle_loosen(try);
	if (!try->off_ns)
		try->off_ns = sim_now();
}

void sim_oracle_loosen(struct sim_try *try)
{
	if (try->is_loose)
		return;
	try->is_loose = true;
	sim_model.n_on_wire--;
	try->origin->n_on_wire--;
	try->graph->n_on_wire--;
}

static void sim_oracle_on_wire(struct sim_try *try)
{
	struct sim_graph *graph = try->graph;
	uint32_t concurrency = graph->root.concurrency;
	const char *target = try->resource->target;

	if (concurrency == 0)
		concurrency = SIM_CONCURRENCY;
	sim_model.n_on_wire++;
	try->origin->n_on_wire++;
	graph->n_on_wire++;
	if (sim_model.n_on_wire > sim_model.requests_max)
		sim_fail("%s: %u requests are on the wire, the daemon may have %u", target,
			sim_model.n_on_wire, sim_model.requests_max);
	if (try->origin->n_on_wire > sim_model.requests_per_origin_max)
		sim_fail("%s: %u requests are on the wire, its origin may have %u", target,
			try->origin->n_on_wire, sim_model.requests_per_origin_max);
	if (graph->n_on_wire > concurrency)
		sim_fail("%s: %u requests are on the wire, its graph may have %u", target,
			graph->n_on_wire, concurrency);
}

struct sim_try *sim_oracle_on_request(
	struct sim_conn *conn, const char *method, const char *target, const char *header)
{
	struct sim_try *try = sim_resource_try(sim_resource_get(method, target, header), conn);

	sim_trace("  %s is sent (%u)", try->resource->target, try->number);
	sim_oracle_check_graph(try);
	sim_oracle_check_conn(conn, try);
	sim_oracle_on_wire(try);
	/* A bad chunk may bring bytes of its own. */
	if (try->reply.fault == SIM_REPLY_CORRUPT ||
		(try->reply.fault == SIM_REPLY_BAD_CHUNK && try->reply.codings[0]))
		sim_codes_add(&try->codes, FAULT_ENCODING_CORRUPT);
	if (try->reply.fault == SIM_REPLY_UNSUPPORTED)
		sim_codes_add(&try->codes, FAULT_ENCODING_UNSUPPORTED);
	conn->uid = try->graph->client->uid;
	conn->n_requests++;
	return try;
}

/* The value of a field of a request's head (name in lower case), or NULL. */
static char *sim_head_field_of(const char *head, const char *name)
{
	const char *at = strcasestr(head, sim_format("\r\n%s: ", name));

	if (!at || at > strstr(head, "\r\n\r\n"))
		return NULL;
	at += strlen(name) + 4;
	return sim_copy(at, (size_t)(strstr(at, "\r\n") - at));
}

/* Bytes that are nobody's may be taken for its own. */
void sim_oracle_taint(struct sim_try *try)
{
	sim_codes_add(&try->codes, FAULT_HTTP_PARSE);
	if (try->reply.codings[0])
		sim_codes_add(&try->codes, FAULT_ENCODING_CORRUPT);
}

static void sim_oracle_on_h1_request(struct sim_conn *conn, const char *data, size_t size)
{
	const char *end = size ? memmem(data, size, "\r\n\r\n", 4) : NULL;
	const char *head, *space, *stop;

	if (!end)
		sim_fail("an origin is sent what is no request");
	head = sim_copy(data, (size_t)(end + 4 - data));
	space = strchr(head, ' ');
	stop = space ? strchr(space + 1, ' ') : NULL;
	if (!stop)
		sim_fail("an origin is sent what is no request");
	conn->try = sim_oracle_on_request(conn, sim_copy(head, (size_t)(space - head)),
		sim_copy(space + 1, (size_t)(stop - space - 1)), sim_head_field_of(head, "x-r"));
	conn->latest = conn->try;
	if ((sim_head_field_of(head, "accept-encoding") != NULL) != conn->try->label->decodes)
		sim_fail("%s does not ask for codings as its job wants",
			conn->try->resource->target);
	if (conn->is_tainted)
		sim_oracle_taint(conn->try);
	conn->request_at = conn->received;
	conn->response_end = UINT64_MAX;
	conn->ends_at_close = false;
}

/* The rest of a request; its response may have come while a piece of its body was being sent, and
 * be on its way to a file. */
static bool sim_oracle_is_rest(const struct sim_conn *conn, const char *data, size_t size)
{
	const char *target = size ? memmem(data, size, " /", 2) : NULL;

	if (conn->try)
		return true;
	if (!conn->latest || !conn->latest->label->has_source)
		return false;
	/* No method is that long. */
	return !target || target - data > 8;
}

void sim_oracle_on_send(struct sim_conn *conn, const char *data, size_t size)
{
	if (conn->h2)
		sim_h2_on_send(conn, data, size);
	else if (!sim_oracle_is_rest(conn, data, size))
		sim_oracle_on_h1_request(conn, data, size);
}

/* -- Responses ---------------------------------------------------------------------------- */

void sim_oracle_answered(struct sim_try *try)
{
	sim_trace("  %s is answered (%u)", try->resource->target, try->number);
	try->is_answered = true;
	try->answered_ns = sim_now();
	sim_oracle_off_wire(try);
}

static void sim_oracle_finish(struct sim_conn *conn)
{
	sim_oracle_answered(conn->try);
	conn->try = NULL;
}

/* It was, when the request was sent: used before, or made ahead. */
static bool sim_conn_was_idle(const struct sim_conn *conn)
{
	return conn->n_requests > 1 || conn->connected_ns < conn->try->sent_ns;
}

/* One that was made ahead may have been idle for no time at all. */
static bool sim_conn_may_have_been_idle(const struct sim_conn *conn)
{
	return sim_conn_was_idle(conn) || conn->connected_ns == conn->try->sent_ns;
}

enum sim_loss {
	SIM_LOST_BY_END,
	SIM_LOST_BY_RESET,
	SIM_LOST_IN_SEND,
	SIM_LOST_TLS,
};

/* The connection is gone under a request: what may become of the job? */
static void sim_oracle_lost(struct sim_conn *conn, enum sim_loss loss)
{
	struct sim_try *try = conn->try;
	bool has_begun = conn->received > conn->request_at;
	bool may_replay;

	conn->is_doubtful = true;
	if (conn->h2 && loss != SIM_LOST_IN_SEND)
		sim_h2_on_lost(conn, FAULT_HTTP2_CONNECTION);
	if (!try)
		return;
	may_replay = !has_begun && sim_method_is_safe(try->resource->method);
	try->is_replay_due = may_replay && sim_conn_may_have_been_idle(conn);
	/* It must be sent again, unless it had been. */
	if (try->is_replay_due && sim_conn_was_idle(conn) && !try->is_replay)
		return;
	if (loss == SIM_LOST_TLS) {
		sim_codes_add(&try->codes, FAULT_TLS_BROKEN);
		return;
	}
	if (loss == SIM_LOST_IN_SEND)
		sim_codes_add(&try->codes, FAULT_SEND_FAILED);
	if (loss != SIM_LOST_BY_END)
		sim_codes_add(&try->codes, FAULT_RECV_RESET);
	else if (has_begun)
		sim_codes_add(&try->codes, FAULT_BODY_TRUNCATED);
	if (!has_begun)
		sim_codes_add(&try->codes, FAULT_EMPTY_REPLY);
}

static void sim_oracle_received(struct sim_conn *conn, size_t size)
{
	conn->received += size;
	if (conn->h2) {
		sim_h2_on_received(conn);
		return;
	}
	if (!conn->try) {
		conn->is_doubtful = true;
		return;
	}
	if (conn->received < conn->response_end)
		return;
	if (conn->received > conn->response_end)
		conn->is_doubtful = true;
	sim_oracle_finish(conn);
}

static bool sim_conn_is_complete(const struct sim_conn *conn)
{
	return conn->ends_at_close && conn->serving == conn->try && conn->received == conn->said &&
	       (!conn->origin->is_https || conn->ended_well);
}

void sim_oracle_on_told(struct sim_conn *conn, enum sim_kind kind, int result)
{
	if (kind == SIM_CONNECT) {
		conn->connected_ns = sim_now();
		return;
	}
	if (kind == SIM_SEND) {
		if (result == -EPIPE || result == -ECONNRESET)
			sim_oracle_lost(conn, SIM_LOST_IN_SEND);
		return;
	}
	if (result > 0) {
		sim_oracle_received(conn, (size_t)result);
	} else if (result == 0 && conn->try && sim_conn_is_complete(conn)) {
		conn->is_doubtful = true;
		sim_oracle_finish(conn);
	} else if (result == 0 || result == -ECONNRESET) {
		sim_oracle_lost(conn, result ? SIM_LOST_BY_RESET : SIM_LOST_BY_END);
	}
}

void sim_oracle_on_broken(struct sim_conn *conn)
{
	sim_oracle_lost(conn, SIM_LOST_TLS);
}

void sim_oracle_on_closed(struct sim_conn *conn)
{
	conn->closed_ns = sim_now();
	if (conn->h2)
		sim_h2_on_closed(conn);
	if (conn->try)
		sim_oracle_off_wire(conn->try);
	conn->try = NULL;
}
