/* SPDX-License-Identifier: MIT */
/*
 * settle get: URLs and curl's options become a graph, and descriptors that go with it: what is
 * sent is read by the daemon, and what goes to a file is written by it. Of one URL the body comes
 * in pieces, and leaves as they come.
 */
#include "client/cli/command.h"

#include <stdlib.h>

#include "client/cli/compose.h"
#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/output.h"
#include "client/cli/run.h"
#include "client/cli/session.h"
#include "client/cli/show.h"
#include "client/cli/upload.h"
#include "util/container.h"

/* Of a format that is in a file. */
#define GET_FORMAT_MAX (64u * 1024)

struct get {
	const struct options *options;
	struct outputs outputs;
	struct passed passed;
	/* For each URL. */
	struct compose_job *jobs;
	enum show_format format;
	/* -w, read; failed or not. */
	struct buffer write_out;
	struct buffer document;
};

/* -- What is asked for ------------------------------------------------------------------------- */

/* One URL is shown as curl shows it, and so are several that all go to files; else, and where a
 * format or a way to show bodies was asked for, there are records. */
static int get_choose_format(struct get *get)
{
	static const struct {
		enum option_id option;
		const char *why;
	} for_bodies[] = {
		{OPTION_INCLUDE, "option --include is for bodies: records have the headers"},
		{OPTION_WRITE_OUT, "option --write-out is for bodies: records have it all"},
	};
	const struct options *options = get->options;
	enum view_kind view;
	bool wants_records = option_given(options, OPTION_FORMAT) ||
			     option_given(options, OPTION_BODY) || view_on_stdout(options, &view);
	int r = 0;

	get->format = SHOW_CONTENT;
	if (wants_records || (get->outputs.n > 1 && !get->outputs.is_complete))
		r = show_choose(options, &get->format);
	for (size_t i = 0; r == 0 && i < countof(for_bodies); i++) {
		if (get->format == SHOW_CONTENT || !option_given(options, for_bodies[i].option))
			continue;
		message_print("%s", for_bodies[i].why);
		r = EXIT_USAGE;
	}
	return r;
}

/* As curl: @FILE, "@-", its line ends left out; else the format itself. */
static int get_read_format(struct get *get)
{
	const char *value = option_value(get->options, OPTION_WRITE_OUT);
	struct buffer *out = &get->write_out;
	size_t n = 0;
	int r;

	if (!value || value[0] != '@') {
		buffer_append_text(out, text_from(value ? value : ""));
		return 0;
	}
	r = file_read(value + 1, out);
	if (r < 0)
		return message_cannot("read", value + 1, r);
	for (size_t i = 0; i < out->size; i++) {
		if (out->data[i] != '\r' && out->data[i] != '\n')
			out->data[n++] = out->data[i];
	}
	out->size = n;
	return 0;
}

/* -- Where bodies come from and go to ---------------------------------------------------------- */

/* How the body comes to where it goes. */
static int get_choose_output(struct get *get, size_t i)
{
	static const enum plan_output how[] = {
		[OUTPUT_STDOUT] = PLAN_INLINE,
		[OUTPUT_SAVE] = PLAN_INLINE,
		[OUTPUT_PART] = PLAN_FILE,
		[OUTPUT_PIPE] = PLAN_STREAM,
		[OUTPUT_NOTHING] = PLAN_DISCARD,
	};
	struct output *output = &get->outputs.outputs[i];
	struct compose_job *job = &get->jobs[i];
	bool has_head = option_given(get->options, OPTION_INCLUDE) ||
			option_given(get->options, OPTION_HEAD);
	struct output_how places = {
		.is_held = has_head || get->passed.n == SETTLE_FDS_MAX,
		.makes_directories = option_given(get->options, OPTION_CREATE_DIRS),
	};
	int r = output_open(output, &places);

	if (r != 0)
		return r;
	job->output = how[output->kind];
	/* Its head is known when it is whole. */
	if (output->kind == OUTPUT_STDOUT && get->format == SHOW_CONTENT && !has_head)
		job->output = PLAN_STREAM;
	if (output->kind != OUTPUT_PART)
		return 0;
	return passed_borrow(&get->passed, output->part.fd, &job->output_fd);
}

static int get_choose_jobs(struct get *get)
{
	size_t n = get->options->n_operands;
	int r = 0;

	get->jobs = calloc(n, sizeof(*get->jobs));
	if (!get->jobs) {
		message_print("no memory for the request");
		return EXIT_LOCAL_IO;
	}
	for (size_t i = 0; i < n; i++)
		get->jobs[i] = (struct compose_job){.url = get->options->operands[i],
			.body_fd = COMPOSE_FD_NONE,
			.output_fd = COMPOSE_FD_NONE};
	r = upload_take(get->options, get->jobs, n, &get->passed);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = get_choose_output(get, i);
	return r;
}

static int get_compose(struct get *get)
{
	struct compose_request request = {.n_jobs = get->options->n_operands};
	int r = get_choose_jobs(get);

	request.jobs = get->jobs;
	if (r == 0)
		r = upload_take_data(get->options, &get->passed, &request.data_fd);
	return r ? r : compose_document(get->options, &request, &get->document);
}

/* -- Running ----------------------------------------------------------------------------------- */

static int get_run_with(struct get *get, struct show *show)
{
	const struct options *options = get->options;
	struct refusal_source source = {
		(const char *const *)options->operands, options->n_operands};
	struct session session;
	int status = session_open(options, true, &session);

	if (status == 0) {
		struct run_options run = {
			.session = &session,
			.document = buffer_text(&get->document),
			.source = &source,
			.passed = &get->passed,
			.render = show->render,
			.sink = &show->sink,
			.views = &show->views,
			.plan = show->plan,
			.failures_are_told = show_tells_failures(show),
			.refusal_is_shown = show_has_refusal(show),
			.summary_is_shown = option_given(options, OPTION_SUMMARY),
			.job_timeout_is_graphs =
				get->outputs.n == 1 && option_given(options, OPTION_MAX_TIME),
		};

		status = run_graph(&run);
		session_close(&session);
	}
	return status;
}

static int get_run(struct get *get)
{
	const struct options *options = get->options;
	struct content_options content = {
		.urls = options->operands,
		.outputs = get->outputs.outputs,
		.n_urls = get->outputs.n,
		.include_head = option_given(options, OPTION_INCLUDE),
		.is_head = option_given(options, OPTION_HEAD),
		.fail = option_given(options, OPTION_FAIL),
		.write_out = buffer_text(&get->write_out),
		.verbose = option_given(options, OPTION_VERBOSE),
	};
	struct show_options show_options = {
		.options = options,
		.format = get->format,
		.content = &content,
		.document = buffer_text(&get->document),
	};
	struct show show;
	int status = show_open(&show, &show_options);

	if (status == 0)
		status = get_run_with(get, &show);
	show_close(&show);
	return status;
}

int command_get(const struct options *options)
{
	struct get get = {.options = options};
	int status;

	if (options->n_operands == 0) {
		message_print("get needs a URL");
		return EXIT_USAGE;
	}
	buffer_init(&get.document, SIZE_MAX / 4);
	buffer_init(&get.write_out, GET_FORMAT_MAX);
	status = outputs_take(options, &get.outputs);
	if (status == 0)
		status = get_choose_format(&get);
	if (status == 0)
		status = get_read_format(&get);
	if (status == 0)
		status = get_compose(&get);
	if (status == 0)
		status = get_run(&get);
	passed_close(&get.passed);
	outputs_close(&get.outputs);
	free(get.jobs);
	buffer_deinit(&get.write_out);
	buffer_deinit(&get.document);
	return status;
}
