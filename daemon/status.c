/* SPDX-License-Identifier: MIT */
#include "settled_private.h"

#include <unistd.h>

#include "front/session.h"
#include "job/graph.h"
#include "net/pool.h"
#include "proto/json.h"
#include "util/clock.h"

/*
 * What the daemon is doing, for people and for programs. Counts and times only: a URL, a header
 * or a body may be a secret.
 */

static uint64_t settled_uptime_ms(const struct settled *settled)
{
	return (ring_now(settled->ring) - settled->started_ns) / NS_PER_MS;
}

void settled_describe(const struct settled *settled, struct buffer *out)
{
	buffer_printf(out, "%s%u sessions, %u graphs, %u requests in flight",
		settled->is_draining ? "draining: " : "", settled->front.n_sessions,
		settled->scheduler.n_graphs, settled->scheduler.requests.used);
}

static void append_count(struct buffer *out, const char *name, uint64_t value)
{
	if (out->size > 0 && out->data[out->size - 1] != '{')
		buffer_append_byte(out, ',');
	json_append_string(out, text_from(name));
	buffer_append_byte(out, ':');
	buffer_append_u64(out, value);
}

static void append_flag(struct buffer *out, const char *name, bool value)
{
	if (!value)
		return;
	if (out->size > 0 && out->data[out->size - 1] != '[')
		buffer_append_byte(out, ',');
	json_append_string(out, text_from(name));
}

static void append_connections(const struct settled *settled, struct buffer *out)
{
	struct pool_counters pool = pool_counters(settled->pool);
	struct tls_counters tls = tls_store_counters(settled->tls_store);

	buffer_append_literal(out, ",\"connections\":{");
	append_count(out, "open", pool.n_conns);
	append_count(out, "idle", pool.n_idle);
	append_count(out, "dialled", pool.dialled);
	append_count(out, "reused", pool.reused);
	append_count(out, "warmed", pool.warmed);
	append_count(out, "warm_used", pool.warm_used);
	append_count(out, "closed", pool.closed);
	append_count(out, "shared", pool.n_shared);
	append_count(out, "streams", pool.n_streams);
	append_count(out, "routes", pool.n_routes);
	append_count(out, "origins", pool.n_origins);
	append_count(out, "tls_full", tls.full);
	append_count(out, "tls_resumed", tls.resumed);
	append_count(out, "tls_sessions", tls.n_sessions);
	buffer_append_byte(out, '}');
}

static void append_ring(const struct settled *settled, struct buffer *out)
{
	const struct ring_counters *counters = ring_counters(settled->ring);
	const struct ring_features *features = ring_features(settled->ring);

	buffer_append_literal(out, ",\"ring\":{");
	append_count(out, "enters", counters->enters);
	append_count(out, "completions", counters->completions);
	append_count(out, "sends", counters->sends);
	append_count(out, "receives", counters->receives);
	append_count(out, "connects", counters->connects);
	append_count(out, "accepts", counters->accepts);
	append_count(out, "cancels", counters->cancels);
	append_count(out, "closes", counters->closes);
	append_count(out, "buffers_empty", counters->buffers_empty);
	append_count(out, "overflows", counters->overflows);
	append_count(out, "stale", counters->stale);
	buffer_append_literal(out, ",\"features\":[");
	append_flag(out, "defer", features->defer);
	append_flag(out, "multishot", features->multishot);
	append_flag(out, "buffers", features->buffers);
	append_flag(out, "registered", features->registered);
	append_flag(out, "restrictions", features->restrictions);
	append_flag(out, "slots", features->slots);
	append_flag(out, "noiowait", features->noiowait);
	append_flag(out, "sendwait", features->sendwait);
	append_flag(out, "truncate", features->truncate);
	buffer_append_literal(out, "]}");
}

void settled_status(const struct settled *settled, struct buffer *out)
{
	const struct scheduler *scheduler = &settled->scheduler;

	buffer_append_literal(out, "{\"server\":\"settled/" SETTLED_VERSION "\"");
	append_count(out, "pid", (uint64_t)getpid());
	append_count(out, "uptime_ms", settled_uptime_ms(settled));
	buffer_append_literal(out, ",\"draining\":");
	buffer_append_text(out, settled->is_draining ? TEXT("true") : TEXT("false"));
	append_count(out, "sessions", settled->front.n_sessions);
	append_count(out, "graphs", scheduler->n_graphs);
	append_count(out, "in_flight", scheduler->requests.used);
	append_count(out, "resolving", resolver_pending(settled->resolver));
	append_count(out, "body_bytes", scheduler->body_bytes);
	append_count(out, "passed", settled->front.passed.n);
	append_count(out, "timers", ring_timers(settled->ring)->n_armed);
	buffer_append_literal(out, ",\"total\":{");
	append_count(out, "sessions", settled->front.sessions_total);
	append_count(out, "jobs", scheduler->counters.jobs_settled);
	append_count(out, "attempts", scheduler->counters.attempts);
	append_count(out, "replays", scheduler->counters.replays);
	append_count(out, "retries", scheduler->counters.retries);
	buffer_append_byte(out, '}');
	append_connections(settled, out);
	append_ring(settled, out);
	buffer_append_byte(out, '}');
}

static void dump_graph(const struct graph *graph, struct buffer *out)
{
	const struct bound *requests = &graph->group.requests;

	buffer_printf(out, "graph: uid %u, %u jobs, %u settled, %u of %u slots, %u attempts%s%s\n",
		graph->uid, graph->n_leaves, graph->n_settled, requests->used, requests->limit,
		graph->n_attempts, graph_is_ended(graph) ? ", ended" : "",
		graph->is_paused ? ", its reader is slow" : "");
}

void settled_dump(const struct settled *settled, struct buffer *out)
{
	settled_describe(settled, out);
	buffer_append_byte(out, '\n');
	list_each(link, &settled->front.sessions) {
		const struct session *session = list_entry(link, struct session, link);

		buffer_printf(out, "session: fd %d, uid %u, state %d, %u graphs, %zu bytes out\n",
			session->fd, session->uid, session->state, session->n_graphs,
			session->out.bytes);
	}
	list_each(link, &settled->scheduler.graphs)
		dump_graph(list_entry(link, struct graph, link), out);
	settled_status(settled, out);
	buffer_append_byte(out, '\n');
}
