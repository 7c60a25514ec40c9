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

enum show_format {
	SHOW_JSONL,
	SHOW_JSON,
	SHOW_TABLE,
	SHOW_PARTITION,
	SHOW_RETURN,
	/* Bodies, as curl shows them: settle get of one URL. */
	SHOW_CONTENT,
};

/* Must stay where it is: the render borrows the sink. */
struct show {
	struct sink sink;
	struct render *render;
	enum show_format format;
	char directory[PATH_MAX];
};

/* The format asked for, or the default; EXIT_USAGE, which was said. */
int show_choose(const struct options *options, enum show_format *ret_format);

/* Makes the sink and the render; `content` is NULL, or what stands before the format (its
 * `records` is filled in here). 0; EXIT_USAGE or EXIT_LOCAL_IO, which was said. */
int show_open(struct show *show, const struct options *options, enum show_format format,
	const struct content_options *content);
void show_close(struct show *show);

/* A refused graph's errors belong on stdout. */
bool show_has_refusal(const struct show *show);
