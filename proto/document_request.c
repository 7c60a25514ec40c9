/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "http/request.h"
#include "util/container.h"

/*
 * The keys of a job that are about its request and what becomes of the response, and what one of
 * them says about another: that can be seen when the job's own and its defaults are together.
 *
 * A descriptor is a number here: what came with the document is counted, and what it is the daemon
 * finds out when the job needs it. Two jobs may read from one, and one may read what another has
 * written; but only one job writes to it.
 */

bool document_take_body(
	struct document *document, struct document_job *job, const struct document_at *at)
{
	struct plan_spec *spec = &job->spec;

	if (job->has_body) {
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"a job has one of \"json\", \"form\", \"body\", \"body_base64\" and "
			"\"body_fd\"");
		return false;
	}
	job->has_body = true;
	job->place = DOCUMENT_IN_BODY;
	spec->body = PLAN_BODY_NONE;
	spec->body_text = (struct text){NULL, 0};
	spec->body_value = NULL;
	spec->body_fd = 0;
	spec->form = (struct plan_fields){NULL, 0};
	return true;
}

void document_read_method(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct text method;

	if (!document_read_string(document, value, at, &method))
		return;
	if (request_method_is_valid(method))
		job->spec.method = method;
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is no method that can be sent", document_quote(method).text);
}

void document_read_json_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	if (!document_take_body(document, job, at))
		return;
	job->spec.body = PLAN_BODY_JSON;
	job->spec.body_value = value;
	document_read_json(document, job, value, at);
}

void document_read_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct text text;

	if (!document_take_body(document, job, at) ||
		!document_read_string(document, value, at, &text))
		return;
	job->spec.body = PLAN_BODY_TEXT;
	job->spec.body_text = text;
	document_read_template(document, job, text, at);
}

/* The number of one that came with the document; false, and refused, where it is none. */
static bool document_read_descriptor(struct document *document, yyjson_val *value,
	const struct document_at *at, uint32_t *ret_fd)
{
	struct text text = json_number(value);
	uint32_t n =
		document->limits->n_fds < PLAN_FDS_MAX ? document->limits->n_fds : PLAN_FDS_MAX;
	uint64_t fd;

	if (!text.data) {
		document_refuse_type(document, at, value, "a number");
		return false;
	}
	if (!text_to_u64(text, UINT32_MAX, &fd)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be the number of a descriptor, from 0 on");
		return false;
	}
	if (fd >= n) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"there is no descriptor %ju: %u came with the graph, the first one is 0",
			(uintmax_t)fd, n);
		return false;
	}
	*ret_fd = (uint32_t)fd;
	return true;
}

void document_read_body_fd(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	if (!document_take_body(document, job, at) ||
		!document_read_descriptor(document, value, at, &job->spec.body_fd))
		return;
	job->spec.body = PLAN_BODY_FD;
}

void document_read_fd(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->has_fd = true;
	if (!document_read_descriptor(document, value, at, &job->spec.output_fd))
		job->spec.output_fd = PLAN_NONE;
}

void document_read_output(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("inline"), PLAN_INLINE},
		{TEXT_INIT("discard"), PLAN_DISCARD},
		{TEXT_INIT("stream"), PLAN_STREAM},
		{TEXT_INIT("file"), PLAN_FILE},
		{{NULL, 0}, 0},
	};
	int output = document_read_word(document, value, at, words);

	if (output < 0)
		return;
	job->spec.output = (enum plan_output)output;
	if (output != PLAN_INLINE)
		document->has_sinks = true;
}

void document_read_http(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("auto"), PLAN_HTTP_AUTO},
		{TEXT_INIT("1.1"), PLAN_HTTP_1_1},
		{TEXT_INIT("2"), PLAN_HTTP_2},
		{{NULL, 0}, 0},
	};
	int http = document_read_word(document, value, at, words);

	job->says_http = true;
	if (http >= 0)
		job->spec.http = (enum plan_http)http;
}

void document_read_omit(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.omit);
}

void document_read_max_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->has_max_body = document_read_size(document, value, at, &job->spec.max_body);
}

void document_read_dedupe(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.dedupe);
}

void document_read_redirects(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct text text = json_number(value);
	uint64_t redirects;

	if (!text.data)
		document_refuse_type(document, at, value, "a number");
	else if (!text_to_u64(text, PLAN_REDIRECTS_MAX, &redirects))
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be a whole number from 0 to %d", PLAN_REDIRECTS_MAX);
	else
		job->spec.redirects = (uint32_t)redirects;
}

void document_read_decode(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.decode);
}

/* -- Who the job is ---------------------------------------------------------------------------- */

/* What is refused is not quoted: it may be the secret itself. */
static void document_read_secret(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text name;

	if (!document_read_string(document, value, at, &name))
		return;
	if (plan_id_is_valid(name))
		job->spec.auth_secret = name;
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be the name of a secret: 1 to 64 letters, digits, '_' and '-'");
}

void document_read_auth(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	enum { KEY_BASIC, KEY_BEARER };
	static const struct document_key keys[] = {
		[KEY_BASIC] = {TEXT_INIT("basic"), document_read_secret, 0},
		[KEY_BEARER] = {TEXT_INIT("bearer"), document_read_secret, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	uint32_t n_errors = document->errors->n;
	uint64_t seen;

	job->says_auth = true;
	job->spec.auth = PLAN_AUTH_NONE;
	job->spec.auth_secret = (struct text){NULL, 0};
	seen = document_read_object(document, &schema, value, job, at);
	if (document->errors->n > n_errors)
		return;
	if (seen == UINT64_C(1) << KEY_BASIC)
		job->spec.auth = PLAN_AUTH_BASIC;
	else if (seen == UINT64_C(1) << KEY_BEARER)
		job->spec.auth = PLAN_AUTH_BEARER;
	else
		document_refuse(
			document, at, FAULT_GRAPH_KEY, "must have one of \"basic\" and \"bearer\"");
}

/* -- Keys that others have a say in ------------------------------------------------------------ */

static bool document_has_header(const struct plan_spec *spec, struct text name)
{
	for (uint32_t i = 0; i < spec->headers.n; i++) {
		if (text_equal_nocase(spec->headers.fields[i].name, name))
			return true;
	}
	return false;
}

/* `key` makes the header `name`: who gives it besides, here or in the defaults, is refused. Where
 * both came with the defaults, they were. */
static void document_check_header(struct document *document, const struct document_job *job,
	struct text key, struct text name, const struct document_at *at)
{
	bool says_key = text_is(key, "auth") ? job->says_auth : job->says_proxy;
	struct document_at member = {.parent = at, .key = says_key ? key : TEXT("headers")};

	if ((says_key || job->says_headers) && document_has_header(&job->spec, name))
		document_refuse(document, &member, FAULT_GRAPH_KEY,
			"\"%.*s\" makes the header \"%.*s\": a job has one of them", TEXT_ARGS(key),
			TEXT_ARGS(name));
}

void document_check_credentials(
	struct document *document, const struct document_job *job, const struct document_at *at)
{
	if (job->spec.auth != PLAN_AUTH_NONE)
		document_check_header(document, job, TEXT("auth"), TEXT("authorization"), at);
	if (job->spec.proxy.credentials.data)
		document_check_header(
			document, job, TEXT("proxy"), TEXT("proxy-authorization"), at);
}

void document_check_http(struct document *document, const struct document_job *job,
	const struct plan_spec *spec, const struct document_at *at)
{
	struct document_at member = {
		.parent = at, .key = job->says_http ? TEXT("http") : TEXT("url")};
	struct text plain = TEXT("http://"), url = document->plan->jobs[job->index].url;

	if (spec->http != PLAN_HTTP_2 || url.size < plain.size)
		return;
	if (text_equal_nocase((struct text){url.data, plain.size}, plain))
		document_refuse(document, &member, FAULT_GRAPH_VALUE,
			"\"http\": \"2\" needs an https URL: HTTP/2 is spoken over TLS alone");
}

/* One descriptor is the output of one job, made once. */
static void document_check_fd(
	struct document *document, const struct document_job *job, const struct document_at *at)
{
	struct document_at member = {.parent = at, .key = TEXT("fd")};
	uint32_t fd = job->spec.output_fd;

	if (job->spec.output != PLAN_FILE) {
		document_refuse(
			document, &member, FAULT_GRAPH_KEY, "\"fd\" needs \"output\": \"file\"");
		return;
	}
	if (job->has_item) {
		document_refuse(document, &member, FAULT_GRAPH_VALUE,
			"all children of the fan-out would write to the same descriptor");
		return;
	}
	if (fd == PLAN_NONE)
		return;
	if (document->writers[fd] > 0)
		document_refuse(document, &member, FAULT_GRAPH_VALUE,
			"the job \"%s\" writes to the descriptor %u already",
			document_quote(document->plan->jobs[document->writers[fd] - 1].id).text,
			fd);
	else
		document->writers[fd] = job->index + 1;
}

void document_check_request(
	struct document *document, const struct document_job *job, const struct document_at *at)
{
	document_check_http(document, job, &job->spec, at);
	document_check_credentials(document, job, at);
	if (job->has_fd)
		document_check_fd(document, job, at);
	else if (job->spec.output == PLAN_FILE)
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"the key \"fd\" is missing: the descriptor that \"output\": \"file\" "
			"writes to");
}
