/* SPDX-License-Identifier: MIT */
#include "client/cli/render/exchange.h"

#include "client/cli/clean.h"
#include "client/cli/render/phrase.h"
#include "client/cli/render/reason.h"
#include "http/redirect.h"
#include "http/url.h"
#include "proto/json.h"
#include "util/container.h"

/* A request of a job that may be redirected. */
struct exchange {
	struct buffer *out;
	/* NULL: not known. */
	const struct plan_spec *spec;
	/* True exactly when the response came over HTTP/2, and so what came before it, over TLS. */
	bool is_h2;
	struct text method;
	/* Its URL in normal form; text.data == NULL: it is none. */
	struct url url;
	struct buffer url_text;
	bool has_body;
	/* True from the first redirect to another origin on. */
	bool is_foreign;
	/* True behind any. */
	bool is_redirected;
};

/* -- Lines ------------------------------------------------------------------------------------- */

static void exchange_line(struct buffer *out, char mark, struct text text)
{
	buffer_append_byte(out, mark);
	if (text.size > 0)
		buffer_append_byte(out, ' ');
	clean_line(out, text);
	buffer_append_byte(out, '\n');
}

static bool exchange_is_secret(struct text name)
{
	static const char *const names[] = {
		"authorization", "cookie", "proxy-authorization", "set-cookie"};

	for (size_t i = 0; i < countof(names); i++) {
		if (text_equal_nocase(name, text_from(names[i])))
			return true;
	}
	return false;
}

static void exchange_header(struct buffer *out, char mark, struct text name, struct text value)
{
	buffer_printf(out, "%c ", mark);
	clean_line(out, name);
	buffer_append_literal(out, ": ");
	clean_line(out, exchange_is_secret(name) ? TEXT("[masked]") : value);
	buffer_append_byte(out, '\n');
}

/* -- The request ------------------------------------------------------------------------------- */

static bool exchange_has_header(const struct exchange *exchange, const char *name)
{
	for (uint32_t i = 0; exchange->spec && i < exchange->spec->headers.n; i++) {
		if (text_equal_nocase(exchange->spec->headers.fields[i].name, text_from(name)))
			return true;
	}
	return false;
}

/* As the document has it: a brace that is no reference stands there behind a backslash. */
static void exchange_field(struct exchange *exchange, const struct plan_field *field)
{
	struct buffer value;

	if (exchange->is_redirected &&
		!redirect_header_travels(field->name, !exchange->is_foreign, exchange->has_body))
		return;
	buffer_init(&value, SIZE_MAX / 4);
	for (size_t i = 0; i < field->value.size; i++) {
		bool is_escape = field->is_template && field->value.data[i] == '\\' &&
				 i + 1 < field->value.size && field->value.data[i + 1] == '{';

		if (!is_escape)
			buffer_append_byte(&value, field->value.data[i]);
	}
	exchange_header(exchange->out, '>', field->name, buffer_text(&value));
	buffer_deinit(&value);
}

static void exchange_request(struct exchange *exchange)
{
	static const struct text agent = TEXT_INIT("settled/" SETTLED_VERSION);
	struct buffer *out = exchange->out;
	const struct plan_spec *spec = exchange->spec;

	if (!exchange->url.text.data)
		return;
	buffer_append_literal(out, "> ");
	clean_line(out, exchange->method);
	buffer_printf(out, " %.*s HTTP/%s\n", TEXT_ARGS(exchange->url.target),
		exchange->url.is_https && exchange->is_h2 ? "2" : "1.1");
	exchange_header(out, '>', TEXT("host"), exchange->url.authority);
	if (!exchange_has_header(exchange, "user-agent"))
		exchange_header(out, '>', TEXT("user-agent"), agent);
	if (!exchange_has_header(exchange, "accept"))
		exchange_header(out, '>', TEXT("accept"), TEXT("*/*"));
	/* Which codings those are, the daemon was told when it was built. */
	if (spec && spec->decode && !exchange_has_header(exchange, "accept-encoding") &&
		!exchange_has_header(exchange, "range"))
		exchange_header(out, '>', TEXT("accept-encoding"), TEXT("[all it can decode]"));
	for (uint32_t i = 0; spec && i < spec->headers.n; i++)
		exchange_field(exchange, &spec->headers.fields[i]);
	exchange_line(out, '>', TEXT(""));
}

/* Where the URL is none, the request was never made. */
static void exchange_set_url(struct exchange *exchange, struct text url)
{
	buffer_clear(&exchange->url_text);
	if (url_parse(url, &exchange->url_text, &exchange->url) != URL_OK)
		exchange->url = (struct url){.text = {NULL, 0}};
}

/* -- Redirects --------------------------------------------------------------------------------- */

/* What is asked at the URL that a hop leads to. */
static void exchange_follow(struct exchange *exchange, uint16_t status, struct text next)
{
	struct redirect_request request =
		redirect_next(status, exchange->method, exchange->has_body);
	struct url url = exchange->url;
	struct buffer text = exchange->url_text;

	buffer_init(&exchange->url_text, SIZE_MAX / 4);
	exchange_set_url(exchange, next);
	if (!url.text.data || !exchange->url.text.data ||
		!redirect_is_same_origin(&url, &exchange->url))
		exchange->is_foreign = true;
	exchange->method = request.method;
	exchange->has_body = request.keeps_body;
	exchange->is_redirected = true;
	buffer_deinit(&text);
}

static void exchange_hops(struct exchange *exchange, yyjson_val *response)
{
	yyjson_val *hops = yyjson_obj_get(response, "hops"), *hop;
	size_t i, n;

	yyjson_arr_foreach(hops, i, n, hop)
	{
		struct text digits = json_number(yyjson_obj_get(hop, "status"));
		struct text next = phrase_hop_target(response, i);
		uint64_t status = 0;

		if (!digits.data || !text_to_u64(digits, 999, &status) || !next.data)
			return;
		exchange_request(exchange);
		buffer_append_literal(exchange->out, "< ");
		phrase_append_hop(exchange->out, response, hop);
		buffer_append_literal(exchange->out, "\n* it redirects to ");
		clean_line(exchange->out, next);
		buffer_append_byte(exchange->out, '\n');
		exchange_follow(exchange, (uint16_t)status, next);
	}
}

/* -- The response ------------------------------------------------------------------------------ */

static void exchange_response(struct buffer *out, yyjson_val *root, yyjson_val *response)
{
	size_t i, n, j, m;
	yyjson_val *name, *value, *one;

	if (!yyjson_obj_get(response, "status"))
		return;
	buffer_append_literal(out, "< ");
	phrase_append(out, root, response);
	buffer_append_byte(out, '\n');
	yyjson_obj_foreach(yyjson_obj_get(response, "headers"), i, n, name, value)
	{
		if (json_string(value).data)
			exchange_header(out, '<', json_string(name), json_string(value));
		yyjson_arr_foreach(value, j, m, one)
		{
			if (json_string(one).data)
				exchange_header(out, '<', json_string(name), json_string(one));
		}
	}
	exchange_line(out, '<', TEXT(""));
}

/* -- What is told about it --------------------------------------------------------------------- */

static void exchange_number(struct buffer *out, const char *what, yyjson_val *value)
{
	struct text digits = json_number(value);

	if (digits.data)
		buffer_printf(out, "%s %.*s ms", what, TEXT_ARGS(digits));
}

static void exchange_connection(const struct exchange *exchange, yyjson_val *root)
{
	yyjson_val *conn = yyjson_obj_get(root, "conn"), *time = yyjson_obj_get(root, "time");
	struct text remote = json_string(yyjson_obj_get(conn, "remote"));
	const struct plan_spec *spec = exchange->spec;
	struct buffer *out = exchange->out;

	if (spec && spec->proxy.url.data)
		buffer_printf(out, "* by way of the proxy %.*s\n", TEXT_ARGS(spec->proxy.url));
	if (!remote.data)
		return;
	buffer_append_literal(out, "* ");
	clean_line(out, remote);
	if (yyjson_is_true(yyjson_obj_get(conn, "reused"))) {
		buffer_append_literal(out, ", a connection that was there\n");
		return;
	}
	exchange_number(out, ", a new connection: name", yyjson_obj_get(time, "dns"));
	exchange_number(out, ", connect", yyjson_obj_get(time, "connect"));
	if (exchange->url.is_https)
		exchange_number(out, ", TLS", yyjson_obj_get(time, "tls"));
	buffer_append_byte(out, '\n');
}

/* The attempts before the last one. */
static void exchange_tries(struct buffer *out, yyjson_val *root)
{
	yyjson_val *tries = yyjson_obj_get(root, "tries"), *one;
	size_t i, n;

	yyjson_arr_foreach(tries, i, n, one)
	{
		struct text code = json_string(yyjson_obj_get(one, "code"));
		struct text status = json_number(yyjson_obj_get(one, "status"));

		if (i + 1 == n)
			return;
		buffer_printf(out, "* attempt %zu: ", i + 1);
		clean_line(out, code.data ? code : TEXT("done"));
		if (status.data)
			buffer_printf(out, " %.*s", TEXT_ARGS(status));
		exchange_number(out, "; again after", yyjson_obj_get(one, "backoff"));
		buffer_append_byte(out, '\n');
	}
}

static void exchange_end(struct buffer *out, yyjson_val *root, yyjson_val *response)
{
	yyjson_val *reason = yyjson_obj_get(root, "reason"), *time = yyjson_obj_get(root, "time");
	struct text bytes = json_number(yyjson_obj_get(response, "bytes"));

	if (reason) {
		buffer_append_literal(out, "* ");
		reason_append(out, reason);
		buffer_append_byte(out, '\n');
	}
	if (!bytes.data)
		return;
	buffer_printf(out, "* %.*s bytes of body", TEXT_ARGS(bytes));
	exchange_number(out, "; first byte after", yyjson_obj_get(time, "first_byte"));
	exchange_number(out, ", the body took", yyjson_obj_get(time, "body"));
	buffer_append_byte(out, '\n');
}

/* -- All of it --------------------------------------------------------------------------------- */

static void exchange_write(struct exchange *exchange, yyjson_val *root)
{
	yyjson_val *value = yyjson_obj_get(root, "value");
	yyjson_val *response =
		value ? value : yyjson_obj_get(yyjson_obj_get(root, "reason"), "response");
	struct text attempts = json_number(yyjson_obj_get(root, "attempts"));
	struct text version = json_string(yyjson_obj_get(response, "version"));

	exchange->is_h2 = version.data && text_is(version, "2");
	exchange_tries(exchange->out, root);
	exchange_connection(exchange, root);
	/* What was refused before anything was sent asked for nothing. */
	if (attempts.data && !text_is(attempts, "0")) {
		exchange_hops(exchange, response);
		exchange_request(exchange);
		exchange_response(exchange->out, root, response);
	}
	exchange_end(exchange->out, root, response);
}

void exchange_append(
	struct buffer *out, const struct plan_job *job, struct text url, struct text record)
{
	const struct plan_spec *spec = job ? job->spec : NULL;
	struct exchange exchange = {.out = out, .spec = spec};
	struct json_error error;
	yyjson_doc *doc = json_read(record, &error);

	exchange.has_body = spec && spec->body != PLAN_BODY_NONE;
	exchange.method = exchange.has_body ? TEXT("POST") : TEXT("GET");
	if (spec && spec->method.data)
		exchange.method = spec->method;
	buffer_init(&exchange.url_text, SIZE_MAX / 4);
	exchange_set_url(&exchange, job && !job->url_is_template ? job->url : url);
	exchange_write(&exchange, yyjson_doc_get_root(doc));
	buffer_deinit(&exchange.url_text);
	yyjson_doc_free(doc);
}
