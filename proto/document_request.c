/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include "http/request.h"

/*
 * The keys of a job that are about its request and what becomes of the response.
 */

bool document_take_body(
	struct document *document, struct document_job *job, const struct document_at *at)
{
	struct plan_spec *spec = &job->spec;

	if (job->has_body) {
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"a job has one of \"json\", \"form\", \"body\" and \"body_base64\"");
		return false;
	}
	job->has_body = true;
	job->place = DOCUMENT_IN_BODY;
	spec->body = PLAN_BODY_NONE;
	spec->body_text = (struct text){NULL, 0};
	spec->body_value = NULL;
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

void document_read_output(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("inline"), PLAN_INLINE},
		{TEXT_INIT("discard"), PLAN_DISCARD},
		{TEXT_INIT("stream"), -1},
		{TEXT_INIT("file"), -1},
		{{NULL, 0}, 0},
	};
	int output = document_read_word(document, value, at, words);

	if (output >= 0)
		job->spec.output = (enum plan_output)output;
}

void document_read_http(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	static const struct document_word words[] = {
		{TEXT_INIT("auto"), PLAN_HTTP_AUTO},
		{TEXT_INIT("1.1"), PLAN_HTTP_1_1},
		{TEXT_INIT("2"), -1},
		{{NULL, 0}, 0},
	};
	int http = document_read_word(document, value, at, words);

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

/* Keys of which only the value that asks for nothing is supported by now. */

void document_read_redirects(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	struct text text = json_number(value);
	uint64_t redirects;

	if (!text.data)
		document_refuse_type(document, at, value, "a number");
	else if (!text_to_u64(text, UINT32_MAX, &redirects))
		document_refuse(document, at, FAULT_GRAPH_VALUE, "must be a whole number");
	else if (redirects > 0)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"following redirects is not supported by this version; leave it out or "
			"write 0");
}

void document_read_decode(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	bool decode;

	if (document_read_bool(document, value, at, &decode) && decode)
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"decoding is not supported by this version; leave it out or write false");
}
