/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A checked graph: what proto/document makes of a document, what the daemon runs and `settle
 * plan` shows. Immutable. It owns the JSON it was made from, and all its texts are views into
 * that or into its arena.
 *
 * Sized for a million jobs: a job is a few words, what several jobs have in common (a spec) is
 * shared, and edges are two flat arrays.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "proto/fault.h"
#include "util/arena.h"
#include "util/table.h"
#include "util/text.h"

#define PLAN_VERSION    1
#define PLAN_JOBS_MAX   1000000
#define PLAN_BYTES_MAX  (64u * 1024 * 1024)
#define PLAN_ERRORS_MAX 20
#define PLAN_ID_MAX     64

#define PLAN_CONCURRENCY_DEFAULT 256
#define PLAN_UNBOUNDED           UINT32_MAX

/* A timeout that is not set. */
#define PLAN_NEVER UINT64_MAX

/* No job, where a place of one is asked for. */
#define PLAN_NONE UINT32_MAX
#define PLAN_DEPTH_MAX 32
#define PLAN_PRIORITY_MAX     9
#define PLAN_PRIORITY_DEFAULT 4

#define PLAN_REDIRECTS_DEFAULT 10
#define PLAN_REDIRECTS_MAX     100

/* Descriptors that may be passed with a graph: as many as one message may carry (unix(7)). */
#define PLAN_FDS_MAX 253

/* A SHA-256; and how many of them a job may have. */
#define PLAN_PIN_SIZE 32
#define PLAN_PINS_MAX 32

/* Of one member of `tls`. */
#define PLAN_PEM_MAX (1024u * 1024)

enum plan_mode {
	PLAN_SETTLED,
	PLAN_ALL,
	PLAN_ANY,
	PLAN_RACE,
};

enum plan_needs {
	PLAN_NEEDS_FULFILLED,
	PLAN_NEEDS_SETTLED,
	/* All have settled, one at least rejected; else it is skipped. */
	PLAN_NEEDS_REJECTED,
	/* The first one fulfilled; rejected with the last. */
	PLAN_NEEDS_ANY,
};

enum plan_kind {
	/* Makes a request. */
	PLAN_LEAF,
	/* Has children. */
	PLAN_GROUP,
	/* A fan-out: its one child, a leaf or a group, is made anew for each item. */
	PLAN_EACH,
};

enum plan_output {
	PLAN_INLINE,
	PLAN_DISCARD,
	/* In pieces, as they come. */
	PLAN_STREAM,
	/* Into the descriptor `output_fd`. */
	PLAN_FILE,
};

enum plan_http {
	/* HTTP/2 where the origin chooses it in its TLS handshake, else HTTP/1.1. */
	PLAN_HTTP_AUTO,
	PLAN_HTTP_1_1,
	/* HTTP/2 and nothing else. */
	PLAN_HTTP_2,
};

enum plan_auth {
	PLAN_AUTH_NONE,
	PLAN_AUTH_BASIC,
	PLAN_AUTH_BEARER,
};

enum plan_body {
	PLAN_BODY_NONE,
	/* `body_value`: any JSON, its strings may hold references. */
	PLAN_BODY_JSON,
	/* `form`. */
	PLAN_BODY_FORM,
	/* `body_text`: may hold references. */
	PLAN_BODY_TEXT,
	/* `body_text`: the decoded bytes of body_base64; no references. */
	PLAN_BODY_BYTES,
	/* What can be read from the descriptor `body_fd`. */
	PLAN_BODY_FD,
};

/* A name and its value, which may hold references: a header, a query or a form field. Numbers
 * and booleans are their text; an array has become several fields of one name. */
struct plan_field {
	struct text name;
	struct text value;
	/* True exactly when the value holds "{{": as literal, it may still say "\{{". */
	bool is_template;
};

struct plan_fields {
	const struct plan_field *fields;
	uint32_t n;
};

/* An inclusive range of statuses. */
struct plan_range {
	uint16_t from, to;
};

struct plan_timeouts {
	uint64_t job_ns, attempt_ns, queue_ns;
	uint64_t connect_ns, tls_ns, first_byte_ns, idle_ns;
};

struct plan_tls {
	/* PEM text, or "secret:NAME"; data == NULL: the system's store. */
	struct text ca;
	/* The certificate to be shown where the peer asks for one, and its private key: as `ca`;
	 * data == NULL: none, of both. */
	struct text cert, key;
	/* data == NULL: the host of the URL. */
	struct text server_name;
	/* Digests of public keys, PLAN_PIN_SIZE bytes each, ascending and each once; data == NULL:
	 * any key will do. */
	struct text pins;
	bool insecure;
};

/* One entry of `resolve`: connections to host:port go to these addresses. */
struct plan_resolve {
	/* Lower case, without brackets. */
	struct text host;
	uint16_t port;
	/* IP literals without brackets. */
	const struct text *addresses;
	uint32_t n_addresses;
};

/* Where connections are made to instead: an HTTP proxy. */
struct plan_proxy {
	/* "http://host:port", in normal form, without credentials; data == NULL: none. */
	struct text url;
	/* Lower case, without brackets. */
	struct text host;
	uint16_t port;
	/* What it is shown: data == NULL: nothing; "user:password" as it is sent, decoded; or, with
	 * is_secret, the name of a secret that says so. */
	struct text credentials;
	bool is_secret;
};

enum plan_backoff {
	PLAN_BACKOFF_EXPONENTIAL,
	PLAN_BACKOFF_LINEAR,
	PLAN_BACKOFF_FIXED,
};

enum plan_jitter {
	PLAN_JITTER_FULL,
	PLAN_JITTER_EQUAL,
	PLAN_JITTER_NONE,
};

struct plan_retry {
	/* In all, from 1 on. */
	uint32_t attempts;
	enum plan_backoff backoff;
	enum plan_jitter jitter;
	uint64_t delay_ns, max_delay_ns;
	/* What is tried again: "network", "timeout", and statuses. */
	bool on_network, on_timeout;
	const struct plan_range *on;
	uint32_t n_on;
	/* The response's Retry-After is obeyed. */
	bool retry_after;
	/* Also a method that is not idempotent. */
	bool unsafe;
};

/* What a group says beside what every job may. */
struct plan_group {
	enum plan_mode mode;
	/* Requests of it on the wire; PLAN_UNBOUNDED: as many as there may be. */
	uint32_t concurrency;
	/* From when it is ready; PLAN_NEVER: none. */
	uint64_t timeout_ns;
};

/* What a fan-out says. `needs` and the dependencies of its spec are those of the whole; all else
 * is its child's. */
struct plan_each {
	/* An array, whose strings may hold references, or a string that is one reference. */
	yyjson_val *in;
	enum plan_mode mode;
	/* Children alive at once; PLAN_UNBOUNDED: as many as there may be. */
	uint32_t concurrency;
	uint32_t items_max;
	/* 0: no batches. */
	uint32_t batch_size;
	uint64_t batch_delay_ns;
	/* The fan-outs of a document are numbered, from 0 on. */
	uint32_t number;
};

/* All that a job says but its id, its URL and its edges; shared by jobs that say the same (jobs
 * with no keys of their own share the one made of the defaults). */
struct plan_spec {
	/* data == NULL: GET, or POST where there is a body. Checked, never CONNECT. */
	struct text method;
	struct plan_fields headers, query, form;
	enum plan_body body;
	struct text body_text;
	yyjson_val *body_value;
	struct plan_timeouts timeouts;
	const struct plan_range *ok;
	uint32_t n_ok;
	/* UINT64_MAX: no limit (the default of discard). */
	uint64_t max_body;
	struct plan_tls tls;
	/* The `resolve` object in canonical form (for the pool key), and cut up. */
	struct text resolve_key;
	const struct plan_resolve *resolve;
	uint32_t n_resolve;
	struct plan_proxy proxy;
	enum plan_needs needs;
	enum plan_output output;
	enum plan_http http;
	enum plan_auth auth;
	/* The name of the secret: "user:password" for basic, a token for bearer. */
	struct text auth_secret;
	/* Which of the descriptors that were passed with the graph, from 0 on: where the body is
	 * PLAN_BODY_FD, and where the output is PLAN_FILE. */
	uint32_t body_fd, output_fd;
	/* How many hops are followed. */
	uint32_t redirects;
	/* The condition; NULL: none. A tree of references, operators and operands
	 * (settled-graph(5), "Conditions"), checked. */
	yyjson_val *when;
	/* The body of a skipped job; NULL: null. */
	yyjson_val *otherwise;
	/* The body instead of a rejection; NULL: none. */
	yyjson_val *fallback;
	/* NULL: one attempt. Of a leaf. */
	const struct plan_retry *retry;
	/* NULL but for that kind of job. */
	const struct plan_group *group;
	const struct plan_each *each;
	/* 0 to PLAN_PRIORITY_MAX, higher first. */
	uint8_t priority;
	/* Of a fan-out and its child: both. */
	bool optional;
	bool omit;
	/* Content codings are asked for and taken off. */
	bool decode;
	/* A flight may be shared with one that asks for the same. */
	bool dedupe;
};

enum plan_keep {
	/* Somebody refers to the body, to a header, to status, code or URL. */
	PLAN_KEEP_BODY = 1,
	PLAN_KEEP_HEADERS = 2,
	PLAN_KEEP_OUTCOME = 4,
};

struct plan_job {
	struct text id;
	/* As written; with references where url_is_template, else valid as it stands. */
	struct text url;
	const struct plan_spec *spec;
	/* Its slices of plan->dependents and plan->dependencies: indices of jobs, each once, in
	 * ascending order. */
	uint32_t first_dependent, n_dependents;
	uint32_t first_dependency, n_dependencies;
	/* Place in the document, depth first; a fan-out and its child share one. */
	uint32_t index;
	/* The group or fan-out it is in; PLAN_NONE: the graph itself. */
	uint32_t parent;
	/* The nearest fan-out around it; PLAN_NONE: it is made once. */
	uint32_t region;
	/* Jobs below it: they stand right behind it. */
	uint32_t n_below;
	/* Leaves of the longest chain that begins with it. */
	uint32_t remaining;
	enum plan_kind kind : 8;
	/* What others need of it once it has settled: bits of enum plan_keep. */
	uint8_t keep;
	bool url_is_template;
};

struct plan {
	struct arena arena;
	yyjson_doc *doc;
	struct text name;
	enum plan_mode mode;
	/* PLAN_UNBOUNDED: only the daemon's bounds. */
	uint32_t concurrency;
	/* PLAN_NEVER: none. */
	uint64_t timeout_ns;
	/* NULL where the document has none. */
	yyjson_val *input;
	yyjson_val *result;
	/* Depth first, groups and fan-outs before what is in them. */
	struct plan_job *jobs;
	uint32_t n_jobs;
	/* As many as there may be at run time, fan-outs' children counted. */
	uint32_t jobs_max;
	/* Of which make requests, as they stand in the document; and fan-outs. */
	uint32_t n_leaves, n_eaches;
	uint32_t *dependents;
	uint32_t *dependencies;
	uint32_t n_edges;
	/* True exactly when `jobs` was an array. */
	bool is_array;
	/* Jobs by id. */
	struct table ids;
	/* An array of jobs without ids, groups and fan-outs: a job's id is its place, and `ids` is
	 * empty. */
	bool ids_are_places;
};

struct plan_error {
	enum fault_code code;
	/* A JSON pointer into the document; "" is the document. */
	struct text at;
	struct text message;
};

struct plan_errors {
	/* Texts live here. */
	struct arena arena;
	struct plan_error errors[PLAN_ERRORS_MAX];
	uint32_t n;
};

void plan_errors_init(struct plan_errors *errors);
void plan_errors_deinit(struct plan_errors *errors);

/* Takes NULL, returns NULL. */
struct plan *plan_free(struct plan *plan);

/* True for letters, digits, '_' and '-', at least one and PLAN_ID_MAX at most: ids of jobs (which
 * may not be "input", "item", "index" or "secret" besides) and names of secrets. */
bool plan_id_is_valid(struct text id);

/* NAME of "secret:NAME", which may stand for PEM text in `tls`; data == NULL: it is none. */
struct text plan_secret_name(struct text text);

/* The job of that id, of a fan-out the fan-out itself; or NULL. */
struct plan_job *plan_find(const struct plan *plan, struct text id);

/* A job's place in plan->jobs. */
static inline uint32_t plan_index(const struct plan *plan, const struct plan_job *job)
{
	return (uint32_t)(job - plan->jobs);
}

/* Fills the edge arrays and slices from `n` pairs (dependency, dependent), duplicates allowed.
 * 0, or -ENOMEM. */
struct plan_edge {
	uint32_t from, to;
};
int plan_set_edges(struct plan *plan, const struct plan_edge *edges, uint32_t n);

/* The functions below know that what is in a group or a fan-out begins after it has begun, and that
 * it settles after that. `parent` and `n_below` of all jobs are set. */

/* A cycle's jobs in order, each needs the next one (a group what is in it), the first one not
 * repeated; a fan-out stands for its child. *ret_n == 0 where there is none. `ret_path` is in the
 * arena given. 0, or -ENOMEM. */
int plan_find_cycle(
	const struct plan *plan, struct arena *arena, uint32_t **ret_path, uint32_t *ret_n);

/* The level of each job: how many leaves there are in the longest chain that must have settled
 * before it begins. *ret_n_levels is one more than the highest. The array has n_jobs members and
 * lies in the arena given; NULL: no memory. No cycles. */
uint32_t *plan_levels(const struct plan *plan, struct arena *arena, uint32_t *ret_n_levels);

/* The longest chain of leaves, ending in the first of several. As above; 0, or -ENOMEM. */
int plan_longest_path(
	const struct plan *plan, struct arena *arena, uint32_t **ret_path, uint32_t *ret_n);

/* Fills `remaining` of all jobs. 0, or -ENOMEM. No cycles. */
int plan_set_remaining(struct plan *plan);
