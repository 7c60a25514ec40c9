/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A graph as its session knows it: under the client's number, its events made messages.
 */

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "job/graph.h"
#include "util/list.h"

struct session;

struct submission {
	struct session *session;
	struct list link;
	/* The client's number, and the daemon's own, which no two graphs share. */
	uint64_t id, number;
	struct graph_owner owner;
	struct graph *graph;
};

/* A graph document was submitted; the document is taken. Accepts or refuses it. */
void submission_new(struct session *session, uint64_t id, yyjson_doc *doc, yyjson_val *document);

/* The session's graph of that number, or NULL. */
struct submission *submission_find(struct session *session, uint64_t id);

/* The graph of that daemon-wide number, of any session, if the asking session may touch it: it is
 * the same user's, or root asks. Else NULL, as if it were not there. */
struct submission *submission_find_number(const struct session *asking, uint64_t number);

/* Appends the status' list of graphs: those the asking session may touch, a bounded number. */
void submission_append_list(const struct session *asking, struct buffer *out);
