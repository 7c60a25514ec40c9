/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is made of a graph's records beside its results: --waterfall on stderr, and --report,
 * --trace, --har and --joblog each in a file of its own. A file is opened before anything is sent,
 * so that a name that cannot be written is told at once.
 */

#include <stdbool.h>

#include "client/cli/option.h"
#include "client/cli/render/render.h"
#include "client/cli/sink.h"

enum view_kind {
	VIEW_WATERFALL,
	VIEW_REPORT,
	VIEW_TRACE,
	VIEW_HAR,
	VIEW_JOBLOG,
	VIEW_COUNT,
};

struct view {
	enum view_kind kind;
	struct sink sink;
	struct render *render;
	/* NULL: stderr. Borrowed from the command line. */
	const char *path;
};

/* Must stay where it is: renders borrow its sinks. */
struct views {
	struct view views[VIEW_COUNT];
	size_t n;
};

/* True where an option asks for one, on stdout or elsewhere. */
bool view_is_wanted(const struct options *options);

/* The one whose FILE is "-": it takes the place of the results. False: there is none. */
bool view_on_stdout(const struct options *options, enum view_kind *ret_kind);

/* More than one of the FILEs is "-". */
bool view_crowds_stdout(const struct options *options);

/* The maker of a kind's render. */
struct render *view_make(enum view_kind kind, const struct render_options *options);

/* Opens those that are not on stdout. `render` has what they share; sink and terminal are their
 * own. 0; EXIT_USAGE or EXIT_LOCAL_IO, which was said. Either way the caller's to close. */
int view_open(
	struct views *views, const struct options *options, const struct render_options *render);
void view_close(struct views *views);

/* To each. What cannot be written is told by view_finish(). */
void view_record(struct views *views, const struct render_record *record);

/* Those that grow with every record are to be read while the graph runs. */
void view_flush(struct views *views);

/* Draws and writes them all. 0; -errno, of the last one that failed, which was said. */
int view_finish(struct views *views, const struct render_end *end);
