/* SPDX-License-Identifier: MIT */
#include "sim_graph.h"

#include <stdio.h>
#include <string.h>

#include "sim_put.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * A graph is a random order of jobs, in which each may depend on earlier ones; the document lists
 * them in another order. What a job's origin will answer is drawn first, so that references can
 * be chosen that mean something.
 */

#define SIM_JOBS_FEW  12
#define SIM_JOBS_SOME 40
#define SIM_JOBS_MANY 300

/* -- The model ---------------------------------------------------------------------------- */

static void sim_timeouts_draw(struct sim_timeouts *timeouts)
{
	uint64_t *each[] = {&timeouts->job_ns, &timeouts->attempt_ns, &timeouts->queue_ns,
		&timeouts->connect_ns, &timeouts->first_byte_ns, &timeouts->idle_ns};

	for (unsigned i = 0; i < countof(each); i++) {
		if (sim_chance(sim_world.profile.short_timeout / 2))
			*each[i] = sim_between(1, 400) * NS_PER_MS;
	}
}

static void sim_job_draw(struct sim_job *job)
{
	static const char *const methods[] = {"POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS"};

	job->origin = &sim_model.origins[sim_below(sim_model.n_origins)];
	job->is_resolved = job->origin->is_name && sim_chance(50);
	job->method = sim_chance(700) ? "GET" : methods[sim_below(countof(methods))];
	job->has_body = job->method[0] == 'P' && sim_chance(900);
	if (job->has_body)
		job->padding = sim_chance(100) ? (size_t)sim_below(100000) : 0;
	job->needs_settled = sim_chance(250);
	job->is_optional = sim_chance(150);
	job->is_omitted = sim_chance(100);
	job->is_discarded = sim_chance(100);
	job->any_status_ok = sim_chance(200);
	sim_timeouts_draw(&job->timeouts);
	sim_reply_draw(job);
	if (sim_chance(sim_world.profile.reply_fault / 4))
		job->max_body = sim_between(1, 2 * job->reply.body_size + 1);
}

static bool sim_ref_suits(const struct sim_job *job, enum sim_ref_kind kind, enum sim_place place)
{
	bool has_body = !job->is_discarded && !sim_reply_is_bare(job);

	switch (kind) {
	case SIM_REF_STATUS:
	case SIM_REF_OUTCOME:
	case SIM_REF_CODE:
	case SIM_REF_HEADER: return place != SIM_IN_JSON;
	case SIM_REF_BODY:
		if (job->reply.content == SIM_TEXT)
			return has_body && place != SIM_IN_JSON;
		break;
	case SIM_REF_KEY:
		if (job->reply.content == SIM_TEXT)
			return has_body && sim_chance(100);
		break;
	case SIM_REF_MISSING:
		if (!sim_chance(200))
			return false;
		break;
	default: break;
	}
	return has_body && job->reply.content == SIM_JSON;
}

static void sim_job_draw_refs(struct sim_job *job)
{
	for (unsigned i = 0; i < job->n_deps; i++) {
		struct sim_ref ref = {.job = job->deps[i]};
		enum sim_place place = (enum sim_place)sim_below(SIM_PLACES);

		ref.kind = (enum sim_ref_kind)sim_below(SIM_REF_HEADER + 1);
		ref.has_default = sim_chance(400);
		if (place >= SIM_IN_JSON && !job->has_body)
			continue;
		if (!sim_ref_suits(ref.job, ref.kind, place))
			continue;
		/* Whether a default stands in for what is no JSON at all is left open. */
		if (ref.kind != SIM_REF_BODY && ref.job->reply.content == SIM_TEXT &&
			ref.kind < SIM_REF_STATUS)
			ref.has_default = false;
		job->refs[place] = ref;
	}
}

static void sim_graph_draw_edges(struct sim_graph *graph)
{
	unsigned *order = sim_alloc(graph->n_jobs * sizeof(*order));
	unsigned density = (unsigned)sim_below(1000);

	for (unsigned i = 0; i < graph->n_jobs; i++) {
		unsigned other = (unsigned)sim_below(i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (unsigned i = 1; i < graph->n_jobs; i++) {
		struct sim_job *job = &graph->jobs[order[i]];

		while (job->n_deps < SIM_DEPS_MAX && sim_chance(density)) {
			struct sim_job *dep = &graph->jobs[order[sim_below(i)]];
			bool is_new = true;

			for (unsigned n = 0; n < job->n_deps; n++)
				is_new &= job->deps[n] != dep;
			if (!is_new)
				break;
			job->deps[job->n_deps++] = dep;
		}
	}
	for (unsigned i = 0; i < graph->n_jobs; i++)
		sim_job_draw_refs(&graph->jobs[i]);
	sim_release(order, graph->n_jobs * sizeof(*order));
}

/* -- The document ------------------------------------------------------------------------- */

const char *sim_ref_suffix(enum sim_ref_kind kind)
{
	switch (kind) {
	case SIM_REF_BODY: return "";
	case SIM_REF_KEY: return "#/k";
	case SIM_REF_STRING: return "#/s";
	case SIM_REF_NUMBER: return "#/n";
	case SIM_REF_NULL: return "#/z";
	case SIM_REF_OBJECT: return "#/o";
	case SIM_REF_MISSING: return "#/o/nothing";
	case SIM_REF_STATUS: return ".status";
	case SIM_REF_OUTCOME: return ".outcome";
	case SIM_REF_CODE: return ".code";
	case SIM_REF_HEADER: return ".headers.x-k";
	}
	return NULL;
}

/* The reference of that place, or `otherwise`. */
static void sim_put_ref(struct sim_bytes *out, const struct sim_job *job, enum sim_place place,
	const char *otherwise)
{
	const struct sim_ref *ref = &job->refs[place];
	const char *space = job->key % 3 ? "" : " ";

	if (!ref->job)
		sim_put(out, "%s", otherwise);
	else
		sim_put(out, "{{%s%s%s%s%s}}", space, ref->job->id, sim_ref_suffix(ref->kind),
			ref->has_default ? " ?? dflt" : "", space);
}

static void sim_put_duration(struct sim_bytes *out, const char *name, uint64_t ns)
{
	if (ns)
		sim_put(out, ",\"%s\":\"%llums\"", name, (unsigned long long)(ns / NS_PER_MS));
}

static void sim_job_write_timeouts(const struct sim_job *job, struct sim_bytes *out)
{
	const struct sim_timeouts *timeouts = &job->timeouts;

	sim_put_duration(out, "timeout", timeouts->job_ns);
	sim_put_duration(out, "attempt_timeout", timeouts->attempt_ns);
	sim_put_duration(out, "queue_timeout", timeouts->queue_ns);
	if (!timeouts->connect_ns && !timeouts->first_byte_ns && !timeouts->idle_ns)
		return;
	sim_put(out, ",\"timeouts\":{\"tls\":1");
	sim_put_duration(out, "connect", timeouts->connect_ns);
	sim_put_duration(out, "first_byte", timeouts->first_byte_ns);
	sim_put_duration(out, "idle", timeouts->idle_ns);
	sim_put(out, "}");
}

static void sim_job_write_after(const struct sim_job *job, struct sim_bytes *out)
{
	bool in_circle = job->index == 0 && job->graph->wrong == FAULT_GRAPH_CYCLE;
	unsigned n = 0;

	if (in_circle) {
		sim_put(out, ",\"after\":[\"%s\"", job->id);
		n++;
	}
	for (unsigned i = 0; i < job->n_deps; i++) {
		bool is_implied = false;

		for (unsigned place = 0; place < SIM_PLACES; place++)
			is_implied |= job->refs[place].job == job->deps[i];
		if (is_implied && sim_chance(700))
			continue;
		sim_put(out, "%s\"%s\"", n++ ? "," : ",\"after\":[", job->deps[i]->id);
	}
	if (n)
		sim_put(out, "]");
}

static void sim_job_write_request(const struct sim_job *job, struct sim_bytes *out)
{
	const struct sim_origin *origin = job->origin;

	sim_put(out, "\"url\":\"http://%s%s/%u/", origin->authority,
		origin->port == 80 && job->key % 4 == 0 ? ":80" : "", job->key);
	sim_put_ref(out, job, SIM_IN_PATH, "p");
	sim_put(out, "?q=");
	sim_put_ref(out, job, SIM_IN_QUERY, "q");
	sim_put(out, "\"");
	if (strcmp(job->method, job->has_body ? "POST" : "GET") != 0 || job->key % 2)
		sim_put(out, ",\"method\":\"%s\"", job->method);
	if (job->refs[SIM_IN_HEADER].job || job->key % 5 == 0) {
		sim_put(out, ",\"headers\":{\"x-r\":\"<");
		sim_put_ref(out, job, SIM_IN_HEADER, "h");
		sim_put(out, ">\"}");
	}
	if (job->has_body) {
		sim_put(out, ",\"json\":{\"v\":\"");
		sim_put_ref(out, job, SIM_IN_JSON, "j");
		sim_put(out, "\",\"t\":\"[");
		sim_put_ref(out, job, SIM_IN_JSON_TEXT, "t");
		sim_put(out, "]\",\"p\":\"");
		for (size_t i = 0; i < job->padding; i++)
			sim_bytes_append(out, "p", 1);
		sim_put(out, "\"}");
	}
	if (job->is_resolved)
		sim_put(out, ",\"resolve\":{\"%s:%u\":[\"%s\"]}", origin->host, origin->port,
			origin->hidden.text);
}

static void sim_job_write(const struct sim_job *job, struct sim_bytes *out)
{
	sim_job_write_request(job, out);
	sim_job_write_after(job, out);
	sim_job_write_timeouts(job, out);
	if (job->needs_settled)
		sim_put(out, ",\"needs\":\"settled\"");
	if (job->is_optional)
		sim_put(out, ",\"optional\":true");
	if (job->is_omitted)
		sim_put(out, ",\"omit\":true");
	if (job->is_discarded)
		sim_put(out, ",\"output\":\"discard\"");
	if (job->any_status_ok)
		sim_put(out, ",\"ok\":\"200-599\"");
	if (job->max_body)
		sim_put(out, ",\"max_body\":%llu", (unsigned long long)job->max_body);
	if (job->index > 0)
		return;
	if (job->graph->wrong == FAULT_GRAPH_KEY)
		sim_put(out, ",\"tiemout\":1");
	else if (job->graph->wrong == FAULT_GRAPH_TYPE)
		sim_put(out, ",\"query\":7");
}

static void sim_graph_write(struct sim_graph *graph)
{
	struct sim_bytes *out = &graph->document;

	sim_put(out, "{\"version\":1");
	if (graph->is_all)
		sim_put(out, ",\"mode\":\"all\"");
	if (graph->concurrency)
		sim_put(out, ",\"concurrency\":%u", graph->concurrency);
	sim_put_duration(out, "timeout", graph->timeout_ns);
	sim_put(out, ",\"jobs\":%s", graph->is_array ? "[" : "{");
	for (unsigned i = 0; i < graph->n_jobs; i++) {
		const struct sim_job *job = &graph->jobs[i];

		if (i)
			sim_put(out, ",");
		if (graph->is_array)
			sim_put(out, "{");
		else
			sim_put(out, "\"%s\":{", job->id);
		sim_job_write(job, out);
		sim_put(out, "}");
	}
	sim_put(out, "%s", graph->is_array ? "]" : "}");
	if (graph->returned)
		sim_put(out, ",\"return\":{\"r\":\"{{%s#/k}}\"}", graph->returned->id);
	sim_put(out, "}");
}

static void sim_graph_draw_return(struct sim_graph *graph)
{
	struct sim_job *job;

	if (graph->n_jobs == 0)
		return;
	job = &graph->jobs[sim_below(graph->n_jobs)];
	if (job->reply.content == SIM_JSON && !job->is_discarded && !sim_reply_is_bare(job))
		graph->returned = job;
}

static unsigned sim_graph_draw_size(void)
{
	if (sim_chance(5))
		return SIM_JOBS_MANY;
	if (sim_chance(20))
		return 0;
	return (unsigned)sim_between(1, sim_chance(200) ? SIM_JOBS_SOME : SIM_JOBS_FEW);
}

void sim_graph_draw(struct sim_graph *graph, struct sim_client *client, uint64_t number)
{
	static const enum fault_code wrongs[] = {
		FAULT_GRAPH_KEY,
		FAULT_GRAPH_CYCLE,
		FAULT_GRAPH_TYPE,
	};

	graph->client = client;
	graph->number = number;
	graph->is_all = sim_chance(350);
	graph->is_array = sim_chance(250);
	graph->n_jobs = sim_graph_draw_size();
	graph->concurrency = sim_chance(400) ? (uint32_t)sim_between(1, 8) : 0;
	if (sim_chance(sim_world.profile.short_timeout / 2))
		graph->timeout_ns = sim_between(1, 1500) * NS_PER_MS;
	if (graph->n_jobs > 0 && sim_chance(30))
		graph->wrong = wrongs[sim_below(countof(wrongs))];
	graph->jobs = sim_alloc((graph->n_jobs + 1) * sizeof(graph->jobs[0]));
	for (unsigned i = 0; i < graph->n_jobs; i++) {
		struct sim_job *job = &graph->jobs[i];

		job->graph = graph;
		job->index = i;
		job->key = sim_model.n_jobs;
		sim_model.jobs[sim_model.n_jobs++] = job;
		snprintf(job->id, sizeof(job->id), graph->is_array ? "%u" : "job_%u", i);
		sim_job_draw(job);
		client->body_bytes += sim_reply_size(job);
	}
	if (graph->n_jobs > 0)
		sim_graph_draw_edges(graph);
	if (sim_chance(300))
		sim_graph_draw_return(graph);
	sim_graph_write(graph);
}
