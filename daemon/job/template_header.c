/* SPDX-License-Identifier: MIT */
#include "job/template_private.h"

#include "http/decode.h"
#include "http/header.h"
#include "http/redirect.h"
#include "http/request.h"
#include "job/graph.h"
#include "job/resume.h"
#include "job/trail.h"
#include "job/trial.h"
#include "job/value.h"
#include "util/base64.h"
#include "util/container.h"

/*
 * A request's headers: what is said of it unless its author says otherwise, who it is from, and
 * what the author says.
 *
 * On the trail of a redirect only some go along (http/redirect). To another origin goes nothing
 * that is a secret: not `auth`, and of the headers that do travel none that holds one. The proxy is
 * the same one all the way, and so are its credentials.
 *
 * A part of a coded body cannot be decoded (Fetch standard 4.6), so with a Range no codings are
 * asked for.
 */

static bool headers_have(const struct plan_fields *headers, struct text name)
{
	for (uint32_t i = 0; i < headers->n; i++) {
		if (text_equal_nocase(headers->fields[i].name, name))
			return true;
	}
	return false;
}

bool template_may_resume(const struct job *job)
{
	const struct plan_fields *headers = &job_plan(job)->spec->headers;

	return text_is(template_method(job), "GET") && !headers_have(headers, TEXT("range")) &&
	       !headers_have(headers, TEXT("if-range"));
}

/* "name: value" with the value filled in place, behind what is there. */
static bool header_fill(struct template_sink *sink, const struct plan_field *field)
{
	struct buffer text;
	struct template_sink value = *sink;
	bool done;

	buffer_init(&text, sink->out->size_max);
	value.out = &text;
	done = template_fill(&value, field->value);
	if (done && !header_value_is_valid(header_trim(buffer_text(&text)))) {
		fault_set(sink->fault, FAULT_TEMPLATE_UNSAFE,
			"a control character in the header %.*s", TEXT_ARGS(field->name));
		done = false;
	}
	if (done)
		request_header(sink->out, field->name, header_trim(buffer_text(&text)));
	if (text.failed)
		sink->out->failed = true;
	buffer_deinit(&text);
	return done;
}

/* What nobody has said otherwise. */
static void headers_put_usual(struct template_sink *sink, const struct plan_spec *spec)
{
	static const char agent[] = "user-agent: settled/" SETTLED_VERSION "\r\n";
	static const char accept[] = "accept: */*\r\n";
	static const struct {
		enum plan_body body;
		struct text type;
	} types[] = {
		{PLAN_BODY_JSON, TEXT_INIT("application/json")},
		{PLAN_BODY_FORM, TEXT_INIT("application/x-www-form-urlencoded")},
		{PLAN_BODY_TEXT, TEXT_INIT("text/plain;charset=utf-8")},
	};
	const struct plan_fields *headers = &spec->headers;
	const struct trial *trial = sink->job->trial;
	const struct resume *resume = trial ? trial->resume : NULL;

	if (!headers_have(headers, TEXT("user-agent")))
		buffer_append_literal(sink->out, agent);
	if (!headers_have(headers, TEXT("accept")))
		buffer_append_literal(sink->out, accept);
	if (resume)
		resume_append_headers(resume, sink->out);
	else if (spec->decode && !headers_have(headers, TEXT("accept-encoding")) &&
		 !headers_have(headers, TEXT("range")))
		buffer_append_text(sink->out, decode_accept_line());
	if (!template_has_body(sink->job) || headers_have(headers, TEXT("content-type")))
		return;
	for (size_t i = 0; i < countof(types); i++) {
		if (types[i].body == spec->body)
			request_header(sink->out, TEXT("content-type"), types[i].type);
	}
}

/* Credentials. */

/* False: the fault. */
static bool secret_find(
	struct template_sink *sink, struct text name, struct text host, struct text *ret_secret)
{
	struct reference reference = {.kind = REFERENCE_SECRET, .name = name};
	struct value value;

	value_of(sink->job->scope, &reference, host, &value);
	if (value.kind == VALUE_MISSING) {
		value_fault(&value, &reference, sink->fault);
		return false;
	}
	*ret_secret = value.text;
	return true;
}

/* RFC 7617 section 2. */
static void header_put_basic(struct template_sink *sink, struct text name, struct text credentials)
{
	buffer_append_text(sink->out, name);
	buffer_append_literal(sink->out, ": Basic ");
	base64_append(sink->out, credentials);
	buffer_append_literal(sink->out, "\r\n");
}

/* RFC 6750 section 2.1. */
static bool header_put_bearer(struct template_sink *sink, struct text name, struct text token)
{
	if (token.size == 0 || !header_value_is_valid(token)) {
		fault_set(sink->fault, FAULT_TEMPLATE_UNSAFE,
			"the secret %.*s is no token that a header may hold", TEXT_ARGS(name));
		return false;
	}
	buffer_append_literal(sink->out, "authorization: Bearer ");
	buffer_append_text(sink->out, token);
	buffer_append_literal(sink->out, "\r\n");
	return true;
}

/* `auth`. */
static bool headers_put_auth(struct template_sink *sink, const struct plan_spec *spec)
{
	struct text secret;

	if (spec->auth == PLAN_AUTH_NONE)
		return true;
	if (!secret_find(sink, spec->auth_secret, sink->secret_host, &secret))
		return false;
	if (spec->auth == PLAN_AUTH_BEARER)
		return header_put_bearer(sink, spec->auth_secret, secret);
	header_put_basic(sink, TEXT("authorization"), secret);
	return true;
}

/* What the proxy is shown that passes this request on. (One that makes a tunnel is shown it when
 * that is made.) */
static bool headers_put_proxy(struct template_sink *sink, const struct plan_proxy *proxy)
{
	struct text credentials = proxy->credentials;

	if (!credentials.data)
		return true;
	if (proxy->is_secret && !secret_find(sink, credentials, proxy->host, &credentials))
		return false;
	header_put_basic(sink, TEXT("proxy-authorization"), credentials);
	return true;
}

/* The author's own. */

static bool field_has_secret(const struct plan_field *field)
{
	struct reference_cursor cursor = reference_cursor(field->value);
	enum reference_piece piece = REFERENCE_LITERAL;
	struct reference reference;
	struct text literal;

	if (!field->is_template)
		return false;
	while (piece == REFERENCE_LITERAL || piece == REFERENCE_FOUND) {
		piece = reference_next(&cursor, &literal, &reference);
		if (piece == REFERENCE_FOUND && reference.kind == REFERENCE_SECRET)
			return true;
	}
	return false;
}

static bool field_travels(const struct trail *trail, const struct plan_field *field)
{
	if (!trail)
		return true;
	return redirect_header_travels(field->name, !trail->is_foreign, trail->keeps_body) &&
	       !(trail->is_foreign && field_has_secret(field));
}

static bool headers_put_own(struct template_sink *sink, const struct plan_fields *headers)
{
	for (uint32_t i = 0; i < headers->n; i++) {
		const struct plan_field *field = &headers->fields[i];

		if (!field_travels(sink->job->trail, field))
			continue;
		if (!field->is_template)
			request_header(sink->out, field->name, field->value);
		else if (!header_fill(sink, field))
			return false;
	}
	return true;
}

bool template_headers(struct template_sink *sink, const struct url *url)
{
	const struct plan_spec *spec = job_plan(sink->job)->spec;
	const struct trail *trail = sink->job->trail;

	headers_put_usual(sink, spec);
	if (!url->is_https && spec->proxy.url.data && !headers_put_proxy(sink, &spec->proxy))
		return false;
	if (!(trail && trail->is_foreign) && !headers_put_auth(sink, spec))
		return false;
	return headers_put_own(sink, &spec->headers);
}
