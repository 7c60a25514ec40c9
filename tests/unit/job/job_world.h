/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Graphs over the fake ring, without a session: what they say is kept, and the origins answer
 * what the test wants. In documents ' stands for ", and @ at the start of a string for
 * http://192.0.2.1/ , so that {'jobs':{'a':{'url':'@x'}}} asks for /x.
 */

#include <yyjson.h>

#include "job/graph.h"
#include "job/scheduler.h"
#include "tests/unit/net/fake_ring.h"

struct world {
	struct ring *ring;
	struct resolver *resolver;
	struct tls_store *store;
	struct pool *pool;
	struct scheduler scheduler;
};

/* What a graph has said. */
struct world_graph {
	struct graph_owner owner;
	/* NULL once it is done. */
	struct graph *graph;
	/* Records as JSON, in the order of settling; and the bodies, data == NULL: none. */
	yyjson_doc **records;
	struct text *bodies;
	uint32_t n_records, records_room;
	/* Of which are leaves, by what became of them. */
	uint32_t n_leaves, n_fulfilled, n_rejected, n_skipped;
	/* The pieces of a stream, joined, how many; with which the graph is paused (0: never). */
	char *stream;
	size_t stream_size;
	uint32_t n_chunks, chunks_until_pause;
	/* Not kept while true, only counted. */
	bool counts_only;
	/* True exactly when bodies are taken with their memory. */
	bool takes_bodies;
	/* Called in on_settled. */
	void (*on_settled)(struct world_graph *graph, const struct record *record);
	/* The messages' summaries; NULL: not said yet. */
	yyjson_doc *decided, *done;
	/* Records there were when it was decided. */
	uint32_t n_records_decided;
};

extern struct world world;

/* The last document submitted, or its beginning, to show where a test fails. */
extern char world_document[400];

/* What the machine's clocks show in a world (util/clock.h); the ring's time is its own. Unix time
 * begins with 2026-01-01, a Thursday. */
extern uint64_t world_clock_ns, world_unix_ns;

/* Whose graphs the next ones are: 1000 where a world begins. */
extern uid_t world_uid;

/* Of the pool of the next world. */
#define WORLD_CONNS_MAX 100000
extern uint32_t world_conns_max;

struct scheduler_options world_options(void);
void world_begin(void);
void world_begin_with(const struct scheduler_options *options, uint32_t requests_per_origin_max);

/* All graphs are done and freed; nothing may be left. */
void world_end(void);

/* To be freed. Fails the test where the document does not parse. */
struct plan *world_plan(const char *document);

/* Submits it, and lets turns go by without time. */
struct world_graph *world_submit(const char *document);
void world_start(struct world_graph *graph, const char *document);

/* A graph whose job "a" has settled, by that response, or NULL: refused its connection. It is
 * paused, so that what others make of "a" can be looked at. */
struct world_graph *world_hold(const char *document, const char *response);

/* Its job of that name ("a", "posts[3]"), while it lives. */
struct job *world_job(const struct world_graph *graph, const char *name);

/* Children of the fan-out of that id that there are, wherever in the graph. */
unsigned world_n_children(const struct world_graph *graph, const char *id);

/* It must be done. */
void world_free(struct world_graph *graph);

/* A graph that may not be done yet: it is cancelled. */
void world_give_up(struct world_graph *graph);

/* What a record or a summary says at a JSON pointer, "-" where it says nothing: compared with
 * the text. Numbers as they stand, objects and arrays compact. */
void world_assert(
	const struct world_graph *graph, const char *job, const char *pointer, const char *text);
void world_assert_decided(const struct world_graph *graph, const char *pointer, const char *text);
void world_assert_done(const struct world_graph *graph, const char *pointer, const char *text);

/* The record's body: NULL: it has none. */
void world_assert_body(const struct world_graph *graph, const char *job, const char *body);

/* The ids of settled jobs in their order: "a b c". */
void world_assert_order(const struct world_graph *graph, const char *ids);

/* What became of every job so far, in the order of settling: "a b/skipped c=HTTP_STATUS
 * d=CANCELLED/winner". Behind the `=` is the code of its rejection; behind the `/` who cancelled
 * it, or how else than by a request of its own it was fulfilled. */
void world_assert_fates(const struct world_graph *graph, const char *fates);

/* "a/reason/code=CANCELLED b/value=- ./winner=a": what the records say at these pointers, and (".")
 * the summary; "-": nothing. No spaces in them. */
void world_assert_says(const struct world_graph *graph, const char *says);

/* How a job ended: "fulfilled", a reason code, "-" where it has not settled. */
void world_assert_fate(const struct world_graph *graph, const char *job, const char *fate);

/* The number at a pointer. */
double world_number(const struct world_graph *graph, const char *job, const char *pointer);
double world_done_number(const struct world_graph *graph, const char *pointer);

/* The descriptor on which a request for that target ("/x") waits for its answer, or -1. */
int world_find(const char *target);

/* As above; it must be there. */
int world_fd(const char *target);

/* The request as it was sent. */
struct text world_request(const char *target);

/* The targets that wait for their answers, in the order in which their connections were made:
 * "/a /x/1". */
void world_assert_on_wire(const char *targets);

/* Requests that wait for their answers. */
unsigned world_n_on_wire(void);

/* Answers the request, and lets turns go by. */
void world_answer(const char *target, const char *status, const char *body);
void world_answer_bytes(const char *target, const char *response, size_t size);

/* Does what the script says, step by step: "a:200" answers the request for /a so, "a:200=[1]" with
 * that body, "a:!" ends its connection instead; "+250" lets as many milliseconds go by. */
void world_play(const char *script);

/* A document, what happens to it, and what comes of it: the graph is done then. */
struct world_case {
	const char *document, *script, *fates;
	/* NULL: that is all. */
	const char *says;
};

/* Each in a world of its own. */
void world_check_cases(const struct world_case *cases, size_t n);

/* Quotes a document, to free(). */
char *world_quoted(const char *document);
