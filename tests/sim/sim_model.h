/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What there is in a world beside the daemon: origins with their addresses and connections,
 * clients with their graphs of jobs; and for each job what was planned, what happened to it, and
 * what the daemon said of it. The oracle compares the three.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/fault.h"
#include "sim_net.h"

#define SIM_ADDRESSES_MAX 4
#define SIM_ORIGINS_MAX   4
#define SIM_CLIENTS_MAX   3
#define SIM_GRAPHS_MAX    4
#define SIM_DEPS_MAX      5

/* A set of reason codes: those a job may have been rejected with, by what happened to it. */
struct sim_codes {
	uint64_t bits[2];
};
_Static_assert(FAULT_COUNT <= 128, "the set holds 128 codes");

static inline void sim_codes_add(struct sim_codes *codes, enum fault_code code)
{
	codes->bits[code / 64] |= UINT64_C(1) << (code % 64);
}

static inline bool sim_codes_has(const struct sim_codes *codes, enum fault_code code)
{
	return (codes->bits[code / 64] >> (code % 64)) & 1;
}

static inline bool sim_codes_is_empty(const struct sim_codes *codes)
{
	return codes->bits[0] == 0 && codes->bits[1] == 0;
}

/* -- Origins ------------------------------------------------------------------------------ */

enum sim_behaviour {
	SIM_ALIVE,
	SIM_REFUSES,
	SIM_UNREACHABLE,
	/* Answers nothing. */
	SIM_DEAD,
};

struct sim_address {
	struct sockaddr_storage address;
	/* Without brackets or port; and as a record has it. */
	char text[64], remote[80];
	enum sim_behaviour behaviour;
	uint64_t latency_ns;
	struct sim_origin *origin;
};

enum sim_lookup {
	SIM_LOOKUP_WELL,
	SIM_LOOKUP_NOT_FOUND,
	SIM_LOOKUP_TEMPORARY,
	SIM_LOOKUP_STUCK,
};

struct sim_origin {
	const char *host;
	uint16_t port;
	/* As Host says it. */
	const char *authority;
	bool is_name;
	/* What a look-up finds, and one that only `resolve` leads to. */
	struct sim_address addresses[SIM_ADDRESSES_MAX];
	unsigned n_addresses;
	struct sim_address hidden;
	enum sim_lookup lookup;
	uint64_t lookup_ns;
	/* The longest that it thinks about a request. */
	uint64_t reply_ns_max;
	/* Requests of it on the wire. */
	uint32_t n_on_wire;
	/* What its look-ups and passing troubles of its connections may have led to. */
	struct sim_codes codes;
};

/* A connection, from both sides. */
struct sim_conn {
	struct sim_end daemon, server;
	struct sim_origin *origin;
	const struct sim_address *address;
	/* The daemon's side: the job whose request is on the wire; what was told of the stream. */
	struct sim_job *job;
	unsigned n_requests;
	uint64_t received, request_at;
	uid_t uid;
	/* True exactly when the daemon was told of something that makes it unfit. */
	bool is_doubtful;
	/* Bytes that belong to no response are on it. */
	bool is_tainted;
	/* The server's side: what has come of the next request, and the job being answered. */
	struct sim_bytes request;
	struct sim_job *serving;
	/* Where the response ends that is being sent, of the bytes written; UINT64_MAX: unknown. */
	uint64_t response_end;
	bool ends_at_close;
	/* True exactly when the rest of a request goes unread: it was answered early. */
	bool is_deaf;
	unsigned n_served;
};

/* -- Jobs --------------------------------------------------------------------------------- */

enum sim_reply_fault {
	SIM_REPLY_WELL,
	SIM_REPLY_RESET,
	SIM_REPLY_END,
	SIM_REPLY_RESET_HEAD,
	SIM_REPLY_END_HEAD,
	SIM_REPLY_RESET_BODY,
	SIM_REPLY_END_BODY,
	SIM_REPLY_STALL,
	SIM_REPLY_STALL_HEAD,
	SIM_REPLY_STALL_BODY,
	SIM_REPLY_MALFORMED,
	SIM_REPLY_CONFLICT,
	SIM_REPLY_BAD_CHUNK,
	SIM_REPLY_HUGE_HEAD,
	SIM_REPLY_EXTRA,
	SIM_REPLY_EARLY,
	SIM_REPLY_FAULTS,
};

enum sim_framing {
	SIM_BY_LENGTH,
	SIM_BY_CHUNKS,
	SIM_BY_CLOSE,
};

enum sim_content {
	SIM_JSON,
	SIM_TEXT,
	SIM_BYTES,
	SIM_EMPTY,
};

/* What the origin will answer, decided when the job is made. */
struct sim_reply {
	uint16_t status;
	enum sim_content content;
	enum sim_framing framing;
	enum sim_reply_fault fault;
	bool is_old, says_close;
	unsigned n_early, n_pieces;
	uint64_t latency_ns, gap_ns;
	/* The body, and of a JSON one the string that stands in it. */
	char *body;
	size_t body_size;
	const char *string;
};

enum sim_ref_kind {
	SIM_REF_BODY,
	SIM_REF_KEY,
	SIM_REF_STRING,
	SIM_REF_NUMBER,
	SIM_REF_NULL,
	SIM_REF_OBJECT,
	SIM_REF_MISSING,
	SIM_REF_STATUS,
	SIM_REF_OUTCOME,
	SIM_REF_CODE,
	SIM_REF_HEADER,
};

enum sim_place {
	SIM_IN_PATH,
	SIM_IN_QUERY,
	SIM_IN_HEADER,
	/* A whole string of the JSON body, and a part of one. */
	SIM_IN_JSON,
	SIM_IN_JSON_TEXT,
	SIM_PLACES,
};

/* One reference; at most one for each place. */
struct sim_ref {
	struct sim_job *job;
	enum sim_ref_kind kind;
	bool has_default;
};

struct sim_timeouts {
	uint64_t job_ns, attempt_ns, queue_ns, connect_ns, first_byte_ns, idle_ns;
};

struct sim_job {
	struct sim_graph *graph;
	unsigned index;
	/* Unique in the world: the first step of its path. */
	uint32_t key;
	char id[24];
	struct sim_origin *origin;
	const char *method;
	bool has_body, is_resolved;
	bool needs_settled, is_optional, is_omitted, is_discarded, any_status_ok;
	uint64_t max_body;
	struct sim_timeouts timeouts;
	struct sim_job *deps[SIM_DEPS_MAX];
	unsigned n_deps;
	/* job == NULL: none there. */
	struct sim_ref refs[SIM_PLACES];
	size_t padding;
	struct sim_reply reply;

	/* What happened. */
	unsigned n_sent;
	struct sim_conn *conn;
	/* The response arrived whole at the daemon. */
	bool is_answered;
	/* It must be sent again: the connection was reused, and was closed. */
	bool is_replay_due;
	bool is_cancelled;
	struct sim_codes codes;
	char *target, *header, *body;
	size_t body_size;

	/* What the daemon said. */
	bool is_settled, is_rejected;
	enum fault_code code;
	uint64_t end_us;
};

/* -- Graphs and clients ------------------------------------------------------------------- */

enum sim_graph_state {
	SIM_GRAPH_UNSENT,
	SIM_GRAPH_SENT,
	SIM_GRAPH_ACCEPTED,
	SIM_GRAPH_REFUSED,
	SIM_GRAPH_DONE,
};

struct sim_graph {
	struct sim_client *client;
	uint64_t number;
	enum sim_graph_state state;
	bool is_all, is_array, is_cancelled, is_decided;
	/* What a document that is to be refused is refused for; FAULT_NONE: it is to be taken. */
	enum fault_code wrong;
	uint32_t concurrency;
	uint64_t timeout_ns;
	struct sim_job *jobs;
	unsigned n_jobs;
	/* The job whose key `return` asks for, or NULL. */
	struct sim_job *returned;
	struct sim_bytes document;
	uint32_t n_on_wire;
	/* Of the records so far. */
	unsigned n_settled, n_fulfilled;
	uint64_t last_us;
	struct sim_job *first_rejection;
};

struct sim_client {
	unsigned index;
	uid_t uid;
	struct sim_end client, daemon;
	struct sim_graph graphs[SIM_GRAPHS_MAX];
	unsigned n_graphs;
	/* What it has to say, and what the daemon has said. */
	struct sim_bytes out, said;
	/* Bytes of all bodies it is to get. */
	uint64_t body_bytes;
	bool is_connected, is_over, is_rude, is_half_closed, is_paused;
	/* When the daemon was told that it is gone (0: not yet). */
	uint64_t gone_ns;
	/* True exactly when the daemon has closed it. */
	bool is_closed;
	unsigned n_hello, n_status;
};

/* -- The world ---------------------------------------------------------------------------- */

struct sim_model {
	struct sim_origin origins[SIM_ORIGINS_MAX];
	unsigned n_origins;
	struct sim_client clients[SIM_CLIENTS_MAX];
	unsigned n_clients;
	/* By key. */
	struct sim_job **jobs;
	uint32_t n_jobs;
	/* The daemon's bounds, and how many requests are on the wire. */
	uint32_t requests_max, requests_per_origin_max, n_on_wire;
	bool has_local_trouble;
	/* When the drain was asked for (0: not yet). */
	uint64_t drain_ns;
	int listener;
};

extern struct sim_model sim_model;
