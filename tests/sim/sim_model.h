/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What there is in a world beside the daemon: origins with their addresses and connections, the
 * requests that came to them, and clients with their graphs (sim_graph.h).
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/fault.h"
#include "sim_net.h"
#include "util/text.h"

#define SIM_ADDRESSES_MAX 4
#define SIM_ORIGINS_MAX   4
#define SIM_CLIENTS_MAX   3
#define SIM_GRAPHS_MAX    4

struct sim_graph;
struct sim_instance;
struct sim_label;
struct sim_saying;
struct sim_pause;
struct sim_beginning;
struct sim_slot;
struct sim_h2;

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
	/* Scheme and authority: what its URLs begin with. */
	const char *base;
	bool is_name, is_https;
	/* What a look-up finds, and one that only `resolve` leads to. */
	struct sim_address addresses[SIM_ADDRESSES_MAX];
	unsigned n_addresses;
	struct sim_address hidden;
	enum sim_lookup lookup;
	uint64_t lookup_ns;
	/* The longest that it thinks about a request. */
	uint64_t reply_ns_max;
	/* Requests of it on the wire; look-ups of it and connections to it that were begun. */
	uint32_t n_on_wire, n_begun;
	/* What its look-ups and passing troubles of its connections may have led to. */
	struct sim_codes codes;
	/* HTTP/2 is chosen where it is offered; HTTP/1.1 was chosen. */
	bool speaks_h2, has_chosen_h1;
	/* Shared connections of it that the daemon was told to leave, or lost. */
	unsigned n_leaving;
	/* What is wrong with its certificate (FAULT_NONE: nothing); what its handshakes may have
	 * led to, and whether one was never answered. */
	enum fault_code flaw;
	struct sim_codes tls_codes;
	bool has_stalled;
};

/* A connection, from both sides. */
struct sim_conn {
	struct sim_end daemon, server;
	struct sim_origin *origin;
	const struct sim_address *address;
	/* The daemon's side: the request that is on the wire, and the last that was. */
	struct sim_try *try, *latest;
	unsigned n_requests;
	/* Bytes of the stream, under TLS of the plaintext: that the daemon was told of; by then,
	 * when its request was sent; and that the server has said. */
	uint64_t received, request_at, said;
	/* When the daemon was told that it is ready, and closed (0: not yet). */
	uint64_t connected_ns, closed_ns;
	uid_t uid;
	/* True exactly when the daemon was told of something that makes it unfit. */
	bool is_doubtful;
	/* Bytes that belong to no response are on it. */
	bool is_tainted;
	/* TLS: the daemon was told the end as TLS has it; what it wants; how far the handshake is,
	 * what becomes of it, and bytes of the next record. */
	bool ended_well, is_insecure, offers_h2, is_greeted, is_established, has_finished;
	unsigned handshake;
	/* The oracle hears what is said on it. */
	bool is_joined;
	struct sim_bytes sealed;
	/* HTTP/2 is spoken on it (sim_h2.h). */
	struct sim_h2 *h2;
	/* The server's side: what has come of the next request, and the one being answered. */
	struct sim_bytes request;
	struct sim_try *serving;
	/* Where the response ends that is being sent, of the bytes written; UINT64_MAX: unknown. */
	uint64_t response_end;
	bool ends_at_close;
	/* True exactly when the rest of a request goes unread: it was answered early. */
	bool is_deaf;
	unsigned n_served;
};

/* -- Requests ----------------------------------------------------------------------------- */

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
	/* Under TLS: no TLS in the middle of it, an end that TLS does not know of. */
	SIM_REPLY_RUBBISH,
	SIM_REPLY_UNSAID,
	/* Over HTTP/2: a stream is reset at any stage, refused, wanted over HTTP/1.1; the
	 * connection is left, at once or once what is on it is answered. */
	SIM_REPLY_H2_RESET,
	SIM_REPLY_H2_REFUSED,
	SIM_REPLY_H2_HTTP_1_1,
	SIM_REPLY_H2_GOAWAY,
	SIM_REPLY_H2_LEAVE,
	/* Content codings: broken, or one that nobody knows. */
	SIM_REPLY_CORRUPT,
	SIM_REPLY_UNSUPPORTED,
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

enum sim_coding {
	SIM_CODING_NONE,
	SIM_CODING_GZIP,
	SIM_CODING_X_GZIP,
	SIM_CODING_DEFLATE,
};

#define SIM_CODINGS_MAX 2

enum sim_later {
	SIM_LATER_NONE,
	SIM_LATER_SECONDS,
	SIM_LATER_DATE,
};

/* What the origin will answer, decided when the request is sent. */
struct sim_reply {
	uint16_t status;
	enum sim_content content;
	enum sim_framing framing;
	enum sim_reply_fault fault;
	bool is_old, says_close;
	unsigned n_early, n_pieces;
	uint64_t latency_ns, gap_ns;
	/* Retry-After: its form, and how many seconds. */
	enum sim_later later;
	unsigned later_s;
	/* As a date: seconds since 1970. */
	uint64_t later_at_s;
	/* As the daemon is to see it; and as it goes over the wire, with the codings that were put
	 * on it one after the other. */
	char *body;
	size_t body_size;
	enum sim_coding codings[SIM_CODINGS_MAX];
	const char *wire;
	size_t wire_size;
	/* A redirect: its Location, what is wrong with that (FAULT_NONE: nothing), where it leads,
	 * and what is asked there. */
	bool is_redirect, to_keeps_body;
	const char *location, *to_method;
	enum fault_code to_code;
	struct sim_origin *to;
};

/* The requests of a graph that are equal: method, target and x-r. */
struct sim_resource {
	struct sim_resource *next;
	struct sim_graph *graph;
	const struct sim_label *label;
	uint64_t hash;
	const char *method, *target, *header;
	/* In the order of being sent. */
	struct sim_try *first, *last;
	unsigned n_tries, n_replays;
	/* How many of them fail before one does not. */
	unsigned n_sick;
	/* The first job that made it, and whether it is the only one that may; others made it. */
	const struct sim_instance *job;
	bool is_alone, is_shared;
	/* One was sent again over HTTP/1.1, which no other one shares. */
	bool has_stepped_down;
};

/* A request that was sent. */
struct sim_try {
	struct sim_try *next;
	struct sim_resource *resource;
	struct sim_graph *graph;
	const struct sim_label *label;
	/* Unique in the world, and its place among those of its resource. */
	uint32_t key;
	unsigned number;
	struct sim_reply reply;
	struct sim_conn *conn;
	/* Who is asked; the request that was redirected here (NULL: none), and the latest one that
	 * this one led to. */
	struct sim_origin *origin;
	struct sim_try *from, *hop;
	unsigned n_hops;
	/* As it should be: with its body; from another origin, at one time. */
	bool keeps_body, is_foreign;
	/* The response arrived whole at the daemon. */
	bool is_answered;
	/* It is to be sent again: the connection had been idle, and was dead. And: it may be that
	 * of one that was. */
	bool is_replay_due, is_replay;
	/* No bound counts it any more. */
	bool is_loose;
	/* Its origin has read it: its head at least. */
	bool is_read;
	struct sim_codes codes;
	/* Over HTTP/2: as Content-Length has it. */
	uint64_t length;
	/* When the daemon sent it, was told the last byte of its response, and when it was off
	 * the wire (0: not yet). */
	uint64_t sent_ns, answered_ns, off_ns;
	/* What the origin read; body NULL: not all of it. */
	char *body, *type;
	size_t body_size;
	/* The job it was sent for, once that has settled. */
	struct sim_instance *owner;
};

/* -- Clients ------------------------------------------------------------------------------ */

struct sim_client {
	unsigned index;
	uid_t uid;
	struct sim_end client, daemon;
	struct sim_graph *graphs[SIM_GRAPHS_MAX];
	unsigned n_graphs;
	/* What it has to say, and what the daemon has said. */
	struct sim_bytes out, said;
	/* The message being heard. */
	struct text line;
	/* Bytes ever put to `out`, and ever told to the daemon; what it says, in order. */
	uint64_t n_said, n_told;
	struct sim_saying *sayings, *sayings_end;
	/* Bytes of what the daemon said to it, and of all bodies that it may get. */
	uint64_t n_heard, body_bytes;
	bool is_connected, is_over, is_rude, is_half_closed, is_paused;
	/* When the daemon was told that it is gone (0: not yet). */
	uint64_t gone_ns;
	/* True exactly when the daemon has closed it. */
	bool is_closed;
	unsigned n_hello, n_status;
};

/* -- The world ---------------------------------------------------------------------------- */

#define SIM_TRIES_MAX        16384
#define SIM_WORLD_GRAPHS_MAX (SIM_CLIENTS_MAX * SIM_GRAPHS_MAX)

struct sim_model {
	struct sim_origin origins[SIM_ORIGINS_MAX];
	unsigned n_origins;
	struct sim_client clients[SIM_CLIENTS_MAX];
	unsigned n_clients;
	struct sim_graph *graphs[SIM_WORLD_GRAPHS_MAX];
	uint32_t n_graphs, n_tries;
	/* By key. */
	struct sim_try *tries[SIM_TRIES_MAX];
	/* The daemon's bounds, and how many requests are on the wire. */
	uint32_t requests_max, requests_per_origin_max, n_on_wire;
	/* A socket could not be had; an origin asked to be left alone for a while. */
	bool has_local_trouble, has_pause;
	/* Of whom something is being heard. */
	struct sim_graph *told;
	/* Who was to be left alone, and when attempts began (sim_retry.c). */
	struct sim_pause *pauses;
	struct sim_beginning *beginnings;
	/* When the drain was asked for (0: not yet). */
	uint64_t drain_ns;
	int listener;
};

extern struct sim_model sim_model;
