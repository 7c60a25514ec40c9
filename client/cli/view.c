/* SPDX-License-Identifier: MIT */
#include "client/cli/view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/terminal.h"

static const struct {
	enum option_id option;
	struct render *(*make)(const struct render_options *options);
} view_kinds[VIEW_COUNT] = {
	[VIEW_WATERFALL] = {OPTION_WATERFALL, render_waterfall_new},
	[VIEW_REPORT] = {OPTION_REPORT, render_report_new},
	[VIEW_TRACE] = {OPTION_TRACE, render_trace_new},
	[VIEW_HAR] = {OPTION_HAR, render_har_new},
	[VIEW_JOBLOG] = {OPTION_JOBLOG, render_joblog_new},
};

static bool view_is_dash(const struct options *options, enum view_kind kind)
{
	const char *path = option_value(options, view_kinds[kind].option);

	return path && strcmp(path, "-") == 0;
}

bool view_is_wanted(const struct options *options)
{
	for (size_t i = 0; i < VIEW_COUNT; i++) {
		if (option_given(options, view_kinds[i].option))
			return true;
	}
	return false;
}

bool view_on_stdout(const struct options *options, enum view_kind *ret_kind)
{
	for (size_t i = 0; i < VIEW_COUNT; i++) {
		if (!view_is_dash(options, (enum view_kind)i))
			continue;
		*ret_kind = (enum view_kind)i;
		return true;
	}
	return false;
}

bool view_crowds_stdout(const struct options *options)
{
	size_t n = 0;

	for (size_t i = 0; i < VIEW_COUNT; i++)
		n += view_is_dash(options, (enum view_kind)i);
	return n > 1;
}

struct render *view_make(enum view_kind kind, const struct render_options *options)
{
	return view_kinds[kind].make(options);
}

/* -- Opening ----------------------------------------------------------------------------------- */

static int view_open_file(const char *path, int *ret_fd)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return message_cannot("write", path, -errno);
	*ret_fd = fd;
	return 0;
}

static int view_open_one(
	struct view *view, const struct options *options, const struct render_options *shared)
{
	struct render_options render = *shared;
	int fd = STDERR_FILENO;

	view->path = option_value(options, view_kinds[view->kind].option);
	if (view->path) {
		int r = view_open_file(view->path, &fd);

		if (r != 0)
			return r;
	}
	sink_init(&view->sink, fd, SINK_RAW);
	render.sink = &view->sink;
	render.keep_order = false;
	render.body = RENDER_BODY_NONE;
	render.columns = view->path ? 0 : terminal_columns(fd);
	render.color = !view->path && terminal_has_color(fd);
	render.ascii = !view->path && terminal_is_ascii(fd);
	view->render = view_make(view->kind, &render);
	if (view->render)
		return 0;
	message_print("no memory for the results");
	return EXIT_LOCAL_IO;
}

int view_open(
	struct views *views, const struct options *options, const struct render_options *render)
{
	*views = (struct views){0};
	for (size_t i = 0; i < VIEW_COUNT; i++) {
		struct view *view = &views->views[views->n];
		int r;

		if (!option_given(options, view_kinds[i].option) ||
			view_is_dash(options, (enum view_kind)i))
			continue;
		*view = (struct view){.kind = (enum view_kind)i};
		sink_init(&view->sink, -1, SINK_RAW);
		views->n++;
		r = view_open_one(view, options, render);
		if (r != 0)
			return r;
	}
	return 0;
}

void view_close(struct views *views)
{
	for (size_t i = 0; i < views->n; i++) {
		struct view *view = &views->views[i];

		view->render = render_free(view->render);
		if (view->path && view->sink.fd >= 0)
			close(view->sink.fd);
		sink_deinit(&view->sink);
	}
	views->n = 0;
}

/* -- Writing ----------------------------------------------------------------------------------- */

void view_record(struct views *views, const struct render_record *record)
{
	for (size_t i = 0; i < views->n; i++)
		render_record(views->views[i].render, record);
}

void view_flush(struct views *views)
{
	for (size_t i = 0; i < views->n; i++) {
		if (views->views[i].sink.buffer.size > 0)
			sink_flush(&views->views[i].sink);
	}
}

static const char *view_name(const struct view *view)
{
	return view->path ? view->path : "standard error";
}

int view_finish(struct views *views, const struct render_end *end)
{
	int result = 0;

	for (size_t i = 0; i < views->n; i++) {
		struct view *view = &views->views[i];
		int r;

		render_finish(view->render, end);
		r = sink_flush(&view->sink);
		if (r == 0)
			continue;
		result = r;
		/* A second signal is no error. */
		if (r != -EINTR)
			message_print("cannot write %s: %s", view_name(view), strerror(-r));
	}
	return result;
}
