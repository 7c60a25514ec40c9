/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How results are shown: what --format, --body, --color, --progress and the terminal make of it.
 */

#include <limits.h>
#include <stdbool.h>

#include "client/cli/option.h"
#include "client/cli/render/content.h"
#include "client/cli/render/render.h"
#include "client/cli/sink.h"
#include "client/cli/view.h"
#include "proto/plan.h"

enum show_format {
	SHOW_JSONL,
	SHOW_JSON,
	SHOW_TABLE,
	SHOW_PARTITION,
	SHOW_RETURN,
	SHOW_TAP,
	/* A view whose FILE is "-". */
	SHOW_VIEW,
	/* Bodies, as curl shows them: settle get of one URL. */
	SHOW_CONTENT,
};

/* Must stay where it is: the render borrows the sink. */
struct show {
	struct sink sink;
	struct render *render;
	struct views views;
	/* The document, checked; NULL where nobody needs it, or it is none. */
	struct plan *plan;
	enum show_format format;
	char directory[PATH_MAX];
};

/* What is to be shown. */
struct show_options {
	const struct options *options;
	enum show_format format;
	/* NULL, or what stands before the format (its `records` is filled in here). */
	const struct content_options *content;
	/* The graph; data == NULL: there is no such thing. */
	struct text document;
	/* Records come in the order in which they are to be shown, and views are its own. */
	bool is_batch;
};

/* The format asked for, or the default; EXIT_USAGE, which was said. */
int show_choose(const struct options *options, enum show_format *ret_format);

/* Makes the sinks and the renders. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was said. Either way the
 * caller's to close. */
int show_open(struct show *show, const struct show_options *options);
void show_close(struct show *show);

/* A refused graph's errors belong on stdout. */
bool show_has_refusal(const struct show *show);

/* Nothing of what goes to the terminal tells rejections by itself. */
bool show_tells_failures(const struct show *show);
