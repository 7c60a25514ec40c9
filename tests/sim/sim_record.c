/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#include "sim_judge.h"
#include "sim_oracle.h"
#include "sim_world.h"

/*
 * What a client hears, message by message: at the moment the kernel takes the bytes, so that a
 * client that reads slowly, or not at all, is heard as well.
 */

#define SIM_JSON_POOL ((size_t)8 * 1024 * 1024)

static char json_pool[SIM_JSON_POOL];

static struct sim_graph *sim_client_graph(struct sim_client *client, yyjson_val *message)
{
	uint64_t number = yyjson_get_uint(yyjson_obj_get(message, "id"));

	for (unsigned i = 0; i < client->n_graphs; i++) {
		if (client->graphs[i]->number == number &&
			client->graphs[i]->state != SIM_GRAPH_UNSENT)
			return client->graphs[i];
	}
	sim_fail("a message for graph %llu, which was not submitted", (unsigned long long)number);
}

/* -- Admission ---------------------------------------------------------------------------- */

static void sim_record_accepted(struct sim_graph *graph, yyjson_val *accepted)
{
	if (graph->state != SIM_GRAPH_SENT)
		sim_fail("graph %llu was accepted twice", (unsigned long long)graph->number);
	if (graph->wrong)
		sim_fail("a graph was accepted that is to be refused for %s",
			fault_name(graph->wrong));
	if (yyjson_get_uint(yyjson_obj_get(accepted, "jobs")) != graph->n_leaves)
		sim_fail("a graph of %u jobs was accepted as another", graph->n_leaves);
	graph->state = SIM_GRAPH_ACCEPTED;
}

static bool sim_refusal_is_fair(const struct sim_graph *graph, enum fault_code code)
{
	if (code == FAULT_DRAINING)
		return sim_model.drain_ns != 0;
	if (code == FAULT_OVERLOADED)
		return sim_world.memory_failed;
	return graph->wrong && code == graph->wrong;
}

static void sim_record_refused(struct sim_graph *graph, yyjson_val *refused)
{
	yyjson_val *errors = yyjson_obj_get(refused, "errors"), *error;
	size_t i, n;

	if (graph->state != SIM_GRAPH_SENT)
		sim_fail("graph %llu was refused, but not at first",
			(unsigned long long)graph->number);
	if (yyjson_arr_size(errors) == 0)
		sim_fail("a graph was refused for no reason");
	yyjson_arr_foreach(errors, i, n, error)
	{
		yyjson_val *code = yyjson_obj_get(error, "code");
		const char *message = yyjson_get_str(yyjson_obj_get(error, "message"));
		struct text name = {yyjson_get_str(code), yyjson_get_len(code)};

		if (!sim_refusal_is_fair(graph, fault_from_name(name)))
			sim_fail("graph %llu was refused: %s at %s: %s",
				(unsigned long long)graph->number, yyjson_get_str(code),
				yyjson_get_str(yyjson_obj_get(error, "at")),
				message ? message : "");
	}
	graph->state = SIM_GRAPH_REFUSED;
}

/* -- The end of a graph ------------------------------------------------------------------- */

static void sim_record_done(struct sim_graph *graph, yyjson_val *done)
{
	if (graph->state != SIM_GRAPH_ACCEPTED)
		sim_fail("graph %llu is done twice", (unsigned long long)graph->number);
	sim_done_judge(graph, done);
	graph->state = SIM_GRAPH_DONE;
}

static void sim_record_decided(struct sim_graph *graph)
{
	if (graph->state != SIM_GRAPH_ACCEPTED || graph->is_decided)
		sim_fail("graph %llu is decided twice, or too late",
			(unsigned long long)graph->number);
	graph->is_decided = true;
}

/* -- Messages ----------------------------------------------------------------------------- */

static void sim_record_session(struct sim_client *client, yyjson_val *message)
{
	if (yyjson_obj_get(message, "hello")) {
		if (client->n_hello-- == 0)
			sim_fail("an answer to no hello");
	} else if (yyjson_obj_get(message, "status")) {
		if (client->n_status-- == 0)
			sim_fail("an answer to no status");
	} else if (!yyjson_obj_get(message, "error")) {
		sim_fail("a message that means nothing");
	} else if (!client->is_rude && !sim_world.memory_failed) {
		sim_fail("a client that did nothing wrong is told of an error");
	}
}

static void sim_record_message(struct sim_client *client, yyjson_val *message, struct text payload)
{
	struct sim_graph *graph;
	yyjson_val *body;

	if (!yyjson_obj_get(message, "id")) {
		sim_record_session(client, message);
		return;
	}
	graph = sim_client_graph(client, message);
	graph->heard[graph->n_heard++ % SIM_HEARD_MAX] =
		sim_copy(client->line.data, client->line.size);
	sim_model.told = graph;
	if ((body = yyjson_obj_get(message, "accepted")))
		sim_record_accepted(graph, body);
	else if ((body = yyjson_obj_get(message, "refused")))
		sim_record_refused(graph, body);
	else if ((body = yyjson_obj_get(message, "settled")))
		sim_judge(graph, body, payload);
	else if ((body = yyjson_obj_get(message, "chunk")))
		sim_stream_judge(graph, body, payload);
	else if (yyjson_obj_get(message, "decided"))
		sim_record_decided(graph);
	else if ((body = yyjson_obj_get(message, "done")))
		sim_record_done(graph, body);
	else
		sim_fail("a message about a graph that means nothing");
}

/* The next message; false: not all of it is there. */
static bool sim_record_next(struct sim_client *client)
{
	struct sim_bytes *said = &client->said;
	const char *line = said->data + said->start, *end;
	yyjson_alc pool;
	yyjson_doc *doc;
	size_t payload;

	end = said->size ? memchr(line, '\n', said->size) : NULL;
	if (!end)
		return false;
	yyjson_alc_pool_init(&pool, json_pool, sizeof(json_pool));
	doc = yyjson_read_opts((char *)(uintptr_t)line, (size_t)(end - line), 0, &pool, NULL);
	if (!doc || !yyjson_is_obj(yyjson_doc_get_root(doc)))
		sim_fail("a message that is no JSON object: %.*s",
			(int)(end - line < 200 ? end - line : 200), line);
	payload = (size_t)yyjson_get_uint(yyjson_obj_get(yyjson_doc_get_root(doc), "payload"));
	if ((size_t)(end + 1 - line) + payload > said->size)
		return false;
	client->n_heard += (size_t)(end + 1 - line) + payload;
	sim_trace("  client %u hears %.*s", client->index, (int)(end - line), line);
	client->line = (struct text){line, (size_t)(end - line)};
	sim_record_message(client, yyjson_doc_get_root(doc), (struct text){end + 1, payload});
	sim_bytes_take(said, (size_t)(end + 1 - line) + payload);
	return true;
}

void sim_record_hear(struct sim_client *client, const char *data, size_t size)
{
	sim_bytes_append(&client->said, data, size);
	while (sim_record_next(client))
		;
	sim_model.told = NULL;
}

void sim_record_tell(void (*print)(const char *line))
{
	const struct sim_graph *graph = sim_model.told;
	unsigned first;

	if (!graph)
		return;
	print(sim_copy(graph->document.data + graph->document.start, graph->document.size));
	first = graph->n_heard > SIM_HEARD_MAX ? graph->n_heard - SIM_HEARD_MAX : 0;
	for (unsigned i = first; i < graph->n_heard; i++)
		print(graph->heard[i % SIM_HEARD_MAX]);
}
