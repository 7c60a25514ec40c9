/* SPDX-License-Identifier: MIT */
#include "sim_client.h"

#include <errno.h>
#include <string.h>

#include "sim_graph.h"
#include "sim_oracle.h"
#include "sim_put.h"
#include "sim_ring.h"
#include "sim_world.h"
#include "util/container.h"

/*
 * A client's life is a handful of events drawn at its birth: messages at random times, pauses,
 * and perhaps one rudeness. One that keeps the rules stays until all its graphs are done, and
 * then closes; if the daemon closes before that, the daemon is wrong.
 */

/* How long a client may take to say all it has to say. */
#define SIM_CLIENT_LIFE_NS (2 * NS_PER_S)

/* A message to be said later. */
struct sim_saying {
	struct sim_saying *next;
	struct sim_client *client;
	/* Of a submission or a cancel; else NULL. */
	struct sim_graph *graph;
	struct sim_cancel *cancel;
	const char *text;
	bool is_rude;
	/* Where it ends, of all that the client says. */
	uint64_t end;
};

static void sim_client_flush(void *context);

/* -- The daemon's view -------------------------------------------------------------------- */

static void sim_client_on_sent(struct sim_end *end, const char *data, size_t size)
{
	sim_record_hear(container_of(end, struct sim_client, daemon), data, size);
}

/* The daemon is told what the client said. */
static void sim_client_on_read(struct sim_client *client, size_t size)
{
	client->n_told += size;
	while (client->sayings && client->sayings->end <= client->n_told) {
		struct sim_saying *saying = client->sayings;

		client->sayings = saying->next;
		if (saying->cancel) {
			saying->cancel->told_ns = sim_now();
			saying->cancel->order = saying->graph->n_cancels_told++;
		} else if (saying->graph) {
			saying->graph->accepted_us = sim_now() / 1000;
		}
	}
}

static void sim_client_on_told(struct sim_end *end, enum sim_kind kind, int result)
{
	struct sim_client *client = container_of(end, struct sim_client, daemon);
	bool is_gone = false;

	if (kind != SIM_SEND && kind != SIM_HANGUP && result > 0)
		sim_client_on_read(client, (size_t)result);
	if (kind == SIM_HANGUP)
		is_gone = result >= 0;
	else if (kind == SIM_SEND)
		is_gone = result == -EPIPE || result == -ECONNRESET;
	else
		is_gone = result == -ECONNRESET || (result == 0 && end->hangup);
	if (is_gone && !client->gone_ns)
		client->gone_ns = sim_now();
}

static bool sim_client_is_done(const struct sim_client *client)
{
	for (unsigned i = 0; i < client->n_graphs; i++) {
		if (client->graphs[i]->state != SIM_GRAPH_REFUSED &&
			client->graphs[i]->state != SIM_GRAPH_DONE)
			return false;
	}
	return true;
}

static void sim_client_on_closed(struct sim_end *end)
{
	struct sim_client *client = container_of(end, struct sim_client, daemon);

	client->is_closed = true;
	if (client->gone_ns || client->is_rude || sim_model.drain_ns || sim_world.memory_failed)
		return;
	if (client->is_half_closed && sim_client_is_done(client))
		return;
	sim_fail("client %u was left by the daemon", client->index);
}

const struct sim_watch sim_client_watch = {
	.on_sent = sim_client_on_sent,
	.on_told = sim_client_on_told,
	.on_closed = sim_client_on_closed,
};

uid_t sim_ring_uid_of(const struct sim_end *daemon_end)
{
	return container_of(daemon_end, struct sim_client, daemon)->uid;
}

/* -- Its own ------------------------------------------------------------------------------ */

static void sim_client_leave(void *context)
{
	struct sim_client *client = context;

	if (client->is_over)
		return;
	sim_trace("  client %u leaves", client->index);
	client->is_over = true;
	if (!client->is_connected)
		return;
	if (sim_chance(sim_world.profile.client_fault))
		sim_end_reset(&client->client);
	else
		sim_end_close(&client->client);
}

static void sim_client_read(struct sim_client *client)
{
	struct sim_end *end = &client->client;

	if (!client->is_paused && end->in.size > 0)
		sim_end_take(end, end->in.size);
	if (end->end || sim_client_is_done(client))
		sim_after(sim_delay(20 * NS_PER_MS), sim_client_leave, client);
}

static void sim_client_on_change(struct sim_end *end)
{
	struct sim_client *client = container_of(end, struct sim_client, client);

	sim_client_read(client);
	if (client->out.size > 0)
		sim_client_flush(client);
}

static void sim_client_resume(void *context)
{
	struct sim_client *client = context;

	client->is_paused = false;
	if (!client->client.closed)
		sim_client_read(client);
}

static void sim_client_pause(void *context)
{
	struct sim_client *client = context;

	if (client->is_paused)
		return;
	sim_trace("  client %u stops reading", client->index);
	client->is_paused = true;
	sim_after(sim_delay(2 * NS_PER_S), sim_client_resume, client);
}

/* Write what there is to say, in pieces. */
static void sim_client_flush(void *context)
{
	struct sim_client *client = context;
	size_t room = sim_end_room(&client->client),
	       n = client->out.size < room ? client->out.size : room;

	if (!client->is_connected || client->client.closed || n == 0)
		return;
	if (n > 1 && sim_chance(300))
		n = (size_t)sim_between(1, n);
	sim_end_write(&client->client, client->out.data + client->out.start, n);
	sim_bytes_take(&client->out, n);
	if (client->out.size > 0)
		sim_after(sim_delay(NS_PER_MS), sim_client_flush, client);
}

static void sim_client_put(struct sim_client *client, struct sim_saying *saying)
{
	if (client->sayings)
		client->sayings_end->next = saying;
	else
		client->sayings = saying;
	client->sayings_end = saying;
	saying->end = client->n_said;
}

/* Descriptors go with the first bytes of the line. */
static void sim_client_pass(struct sim_client *client, struct sim_graph *graph, uint64_t from)
{
	struct sim_pass *pass = sim_alloc(sizeof(*pass)), **end = &client->daemon.passes;
	uint64_t to = client->client.written + client->out.size;

	*pass = (struct sim_pass){.from = from, .to = sim_between(from + 1, to), .graph = graph};
	while (*end)
		end = &(*end)->next;
	*end = pass;
}

static void sim_client_say_graph(struct sim_client *client, struct sim_graph *graph)
{
	uint64_t from = client->client.written + client->out.size;

	graph->state = SIM_GRAPH_SENT;
	sim_trace("  client %u submits %.*s", client->index, (int)graph->document.size,
		graph->document.data);
	sim_put(&client->out, "{\"id\":%llu,\"submit\":", (unsigned long long)graph->number);
	sim_bytes_append(&client->out, graph->document.data, graph->document.size);
	sim_put(&client->out, "}\n");
	if (graph->n_files > 0)
		sim_client_pass(client, graph, from);
}

static void sim_client_say(void *context)
{
	struct sim_saying *saying = context;
	struct sim_client *client = saying->client;
	struct sim_graph *graph = saying->graph;
	size_t before = client->out.size;

	if (client->is_over || client->client.shut)
		return;
	if (!saying->text) {
		sim_client_say_graph(client, graph);
	} else {
		if (graph &&
			(graph->state == SIM_GRAPH_UNSENT || graph->state >= SIM_GRAPH_REFUSED))
			return;
		sim_trace("  client %u says %s", client->index, saying->text);
		client->is_rude |= saying->is_rude;
		sim_bytes_append(&client->out, saying->text, strlen(saying->text));
	}
	client->n_said += client->out.size - before;
	sim_client_put(client, saying);
	sim_client_flush(client);
}

static void sim_client_half_close(void *context)
{
	struct sim_client *client = context;

	if (client->is_over || !client->is_connected)
		return;
	for (unsigned i = 0; i < client->n_graphs; i++) {
		if (client->graphs[i]->state == SIM_GRAPH_UNSENT)
			return;
	}
	if (client->out.size > 0)
		return;
	sim_trace("  client %u has no more to say", client->index);
	client->is_half_closed = true;
	sim_end_shut(&client->client);
}

/* -- Birth -------------------------------------------------------------------------------- */

static struct sim_saying *sim_client_plan(
	struct sim_client *client, uint64_t delay_ns, struct sim_graph *graph, const char *text)
{
	struct sim_saying *saying = sim_alloc(sizeof(*saying));

	saying->client = client;
	saying->graph = graph;
	saying->text = text;
	sim_after(delay_ns, sim_client_say, saying);
	return saying;
}

/* The name of something in the graph, that may or may not have been made by then. */
static const char *sim_client_draw_id(const struct sim_graph *graph)
{
	const struct sim_node *node = graph->nodes[sim_below(graph->n_nodes)];
	const struct sim_node *up;
	const char *items = "";

	for (up = node; up->parent; up = up->parent) {
		if (up->fan && (up != node || sim_chance(700)))
			items = sim_format("[%u]%s", (unsigned)sim_below(3), items);
	}
	return sim_format("%s%s", node->id, items);
}

static void sim_client_plan_cancel(struct sim_graph *graph, uint64_t at_ns, const char *id)
{
	struct sim_client *client = graph->client;
	struct sim_cancel *cancel = &graph->cancels[graph->n_cancels++];
	const char *job = id ? sim_format("\"job\":\"%s\"", id) : "";

	cancel->id = id;
	sim_client_plan(client, at_ns + sim_delay(500 * NS_PER_MS), graph,
		sim_format(
			"{\"id\":%llu,\"cancel\":{%s}}\n", (unsigned long long)graph->number, job))
		->cancel = cancel;
}

static void sim_client_plan_graph(struct sim_client *client)
{
	uint64_t at_ns = sim_delay(300 * NS_PER_MS);
	unsigned rate = sim_world.profile.client_fault;
	struct sim_graph *graph =
		sim_graph_draw(client, 1 + sim_below(1000) * SIM_GRAPHS_MAX + client->n_graphs);

	client->graphs[client->n_graphs++] = graph;
	sim_client_plan(client, at_ns, graph, NULL);
	if (sim_chance(rate))
		sim_client_plan_cancel(graph, at_ns, NULL);
	for (unsigned n = 0; n < 2 && graph->n_nodes > 0 && sim_chance(rate); n++)
		sim_client_plan_cancel(graph, at_ns, sim_client_draw_id(graph));
}

static void sim_client_plan_rudeness(struct sim_client *client)
{
	static const char *const rubbish[] = {
		"this is not JSON\n",
		"{\"id\":1,\"frobnicate\":{}}\n",
		"[1,2,3]\n",
		"{\"id\":\"x\",\"submit\":{}}\n",
		"{\"id\":1,\"submit\":\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	unsigned rate = sim_world.profile.client_fault;

	if (sim_chance(rate / 2))
		sim_client_plan(client, sim_delay(SIM_CLIENT_LIFE_NS), NULL,
			rubbish[sim_below(countof(rubbish))])
			->is_rude = true;
	if (sim_chance(rate))
		sim_after(sim_delay(SIM_CLIENT_LIFE_NS), sim_client_leave, client);
	for (unsigned n = 0; n < 3 && sim_chance(rate); n++)
		sim_after(sim_delay(SIM_CLIENT_LIFE_NS), sim_client_pause, client);
	if (sim_chance(200))
		sim_after(sim_delay(SIM_CLIENT_LIFE_NS), sim_client_half_close, client);
}

/* Nobody accepts any more: it gives up. */
static void sim_client_give_up(void *context)
{
	struct sim_client *client = context;

	if (!client->daemon.owner)
		sim_client_leave(client);
}

void sim_clients_drain(void)
{
	for (unsigned i = 0; i < sim_model.n_clients; i++)
		sim_after(NS_PER_S, sim_client_give_up, &sim_model.clients[i]);
}

static void sim_client_connect(void *context)
{
	struct sim_client *client = context;

	if (client->is_over)
		return;
	client->is_connected = sim_kernel_knock(sim_model.listener, &client->daemon);
	sim_client_flush(client);
}

static void sim_client_draw(struct sim_client *client, unsigned index)
{
	client->index = index;
	client->uid = (uid_t)(1000 + sim_below(2));
	client->client.on_change = sim_client_on_change;
	sim_end_join(&client->client, &client->daemon, sim_delay(NS_PER_MS),
		(size_t)sim_between(1, 64) * 4096);
	if (sim_chance(500)) {
		client->n_hello++;
		sim_client_plan(client, 0, NULL, "{\"hello\":{\"version\":1}}\n");
	}
	for (uint64_t n = sim_between(1, SIM_GRAPHS_MAX); n > 0; n--)
		sim_client_plan_graph(client);
	if (sim_chance(300)) {
		client->n_status++;
		sim_client_plan(client, sim_delay(SIM_CLIENT_LIFE_NS), NULL, "{\"status\":{}}\n");
	}
	sim_client_plan_rudeness(client);
}

void sim_clients_draw(struct settled *settled)
{
	sim_model.n_clients = (unsigned)sim_between(1, SIM_CLIENTS_MAX);
	for (unsigned i = 0; i < sim_model.n_clients; i++) {
		struct sim_client *client = &sim_model.clients[i];

		sim_client_draw(client, i);
		if (i > 0 || sim_chance(700)) {
			sim_after(sim_delay(100 * NS_PER_MS), sim_client_connect, client);
			continue;
		}
		client->is_connected = true;
		if (settled_adopt(settled, sim_kernel_adopt(&client->daemon, &sim_client_watch),
			    client->uid) < 0) {
			if (!sim_world.memory_failed)
				sim_fail("a session was not adopted");
		}
	}
}

bool sim_clients_are_over(void)
{
	for (unsigned i = 0; i < sim_model.n_clients; i++) {
		if (!sim_model.clients[i].is_over)
			return false;
	}
	return true;
}

void sim_clients_check(void)
{
	for (unsigned i = 0; i < sim_model.n_clients; i++) {
		const struct sim_client *client = &sim_model.clients[i];

		/* Who was never accepted waits for nothing. */
		if (client->daemon.owner && !client->is_closed && !sim_world.memory_failed)
			sim_fail("the daemon has not closed the session of client %u", i);
	}
}
