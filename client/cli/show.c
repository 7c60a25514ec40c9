/* SPDX-License-Identifier: MIT */
#include "client/cli/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/progress.h"
#include "client/cli/terminal.h"
#include "client/cli/value.h"
#include "proto/document.h"
#include "util/clock.h"

/* To tell what runs, and what fan-outs make, needs the checked document: up to this size it is
 * worth its time. */
#define SHOW_DRAWN_MAX (1024 * 1024)

int show_choose(const struct options *options, enum show_format *ret_format)
{
	static const char *const formats[] = {
		[SHOW_JSONL] = "jsonl",
		[SHOW_JSON] = "json",
		[SHOW_TABLE] = "table",
		[SHOW_PARTITION] = "partition",
		[SHOW_RETURN] = "return",
		[SHOW_TAP] = "tap",
		NULL,
	};
	const char *value = option_value(options, OPTION_FORMAT);
	enum view_kind view;
	size_t choice;

	if (view_on_stdout(options, &view)) {
		*ret_format = SHOW_VIEW;
		if (view_crowds_stdout(options)) {
			message_print("two FILEs are \"-\": both want standard output");
			return EXIT_USAGE;
		}
		if (!value)
			return 0;
		message_print("--format and a FILE that is \"-\" both want standard output");
		return EXIT_USAGE;
	}

	if (!value) {
		*ret_format = isatty(STDOUT_FILENO) ? SHOW_TABLE : SHOW_JSONL;
		return 0;
	}
	if (!value_choice(OPTION_FORMAT, value, formats, &choice))
		return EXIT_USAGE;
	*ret_format = (enum show_format)choice;
	return 0;
}

/* -- Bodies ------------------------------------------------------------------------------------ */

static int show_make_directory(struct show *show, const char *value)
{
	size_t size = strlen(value);
	int n = snprintf(show->directory, sizeof(show->directory), "%s%s", value,
		value[size - 1] == '/' ? "" : "/");

	if (n < 0 || (size_t)n >= sizeof(show->directory)) {
		value_refuse(OPTION_BODY, value, "too long");
		return EXIT_USAGE;
	}
	if (mkdir(show->directory, 0777) < 0 && errno != EEXIST) {
		message_print("cannot make %s: %s", show->directory, strerror(errno));
		return EXIT_LOCAL_IO;
	}
	return 0;
}

static int show_choose_body(
	struct show *show, const struct options *options, struct render_options *render)
{
	static const char *const bodies[] = {
		[RENDER_BODY_AUTO] = "auto",
		[RENDER_BODY_TEXT] = "text",
		[RENDER_BODY_BASE64] = "base64",
		[RENDER_BODY_NONE] = "none",
		[RENDER_BODY_DIRECTORY] = "DIR/",
		NULL,
	};
	const char *value = option_value(options, OPTION_BODY);
	size_t choice;

	if (!value)
		return 0;
	if (strchr(value, '/')) {
		render->body = RENDER_BODY_DIRECTORY;
		render->directory = show->directory;
		return show_make_directory(show, value);
	}
	if (!value_choice(OPTION_BODY, value, bodies, &choice))
		return EXIT_USAGE;
	render->body = (enum render_body)choice;
	return 0;
}

/* -- The terminal ------------------------------------------------------------------------------ */

static int show_choose_color(const struct options *options, bool *ret_color)
{
	static const char *const whens[] = {"auto", "always", "never", NULL};
	const char *value = option_value(options, OPTION_COLOR);
	size_t choice = 0;

	if (value && !value_choice(OPTION_COLOR, value, whens, &choice))
		return EXIT_USAGE;
	*ret_color = choice == 1 || (choice == 0 && terminal_has_color(STDOUT_FILENO));
	return 0;
}

static int show_start_progress(const struct options *options, enum show_format format)
{
	static const char *const hows[] = {"auto", "tty", "plain", "json", "none", NULL};
	static const enum progress_mode modes[] = {
		PROGRESS_NONE, PROGRESS_TTY, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE};
	const char *value = option_value(options, OPTION_PROGRESS);
	enum progress_mode mode;
	size_t choice = 0;
	bool is_drawn;

	if (value && !value_choice(OPTION_PROGRESS, value, hows, &choice))
		return EXIT_USAGE;
	is_drawn = isatty(STDERR_FILENO) && !terminal_is_dumb();
	mode = modes[choice];
	if (choice == 0 && is_drawn)
		mode = PROGRESS_TTY;
	else if (!value && option_given(options, OPTION_PROGRESS_BAR))
		mode = PROGRESS_PLAIN;
	/* A body on the same terminal is progress enough; and who is silent says nothing unasked.
	 */
	if (choice == 0 &&
		((format == SHOW_CONTENT && isatty(STDOUT_FILENO)) || !message_is_heard()))
		mode = PROGRESS_NONE;
	progress_init(mode);
	return 0;
}

static enum sink_escape show_escape(enum show_format format)
{
	if (!isatty(STDOUT_FILENO))
		return SINK_RAW;
	switch (format) {
	/* It has cleaned what it holds, and colours are its own. */
	case SHOW_TABLE: return SINK_RAW;
	case SHOW_CONTENT:
	case SHOW_VIEW:
	case SHOW_TAP: return SINK_TERMINAL_TEXT;
	case SHOW_JSONL:
	case SHOW_JSON:
	case SHOW_PARTITION:
	case SHOW_RETURN: break;
	}
	return SINK_TERMINAL_JSON;
}

/* -- Both together ----------------------------------------------------------------------------- */

static struct render *show_make_render(
	const struct show_options *show, const struct render_options *options)
{
	enum view_kind view;

	switch (show->format) {
	case SHOW_JSONL: return render_jsonl_new(options);
	case SHOW_JSON: return render_json_new(options);
	case SHOW_TABLE: return render_table_new(options);
	case SHOW_PARTITION: return render_partition_new(options);
	case SHOW_RETURN: return render_result_new(options);
	case SHOW_TAP: return render_tap_new(options);
	case SHOW_VIEW:
		return view_on_stdout(show->options, &view) ? view_make(view, options) : NULL;
	case SHOW_CONTENT: break;
	}
	return NULL;
}

static struct render *show_make(
	const struct show_options *show, const struct render_options *options)
{
	struct render *records = show_make_render(show, options), *render;
	struct content_options before;

	if (!show->content || (!records && show->format != SHOW_CONTENT))
		return records;
	before = *show->content;
	before.records = records;
	render = render_content_new(options, &before);
	if (!render)
		render_free(records);
	return render;
}

/* Order, and everything that is drawn, follows the document as it was checked. */
static bool show_needs_plan(const struct show_options *show)
{
	if (!show->document.data)
		return false;
	return option_given(show->options, OPTION_KEEP_ORDER) || view_is_wanted(show->options) ||
	       option_given(show->options, OPTION_VERBOSE) ||
	       option_given(show->options, OPTION_WRITE_OUT) ||
	       option_given(show->options, OPTION_OUTPUT_FD) ||
	       (progress_is_told() && show->document.size <= SHOW_DRAWN_MAX);
}

/* A document that is refused here is refused by the daemon, too, which says why. */
static void show_read_plan(struct show *show, struct text document)
{
	struct plan_errors errors;

	plan_errors_init(&errors);
	if (document_parse(document, &document_limits_default, &show->plan, &errors) != 0)
		show->plan = NULL;
	plan_errors_deinit(&errors);
}

static int show_make_all(
	struct show *show, const struct show_options *options, struct render_options *render)
{
	int r;

	if (show_needs_plan(options))
		show_read_plan(show, options->document);
	render->plan = show->plan;
	render->submitted_unix_ns = clock_unix_ns();
	r = options->is_batch ? 0 : view_open(&show->views, options->options, render);
	if (r != 0)
		return r;
	show->render = show_make(options, render);
	if (show->render)
		return 0;
	message_print("no memory for the results");
	return EXIT_LOCAL_IO;
}

int show_open(struct show *show, const struct show_options *options)
{
	struct render_options render = {
		.sink = &show->sink,
		.keep_order =
			!options->is_batch && option_given(options->options, OPTION_KEEP_ORDER),
		.columns = options->format == SHOW_TABLE || options->format == SHOW_VIEW
				   ? terminal_columns(STDOUT_FILENO)
				   : 0,
		.ascii = terminal_is_ascii(STDOUT_FILENO),
	};
	int r;

	show->format = options->format;
	show->render = NULL;
	show->plan = NULL;
	show->views.n = 0;
	sink_init(&show->sink, STDOUT_FILENO, show_escape(options->format));
	r = show_choose_body(show, options->options, &render);
	if (r == 0)
		r = show_choose_color(options->options, &render.color);
	if (r == 0)
		r = show_start_progress(options->options, options->format);
	return r ? r : show_make_all(show, options, &render);
}

void show_close(struct show *show)
{
	show->render = render_free(show->render);
	view_close(&show->views);
	show->plan = plan_free(show->plan);
	sink_deinit(&show->sink);
}

bool show_has_refusal(const struct show *show)
{
	return show->format == SHOW_JSONL || show->format == SHOW_JSON;
}

bool show_tells_failures(const struct show *show)
{
	return show->format != SHOW_CONTENT && !isatty(STDOUT_FILENO);
}
