/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_graph.h"
#include "sim_put.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * A graph's document. What is as it would be anyway is mostly left out; what `defaults` say
 * otherwise is said.
 */

static const char *const modes[] = {"settled", "all", "any", "race"};

/* -- Members ------------------------------------------------------------------------------ */

static void sim_put_string(struct sim_bytes *out, const char *name, const char *value)
{
	sim_put(out, ",\"%s\":\"", name);
	sim_put_json(out, value, strlen(value));
	sim_put(out, "\"");
}

static void sim_put_raw(struct sim_bytes *out, const char *name, const char *json)
{
	if (!json)
		return;
	sim_put(out, ",\"%s\":", name);
	sim_put_text(out, text_from(json));
}

static void sim_put_duration(struct sim_bytes *out, const char *name, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS;

	if (sim_chance(200))
		sim_put(out, ",\"%s\":%llu.%03u", name, (unsigned long long)(ms / 1000),
			(unsigned)(ms % 1000));
	else
		sim_put(out, ",\"%s\":\"%llums\"", name, (unsigned long long)ms);
}

static void sim_put_limit(struct sim_bytes *out, const char *name, uint64_t ns)
{
	if (ns)
		sim_put_duration(out, name, ns);
}

static void sim_put_fields(
	struct sim_bytes *out, const char *name, const struct sim_field *fields, unsigned n_fields)
{
	for (unsigned i = 0; i < n_fields; i++)
		sim_put(out, "%s\"%s\":%s", i ? "," : sim_format(",\"%s\":{", name), fields[i].name,
			fields[i].json);
	if (n_fields > 0)
		sim_put(out, "}");
}

/* -- Keys that `defaults` may say ------------------------------------------------------------ */

struct sim_key {
	bool (*is_equal)(const struct sim_node *a, const struct sim_node *b);
	void (*put)(struct sim_bytes *out, const struct sim_node *leaf);
};

static bool sim_ok_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->n_ok == b->n_ok && memcmp(a->ok, b->ok, sizeof(a->ok)) == 0;
}

static void sim_ok_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	if (leaf->n_ok == 3)
		sim_put(out, ",\"ok\":[\"200-299\",404,\"500-503\"]");
	else
		sim_put(out, ",\"ok\":\"%u-%u\"", leaf->ok[0].from, leaf->ok[0].to);
}

static bool sim_optional_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->is_optional == b->is_optional;
}

static void sim_optional_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	sim_put(out, ",\"optional\":%s", leaf->is_optional ? "true" : "false");
}

static bool sim_omit_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->is_omitted == b->is_omitted;
}

static void sim_omit_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	sim_put(out, ",\"omit\":%s", leaf->is_omitted ? "true" : "false");
}

static bool sim_needs_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->needs == b->needs;
}

static void sim_needs_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	static const char *const needs[] = {"fulfilled", "settled", "rejected", "any"};

	sim_put(out, ",\"needs\":\"%s\"", needs[leaf->needs]);
}

static bool sim_retry_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->retry.attempts == b->retry.attempts && a->retry.is_short == b->retry.is_short &&
	       (a->retry.attempts == 0 || a->retry.is_short);
}

static void sim_retry_put_on(struct sim_bytes *out, const struct sim_retry *retry)
{
	const char *comma = "";

	sim_put(out, ",\"on\":[");
	if (retry->on_network)
		sim_put(out, "\"network\"");
	if (retry->on_network)
		comma = ",";
	if (retry->on_timeout)
		sim_put(out, "%s\"timeout\"", comma);
	if (retry->on_timeout)
		comma = ",";
	for (unsigned i = 0; i < retry->n_on; i++) {
		sim_put(out, "%s%u", comma, retry->on[i]);
		comma = ",";
	}
	sim_put(out, "]");
}

static void sim_retry_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	static const char *const backoffs[] = {"exponential", "linear", "fixed"};
	static const char *const jitters[] = {"full", "equal", "none"};
	const struct sim_retry *retry = &leaf->retry;

	if (retry->attempts == 0 || retry->is_short) {
		sim_put(out, ",\"retry\":%u", retry->attempts ? retry->attempts : 1);
		return;
	}
	sim_put(out, ",\"retry\":{\"attempts\":%u,\"backoff\":\"%s\",\"jitter\":\"%s\"",
		retry->attempts, backoffs[retry->backoff], jitters[retry->jitter]);
	sim_put_duration(out, "delay", retry->delay_ns);
	sim_put_duration(out, "max_delay", retry->max_delay_ns);
	if (retry->on || !retry->on_network || !retry->on_timeout)
		sim_retry_put_on(out, retry);
	sim_put(out, ",\"retry_after\":%s,\"unsafe\":%s}", retry->retry_after ? "true" : "false",
		retry->unsafe ? "true" : "false");
}

static bool sim_timeout_is_equal(const struct sim_node *a, const struct sim_node *b)
{
	return a->timeouts.job_ns == b->timeouts.job_ns;
}

static void sim_timeout_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	/* What it is where nobody says it. */
	sim_put_duration(
		out, "timeout", leaf->timeouts.job_ns ? leaf->timeouts.job_ns : 60 * NS_PER_S);
}

static const struct sim_key keys[] = {
	{sim_ok_is_equal, sim_ok_put},
	{sim_optional_is_equal, sim_optional_put},
	{sim_omit_is_equal, sim_omit_put},
	{sim_needs_is_equal, sim_needs_put},
	{sim_retry_is_equal, sim_retry_put},
	{sim_timeout_is_equal, sim_timeout_put},
};

/* A leaf that says nothing. */
static const struct sim_node silent = {.ok = {{200, 399}}, .n_ok = 1};

/* Whose value the leaf has where it says nothing. */
static const struct sim_node *sim_key_model(const struct sim_node *leaf, size_t key)
{
	for (const struct sim_node *up = leaf->parent; up; up = up->parent) {
		if (up->model && (up->model_keys >> key) & 1)
			return up->model;
	}
	return &silent;
}

static void sim_leaf_put_keys(struct sim_bytes *out, const struct sim_node *leaf)
{
	for (size_t i = 0; i < countof(keys); i++) {
		bool is_unsaid = keys[i].is_equal(leaf, sim_key_model(leaf, i));
		bool is_known = keys[i].put != sim_retry_put || sim_may(SIM_FEATURE_RETRY);

		if (!is_unsaid || (sim_chance(50) && is_known))
			keys[i].put(out, leaf);
	}
}

static void sim_put_defaults(struct sim_bytes *out, struct sim_node *group)
{
	const struct sim_graph *graph = group->graph;
	struct sim_bytes members = {0};

	if (!sim_chance(250) || !sim_may(SIM_FEATURE_DEFAULTS) || graph->n_nodes == 0)
		return;
	group->model = graph->nodes[sim_below(graph->n_nodes)];
	if (group->model->is_group)
		group->model = NULL;
	if (!group->model)
		return;
	group->model_keys = (unsigned)sim_below(1u << countof(keys));
	for (size_t i = 0; i < countof(keys); i++) {
		if ((group->model_keys >> i) & 1)
			keys[i].put(&members, group->model);
	}
	if (members.size > 0)
		sim_put(out, ",\"defaults\":{%s}", sim_put_end(&members) + 1);
}

/* -- Jobs --------------------------------------------------------------------------------- */

static void sim_leaf_put_timeouts(struct sim_bytes *out, const struct sim_timeouts *timeouts)
{
	struct sim_bytes inner = {0};

	sim_put_limit(out, "attempt_timeout", timeouts->attempt_ns);
	sim_put_limit(out, "queue_timeout", timeouts->queue_ns);
	sim_put_limit(&inner, "tls", timeouts->tls_ns);
	sim_put_limit(&inner, "connect", timeouts->connect_ns);
	sim_put_limit(&inner, "first_byte", timeouts->first_byte_ns);
	sim_put_limit(&inner, "idle", timeouts->idle_ns);
	if (inner.size > 0)
		sim_put(out, ",\"timeouts\":{%s}", sim_put_end(&inner) + 1);
}

static void sim_leaf_put_request(struct sim_bytes *out, const struct sim_node *leaf)
{
	const struct sim_label *label = leaf->label;
	const char *usual = leaf->body != SIM_FORM_NONE ? "POST" : "GET";

	sim_put_string(out, "url", leaf->url);
	if (strcmp(label->method, usual) != 0 || sim_chance(500))
		sim_put(out, ",\"method\":\"%s\"", label->method);
	if (leaf->header || leaf->has_key) {
		sim_put(out, ",\"headers\":{\"x-u\":[1,true]");
		if (leaf->header)
			sim_put_string(out, "x-r", leaf->header);
		if (leaf->has_key)
			sim_put(out, ",\"Idempotency-Key\":\"%u\"", leaf->number);
		sim_put(out, "}");
	}
	sim_put_fields(out, "query", leaf->query, leaf->n_query);
	sim_put_fields(out, "form", leaf->form, leaf->n_form);
	sim_put_raw(out, "json", leaf->json);
	if (leaf->text)
		sim_put_string(out, "body", leaf->text);
	if (label->is_insecure)
		sim_put(out, ",\"tls\":{\"insecure\":true}");
	if (label->redirects >= 0 && sim_may(SIM_FEATURE_REDIRECTS))
		sim_put(out, ",\"redirects\":%d", label->redirects);
	if (!label->decodes)
		sim_put(out, ",\"decode\":false");
	if (label->http)
		sim_put(out, ",\"http\":\"%s\"", label->http == SIM_HTTP_2 ? "2" : "1.1");
	if (label->is_resolved)
		sim_put(out, ",\"resolve\":{\"%s:%u\":[\"%s\"]}", label->origin->host,
			label->origin->port, label->origin->hidden.text);
}

static void sim_leaf_put(struct sim_bytes *out, const struct sim_node *leaf)
{
	sim_leaf_put_request(out, leaf);
	sim_leaf_put_keys(out, leaf);
	sim_leaf_put_timeouts(out, &leaf->timeouts);
	if (leaf->source)
		sim_put(out, ",\"body_fd\":%u", leaf->source->index);
	if (leaf->sink)
		sim_put(out, ",\"output\":\"file\",\"fd\":%u", leaf->sink->index);
	if (leaf->is_streamed)
		sim_put(out, ",\"output\":\"stream\"");
	if (leaf->is_discarded)
		sim_put(out, ",\"output\":\"discard\"");
	if (leaf->dedupe_said)
		sim_put(out, ",\"dedupe\":%s", leaf->dedupes ? "true" : "false");
	if (leaf->max_body)
		sim_put(out, ",\"max_body\":%llu", (unsigned long long)leaf->max_body);
	if (leaf->priority >= 0)
		sim_put(out, ",\"priority\":%d", leaf->priority);
}

static void sim_group_put(struct sim_bytes *out, struct sim_node *group)
{
	if (group->mode || sim_chance(200))
		sim_put(out, ",\"mode\":\"%s\"", modes[group->mode]);
	if (group->concurrency)
		sim_put(out, ",\"concurrency\":%u", group->concurrency);
	sim_put_limit(out, "timeout", group->timeout_ns);
	if (group->parent && group->needs)
		sim_needs_put(out, group);
	if (group->parent && group->is_optional)
		sim_optional_put(out, group);
	sim_put_defaults(out, group);
}

static void sim_fan_put(struct sim_bytes *out, const struct sim_node *node)
{
	const struct sim_fan *fan = node->fan;
	bool is_simple = !fan->mode && !fan->items_max && !fan->batch_size;

	if (!fan->window && is_simple && sim_chance(500)) {
		sim_put_raw(out, "each", fan->in);
		return;
	}
	/* Beside `each`, unless that would be a bound of what is in each child. */
	if (is_simple && fan->window && !node->concurrency && sim_chance(500)) {
		sim_put_raw(out, "each", fan->in);
		sim_put(out, ",\"concurrency\":%u", fan->window);
		return;
	}
	sim_put(out, ",\"each\":{\"in\":%s", fan->in);
	if (fan->window)
		sim_put(out, ",\"concurrency\":%u", fan->window);
	if (fan->mode)
		sim_put(out, ",\"mode\":\"%s\"", modes[fan->mode]);
	if (fan->items_max)
		sim_put(out, ",\"max\":%u", fan->items_max);
	if (fan->batch_size)
		sim_put(out, ",\"batch\":{\"size\":%u", fan->batch_size);
	if (fan->batch_delay_ns)
		sim_put_duration(out, "delay", fan->batch_delay_ns);
	sim_put(out, fan->batch_size ? "}}" : "}");
}

static void sim_node_put_after(struct sim_bytes *out, const struct sim_node *node)
{
	const struct sim_graph *graph = node->graph;
	const char *wrong = NULL;
	unsigned n = 0;

	if (node->number == 0 && graph->wrong == FAULT_GRAPH_TYPE) {
		sim_put(out, ",\"after\":7");
		return;
	}
	if (graph->wrong == FAULT_GRAPH_CYCLE)
		wrong = node->id;
	else if (graph->wrong == FAULT_GRAPH_UNKNOWN_JOB)
		wrong = "nobody";
	else if (graph->wrong == FAULT_GRAPH_VALUE)
		wrong = graph->hidden->id;
	if (node->number == 0 && wrong)
		sim_put(out, "%s\"%s\"", n++ ? "," : ",\"after\":[", wrong);
	for (unsigned i = 0; i < node->n_deps; i++) {
		if (node->is_after[i] || sim_chance(100))
			sim_put(out, "%s\"%s\"", n++ ? "," : ",\"after\":[", node->deps[i]->id);
	}
	if (n)
		sim_put(out, "]");
}

/* All but the children, without braces. */
static void sim_node_put(struct sim_bytes *out, struct sim_node *node)
{
	struct sim_bytes members = {0};
	const struct sim_graph *graph = node->graph;

	if (node->is_group)
		sim_group_put(&members, node);
	else
		sim_leaf_put(&members, node);
	if (node->fan)
		sim_fan_put(&members, node);
	sim_node_put_after(&members, node);
	sim_put_raw(&members, "when", node->when);
	sim_put_raw(&members, "else", node->otherwise);
	sim_put_raw(&members, "fallback", node->fallback);
	if (node->number == 0 && graph->wrong == FAULT_GRAPH_KEY)
		sim_put(&members, ",\"tiemout\":1");
	if (node->parent->is_array && (node->parent->parent || sim_chance(100)))
		sim_put(out, "\"id\":\"%s\"%s", node->id, members.size ? "," : "");
	if (members.size > 0)
		sim_put_text(out, text_from(sim_put_end(&members) + 1));
}

/* From a group's first job to its last, and what is in them. */
static void sim_put_jobs(struct sim_bytes *out, struct sim_node *top)
{
	struct sim_node *node = top;

	for (;;) {
		if (node->is_group)
			sim_put(out, "%s\"jobs\":%s",
				strchr("{,", sim_put_end(out)[out->size - 1]) ? "" : ",",
				node->is_array ? "[" : "{");
		if (node->is_group && node->n_children > 0) {
			node = node->children[0];
		} else {
			if (node->is_group)
				sim_put(out, "%s", node->is_array ? "]" : "}");
			while (node != top && node->place + 1 == node->parent->n_children) {
				node = node->parent;
				sim_put(out, "}%s", node->is_array ? "]" : "}");
			}
			if (node == top)
				return;
			sim_put(out, "},");
			node = node->parent->children[node->place + 1];
		}
		if (node->parent->is_array)
			sim_put(out, "{");
		else
			sim_put(out, "\"%s\":{", node->id);
		sim_node_put(out, node);
	}
}

void sim_write(struct sim_graph *graph)
{
	struct sim_bytes *out = &graph->document;

	sim_put(out, "{\"version\":1");
	sim_group_put(out, &graph->root);
	if (graph->priority >= 0)
		sim_put(out, ",\"priority\":%d", graph->priority);
	sim_put_raw(out, "input", graph->input);
	sim_put_raw(out, "return", graph->result);
	sim_put(out, ",");
	graph->root.number = UINT32_MAX;
	sim_put_jobs(out, &graph->root);
	sim_put(out, "}");
}
