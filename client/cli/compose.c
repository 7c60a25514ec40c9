/* SPDX-License-Identifier: MIT */
/*
 * What curl's options say stands once, in the document's defaults, and the jobs are URLs alone: a
 * thousand URLs share one description.
 *
 * A command line holds no references: what looks like one is escaped. In a URL braces are
 * percent-encoded, as they may not stand there anyway (RFC 3986 section 2).
 */
#include "client/cli/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/compose_private.h"
#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/file.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"
#include "proto/plan.h"
#include "util/container.h"

/* Of a file of headers or certificates. */
#define COMPOSE_FILE_MAX (16u * 1024 * 1024)

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
	message_print("cannot read %s: %s", path, strerror(-r));
	buffer_deinit(file);
	return EXIT_LOCAL_IO;
}

/* -- Body -------------------------------------------------------------------------------------- */

/* A body given as text gets a content type; where the user wants none, and where text could be
 * misread, it is given as bytes. */
static bool compose_body_is_text(const struct compose *compose, struct text body)
{
	return text_is_utf8(body) && !memmem(body.data, body.size, "{{", 2) &&
	       !compose_has_no_type(compose);
}

static int compose_body(struct compose *compose)
{
	struct buffer body;
	int r;

	if (!data_is_given(compose->options))
		return 0;
	if (option_given(compose->options, OPTION_HEAD)) {
		message_print("--head has no body to send: use one of the two");
		return EXIT_USAGE;
	}
	buffer_init(&body, PLAN_BYTES_MAX);
	r = data_collect(compose->options, &body);
	if (r == 0 && compose_body_is_text(compose, buffer_text(&body))) {
		compose_key(compose->out, "body");
		json_append_string(compose->out, buffer_text(&body));
	} else if (r == 0) {
		compose_key(compose->out, "body_base64");
		buffer_append_byte(compose->out, '"');
		data_append_base64(compose->out, buffer_text(&body));
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

/* Attempts beyond reason; longer than anybody waits; and the largest body that may pass through
 * memory unasked. */
#define COMPOSE_RETRY_MAX 1000
#define UNLIMITED_NS      (UINT64_C(365) * 86400 * UINT64_C(1000000000))
#define BODY_BYTES_MAX    (512u * 1024 * 1024)

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
	const char *redirects = option_value(compose->options, OPTION_MAX_REDIRS);
	uint64_t bytes;

	bytes = BODY_BYTES_MAX;
	if (size && !value_size(OPTION_MAX_FILESIZE, size, &bytes))
		return EXIT_USAGE;
	compose_key(compose->out, "max_body");
	buffer_append_u64(compose->out, bytes);
	if (redirects) {
		if (strcmp(redirects, "0") != 0) {
			value_refuse(OPTION_MAX_REDIRS, redirects,
				"not supported by this version, only 0 is");
			return EXIT_USAGE;
		}
		compose_key(compose->out, "redirects");
		buffer_append_byte(compose->out, '0');
	}
	if (option_given(compose->options, OPTION_RAW)) {
		compose_key(compose->out, "decode");
		buffer_append_literal(compose->out, "false");
	}
	if (option_given(compose->options, OPTION_HTTP11)) {
		compose_key(compose->out, "http");
		buffer_append_literal(compose->out, "\"1.1\"");
	}
	return 0;
}

static int compose_tls(struct compose *compose)
{
	const char *path = option_value(compose->options, OPTION_CACERT);
	bool is_insecure = option_given(compose->options, OPTION_INSECURE);
	struct buffer file;
	int r;

	if (!path && !is_insecure)
		return 0;
	compose_key(compose->out, "tls");
	buffer_append_byte(compose->out, '{');
	if (is_insecure) {
		compose_key(compose->out, "insecure");
		buffer_append_literal(compose->out, "true");
	}
	if (path) {
		r = compose_read(path, &file);
		if (r != 0)
			return r;
		compose_key(compose->out, "ca");
		json_append_string(compose->out, buffer_text(&file));
		buffer_deinit(&file);
	}
	buffer_append_byte(compose->out, '}');
	return 0;
}

/* ADDRESS[,ADDRESS]…, a literal of IPv6 with or without brackets. */
static bool compose_addresses(struct buffer *out, struct text addresses)
{
	buffer_append_byte(out, '[');
	while (addresses.data) {
		size_t end = text_find(addresses, ',');
		struct text address = {addresses.data, end};

		if (address.size > 2 && address.data[0] == '[' &&
			address.data[address.size - 1] == ']') {
			address.data++;
			address.size -= 2;
		}
		if (address.size == 0)
			return false;
		if (out->data[out->size - 1] != '[')
			buffer_append_byte(out, ',');
		json_append_string(out, address);
		addresses =
			end < addresses.size ? text_from_at(addresses, end + 1) : (struct text){0};
	}
	buffer_append_byte(out, ']');
	return true;
}

/* HOST:PORT:ADDRESS…, as curl has it. */
static bool compose_resolve_entry(struct buffer *out, const char *value)
{
	struct text text = text_from(value);
	size_t colon, port;

	if (text.size > 0 && text.data[0] == '+')
		text = text_from_at(text, 1);
	colon = text_find(text, text.size > 0 && text.data[0] == '[' ? ']' : ':');
	if (colon < text.size && text.data[colon] == ']')
		colon++;
	if (colon == 0 || colon >= text.size || text.data[colon] != ':')
		return false;
	port = colon + 1 + text_find(text_from_at(text, colon + 1), ':');
	if (port >= text.size)
		return false;
	if (out->data[out->size - 1] != '{')
		buffer_append_byte(out, ',');
	json_append_string(out, (struct text){text.data, port});
	buffer_append_byte(out, ':');
	return compose_addresses(out, text_from_at(text, port + 1));
}

static int compose_resolve(struct compose *compose)
{
	if (!option_given(compose->options, OPTION_RESOLVE))
		return 0;
	compose_key(compose->out, "resolve");
	buffer_append_byte(compose->out, '{');
	for (size_t i = 0; i < compose->options->n_uses; i++) {
		const struct option_use *use = &compose->options->uses[i];

		if (use->option != OPTION_RESOLVE ||
			compose_resolve_entry(compose->out, use->value))
			continue;
		value_refuse(OPTION_RESOLVE, use->value, "not of the form HOST:PORT:ADDRESS");
		return EXIT_USAGE;
	}
	buffer_append_byte(compose->out, '}');
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

	if (concurrency && strcmp(concurrency, "unbounded") == 0) {
		compose_key(compose->out, "concurrency");
		buffer_append_literal(compose->out, "\"unbounded\"");
	} else if (concurrency) {
		if (!value_number(OPTION_CONCURRENCY, concurrency, PLAN_JOBS_MAX, &n))
			return EXIT_USAGE;
		compose_key(compose->out, "concurrency");
		buffer_append_u64(compose->out, n);
	}
	return 0;
}

static int compose_graph(struct compose *compose)
{
	const char *mode = option_value(compose->options, OPTION_MODE);

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

/* As curl: without a scheme it is http. In a URL braces are percent-encoded. */
static void compose_append_whole_url(struct buffer *out, struct text url, bool has_scheme)
{
	struct buffer whole;

	buffer_init(&whole, SIZE_MAX / 4);
	if (!has_scheme)
		buffer_append_literal(&whole, "http://");
	for (size_t i = 0; i < url.size; i++) {
		if (url.data[i] == '{')
			buffer_append_literal(&whole, "%7B");
		else if (url.data[i] == '}')
			buffer_append_literal(&whole, "%7D");
		else
			buffer_append_byte(&whole, url.data[i]);
	}
	json_append_string(out, buffer_text(&whole));
	if (whole.failed)
		out->failed = true;
	buffer_deinit(&whole);
}

void compose_append_job(struct buffer *out, struct text url)
{
	/* Most are as they are to be, and begin so: a batch has a million. */
	bool has_scheme = text_starts_with(url, TEXT("http://")) ||
			  text_starts_with(url, TEXT("https://")) ||
			  memmem(url.data, url.size, "://", 3);
	bool has_braces = memchr(url.data, '{', url.size) || memchr(url.data, '}', url.size);

	buffer_append_literal(out, "{\"url\":");
	if (has_scheme && !has_braces)
		json_append_string(out, url);
	else
		compose_append_whole_url(out, url, has_scheme);
	buffer_append_byte(out, '}');
}

static int compose_jobs(struct compose *compose)
{
	compose_key(compose->out, "jobs");
	buffer_append_byte(compose->out, '[');
	for (size_t i = 0; i < compose->options->n_operands; i++) {
		struct text url = text_from(compose->options->operands[i]);

		if (!text_is_utf8(url)) {
			message_print("a URL is not UTF-8: %.*s", TEXT_ARGS(url));
			return EXIT_USAGE;
		}
		if (i > 0)
			buffer_append_byte(compose->out, ',');
		compose_append_job(compose->out, url);
	}
	buffer_append_byte(compose->out, ']');
	return 0;
}

/* All but the jobs, and the end. */
static int compose_begin(struct compose *compose)
{
	static int (*const keys[])(struct compose * compose) = {
		compose_method,
		compose_headers,
		compose_body,
		compose_retry,
		compose_times,
		compose_limits,
		compose_tls,
		compose_resolve,
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
	if (r >= 0 && !compose->out->failed)
		return r;
	message_print("no memory for the request");
	return EXIT_LOCAL_IO;
}

int compose_document(const struct options *options, struct buffer *out)
{
	struct compose compose = {.options = options, .out = out};
	int r;

	buffer_init(&compose.headers, SIZE_MAX / 4);
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
	r = compose_begin(&compose);
	/* Which lines meet in a graph is chance: each is fetched for itself. */
	compose_key(out, "dedupe");
	buffer_append_literal(out, "false},\"jobs\":");
	return compose_end(&compose, r);
}
