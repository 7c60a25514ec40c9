/* SPDX-License-Identifier: MIT */
#include "client/cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/refusal.h"
#include "client/cli/render/plan.h"
#include "client/cli/sink.h"
#include "client/cli/value.h"
#include "proto/document.h"

enum plan_format {
	PLAN_FORMAT_TEXT,
	PLAN_FORMAT_JSON,
	PLAN_FORMAT_MERMAID,
	PLAN_FORMAT_DOT,
};

static int plan_choose(const struct options *options, enum plan_format *ret_format)
{
	static const char *const formats[] = {
		[PLAN_FORMAT_TEXT] = "text",
		[PLAN_FORMAT_JSON] = "json",
		[PLAN_FORMAT_MERMAID] = "mermaid",
		[PLAN_FORMAT_DOT] = "dot",
		NULL,
	};
	const char *value = option_value(options, OPTION_FORMAT);
	size_t choice = PLAN_FORMAT_TEXT;

	if (value && !value_choice(OPTION_FORMAT, value, formats, &choice))
		return EXIT_USAGE;
	*ret_format = (enum plan_format)choice;
	return 0;
}

static int plan_refuse(
	struct buffer *out, enum plan_format format, const struct plan_errors *errors)
{
	if (format == PLAN_FORMAT_JSON) {
		buffer_append_literal(out, "{\"refused\":");
		refusal_append(out, errors);
		buffer_append_literal(out, "}\n");
	}
	return refusal_tell_errors(errors);
}

/* Appends what the format shows. Returns the exit status. */
static int plan_show(struct buffer *out, enum plan_format format, struct text document)
{
	static int (*const renders[])(struct buffer *, const struct plan *) = {
		[PLAN_FORMAT_TEXT] = plan_render_text,
		[PLAN_FORMAT_JSON] = plan_render_json,
		[PLAN_FORMAT_MERMAID] = plan_render_mermaid,
		[PLAN_FORMAT_DOT] = plan_render_dot,
	};
	struct plan_errors errors;
	struct plan *plan = NULL;
	int r, status = EXIT_FULFILLED;

	plan_errors_init(&errors);
	r = document_parse(document, &document_limits_default, &plan, &errors);
	if (r == DOCUMENT_E_REFUSED) {
		status = plan_refuse(out, format, &errors);
		r = 0;
	} else if (r == 0) {
		r = renders[format](out, plan);
		plan_free(plan);
	}
	plan_errors_deinit(&errors);
	if (r == 0)
		return status;
	message_print("no memory for the plan");
	return EXIT_LOCAL_IO;
}

int command_plan(const struct options *options)
{
	struct buffer document = {0};
	enum plan_format format;
	struct sink sink;
	int status, r;

	status = plan_choose(options, &format);
	if (status != 0)
		return status;
	/* What text shows was cleaned where it was put together. */
	if (format == PLAN_FORMAT_JSON && isatty(STDOUT_FILENO))
		sink_init(&sink, STDOUT_FILENO, SINK_TERMINAL_JSON);
	else
		sink_init(&sink, STDOUT_FILENO, SINK_RAW);
	status = command_read_document(options, &document);
	if (status == 0)
		status = plan_show(&sink.buffer, format, buffer_text(&document));
	r = sink_flush(&sink);
	if (r < 0) {
		if (r != -EPIPE)
			message_print("cannot write the plan: %s", strerror(-r));
		status = EXIT_LOCAL_IO;
	}
	sink_deinit(&sink);
	buffer_deinit(&document);
	return status;
}
