/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Submit a graph and collect its records: what run and get have in common.
 */

#include <stdbool.h>

#include "client/cli/passed.h"
#include "client/cli/refusal.h"
#include "client/cli/render/render.h"
#include "client/cli/session.h"
#include "client/cli/stream.h"
#include "client/cli/target.h"
#include "client/cli/view.h"
#include "util/text.h"

struct run_options {
	/* Borrowed. */
	struct session *session;
	struct text document;
	/* What it was made of; NULL: it is the user's own. */
	const struct refusal_source *source;
	/* The descriptors that go with it; NULL: none. */
	const struct passed *passed;
	struct render *render;
	/* What puts streamed bodies together; NULL: the render takes their pieces. */
	struct streams *streams;
	/* The files that jobs write; NULL: none. */
	struct targets *targets;
	struct sink *sink;
	/* What is made of the records besides; NULL: nothing. */
	struct views *views;
	/* The checked document, where it was read; NULL: it was not. */
	const struct plan *plan;
	/* Rejections are told on stderr while a picture of the progress is drawn there. */
	bool failures_are_told;
	/* The errors of a refused graph also go to the sink, as JSON. */
	bool refusal_is_shown;
	/* The summary goes to stderr, as JSON. */
	bool summary_is_shown;
	/* A transfer's own time limit ends the command as the graph's does. */
	bool job_timeout_is_graphs;
};

/* Returns the exit status. Everything was written, and what went wrong was said. */
int run_graph(const struct run_options *options);
