/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_graph.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * What a leaf says of itself. Jobs that share a label ask for the same as long as no reference
 * says otherwise, and have the same limits: so that flights can be shared.
 */

static void sim_timeouts_draw(struct sim_timeouts *timeouts)
{
	uint64_t *each[] = {&timeouts->job_ns, &timeouts->attempt_ns, &timeouts->queue_ns,
		&timeouts->connect_ns, &timeouts->tls_ns, &timeouts->first_byte_ns,
		&timeouts->idle_ns};

	for (unsigned i = 0; i < countof(each); i++) {
		if (sim_chance(sim_world.profile.short_timeout / 2))
			*each[i] = sim_between(1, 400) * NS_PER_MS;
	}
}

static void sim_label_draw(struct sim_label *label)
{
	static const char *const methods[] = {"POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS"};

	label->origin = &sim_model.origins[sim_below(sim_model.n_origins)];
	label->is_resolved = label->origin->is_name && sim_chance(50);
	label->is_insecure = label->origin->is_https && sim_chance(150);
	if (label->origin->is_https && sim_chance(250) && sim_may(SIM_FEATURE_HTTP2))
		label->http = sim_chance(600) ? SIM_HTTP_1_1 : SIM_HTTP_2;
	label->method = sim_chance(700) ? "GET" : methods[sim_below(countof(methods))];
	label->has_body = label->method[0] == 'P' && sim_chance(900);
	label->content = sim_chance(700 - sim_world.profile.large_body)
				 ? SIM_JSON
				 : (enum sim_content)sim_between(SIM_TEXT, SIM_EMPTY);
	label->sick = sim_chance(350) ? (unsigned)sim_between(100, 1000) : 0;
	label->moves = sim_chance(150) ? (unsigned)sim_between(100, 900) : 0;
	label->redirects = sim_chance(400) ? (int)sim_below(4) : -1;
	label->dedupes = true;
	label->decodes = !sim_may(SIM_FEATURE_CODINGS) || !sim_chance(100);
}

/* A label of its own, or another's. */
static bool sim_leaf_draw_label(struct sim_node *leaf)
{
	struct sim_graph *graph = leaf->graph;
	struct sim_label *other;
	bool shares = sim_chance(200);

	other = graph->n_labels > 1 ? &graph->labels[sim_between(1, graph->n_labels - 1)] : NULL;
	if (other && shares && sim_may(SIM_FEATURE_DEDUPE) && !other->has_body &&
		!other->has_limits) {
		leaf->label = other;
		return true;
	}
	leaf->label = &graph->labels[graph->n_labels];
	leaf->label->number = graph->n_labels++;
	sim_label_draw(leaf->label);
	return false;
}

void sim_draw_labels(struct sim_graph *graph)
{
	struct sim_label *links = &graph->labels[0];

	graph->n_labels = 1;
	sim_label_draw(links);
	links->method = "GET";
	links->has_body = false;
	links->content = SIM_JSON;
	links->is_resolved = false;
	links->is_insecure = false;
	links->http = SIM_HTTP_AUTO;
	links->decodes = true;
	links->has_limits = true;
	links->dedupes = false;
}

static void sim_retry_draw(struct sim_retry *retry)
{
	static const uint16_t few[] = {503}, other[] = {404, 500, 429};

	retry->attempts = (unsigned)sim_between(1, 4);
	retry->is_short = sim_chance(300);
	retry->delay_ns = 200 * NS_PER_MS;
	retry->max_delay_ns = 10 * NS_PER_S;
	retry->on_network = true;
	retry->on_timeout = true;
	retry->retry_after = true;
	if (retry->is_short)
		return;
	retry->backoff = (enum sim_backoff)sim_below(3);
	retry->jitter = (enum sim_jitter)sim_below(3);
	retry->delay_ns = sim_between(1, 300) * NS_PER_MS;
	retry->max_delay_ns = sim_between(1, 1000) * NS_PER_MS;
	retry->retry_after = sim_chance(800);
	retry->unsafe = sim_chance(300);
	if (sim_chance(600))
		return;
	retry->on_network = sim_chance(500);
	retry->on_timeout = sim_chance(500);
	retry->on = sim_chance(500) ? few : other;
	retry->n_on = retry->on == few ? countof(few) : countof(other);
	if (sim_chance(200) && (retry->on_network || retry->on_timeout))
		retry->n_on = 0;
}

static void sim_leaf_draw_ok(struct sim_node *leaf)
{
	leaf->ok[0] = (struct sim_range){200, 399};
	leaf->n_ok = 1;
	if (sim_chance(150)) {
		leaf->ok[0] = (struct sim_range){200, 599};
	} else if (sim_chance(100)) {
		leaf->ok[0] = (struct sim_range){200, 299};
		leaf->ok[1] = (struct sim_range){404, 404};
		leaf->ok[2] = (struct sim_range){500, 503};
		leaf->n_ok = 3;
	}
}

void sim_draw_pass(struct sim_graph *graph, struct sim_file *file)
{
	file->index = graph->n_files;
	graph->files[graph->n_files++] = file;
}

/* What one descriptor leads to is one job's. */
static void sim_leaf_draw_files(struct sim_node *leaf, bool shares)
{
	struct sim_graph *graph = leaf->graph;
	const struct sim_node *up = leaf;

	while (up && !up->fan)
		up = up->parent;
	if (up || shares || !sim_may(SIM_FEATURE_FILES))
		return;
	if (leaf->label->has_body && graph->n_files < SIM_FILES_MAX && sim_chance(200)) {
		leaf->source = sim_file_draw_source();
		leaf->label->has_source = true;
		leaf->label->is_chunked = leaf->source->is_pipe;
		sim_draw_pass(graph, leaf->source);
	}
	if (graph->n_files < SIM_FILES_MAX && sim_chance(60)) {
		leaf->sink = sim_file_draw_sink();
		sim_draw_pass(graph, leaf->sink);
	}
}

void sim_draw_leaf(struct sim_node *leaf)
{
	bool shares = sim_leaf_draw_label(leaf), has_retry = sim_chance(350);

	leaf->label->n_nodes++;
	sim_leaf_draw_files(leaf, shares);
	leaf->is_optional = sim_chance(150);
	leaf->is_omitted = sim_chance(100);
	leaf->is_discarded = sim_chance(80) && !shares && !leaf->sink;
	leaf->is_streamed = sim_chance(80) && !shares && !sim_node_is_closed(leaf);
	if (!sim_may(SIM_FEATURE_STREAM))
		leaf->is_streamed = false;
	if (leaf->is_streamed || leaf->sink)
		leaf->is_omitted = false;
	sim_leaf_draw_ok(leaf);
	leaf->dedupes = true;
	leaf->dedupe_said = sim_chance(200);
	if (leaf->dedupe_said)
		leaf->dedupes = sim_chance(400);
	if (!sim_may(SIM_FEATURE_DEDUPE))
		leaf->dedupe_said = false;
	if (sim_chance(150) && sim_may(SIM_FEATURE_PRIORITY))
		leaf->priority = (int)sim_below(10);
	if (has_retry && sim_may(SIM_FEATURE_RETRY))
		sim_retry_draw(&leaf->retry);
	leaf->has_key = leaf->label->has_body && sim_chance(200);
	/* A stream is one job's, and so is a file. */
	if (leaf->is_streamed || leaf->sink) {
		leaf->dedupe_said = false;
		leaf->dedupes = false;
	}
	leaf->label->dedupes = leaf->label->dedupes && leaf->dedupes;
	leaf->label->has_limits = leaf->label->has_limits || sim_node_is_closed(leaf);
	/* Those with limits of their own are not equal to others. */
	if (shares || sim_chance(500))
		return;
	sim_timeouts_draw(&leaf->timeouts);
	if (sim_chance(sim_world.profile.reply_fault / 4))
		leaf->max_body = sim_between(1, 400);
	leaf->label->has_limits = true;
}
