/* SPDX-License-Identifier: MIT */
#include "client/cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/compose.h"
#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/run.h"
#include "client/cli/session.h"
#include "client/cli/show.h"

/* Where bodies go. */
struct get_outputs {
	/* For each URL: a path, or NULL for stdout. */
	char **paths;
	size_t n;
	/* True exactly when every URL has a path. */
	bool is_complete;
};

static void get_outputs_free(struct get_outputs *outputs)
{
	for (size_t i = 0; i < outputs->n; i++)
		free(outputs->paths[i]);
	free(outputs->paths);
}

/* The i-th -o or -O is the i-th URL's, as with curl. */
static int get_take_output(
	struct get_outputs *outputs, size_t i, const struct option_use *use, const char *url)
{
	struct text name;

	if (use->option == OPTION_OUTPUT) {
		if (strcmp(use->value, "-") == 0)
			return 0;
		if (use->value[0] == '\0') {
			message_print("option --output: the name of the file is empty");
			return EXIT_USAGE;
		}
		outputs->paths[i] = strdup(use->value);
	} else {
		name = file_name_from_url(text_from(url));
		if (!name.data) {
			message_print(
				"option --remote-name: %s does not end in the name of a file", url);
			return EXIT_USAGE;
		}
		outputs->paths[i] = strndup(name.data, name.size);
	}
	if (outputs->paths[i])
		return 0;
	message_print("no memory for the name of a file");
	return EXIT_LOCAL_IO;
}

static int get_take_outputs(const struct options *options, struct get_outputs *outputs)
{
	size_t at = 0;
	int r;

	outputs->n = options->n_operands;
	outputs->paths = calloc(outputs->n, sizeof(*outputs->paths));
	if (!outputs->paths) {
		message_print("no memory for the names of files");
		outputs->n = 0;
		return EXIT_LOCAL_IO;
	}
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (use->option != OPTION_OUTPUT && use->option != OPTION_REMOTE_NAME)
			continue;
		if (at == outputs->n) {
			message_print("there are more -o and -O than URLs");
			return EXIT_USAGE;
		}
		r = get_take_output(outputs, at, use, options->operands[at]);
		if (r != 0)
			return r;
		at++;
	}
	outputs->is_complete = true;
	for (size_t i = 0; i < outputs->n; i++)
		outputs->is_complete = outputs->is_complete && outputs->paths[i];
	return 0;
}

/* One URL is shown as curl shows it, and so are several that all go to files; else, and where a
 * format or a way to show bodies was asked for, there are records. */
static int get_choose_format(const struct options *options, const struct get_outputs *outputs,
	enum show_format *ret_format)
{
	enum view_kind view;
	bool wants_records = option_given(options, OPTION_FORMAT) ||
			     option_given(options, OPTION_BODY) || view_on_stdout(options, &view);
	int r = 0;

	*ret_format = SHOW_CONTENT;
	if (wants_records || (outputs->n > 1 && !outputs->is_complete))
		r = show_choose(options, ret_format);
	if (r == 0 && *ret_format != SHOW_CONTENT && option_given(options, OPTION_INCLUDE)) {
		message_print("option --include is for bodies: records have the headers");
		return EXIT_USAGE;
	}
	return r;
}

static int get_run(const struct options *options, const struct get_outputs *outputs,
	enum show_format format, struct text document)
{
	struct content_options content = {
		.urls = options->operands,
		.outputs = (const char *const *)outputs->paths,
		.n_urls = outputs->n,
		.include_head = option_given(options, OPTION_INCLUDE),
		.is_head = option_given(options, OPTION_HEAD),
		.fail = option_given(options, OPTION_FAIL),
		.quiet_redirects = option_given(options, OPTION_MAX_REDIRS) ||
				   option_given(options, OPTION_HEAD) || format != SHOW_CONTENT,
	};
	struct show_options show_options = {
		.options = options,
		.format = format,
		.content = &content,
		.document = document,
	};
	struct session session;
	struct show show;
	int status = show_open(&show, &show_options);

	if (status == 0)
		status = session_open(options, true, &session);
	if (status == 0) {
		struct run_options run = {
			.session = &session,
			.document = document,
			.render = show.render,
			.sink = &show.sink,
			.views = &show.views,
			.plan = show.plan,
			.failures_are_told = show_tells_failures(&show),
			.refusal_is_shown = show_has_refusal(&show),
			.summary_is_shown = option_given(options, OPTION_SUMMARY),
			.job_timeout_is_graphs =
				outputs->n == 1 && option_given(options, OPTION_MAX_TIME),
		};

		status = run_graph(&run);
		session_close(&session);
	}
	show_close(&show);
	return status;
}

int command_get(const struct options *options)
{
	struct get_outputs outputs = {0};
	enum show_format format;
	struct buffer document;
	int status;

	if (options->n_operands == 0) {
		message_print("get needs a URL");
		return EXIT_USAGE;
	}
	buffer_init(&document, SIZE_MAX / 4);
	status = get_take_outputs(options, &outputs);
	if (status == 0)
		status = get_choose_format(options, &outputs, &format);
	if (status == 0)
		status = compose_document(options, &document);
	if (status == 0)
		status = get_run(options, &outputs, format, buffer_text(&document));
	buffer_deinit(&document);
	get_outputs_free(&outputs);
	return status;
}
