/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Random graphs: what a client submits, as a model and as a document.
 */

#include "sim_model.h"

/* Draw one, write its document, enter its jobs into the world's list. */
void sim_graph_draw(struct sim_graph *graph, struct sim_client *client, uint64_t number);

/* -- What the daemon makes of references (sim_fill.c) -------------------------------------- */

struct sim_filled {
	/* What the job may be rejected with instead of being sent; and whether it must be. */
	struct sim_codes codes;
	bool fails;
	/* What its request says; header NULL: it has none; json NULL: no body. */
	char *target, *header, *json;
};

/* The request of a job whose dependencies have all settled. */
struct sim_filled sim_fill(const struct sim_job *job);

/* The name of a reference of that kind: "#/k". */
const char *sim_ref_suffix(enum sim_ref_kind kind);
