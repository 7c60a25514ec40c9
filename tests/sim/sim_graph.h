/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A graph: its document as it was drawn (nodes), and what becomes of it (instances).
 *
 * The document is what settled-graph(5) says and nothing more; templates, conditions and bodies
 * are kept as they are written. An instance is a node that was made: once, or for each item of
 * the fan-outs around it. Instances are what the records are about.
 */

#include <yyjson.h>

#include "sim_file.h"
#include "sim_model.h"
#include "util/text.h"

#define SIM_DEPS_MAX    6
#define SIM_DEPTH_MAX   4
#define SIM_ITEMS_MAX   4
#define SIM_FIELDS_MAX  3
#define SIM_CANCELS_MAX 3
#define SIM_HEARD_MAX   8
#define SIM_CONCURRENCY 256
#define SIM_FILES_MAX   8
#define SIM_NEVER       UINT64_MAX

/* -- The document ------------------------------------------------------------------------- */

enum sim_mode {
	SIM_SETTLED,
	SIM_ALL,
	SIM_ANY,
	SIM_RACE,
};

enum sim_needs {
	SIM_NEEDS_FULFILLED,
	SIM_NEEDS_SETTLED,
	SIM_NEEDS_REJECTED,
	SIM_NEEDS_ANY,
};

enum sim_http {
	SIM_HTTP_AUTO,
	SIM_HTTP_1_1,
	SIM_HTTP_2,
};

/* The first step of a path: who answers, and how. Jobs that share one may ask for the same. */
struct sim_label {
	unsigned number;
	struct sim_origin *origin;
	const char *method;
	bool has_body, is_resolved, is_insecure;
	/* Its body is a file's, or a pipe's. */
	bool has_source, is_chunked;
	enum sim_http http;
	/* Content codings are asked for and taken off. */
	bool decodes;
	enum sim_content content;
	/* How often (per mille) its resources fail at first, and its requests are redirected. */
	unsigned sick, moves;
	/* How many hops are followed; -1: not said. */
	int redirects;
	/* Leaves of it; whether all of them may share a flight; whether one has limits of its
	 * own, and is therefore alone. */
	unsigned n_nodes;
	bool dedupes, has_limits;
};

/* What the items of a fan-out look like, where all goes well. */
enum sim_items {
	SIM_ITEMS_PLAIN,
	/* {"u":…,"sub":[…],"v":…} */
	SIM_ITEMS_OBJECTS,
	/* Bodies of other jobs. */
	SIM_ITEMS_BODIES,
};

/* `each`. */
struct sim_fan {
	enum sim_items items;
	/* JSON: an array, or a string that is one reference. */
	const char *in;
	enum sim_mode mode;
	/* 0: not said. */
	uint32_t window, items_max, batch_size;
	uint64_t batch_delay_ns;
};

enum sim_backoff {
	SIM_EXPONENTIAL,
	SIM_LINEAR,
	SIM_FIXED,
};

enum sim_jitter {
	SIM_FULL,
	SIM_EQUAL,
	SIM_NO_JITTER,
};

struct sim_retry {
	/* 0: not said, which is once. */
	unsigned attempts;
	/* True exactly when only that number is said. */
	bool is_short;
	enum sim_backoff backoff;
	enum sim_jitter jitter;
	uint64_t delay_ns, max_delay_ns;
	bool on_network, on_timeout, retry_after, unsafe;
	const uint16_t *on;
	unsigned n_on;
};

struct sim_timeouts {
	uint64_t job_ns, attempt_ns, queue_ns, connect_ns, tls_ns, first_byte_ns, idle_ns;
};

struct sim_field {
	const char *name;
	/* As JSON: what stands in the document. */
	const char *json;
};

enum sim_form {
	SIM_FORM_NONE,
	SIM_FORM_JSON,
	SIM_FORM_FORM,
	SIM_FORM_TEXT,
	/* What is read from node->source. */
	SIM_FORM_FILE,
};

struct sim_range {
	uint16_t from, to;
};

struct sim_node {
	struct sim_graph *graph;
	/* NULL: the graph itself. */
	struct sim_node *parent;
	/* Its place in the document, depth first; the graph has none. */
	unsigned number;
	/* Its place among its parent's children, and in which order those may depend on each
	 * other: on lower ones. */
	unsigned place, rank;
	char id[16];
	struct sim_node **children;
	unsigned n_children;
	bool is_group, is_array;
	/* NULL: it is made once. */
	struct sim_fan *fan;

	/* Of both. Texts are JSON; NULL: not said. */
	struct sim_node *deps[SIM_DEPS_MAX];
	unsigned n_deps;
	bool is_after[SIM_DEPS_MAX];
	enum sim_needs needs;
	const char *when, *otherwise, *fallback;
	bool is_optional;

	/* Of a group. `defaults` say of these keys what this leaf says. */
	enum sim_mode mode;
	uint32_t concurrency;
	const struct sim_node *model;
	unsigned model_keys;
	/* Of both: a group's, or timeouts.job_ns. 0: not said. */
	uint64_t timeout_ns;

	/* Of a leaf. */
	struct sim_label *label;
	const char *url, *header;
	struct sim_field query[SIM_FIELDS_MAX], form[SIM_FIELDS_MAX];
	unsigned n_query, n_form;
	enum sim_form body;
	const char *json, *text;
	/* Where the body is read from, and the response's is written to; NULL: not so. */
	struct sim_file *source, *sink;
	bool has_key;
	bool is_omitted, is_discarded, is_streamed, dedupe_said, dedupes;
	struct sim_range ok[3];
	unsigned n_ok;
	uint64_t max_body;
	struct sim_timeouts timeouts;
	struct sim_retry retry;
	/* 0 to 9; -1: not said. */
	int priority;
};

/* -- What becomes of it ------------------------------------------------------------------- */

enum sim_role {
	SIM_LEAF,
	SIM_GROUP,
	/* A fan-out as a whole: its children are one for each item. */
	SIM_EACH,
};

enum sim_via {
	SIM_VIA_NONE,
	SIM_VIA_NETWORK,
	SIM_VIA_FALLBACK,
	SIM_VIA_SKIPPED,
	SIM_VIA_DEDUPE,
};

enum sim_by {
	SIM_BY_NONE,
	SIM_BY_FAIL_FAST,
	SIM_BY_WINNER,
	SIM_BY_CLIENT,
	SIM_BY_DISCONNECT,
	SIM_BY_TIMEOUT,
	SIM_BY_SHUTDOWN,
};

struct sim_instance {
	struct sim_graph *graph;
	struct sim_node *node;
	enum sim_role role;
	struct sim_instance *parent;
	struct sim_instance **children;
	unsigned n_children;
	/* A fan-out's children are made when its items are known. */
	bool is_expanded;
	/* Its place among its parent's children, and its item (of a fan-out's child). */
	unsigned place;
	yyjson_val *item;
	char id[64];

	/* When it began (ready; a fan-out's child: made), as far as that is known; and how much
	 * later that may have been. */
	bool has_begun;
	uint64_t begin_us, begin_slack_us;

	/* Of a group, a fan-out, the graph: decided by its children; ended from outside. */
	bool is_decided, is_decided_rejected, is_ended;
	enum fault_code decided_code;
	const struct sim_instance *decider;
	uint64_t decided_us, ended_us;
	enum sim_by ended_by;
	unsigned n_settled;

	/* What its record said; is_inherited: that it shares the fate of what it is in. */
	bool is_settled, is_rejected, is_inherited;
	enum fault_code code;
	enum sim_via via;
	enum sim_by by;
	uint64_t start_us, slot_us, end_us;
	/* Place among all records of the graph. */
	unsigned order;
	/* Where DEPENDENCY_REJECTED: the direct and the first cause. */
	const struct sim_instance *root;
	/* As others see it; status 0: no response; body NULL: none. */
	uint16_t status;
	uint32_t key;
	const char *url;
	struct text body;
	/* What its client has got of a stream. */
	struct sim_bytes given;
	/* The body is a value of the document's, or made of such: a string of it is its
	 * characters. */
	bool is_value;
	bool is_json_read;
	yyjson_val *json;
	/* Leaves below it that have settled: all, fulfilled, skipped. */
	unsigned n_leaves, n_fulfilled, n_skipped;
};

/* -- The graph ---------------------------------------------------------------------------- */

enum sim_graph_state {
	SIM_GRAPH_UNSENT,
	SIM_GRAPH_SENT,
	SIM_GRAPH_ACCEPTED,
	SIM_GRAPH_REFUSED,
	SIM_GRAPH_DONE,
};

/* What its client wants cancelled; id NULL: all of it. */
struct sim_cancel {
	const char *id;
	/* When the daemon was told of it (0: not yet), and in which place of all. */
	uint64_t told_ns;
	unsigned order;
};

struct sim_graph {
	struct sim_client *client;
	/* The client's, and the first part of the path of all its requests. */
	uint64_t number;
	uint32_t key;
	enum sim_graph_state state;
	/* What a document that is to be refused is refused for; FAULT_NONE: it is to be taken. */
	enum fault_code wrong;
	/* FAULT_GRAPH_VALUE: what the first job refers to, and cannot see. */
	const struct sim_node *hidden;
	struct sim_node root;
	/* By number. */
	struct sim_node **nodes;
	unsigned n_nodes, n_leaves;
	struct sim_label *labels;
	unsigned n_labels;
	/* What is passed with it. */
	struct sim_file *files[SIM_FILES_MAX];
	unsigned n_files;
	int priority;
	/* JSON, or NULL. */
	const char *input, *result;
	yyjson_val *input_json;
	struct sim_bytes document;

	struct sim_instance *top;
	/* Places in its bound, and whether they are all of them (sim_slot.c). */
	struct sim_slot *slots;
	bool has_unknown_slots;
	struct sim_resource *resources;
	uint32_t n_on_wire;
	struct sim_cancel cancels[SIM_CANCELS_MAX];
	unsigned n_cancels, n_cancels_told;
	bool is_decided;
	/* When the daemon had read it, in its time: known, or the least that it may be. */
	uint64_t accepted_us;
	bool is_accepted_known;
	/* Of the records so far. */
	unsigned n_records;
	uint64_t last_us;
	/* What its client heard of it last: for the story of a failure. */
	const char *heard[SIM_HEARD_MAX];
	unsigned n_heard;
};

/* -- Drawing ------------------------------------------------------------------------------ */

/* Draw one, write its document. */
struct sim_graph *sim_graph_draw(struct sim_client *client, uint64_t number);

/* The label that links lead to; what the keys of a leaf say beside its references
 * (sim_draw_leaf.c). */
void sim_draw_labels(struct sim_graph *graph);
void sim_draw_leaf(struct sim_node *leaf);

/* The file is passed with the graph. */
void sim_draw_pass(struct sim_graph *graph, struct sim_file *file);

/* What a node depends on, and the references that say so; `return` (sim_draw_reference.c). */
void sim_draw_references(struct sim_node *node, unsigned density);
const char *sim_draw_result(struct sim_graph *graph);

/* True where others cannot refer to its body. */
static inline bool sim_node_is_closed(const struct sim_node *node)
{
	return node->is_discarded || node->is_streamed || node->sink;
}

/* What may be referred to, without braces: something of a job, of an item, of the input; a
 * condition about such (sim_draw_target.c). */
const char *sim_draw_target(const struct sim_node *node);
bool sim_node_has_bytes(const struct sim_node *node);
const char *sim_draw_item(const struct sim_fan *fan);
const char *sim_draw_input(void);
const char *sim_draw_condition(const char *target);

/* The document's text (sim_write.c). */
void sim_write(struct sim_graph *graph);

/* -- Instances (sim_tree.c) ----------------------------------------------------------------- */

/* The root and all that is made with it. */
void sim_tree_begin(struct sim_graph *graph);

/* Of a record's id: "x[0][1]". NULL: there is no such instance (yet). */
struct sim_instance *sim_tree_find(struct sim_graph *graph, const char *id);

/* The node's instance (of a fan-out: as a whole) as this one sees it. */
struct sim_instance *sim_tree_see(const struct sim_instance *instance, const struct sim_node *node);

/* The fan-out's children, if their time has come (sim_fate.c). */
void sim_tree_reach(struct sim_instance *each);
void sim_tree_expand(struct sim_instance *each, yyjson_val *items);

/* The innermost fan-out's child that it is or is in, or NULL. */
const struct sim_instance *sim_tree_item(const struct sim_instance *instance);

/* The next one below `top`, parents first; begins with `top` itself, ends with NULL. */
struct sim_instance *sim_tree_next(
	const struct sim_instance *top, const struct sim_instance *instance);

bool sim_tree_is_below(const struct sim_instance *instance, const struct sim_instance *top);

/* A fan-out's child: what `when`, `fallback` … of its node hold for. */
static inline bool sim_instance_is_item(const struct sim_instance *instance)
{
	return instance->parent && instance->parent->role == SIM_EACH;
}

/* True where the node's dependencies are this instance's: not of a fan-out's children. */
static inline bool sim_instance_has_deps(const struct sim_instance *instance)
{
	return instance->parent && instance->parent->role != SIM_EACH;
}

/* How its children decide it. */
static inline enum sim_mode sim_instance_mode(const struct sim_instance *instance)
{
	return instance->role == SIM_EACH ? instance->node->fan->mode : instance->node->mode;
}
