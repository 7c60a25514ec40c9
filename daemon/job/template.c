/* SPDX-License-Identifier: MIT */
#include "job/template.h"

#include "http/request.h"
#include "job/graph.h"
#include "job/scheduler.h"
#include "job/template_json.h"
#include "job/template_private.h"
#include "job/trail.h"
#include "job/value.h"
#include "job/way.h"
#include "util/panic.h"

/*
 * Every string is cut into literals and references by the cursor that checked it at admission;
 * what a literal says was the author's, what a reference brings is a stranger's and is encoded
 * for its place. In a URL a reference may not become a path step either: a segment that holds one
 * and comes out as "." or ".." (or their encodings) is refused.
 */

bool template_no_memory(struct fault *fault)
{
	fault_set(
		fault, FAULT_OVERLOADED, "the request is too large, or there is no memory for it");
	return false;
}

/* A reference's text, with its default; appended to `out` as it is. */
static bool sink_value(
	struct template_sink *sink, const struct reference *reference, struct buffer *out)
{
	struct value value;

	value_of(sink->job->scope, reference, sink->secret_host, &value);
	if (value.kind != VALUE_MISSING) {
		value_append_text(out, &value);
		return true;
	}
	if (value_takes_default(&value, reference)) {
		buffer_append_text(out, reference->fallback);
		return true;
	}
	value_fault(&value, reference, sink->fault);
	return false;
}

static bool sink_reference(struct template_sink *sink, const struct reference *reference)
{
	struct buffer text;
	bool found;

	if (reference->raw || sink->encode == buffer_append_text)
		return sink_value(sink, reference, sink->out);
	buffer_init(&text, sink->out->size_max);
	found = sink_value(sink, reference, &text);
	if (found)
		sink->encode(sink->out, buffer_text(&text));
	if (text.failed)
		sink->out->failed = true;
	buffer_deinit(&text);
	return found;
}

bool template_fill(struct template_sink *sink, struct text template)
{
	struct reference_cursor cursor = reference_cursor(template);
	enum reference_piece piece;
	struct reference reference;
	struct text literal;

	while ((piece = reference_next(&cursor, &literal, &reference)) != REFERENCE_END) {
		expect(piece != REFERENCE_BAD);
		if (piece == REFERENCE_FOUND && !sink_reference(sink, &reference))
			return false;
		if (piece == REFERENCE_LITERAL && sink->encodes_literals)
			sink->encode(sink->out, literal);
		else if (piece == REFERENCE_LITERAL)
			buffer_append_text(sink->out, literal);
	}
	return true;
}

/* A query or form field: all of it is encoded, but what the author wanted raw. */
static bool sink_field(struct template_sink *sink, const struct plan_field *field)
{
	struct template_sink value = *sink;

	sink->encode(sink->out, field->name);
	buffer_append_byte(sink->out, '=');
	value.encodes_literals = true;
	if (field->is_template)
		return template_fill(&value, field->value);
	sink->encode(sink->out, field->value);
	return true;
}

/* URL. */

/* A dot, or its encoding, at the start of the text: its size, or 0. */
static size_t dot_size(struct text text)
{
	if (text.size >= 1 && text.data[0] == '.')
		return 1;
	if (text.size >= 3 && text.data[0] == '%' && text.data[1] == '2' &&
		text_lower(text.data[2]) == 'e')
		return 3;
	return 0;
}

static bool segment_is_dots(struct text segment)
{
	size_t first = dot_size(segment);
	size_t second = first ? dot_size(text_from_at(segment, first)) : 0;

	return first && (first == segment.size || (second && first + second == segment.size));
}

/* The segment of the URL's path that `at` lies in, or ends at. */
static struct text segment_around(struct text url, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && url.data[from - 1] != '/')
		from--;
	while (to < url.size && url.data[to] != '/' && url.data[to] != '?' && url.data[to] != '#')
		to++;
	return (struct text){url.data + from, to - from};
}

/* True where a path segment that has bytes of `from` to `to`, or ends there, is "." or "..". A raw
 * value may have brought several. */
static bool url_has_dots(struct text url, size_t from, size_t to)
{
	while (from <= to && from <= url.size) {
		struct text segment = segment_around(url, from);

		if (segment_is_dots(segment))
			return true;
		from = (size_t)(segment.data - url.data) + segment.size + 1;
	}
	return false;
}

static bool url_unsafe(struct fault *fault, const char *why)
{
	fault_set(fault, FAULT_TEMPLATE_UNSAFE, "%s", why);
	return false;
}

/* What no URL may hold, whoever wrote it. */
static bool url_check_bytes(struct text url, struct fault *fault)
{
	for (size_t i = 0; i < url.size; i++) {
		switch (url.data[i]) {
		case '\r':
		case '\n':
		case '\0':
		case ' ': return url_unsafe(fault, "a line end, NUL or space in the URL");
		default: break;
		}
	}
	return true;
}

static bool has_delimiter(struct text text)
{
	return text_find(text, '/') < text.size || text_find(text, '?') < text.size ||
	       text_find(text, '#') < text.size;
}

/* What a URL's filling has come to. */
struct url_fill {
	struct template_sink *sink;
	/* Where the references since the last delimiter of the author's begin and end. */
	size_t from, to;
	bool is_touched;
	bool in_query;
};

/* The author's text, or the URL's end: the segments before it are whole. */
static bool url_fill_literal(struct url_fill *fill, struct text literal, bool is_end)
{
	struct template_sink *sink = fill->sink;

	buffer_append_text(sink->out, literal);
	if (!is_end && !has_delimiter(literal))
		return true;
	if (fill->is_touched && !fill->in_query && !sink->out->failed &&
		url_has_dots(buffer_text(sink->out), fill->from, fill->to))
		return url_unsafe(sink->fault, "a path segment became . or ..");
	fill->is_touched = false;
	fill->in_query = fill->in_query || text_find(literal, '?') < literal.size;
	return true;
}

static bool url_fill_reference(struct url_fill *fill, const struct reference *reference)
{
	if (!fill->is_touched)
		fill->from = fill->sink->out->size;
	fill->is_touched = true;
	if (!sink_reference(fill->sink, reference))
		return false;
	fill->to = fill->sink->out->size;
	return true;
}

/* Fills `template` into sink->out and checks each path segment that a reference went into. */
static bool url_fill(struct template_sink *sink, struct text template)
{
	struct reference_cursor cursor = reference_cursor(template);
	struct url_fill fill = {.sink = sink};
	struct reference reference;
	struct text literal;

	for (;;) {
		bool filled = true;

		switch (reference_next(&cursor, &literal, &reference)) {
		case REFERENCE_LITERAL: filled = url_fill_literal(&fill, literal, false); break;
		case REFERENCE_FOUND: filled = url_fill_reference(&fill, &reference); break;
		case REFERENCE_END: return url_fill_literal(&fill, TEXT(""), true);
		case REFERENCE_BAD: unreachable("a reference refused at admission");
		}
		if (!filled)
			return false;
	}
}

static bool url_append_query(struct template_sink *sink, const struct plan_spec *spec)
{
	bool has_query = text_find(buffer_text(sink->out), '?') < sink->out->size;

	for (uint32_t i = 0; i < spec->query.n; i++) {
		buffer_append_byte(sink->out, has_query ? '&' : '?');
		has_query = true;
		if (!sink_field(sink, &spec->query.fields[i]))
			return false;
	}
	return true;
}

static bool url_read(
	struct text text, struct buffer *out, struct url *ret_url, struct fault *ret_fault)
{
	enum url_error error = url_parse(text, out, ret_url);

	if (error == URL_OK)
		return true;
	if (error == URL_E_MEMORY)
		return template_no_memory(ret_fault);
	fault_set(ret_fault, FAULT_URL_INVALID, "%s", url_error_text(error));
	return false;
}

/* Of a URL without references that was asked at admission. */
static bool url_check_http(
	const struct plan_spec *spec, const struct url *url, struct fault *ret_fault)
{
	if (spec->http != PLAN_HTTP_2 || url->is_https)
		return true;
	fault_set(ret_fault, FAULT_URL_INVALID, "%s",
		"\"http\": \"2\" needs an https URL: HTTP/2 is spoken over TLS alone");
	return false;
}

/* The fragment is no part of what is asked for, and a query must not land behind it. */
static void drop_fragment(struct buffer *text)
{
	text->size = text_find(buffer_text(text), '#');
}

static bool url_fill_and_read(struct job *job, struct buffer *filled, struct buffer *out,
	struct url *ret_url, struct fault *ret_fault)
{
	const struct plan_job *plan = job_plan(job);
	struct template_sink sink = {
		.job = job,
		.out = filled,
		.fault = ret_fault,
		.encode = url_append_encoded,
	};
	struct reference whole;
	bool is_whole = plan->url_is_template && reference_is_whole(plan->url, &whole);

	if (is_whole)
		sink.encode = buffer_append_text;
	if (!plan->url_is_template)
		buffer_append_text(filled, plan->url);
	else if (is_whole ? !template_fill(&sink, plan->url) : !url_fill(&sink, plan->url))
		return false;
	drop_fragment(filled);
	sink.encode = url_append_encoded;
	if (!url_append_query(&sink, plan->spec))
		return false;
	if (filled->failed)
		return template_no_memory(ret_fault);
	if (plan->url_is_template && !url_check_bytes(buffer_text(filled), ret_fault))
		return false;
	return url_read(buffer_text(filled), out, ret_url, ret_fault) &&
	       url_check_http(plan->spec, ret_url, ret_fault);
}

/* As it stands in the document, where it was checked. */
static bool url_read_plain(
	struct job *job, struct buffer *out, struct url *ret_url, struct fault *ret_fault)
{
	struct known *known = &job_graph(job)->known;
	struct text text = job_plan(job)->url;

	if (known_url(known, text, ret_url))
		return true;
	buffer_clear(out);
	if (!url_read(text, out, ret_url, ret_fault))
		return false;
	if (known_learn_url(known, job_graph(job)->scheduler->pool, text, ret_url))
		expect(known_url(known, text, ret_url));
	return true;
}

bool template_url(struct job *job, struct buffer *out, struct url *ret_url, struct fault *ret_fault)
{
	const struct plan_job *plan = job_plan(job);
	struct buffer filled;
	bool done;

	if (!plan->url_is_template && plan->spec->query.n == 0)
		return url_read_plain(job, out, ret_url, ret_fault);
	buffer_clear(out);
	buffer_init(&filled, out->size_max);
	done = url_fill_and_read(job, &filled, out, ret_url, ret_fault);
	buffer_deinit(&filled);
	return done;
}

/* Request. */

struct text template_method(const struct job *job)
{
	return job->trail ? job->trail->method : template_first_method(job);
}

struct text template_first_method(const struct job *job)
{
	const struct plan_spec *spec = job_plan(job)->spec;

	if (spec->method.data)
		return spec->method;
	return spec->body == PLAN_BODY_NONE ? TEXT("GET") : TEXT("POST");
}

bool template_has_body(const struct job *job)
{
	return job_plan(job)->spec->body != PLAN_BODY_NONE &&
	       (!job->trail || job->trail->keeps_body);
}

static bool form_fill(struct template_sink *sink, const struct plan_fields *form)
{
	for (uint32_t i = 0; i < form->n; i++) {
		if (i > 0)
			buffer_append_byte(sink->out, '&');
		if (!sink_field(sink, &form->fields[i]))
			return false;
	}
	return true;
}

/* The body into a buffer of its own: its length stands in front of it. */
static bool body_fill(struct job *job, struct buffer *out, struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct template_sink sink = {
		.job = job,
		.out = out,
		.fault = ret_fault,
		.encode = buffer_append_text,
	};

	switch (spec->body) {
	case PLAN_BODY_NONE:
	/* Sent behind the head. */
	case PLAN_BODY_FD: return true;
	case PLAN_BODY_JSON:
		return template_json_fill(job->scope, spec->body_value, false, out, ret_fault);
	case PLAN_BODY_FORM:
		sink.encode = url_append_form_encoded;
		return form_fill(&sink, &spec->form);
	case PLAN_BODY_TEXT: return template_fill(&sink, spec->body_text);
	case PLAN_BODY_BYTES: buffer_append_text(out, spec->body_text); return true;
	}
	unreachable("a body of another kind");
}

/* Its head's end, and what is there of the body. */
static void request_finish(struct job *job, uint64_t length, struct text body, struct buffer *out)
{
	bool has_body = template_has_body(job);

	if (!has_body || job_plan(job)->spec->body != PLAN_BODY_FD)
		request_end(out, template_method(job), body, has_body);
	else if (length == UINT64_MAX)
		request_end_chunked(out);
	else
		request_end_length(out, length);
}

bool template_request(struct job *job, const struct url *url, uint64_t length, struct buffer *out,
	struct fault *ret_fault)
{
	const struct plan_spec *spec = job_plan(job)->spec;
	struct template_sink sink = {
		.job = job,
		.out = out,
		.fault = ret_fault,
		.encode = buffer_append_text,
		.secret_host = way_is_bound(spec, url) ? url->host : (struct text){NULL, 0},
	};
	struct buffer body;
	bool done;

	buffer_clear(out);
	buffer_init(&body, out->size_max);
	done = !template_has_body(job) || body_fill(job, &body, ret_fault);
	if (done && spec->proxy.url.data && !url->is_https)
		request_begin_absolute(out, template_method(job), url);
	else if (done)
		request_begin(out, template_method(job), url);
	done = done && template_headers(&sink, url);
	if (done && !body.failed)
		request_finish(job, length, buffer_text(&body), out);
	if (done && (body.failed || out->failed))
		done = template_no_memory(ret_fault);
	buffer_deinit(&body);
	return done;
}

void template_result(struct graph *graph, struct buffer *out)
{
	struct fault fault;

	template_json_fill(graph->root, graph->plan->result, true, out, &fault);
}
