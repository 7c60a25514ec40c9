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
#include "client/cli/value.h"

/* Where a terminal does not say. */
#define SHOW_COLUMNS_DEFAULT 80

static int show_refuse_later(enum option_id option, const char *value)
{
	value_refuse(option, value, "not supported by this version");
	return EXIT_USAGE;
}

int show_choose(const struct options *options, enum show_format *ret_format)
{
	static const char *const formats[] = {
		[SHOW_JSONL] = "jsonl",
		[SHOW_JSON] = "json",
		[SHOW_TABLE] = "table",
		[SHOW_PARTITION] = "partition",
		[SHOW_RETURN] = "return",
		NULL,
	};
	const char *value = option_value(options, OPTION_FORMAT);
	size_t choice;

	if (!value) {
		*ret_format = isatty(STDOUT_FILENO) ? SHOW_TABLE : SHOW_JSONL;
		return 0;
	}
	if (strcmp(value, "tap") == 0)
		return show_refuse_later(OPTION_FORMAT, value);
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

static bool show_terminal_is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || strcmp(term, "dumb") == 0;
}

static int show_choose_color(const struct options *options, bool *ret_color)
{
	static const char *const whens[] = {"auto", "always", "never", NULL};
	const char *value = option_value(options, OPTION_COLOR);
	const char *no_color = getenv("NO_COLOR");
	size_t choice = 0;

	if (value && !value_choice(OPTION_COLOR, value, whens, &choice))
		return EXIT_USAGE;
	*ret_color = choice == 1;
	if (choice == 0)
		*ret_color = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			     !show_terminal_is_dumb();
	return 0;
}

static uint32_t show_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return SHOW_COLUMNS_DEFAULT;
}

static int show_start_progress(const struct options *options, enum show_format format)
{
	static const char *const hows[] = {"auto", "tty", "plain", "none", NULL};
	static const enum progress_mode modes[] = {
		PROGRESS_NONE, PROGRESS_TTY, PROGRESS_PLAIN, PROGRESS_NONE};
	const char *value = option_value(options, OPTION_PROGRESS);
	size_t choice = 0;
	bool is_seen;

	if (value && strcmp(value, "json") == 0)
		return show_refuse_later(OPTION_PROGRESS, value);
	if (value && !value_choice(OPTION_PROGRESS, value, hows, &choice))
		return EXIT_USAGE;
	/* A body on the same terminal is progress enough. */
	is_seen = isatty(STDERR_FILENO) && !show_terminal_is_dumb() && message_is_heard() &&
		  !(format == SHOW_CONTENT && isatty(STDOUT_FILENO));
	progress_init(choice == 0 && is_seen ? PROGRESS_TTY : modes[choice]);
	return 0;
}

static enum sink_escape show_escape(enum show_format format)
{
	if (!isatty(STDOUT_FILENO))
		return SINK_RAW;
	switch (format) {
	/* It has cleaned what it holds, and colours are its own. */
	case SHOW_TABLE: return SINK_RAW;
	case SHOW_CONTENT: return SINK_TERMINAL_TEXT;
	case SHOW_JSONL:
	case SHOW_JSON:
	case SHOW_PARTITION:
	case SHOW_RETURN: break;
	}
	return SINK_TERMINAL_JSON;
}

/* -- Both together ----------------------------------------------------------------------------- */

static struct render *show_make_render(
	enum show_format format, const struct render_options *options)
{
	switch (format) {
	case SHOW_JSONL: return render_jsonl_new(options);
	case SHOW_JSON: return render_json_new(options);
	case SHOW_TABLE: return render_table_new(options);
	case SHOW_PARTITION: return render_partition_new(options);
	case SHOW_RETURN: return render_result_new(options);
	case SHOW_CONTENT: break;
	}
	return NULL;
}

static struct render *show_make(enum show_format format, const struct render_options *options,
	const struct content_options *content)
{
	struct render *records = show_make_render(format, options), *render;
	struct content_options before;

	if (!content || (!records && format != SHOW_CONTENT))
		return records;
	before = *content;
	before.records = records;
	render = render_content_new(options, &before);
	if (!render)
		render_free(records);
	return render;
}

int show_open(struct show *show, const struct options *options, enum show_format format,
	const struct content_options *content)
{
	struct render_options render = {
		.sink = &show->sink,
		.keep_order = option_given(options, OPTION_KEEP_ORDER),
		.columns = format == SHOW_TABLE ? show_columns() : 0,
	};
	int r;

	show->format = format;
	show->render = NULL;
	sink_init(&show->sink, STDOUT_FILENO, show_escape(format));
	r = show_choose_body(show, options, &render);
	if (r == 0)
		r = show_choose_color(options, &render.color);
	if (r == 0)
		r = show_start_progress(options, format);
	if (r != 0)
		return r;
	show->render = show_make(format, &render, content);
	if (show->render)
		return 0;
	message_print("no memory for the results");
	return EXIT_LOCAL_IO;
}

void show_close(struct show *show)
{
	show->render = render_free(show->render);
	sink_deinit(&show->sink);
}

bool show_has_refusal(const struct show *show)
{
	return show->format == SHOW_JSONL || show->format == SHOW_JSON;
}
