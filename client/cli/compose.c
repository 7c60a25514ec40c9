/* SPDX-License-Identifier: MIT */
/*
 * What curl's options say stands once, in the document's defaults, and the jobs are URLs alone: a
 * thousand URLs share one description.
 *
 * A command line holds no references: what looks like one is escaped.
 */
#include "client/cli/compose_private.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "util/base64.h"
#include "util/container.h"

/* Of a file of headers or certificates. */
#define COMPOSE_FILE_MAX (16u * 1024 * 1024)

/* The largest body of a batch, unasked. */
#define COMPOSE_BATCH_BODY_MAX (512u * 1024 * 1024)

void compose_append_escaped(struct buffer *out, struct text text)
{
	struct buffer escaped;

	buffer_init(&escaped, SIZE_MAX / 4);
	for (size_t i = 0; i < text.size; i++) {
		bool is_reference =
			text.data[i] == '{' && i + 1 < text.size && text.data[i + 1] == '{';

		if (is_reference) {
			buffer_append_literal(&escaped, "\\{{");
			i++;
		} else {
			buffer_append_byte(&escaped, text.data[i]);
		}
	}
	if (escaped.failed)
		out->failed = true;
	json_append_string(out, buffer_text(&escaped));
	buffer_deinit(&escaped);
}

void compose_key(struct buffer *out, const char *key)
{
	if (out->size > 0 && out->data[out->size - 1] != '{')
		buffer_append_byte(out, ',');
	json_append_string(out, text_from(key));
	buffer_append_byte(out, ':');
}

int compose_read(const char *path, struct buffer *file)
{
	int r;

	buffer_init(file, COMPOSE_FILE_MAX);
	r = file_read(path, file);
	if (r == 0)
		return 0;
	buffer_deinit(file);
	return message_cannot("read", path, r);
}

/* What cannot go together. */
static int compose_check(struct compose *compose)
{
	static const struct {
		enum option_id option, other;
		const char *why;
	} pairs[] = {
		{OPTION_GET, OPTION_JSON, "--get makes no JSON of a URL: use -d"},
		{OPTION_GET, OPTION_UPLOAD_FILE, "--get and --upload-file both say what to send"},
		{OPTION_HEAD, OPTION_UPLOAD_FILE, "--head has no body to send: use one of the two"},
	};
	const struct options *options = compose->options;
	bool has_data = data_is_given(options) && !option_given(options, OPTION_GET);

	for (size_t i = 0; i < countof(pairs); i++) {
		if (!option_given(options, pairs[i].option) ||
			!option_given(options, pairs[i].other))
			continue;
		message_print("%s", pairs[i].why);
		return EXIT_USAGE;
	}
	if (has_data && option_given(options, OPTION_HEAD)) {
		message_print("--head has no body to send: use one of the two, or -G");
		return EXIT_USAGE;
	}
	if (has_data && option_given(options, OPTION_UPLOAD_FILE)) {
		message_print("--upload-file and --data both say what to send");
		return EXIT_USAGE;
	}
	return 0;
}

/* -- Body -------------------------------------------------------------------------------------- */

/* A body given as text gets a content type; where the user wants none, and where text could be
 * misread, it is given as bytes. */
static bool compose_body_is_text(const struct compose *compose, struct text body)
{
	return text_is_utf8(body) && !memmem(body.data, body.size, "{{", 2) &&
	       !compose_has_no_type(compose);
}

/* -G: it goes behind the URLs. */
static int compose_query(struct compose *compose)
{
	int r = data_collect(compose->options, &compose->query);

	if (r != 0 || text_is_utf8(buffer_text(&compose->query)))
		return r;
	message_print("option --get: the data is not UTF-8, and cannot stand in a URL: use "
		      "--data-urlencode");
	return EXIT_USAGE;
}

static int compose_body(struct compose *compose)
{
	struct buffer body;
	int r;

	if (!data_is_given(compose->options))
		return 0;
	if (option_given(compose->options, OPTION_GET))
		return compose_query(compose);
	if (compose->request && compose->request->data_fd != COMPOSE_FD_NONE) {
		compose_key(compose->out, "body_fd");
		buffer_append_u64(compose->out, compose->request->data_fd);
		return 0;
	}
	buffer_init(&body, PLAN_BYTES_MAX);
	r = data_collect(compose->options, &body);
	if (r == 0 && compose_body_is_text(compose, buffer_text(&body))) {
		compose_key(compose->out, "body");
		json_append_string(compose->out, buffer_text(&body));
	} else if (r == 0) {
		compose_key(compose->out, "body_base64");
		buffer_append_byte(compose->out, '"');
		base64_append(compose->out, buffer_text(&body));
		buffer_append_byte(compose->out, '"');
	}
	buffer_deinit(&body);
	return r;
}

/* -- The other keys ---------------------------------------------------------------------------- */

static int compose_method(struct compose *compose)
{
	const char *method = option_value(compose->options, OPTION_REQUEST);

	if (!method && option_given(compose->options, OPTION_HEAD))
		method = "HEAD";
	if (!method)
		return 0;
	compose_key(compose->out, "method");
	json_append_string(compose->out, text_from(method));
	return 0;
}

/* Attempts beyond reason; and longer than anybody waits. */
#define COMPOSE_RETRY_MAX 1000
#define UNLIMITED_NS      (UINT64_C(365) * 86400 * UINT64_C(1000000000))

static void compose_seconds(struct buffer *out, const char *key, uint64_t ns)
{
	compose_key(out, key);
	value_append_seconds(out, ns);
}

/* N more attempts than the first. */
static int compose_retry(struct compose *compose)
{
	const char *retry = option_value(compose->options, OPTION_RETRY);
	uint64_t n;

	if (!retry || strcmp(retry, "0") == 0)
		return 0;
	if (!value_number(OPTION_RETRY, retry, COMPOSE_RETRY_MAX, &n))
		return EXIT_USAGE;
	compose_key(compose->out, "retry");
	buffer_append_u64(compose->out, n + 1);
	return 0;
}

static int compose_times(struct compose *compose)
{
	const char *max_time = option_value(compose->options, OPTION_MAX_TIME);
	bool may_retry = option_given(compose->options, OPTION_RETRY);
	const char *connect = option_value(compose->options, OPTION_CONNECT_TIMEOUT);
	uint64_t ns;

	if (max_time) {
		if (!value_duration(OPTION_MAX_TIME, max_time, &ns))
			return EXIT_USAGE;
		/* As curl: each attempt has that long. Of one attempt the code is the job's, and
		 * its own limit is not to be the shorter one. */
		compose_seconds(compose->out, "timeout", may_retry ? UNLIMITED_NS : ns);
		compose_seconds(compose->out, "attempt_timeout", ns);
	}
	if (!max_time) {
		/* As curl: as long as it takes, while bytes move. */
		compose_seconds(compose->out, "timeout", UNLIMITED_NS);
		compose_seconds(compose->out, "attempt_timeout", UNLIMITED_NS);
	}
	if (connect) {
		if (!value_duration(OPTION_CONNECT_TIMEOUT, connect, &ns))
			return EXIT_USAGE;
		compose_key(compose->out, "timeouts");
		buffer_append_byte(compose->out, '{');
		compose_seconds(compose->out, "connect", ns);
		compose_seconds(compose->out, "tls", ns);
		buffer_append_byte(compose->out, '}');
	}
	return 0;
}

static int compose_limits(struct compose *compose)
{
	const char *size = option_value(compose->options, OPTION_MAX_FILESIZE);
	uint64_t bytes;

	if (!size && compose->request)
		return 0;
	/* The bodies of a batch pass through memory. */
	bytes = COMPOSE_BATCH_BODY_MAX;
	if (size && !value_size(OPTION_MAX_FILESIZE, size, &bytes))
		return EXIT_USAGE;
	compose_key(compose->out, "max_body");
	buffer_append_u64(compose->out, bytes);
	return 0;
}

static int compose_redirects(struct compose *compose)
{
	const char *value = option_value(compose->options, OPTION_MAX_REDIRS);
	uint64_t n = PLAN_REDIRECTS_MAX;

	if (!value)
		return 0;
	if (strcmp(value, "-1") != 0 && !text_to_u64(text_from(value), PLAN_REDIRECTS_MAX, &n)) {
		value_refuse(OPTION_MAX_REDIRS, value, "no number from 0 to 100, and not -1");
		return EXIT_USAGE;
	}
	compose_key(compose->out, "redirects");
	buffer_append_u64(compose->out, n);
	return 0;
}

/* Of --http1.1 and --http2 the last one holds. */
static int compose_http(struct compose *compose)
{
	const struct options *options = compose->options;
	bool is_1 = false;

	for (size_t i = 0; i < options->n_uses; i++) {
		if (options->uses[i].option == OPTION_HTTP11)
			is_1 = true;
		else if (options->uses[i].option == OPTION_HTTP2)
			is_1 = false;
	}
	/* A part of a coded body cannot be decoded. */
	if (option_given(options, OPTION_RAW) || option_given(options, OPTION_RANGE)) {
		compose_key(compose->out, "decode");
		buffer_append_literal(compose->out, "false");
	}
	if (is_1) {
		compose_key(compose->out, "http");
		buffer_append_literal(compose->out, "\"1.1\"");
	}
	return 0;
}

/* -- The document ------------------------------------------------------------------------------ */

/* The deadline of the graph. -m is a job's: it names its own code. */
static int compose_deadline(struct compose *compose)
{
	const char *timeout = option_value(compose->options, OPTION_TIMEOUT);
	uint64_t ns;

	if (!timeout)
		return 0;
	if (!value_duration(OPTION_TIMEOUT, timeout, &ns))
		return EXIT_USAGE;
	compose_seconds(compose->out, "timeout", ns);
	return 0;
}

static int compose_concurrency(struct compose *compose)
{
	const char *concurrency = option_value(compose->options, OPTION_CONCURRENCY);
	uint64_t n;

	if (!concurrency)
		return 0;
	if (!value_concurrency(concurrency, PLAN_JOBS_MAX, &n))
		return EXIT_USAGE;
	compose_key(compose->out, "concurrency");
	if (n == 0)
		buffer_append_literal(compose->out, "\"unbounded\"");
	else
		buffer_append_u64(compose->out, n);
	return 0;
}

static int compose_graph(struct compose *compose)
{
	const char *mode = option_value(compose->options, OPTION_MODE);

	if (mode && !value_mode(mode))
		return EXIT_USAGE;
	if (mode) {
		compose_key(compose->out, "mode");
		json_append_string(compose->out, text_from(mode));
	}
	if (!compose->is_head) {
		int r = compose_concurrency(compose);

		if (r != 0)
			return r;
	}
	return compose_deadline(compose);
}

static int compose_jobs(struct compose *compose)
{
	compose_key(compose->out, "jobs");
	buffer_append_byte(compose->out, '[');
	for (size_t i = 0; i < compose->request->n_jobs; i++) {
		int r;

		if (i > 0)
			buffer_append_byte(compose->out, ',');
		r = compose_job(compose, &compose->request->jobs[i]);
		if (r != 0)
			return r;
	}
	buffer_append_byte(compose->out, ']');
	return 0;
}

/* All but the jobs, and the end. */
static int compose_begin(struct compose *compose)
{
	static int (*const keys[])(struct compose * compose) = {
		compose_check,
		compose_method,
		compose_headers,
		compose_body,
		compose_retry,
		compose_times,
		compose_limits,
		compose_redirects,
		compose_http,
		compose_tls,
		compose_resolve,
		compose_proxy,
	};
	int r;

	buffer_append_byte(compose->out, '{');
	r = compose_graph(compose);
	if (r != 0)
		return r;
	compose_key(compose->out, "defaults");
	buffer_append_byte(compose->out, '{');
	for (size_t i = 0; i < countof(keys); i++) {
		r = keys[i](compose);
		if (r != 0)
			return r;
	}
	return 0;
}

static int compose_end(struct compose *compose, int r)
{
	for (size_t i = 0; i < compose->n_files; i++)
		free(compose->files[i]);
	free(compose->files);
	buffer_deinit(&compose->headers);
	buffer_deinit(&compose->query);
	if (r >= 0 && !compose->out->failed)
		return r;
	message_print("no memory for the request");
	return EXIT_LOCAL_IO;
}

int compose_document(
	const struct options *options, const struct compose_request *request, struct buffer *out)
{
	struct compose compose = {.options = options, .request = request, .out = out};
	int r;

	buffer_init(&compose.headers, SIZE_MAX / 4);
	buffer_init(&compose.query, PLAN_BYTES_MAX);
	r = compose_begin(&compose);
	if (r == 0) {
		buffer_append_byte(out, '}');
		r = compose_jobs(&compose);
		buffer_append_byte(out, '}');
	}
	return compose_end(&compose, r);
}

int compose_head(const struct options *options, struct buffer *out)
{
	struct compose compose = {.options = options, .out = out, .is_head = true};
	int r;

	buffer_init(&compose.headers, SIZE_MAX / 4);
	buffer_init(&compose.query, PLAN_BYTES_MAX);
	r = compose_begin(&compose);
	/* Which lines meet in a graph is chance: each is fetched for itself. */
	compose_key(out, "dedupe");
	buffer_append_literal(out, "false},\"jobs\":");
	return compose_end(&compose, r);
}
