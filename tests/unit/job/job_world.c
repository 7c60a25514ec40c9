/* SPDX-License-Identifier: MIT */
#include "tests/unit/job/job_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/pool.h"
#include "proto/document.h"
#include "proto/json.h"
#include "tests/unit/unit.h"

struct world world;

/* The last one submitted, to show where a test fails. */
char world_document[400];
uid_t world_uid;
uint32_t world_conns_max = WORLD_CONNS_MAX;

struct scheduler_options world_options(void)
{
	return (struct scheduler_options){
		.requests_max = BOUND_NONE,
		.attempts_max = 100000,
		.body_bytes_max = 1024 * 1024,
		.dns_timeout_ns = 5 * NS_PER_S,
		.insecure_allowed = true,
		.retry_after_max_ns = 300 * NS_PER_S,
	};
}

void world_begin_with(const struct scheduler_options *options, uint32_t requests_per_origin_max)
{
	struct resolver_options resolver = {NS_PER_S, NS_PER_S, 100};
	struct pool_options pool = {
		.conns_max = world_conns_max,
		.idle_max = 100,
		.idle_timeout_ns = 60 * NS_PER_S,
		.requests_per_origin_max = requests_per_origin_max,
	};

	world_uid = 1000;
	world_clock_ns = NS_PER_S;
	world_unix_ns = 1767225600 * NS_PER_S;
	world.ring = fake_ring_begin();
	world.resolver = resolver_new(world.ring, fake_lookup_begin(), &resolver);
	world.store = tls_store_new();
	world.pool = pool_new(world.ring, world.resolver, world.store, &pool);
	scheduler_init(&world.scheduler, world.ring, world.pool, options);
}

void world_begin(void)
{
	struct scheduler_options options = world_options();

	world_begin_with(&options, BOUND_NONE);
}

void world_end(void)
{
	ck_assert_uint_eq(world.scheduler.n_graphs, 0);
	ck_assert_uint_eq(world.scheduler.body_bytes, 0);
	ck_assert_uint_eq(world.scheduler.attempts.n_used, 0);
	ck_assert(queue_is_empty(&world.scheduler.ready));
	ck_assert(list_is_empty(&world.scheduler.freed));
	scheduler_deinit(&world.scheduler);
	fake_holds = (struct fake_holds){0};
	pool_drain(world.pool);
	fake_run();
	pool_free(world.pool);
	tls_store_free(world.store);
	resolver_free(world.resolver);
	fake_ring_end();
}

/* Graphs. */

static yyjson_doc *world_read(struct buffer *json)
{
	struct json_error error;
	yyjson_doc *doc = json_read(buffer_text(json), &error);

	ck_assert_msg(doc, "%.*s: %s", TEXT_ARGS(buffer_text(json)), error.message);
	buffer_deinit(json);
	return doc;
}

static yyjson_doc *world_read_summary(const struct record_summary *summary)
{
	struct buffer json;

	buffer_init(&json, SIZE_MAX);
	record_append_summary(&json, summary);
	return world_read(&json);
}

static struct text world_keep_body(
	const struct world_graph *graph, struct text body, char **body_memory)
{
	char *copy;

	if (!body.data)
		return body;
	if (graph->takes_bodies && body_memory && *body_memory) {
		copy = *body_memory;
		*body_memory = NULL;
		ck_assert_ptr_eq(copy, body.data);
		return (struct text){copy, body.size};
	}
	copy = malloc(body.size + 1);
	memcpy(copy, body.data, body.size);
	return (struct text){copy, body.size};
}

static void world_make_room(struct world_graph *graph)
{
	uint32_t room = graph->records_room ? 2 * graph->records_room : 16;

	if (graph->n_records < graph->records_room)
		return;
	graph->records = reallocarray(graph->records, room, sizeof(*graph->records));
	graph->bodies = reallocarray(graph->bodies, room, sizeof(*graph->bodies));
	graph->records_room = room;
}

/* Records that are compared with all before them, to see that none comes twice. */
#define COMPARED_MAX 500

static void world_keep(struct world_graph *graph, const struct record *record, struct text body,
	char **body_memory)
{
	struct buffer json;

	world_make_room(graph);
	for (uint32_t i = 0; i < graph->n_records && i < COMPARED_MAX; i++) {
		yyjson_val *root = yyjson_doc_get_root(graph->records[i]);

		ck_assert_msg(!text_equal(json_string(yyjson_obj_get(root, "job")), record->job),
			"%.*s settles twice", TEXT_ARGS(record->job));
	}
	buffer_init(&json, SIZE_MAX);
	record_append(&json, record);
	graph->records[graph->n_records] = world_read(&json);
	graph->bodies[graph->n_records] = world_keep_body(graph, body, body_memory);
}

static void world_on_settled(
	struct graph *at, const struct record *record, struct text body, char **body_memory)
{
	struct world_graph *graph = container_of(at->owner, struct world_graph, owner);

	ck_assert_msg(!graph->done, "a record after the last word");
	if (graph->on_settled)
		graph->on_settled(graph, record);
	if (!graph->counts_only)
		world_keep(graph, record, body, body_memory);
	graph->n_records++;
	if (record->is_group)
		return;
	graph->n_leaves++;
	graph->n_fulfilled += record->via != RECORD_VIA_NONE;
	graph->n_rejected += record->via == RECORD_VIA_NONE;
	graph->n_skipped += record->via == RECORD_VIA_SKIPPED;
}

static void world_on_chunk(struct graph *at, struct text job, uint64_t offset, struct text data)
{
	struct world_graph *graph = container_of(at->owner, struct world_graph, owner);

	ck_assert_msg(!graph->done, "a chunk after the last word");
	ck_assert_uint_eq(offset, graph->stream_size);
	ck_assert_uint_gt(data.size, 0);
	graph->stream = realloc(graph->stream, graph->stream_size + data.size);
	memcpy(graph->stream + graph->stream_size, data.data, data.size);
	graph->stream_size += data.size;
	if (++graph->n_chunks == graph->chunks_until_pause)
		graph_pause(at, true);
}

static void world_on_decided(struct graph *at, const struct record_summary *summary)
{
	struct world_graph *graph = container_of(at->owner, struct world_graph, owner);

	ck_assert_msg(!graph->decided, "decided twice");
	ck_assert_msg(!graph->done, "decided when done");
	graph->decided = world_read_summary(summary);
	graph->n_records_decided = graph->n_records;
}

static void world_on_done(struct graph *at, const struct record_summary *summary)
{
	struct world_graph *graph = container_of(at->owner, struct world_graph, owner);

	ck_assert_msg(!graph->done, "done twice");
	ck_assert_uint_eq(graph->n_leaves, summary->jobs);
	ck_assert_uint_eq(graph->n_fulfilled, summary->fulfilled);
	ck_assert_uint_eq(graph->n_rejected, summary->rejected);
	ck_assert_uint_eq(graph->n_skipped, summary->skipped);
	/* What is not inside a fan-out settles in any case. */
	for (uint32_t i = 0; i < at->plan->n_jobs; i++)
		ck_assert(at->plan->jobs[i].region != PLAN_NONE ||
			  at->root->jobs[i].state == JOB_SETTLED);
	graph->done = world_read_summary(summary);
	graph->graph = graph_free(at);
}

static const struct graph_events world_events = {
	.on_settled = world_on_settled,
	.on_chunk = world_on_chunk,
	.on_decided = world_on_decided,
	.on_done = world_on_done,
};

char *world_quoted(const char *document)
{
	static const char origin[] = "http://192.0.2.1/";
	char *quoted = malloc(strlen(document) * sizeof(origin) + 1);
	char *to = quoted;

	for (const char *at = document; *at; at++) {
		bool begins = at > document && (at[-1] == '\'' || at[-1] == '"');

		if (*at == '@' && begins) {
			memcpy(to, origin, sizeof(origin) - 1);
			to += sizeof(origin) - 1;
		} else {
			*to++ = *at == '\'' ? '"' : *at;
		}
	}
	*to = '\0';
	return quoted;
}

struct plan *world_plan(const char *document)
{
	char *quoted = world_quoted(document);
	struct plan_errors errors;
	struct plan *plan = NULL;
	int r;

	plan_errors_init(&errors);
	r = document_parse(text_from(quoted), &document_limits_default, &plan, &errors);
	ck_assert_msg(r == 0, "%.200s: %.*s: %.*s", document, TEXT_ARGS(errors.errors[0].at),
		TEXT_ARGS(errors.errors[0].message));
	plan_errors_deinit(&errors);
	free(quoted);
	return plan;
}

void world_start(struct world_graph *graph, const char *document)
{
	struct plan *plan = world_plan(document);

	snprintf(world_document, sizeof(world_document), "%s", document);
	graph->owner.events = &world_events;
	ck_assert_int_eq(
		graph_new(&world.scheduler, &plan, world_uid, &graph->owner, &graph->graph), 0);
	ck_assert_ptr_null(plan);
	/* No upcall comes before it returns. */
	ck_assert_uint_eq(graph->n_records, 0);
	ck_assert_ptr_null(graph->done);
}

struct world_graph *world_submit(const char *document)
{
	struct world_graph *graph = calloc(1, sizeof(*graph));

	world_start(graph, document);
	fake_run();
	return graph;
}

struct world_graph *world_hold(const char *document, const char *response)
{
	struct world_graph *graph;

	fake_holds.connects = !response;
	graph = world_submit(document);
	graph_pause(graph->graph, true);
	if (!response) {
		fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
	} else {
		int fd = world_fd("/a");

		world_answer_bytes("/a", response, strlen(response));
		if (graph->n_records == 0)
			fake_complete(FAKE_RECEIVE, fd, 0);
	}
	fake_holds.connects = false;
	fake_run();
	ck_assert_uint_gt(graph->n_records, 0);
	return graph;
}

struct job *world_job(const struct world_graph *graph, const char *name)
{
	struct job *job = graph_find(graph->graph, text_from(name));

	ck_assert_msg(job, "no job %s", name);
	return job;
}

unsigned world_n_children(const struct world_graph *graph, const char *id)
{
	const struct plan *plan = graph->graph->plan;
	struct scope *root = graph->graph->root;
	struct scope_walk walk;
	unsigned n = 0;

	scope_walk_init(&walk, root, plan_index(plan, plan_find(plan, text_from(id))) + 1);
	while (scope_walk_next(&walk, root))
		n++;
	return n;
}

void world_free(struct world_graph *graph)
{
	ck_assert_msg(graph->done, "the graph is not done");
	for (uint32_t i = 0; graph->records && i < graph->n_records; i++) {
		yyjson_doc_free(graph->records[i]);
		free((char *)graph->bodies[i].data);
	}
	free(graph->records);
	free(graph->bodies);
	free(graph->stream);
	yyjson_doc_free(graph->decided);
	yyjson_doc_free(graph->done);
	free(graph);
}

void world_give_up(struct world_graph *graph)
{
	fake_holds = (struct fake_holds){0};
	if (graph->graph) {
		graph_pause(graph->graph, false);
		graph_cancel(graph->graph, RECORD_BY_CLIENT);
	}
	fake_pass(NS_PER_S);
	world_free(graph);
}

/* The wire. */

/* "GET /x HTTP/1.1": is it for that target? */
static bool request_is_for(struct text request, const char *target)
{
	size_t space = text_find(request, ' ');
	struct text rest = text_from_at(request, space + 1);

	rest.size = text_find(rest, ' ');
	return space < request.size && text_is(rest, target);
}

int world_find(const char *target)
{
	for (int fd = FAKE_FD_FIRST; fd < fake_end_fd(); fd++) {
		if (fake_is_open(fd) && request_is_for(fake_sent(fd), target))
			return fd;
	}
	return -1;
}

int world_fd(const char *target)
{
	int fd = world_find(target);

	ck_assert_msg(fd >= 0, "no request for %s is on the wire of %s", target, world_document);
	return fd;
}

struct text world_request(const char *target)
{
	return fake_sent(world_fd(target));
}

void world_assert_on_wire(const char *targets)
{
	struct buffer found;

	buffer_init(&found, SIZE_MAX);
	for (int fd = FAKE_FD_FIRST; fd < fake_end_fd(); fd++) {
		struct text sent = fake_is_open(fd) ? fake_sent(fd) : (struct text){NULL, 0};
		size_t space = text_find(sent, ' ');

		if (space == sent.size)
			continue;
		if (found.size > 0)
			buffer_append_byte(&found, ' ');
		sent = text_from_at(sent, space + 1);
		sent.size = text_find(sent, ' ');
		buffer_append_text(&found, sent);
	}
	ck_assert_msg(text_is(buffer_text(&found), targets),
		"on the wire: \"%.*s\", not \"%s\" of %s", TEXT_ARGS(buffer_text(&found)), targets,
		world_document);
	buffer_deinit(&found);
}

unsigned world_n_on_wire(void)
{
	unsigned n = 0;

	for (int fd = FAKE_FD_FIRST; fd < fake_end_fd(); fd++)
		n += fake_is_open(fd) && fake_sent(fd).size > 0;
	return n;
}

void world_answer_bytes(const char *target, const char *response, size_t size)
{
	int fd = world_fd(target);

	fake_forget(fd);
	fake_receive_bytes(fd, response, size);
	fake_run();
}

void world_answer(const char *target, const char *status, const char *body)
{
	struct buffer response;

	buffer_init(&response, SIZE_MAX);
	buffer_printf(&response, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		strlen(body), body);
	world_answer_bytes(target, response.data, response.size);
	buffer_deinit(&response);
}

/* "a:200=[1]" */
static void world_play_answer(struct text step)
{
	size_t colon = text_find(step, ':');
	struct text rest = text_from_at(step, colon + 1);
	size_t equals = text_find(rest, '=');
	char target[128], status[128], body[256] = "";

	ck_assert_msg(colon < step.size, "what is %.*s?", TEXT_ARGS(step));
	snprintf(target, sizeof(target), "/%.*s", (int)colon, step.data);
	if (text_is(rest, "!")) {
		int fd = world_fd(target);

		fake_forget(fd);
		fake_complete(FAKE_RECEIVE, fd, 0);
		fake_run();
		return;
	}
	snprintf(status, sizeof(status), "%.*s So", (int)equals, rest.data);
	if (equals < rest.size)
		snprintf(body, sizeof(body), "%.*s", TEXT_ARGS(text_from_at(rest, equals + 1)));
	world_answer(target, status, body);
}

void world_play(const char *script)
{
	struct text rest = text_from(script);

	while (rest.size > 0) {
		struct text step = {rest.data, text_find(rest, ' ')};

		if (step.size > 1 && step.data[0] == '+')
			fake_pass(strtoull(step.data + 1, NULL, 10) * NS_PER_MS);
		else if (step.size > 0)
			world_play_answer(step);
		rest = text_from_at(rest, step.size < rest.size ? step.size + 1 : rest.size);
	}
}
