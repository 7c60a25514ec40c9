/* SPDX-License-Identifier: MIT */
/*
 * A format is gone through once, from left to right: text, "\n" and its kin, "%%", "%{name}" and
 * "%header{name}". Whatever is none of these stands for itself, as with curl; a name that is not
 * known stands for nothing, and stderr is told.
 *
 * curl's times run from the start of the transfer, a record has the lengths of its phases: they
 * are added up. The start is when the job was ready.
 */
#include "client/cli/render/writeout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/redirect.h"
#include "http/url.h"
#include "proto/json.h"
#include "util/container.h"

/* What a variable stands for: one of the two, or nothing. */
struct writeout_value {
	/* As text it stands as it is. */
	struct text text;
	/* True: a number, without quotes in JSON. */
	bool is_number;
	/* Digits that were made here. */
	char digits[32];
};

/* A record, read. */
struct writeout_view {
	const struct writeout *writeout;
	yyjson_val *root, *reason;
	/* NULL: there was none. */
	yyjson_val *response;
	/* Seconds since the start: of each phase's end. */
	double lookup, connect, tls, first_byte, redirect, total;
	/* What has no place in the record. */
	struct buffer scratch;
};

static void writeout_text(struct writeout_value *value, struct text text)
{
	value->text = text;
}

static void writeout_u64(struct writeout_value *value, uint64_t number)
{
	int size = snprintf(value->digits, sizeof(value->digits), "%" PRIu64, number);

	value->text = (struct text){value->digits, (size_t)size};
	value->is_number = true;
}

static void writeout_seconds(struct writeout_value *value, double seconds)
{
	int size = snprintf(value->digits, sizeof(value->digits), "%.6f", seconds);

	value->text = (struct text){value->digits, (size_t)size};
	value->is_number = true;
}

/* A whole number of the record; 0 where there is none. */
static uint64_t writeout_number_of(yyjson_val *object, const char *name)
{
	struct text digits = json_number(yyjson_obj_get(object, name));
	uint64_t number = 0;

	return digits.data && text_to_u64(digits, UINT64_MAX, &number) ? number : 0;
}

static double writeout_seconds_of(yyjson_val *object, const char *name)
{
	struct text digits = json_number(yyjson_obj_get(object, name));

	/* What stands behind a number ends it. */
	return digits.data ? strtod(digits.data, NULL) / 1000 : 0;
}

static struct text writeout_header(const struct writeout_view *view, struct text name)
{
	size_t i, n;
	yyjson_val *key, *value;

	yyjson_obj_foreach(yyjson_obj_get(view->response, "headers"), i, n, key, value)
	{
		if (!text_equal_nocase(json_string(key), name))
			continue;
		return json_string(yyjson_is_arr(value) ? yyjson_arr_get_first(value) : value);
	}
	return (struct text){NULL, 0};
}

/* -- The variables ----------------------------------------------------------------------------- */

static void writeout_content_type(struct writeout_view *view, struct writeout_value *value)
{
	writeout_text(value, writeout_header(view, TEXT("content-type")));
}

static void writeout_error(struct writeout_view *view, struct writeout_value *value)
{
	struct text code = json_string(yyjson_obj_get(view->reason, "code"));
	struct text message = json_string(yyjson_obj_get(view->reason, "message"));

	if (!code.data)
		return;
	buffer_clear(&view->scratch);
	buffer_append_text(&view->scratch, code);
	buffer_append_literal(&view->scratch, ": ");
	buffer_append_text(&view->scratch, message.data ? message : TEXT(""));
	writeout_text(value, buffer_text(&view->scratch));
}

static void writeout_exit_code(struct writeout_view *view, struct writeout_value *value)
{
	writeout_u64(value, view->reason != NULL);
}

static void writeout_filename(struct writeout_view *view, struct writeout_value *value)
{
	if (view->writeout->filename && !view->reason)
		writeout_text(value, text_from(view->writeout->filename));
}

/* Three digits, as in a status line. */
static void writeout_code(struct writeout_view *view, struct writeout_value *value)
{
	unsigned status = (unsigned)writeout_number_of(view->response, "status") % 1000;
	int size = snprintf(value->digits, sizeof(value->digits), "%03u", status);

	writeout_text(value, (struct text){value->digits, (size_t)size});
}

static void writeout_version(struct writeout_view *view, struct writeout_value *value)
{
	struct text version = json_string(yyjson_obj_get(view->response, "version"));

	writeout_text(value, version.data ? version : TEXT("0"));
}

/* That of the last request: redirects may change it. */
static void writeout_method(struct writeout_view *view, struct writeout_value *value)
{
	const struct plan_spec *spec = view->writeout->job ? view->writeout->job->spec : NULL;
	bool has_body = spec && spec->body != PLAN_BODY_NONE;
	struct text method = has_body ? TEXT("POST") : TEXT("GET");
	yyjson_val *hop;
	size_t i, n;

	if (spec && spec->method.data)
		method = spec->method;
	yyjson_arr_foreach(yyjson_obj_get(view->response, "hops"), i, n, hop)
	{
		uint16_t status = (uint16_t)writeout_number_of(hop, "status");
		struct redirect_request next = redirect_next(status, method, has_body);

		method = next.method;
		has_body = next.keeps_body;
	}
	writeout_text(value, method);
}

static void writeout_num_connects(struct writeout_view *view, struct writeout_value *value)
{
	yyjson_val *conn = yyjson_obj_get(view->root, "conn");

	writeout_u64(value, conn && !yyjson_is_true(yyjson_obj_get(conn, "reused")));
}

static void writeout_num_headers(struct writeout_view *view, struct writeout_value *value)
{
	uint64_t count = 0;
	size_t i, n;
	yyjson_val *key, *header;

	yyjson_obj_foreach(yyjson_obj_get(view->response, "headers"), i, n, key, header)
	{
		count += yyjson_is_arr(header) ? yyjson_arr_size(header) : 1;
	}
	writeout_u64(value, count);
}

static void writeout_num_redirects(struct writeout_view *view, struct writeout_value *value)
{
	writeout_u64(value, writeout_number_of(view->response, "redirects"));
}

static void writeout_num_retries(struct writeout_view *view, struct writeout_value *value)
{
	uint64_t attempts = writeout_number_of(view->root, "attempts");

	writeout_u64(value, attempts > 0 ? attempts - 1 : 0);
}

/* Where a redirect leads that was not followed. */
static void writeout_redirect_url(struct writeout_view *view, struct writeout_value *value)
{
	struct text location = writeout_header(view, TEXT("location"));
	struct text from = json_string(yyjson_obj_get(view->response, "url"));
	uint64_t status = writeout_number_of(view->response, "status");
	struct url base, url;
	const char *why;

	buffer_clear(&view->scratch);
	if (location.data && from.data && redirect_is_status((uint16_t)status) &&
		url_parse(from, &view->scratch, &base) == URL_OK &&
		redirect_resolve(&base, location, &view->scratch, &url, &why) == REDIRECT_OK)
		writeout_text(value, url.text);
}

static struct text writeout_remote(const struct writeout_view *view)
{
	return json_string(yyjson_obj_get(yyjson_obj_get(view->root, "conn"), "remote"));
}

static size_t writeout_port_at(struct text remote)
{
	size_t at = remote.size;

	while (at > 0 && remote.data[at - 1] != ':')
		at--;
	return at;
}

static void writeout_remote_ip(struct writeout_view *view, struct writeout_value *value)
{
	struct text remote = writeout_remote(view);
	size_t port = writeout_port_at(remote);

	if (port == 0)
		return;
	remote.size = port - 1;
	if (remote.size > 1 && remote.data[0] == '[') {
		remote.data++;
		remote.size -= 2;
	}
	writeout_text(value, remote);
}

static void writeout_remote_port(struct writeout_view *view, struct writeout_value *value)
{
	struct text remote = writeout_remote(view);
	uint64_t port = 0;

	if (remote.data &&
		!text_to_u64(text_from_at(remote, writeout_port_at(remote)), 65535, &port))
		port = 0;
	writeout_u64(value, port);
}

static struct text writeout_effective(const struct writeout_view *view)
{
	struct text url = json_string(yyjson_obj_get(view->response, "url"));
	const struct plan_job *job = view->writeout->job;

	if (url.data)
		return url;
	return job ? job->url : text_from(view->writeout->url);
}

static void writeout_scheme(struct writeout_view *view, struct writeout_value *value)
{
	struct text url = writeout_effective(view);

	url.size = text_find(url, ':');
	writeout_text(value, url);
}

static void writeout_size(struct writeout_view *view, struct writeout_value *value)
{
	writeout_u64(value, writeout_number_of(view->response, "bytes"));
}

static void writeout_speed(struct writeout_view *view, struct writeout_value *value)
{
	double bytes = (double)writeout_number_of(view->response, "bytes");

	writeout_u64(value, view->total > 0 ? (uint64_t)(bytes / view->total) : 0);
}

static void writeout_time_appconnect(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->tls > view->connect ? view->tls : 0);
}

static void writeout_time_connect(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->connect);
}

static void writeout_time_namelookup(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->lookup);
}

static void writeout_time_pretransfer(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->tls);
}

static void writeout_time_queue(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, writeout_seconds_of(yyjson_obj_get(view->root, "time"), "queue"));
}

static void writeout_time_redirect(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->redirect);
}

static void writeout_time_starttransfer(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->first_byte);
}

static void writeout_time_total(struct writeout_view *view, struct writeout_value *value)
{
	writeout_seconds(value, view->total);
}

static void writeout_url(struct writeout_view *view, struct writeout_value *value)
{
	writeout_text(value, text_from(view->writeout->url));
}

static void writeout_url_effective(struct writeout_view *view, struct writeout_value *value)
{
	writeout_text(value, writeout_effective(view));
}

static void writeout_urlnum(struct writeout_view *view, struct writeout_value *value)
{
	writeout_u64(value, view->writeout->index);
}

/* In the order of %{json}. */
static const struct {
	const char *name;
	void (*get)(struct writeout_view *view, struct writeout_value *value);
} writeout_variables[] = {
	{"content_type", writeout_content_type},
	{"errormsg", writeout_error},
	{"exitcode", writeout_exit_code},
	{"filename_effective", writeout_filename},
	{"http_code", writeout_code},
	{"http_version", writeout_version},
	{"method", writeout_method},
	{"num_connects", writeout_num_connects},
	{"num_headers", writeout_num_headers},
	{"num_redirects", writeout_num_redirects},
	{"num_retries", writeout_num_retries},
	{"redirect_url", writeout_redirect_url},
	{"remote_ip", writeout_remote_ip},
	{"remote_port", writeout_remote_port},
	{"response_code", writeout_code},
	{"scheme", writeout_scheme},
	{"size_download", writeout_size},
	{"speed_download", writeout_speed},
	{"time_appconnect", writeout_time_appconnect},
	{"time_connect", writeout_time_connect},
	{"time_namelookup", writeout_time_namelookup},
	{"time_pretransfer", writeout_time_pretransfer},
	{"time_queue", writeout_time_queue},
	{"time_redirect", writeout_time_redirect},
	{"time_starttransfer", writeout_time_starttransfer},
	{"time_total", writeout_time_total},
	{"url", writeout_url},
	{"url_effective", writeout_url_effective},
	{"urlnum", writeout_urlnum},
};

/* -- All of them ------------------------------------------------------------------------------- */

static void writeout_json(struct buffer *out, struct writeout_view *view)
{
	buffer_append_byte(out, '{');
	for (size_t i = 0; i < countof(writeout_variables); i++) {
		struct writeout_value value = {.text = {NULL, 0}};
		bool is_code = writeout_variables[i].get == writeout_code;

		writeout_variables[i].get(view, &value);
		if (is_code)
			writeout_u64(&value, writeout_number_of(view->response, "status"));
		buffer_printf(out, "%s\"%s\":", i > 0 ? "," : "", writeout_variables[i].name);
		if (!value.text.data)
			buffer_append_literal(out, "null");
		else if (value.is_number)
			buffer_append_text(out, value.text);
		else
			json_append_string(out, value.text);
	}
	buffer_append_byte(out, '}');
}

/* {"name":["value",…],…} */
static void writeout_header_json(struct buffer *out, const struct writeout_view *view)
{
	size_t i, n;
	yyjson_val *key, *value;

	buffer_append_byte(out, '{');
	yyjson_obj_foreach(yyjson_obj_get(view->response, "headers"), i, n, key, value)
	{
		buffer_append_text(out, i > 0 ? TEXT(",") : TEXT(""));
		json_append_string(out, json_string(key));
		buffer_append_byte(out, ':');
		if (!yyjson_is_arr(value))
			buffer_append_byte(out, '[');
		json_append_value(out, value);
		if (!yyjson_is_arr(value))
			buffer_append_byte(out, ']');
	}
	buffer_append_byte(out, '}');
}

/* -- The format -------------------------------------------------------------------------------- */

struct writeout_pen {
	struct writeout_view *view;
	/* The one that is written to by now. */
	struct buffer *now;
	struct buffer *out, *error;
	/* The rest is for those that failed. */
	bool is_over;
};

static void writeout_variable(struct writeout_pen *pen, struct text name)
{
	struct writeout_value value = {.text = {NULL, 0}};

	for (size_t i = 0; i < countof(writeout_variables); i++) {
		if (!text_is(name, writeout_variables[i].name))
			continue;
		writeout_variables[i].get(pen->view, &value);
		buffer_append_text(pen->now, value.text);
		return;
	}
	if (text_is(name, "json"))
		writeout_json(pen->now, pen->view);
	else if (text_is(name, "header_json"))
		writeout_header_json(pen->now, pen->view);
	else if (text_is(name, "stdout"))
		pen->now = pen->out;
	else if (text_is(name, "stderr"))
		pen->now = pen->error;
	else if (text_is(name, "onerror"))
		pen->is_over = !pen->view->reason;
	else
		buffer_printf(pen->error, "settle: unknown --write-out variable: '%.*s'\n",
			TEXT_ARGS(name));
}

/* Behind '%'; returns how much of it was taken. */
static size_t writeout_percent(struct writeout_pen *pen, struct text rest)
{
	static const struct text header = TEXT_INIT("header{");
	size_t end = text_find(rest, '}');
	struct text name;

	if (text_starts_with(rest, TEXT("%"))) {
		buffer_append_byte(pen->now, '%');
		return 1;
	}
	if (end < rest.size && text_starts_with(rest, TEXT("{"))) {
		writeout_variable(pen, (struct text){rest.data + 1, end - 1});
		return end + 1;
	}
	if (end < rest.size && text_starts_with(rest, header)) {
		name = (struct text){rest.data + header.size, end - header.size};
		buffer_append_text(pen->now, writeout_header(pen->view, name));
		return end + 1;
	}
	buffer_append_byte(pen->now, '%');
	return 0;
}

/* Behind '\'; returns how much of it was taken. */
static size_t writeout_escape(struct writeout_pen *pen, struct text rest)
{
	static const char from[] = "nrt", to[] = "\n\r\t";

	for (size_t i = 0; rest.size > 0 && from[i]; i++) {
		if (rest.data[0] != from[i])
			continue;
		buffer_append_byte(pen->now, to[i]);
		return 1;
	}
	buffer_append_byte(pen->now, '\\');
	return 0;
}

static void writeout_format(struct writeout_pen *pen, struct text format)
{
	while (format.size > 0 && !pen->is_over) {
		char byte = format.data[0];

		format = text_from_at(format, 1);
		if (byte == '%')
			format = text_from_at(format, writeout_percent(pen, format));
		else if (byte == '\\')
			format = text_from_at(format, writeout_escape(pen, format));
		else
			buffer_append_byte(pen->now, byte);
	}
}

/* -- All of it --------------------------------------------------------------------------------- */

static void writeout_view_times(struct writeout_view *view)
{
	yyjson_val *time = yyjson_obj_get(view->root, "time");
	double body = writeout_seconds_of(time, "body"), phases;

	view->total = writeout_seconds_of(time, "end") - writeout_seconds_of(time, "start");
	view->lookup = writeout_seconds_of(time, "queue") + writeout_seconds_of(time, "dns");
	view->connect = view->lookup + writeout_seconds_of(time, "connect");
	view->tls = view->connect + writeout_seconds_of(time, "tls");
	phases = view->tls + writeout_seconds_of(time, "first_byte") + body;
	if (view->total < 0)
		view->total = 0;
	view->first_byte = view->response && view->total > body ? view->total - body : 0;
	if (writeout_number_of(view->response, "redirects") > 0 && view->total > phases)
		view->redirect = view->total - phases;
}

void writeout_append(struct buffer *out, struct buffer *error, const struct writeout *writeout)
{
	struct json_error json_error;
	yyjson_doc *doc = json_read(writeout->record, &json_error);
	struct writeout_view view = {.writeout = writeout, .root = yyjson_doc_get_root(doc)};
	struct writeout_pen pen = {.view = &view, .now = out, .out = out, .error = error};
	yyjson_val *value = yyjson_obj_get(view.root, "value");

	view.reason = yyjson_obj_get(view.root, "reason");
	view.response = value ? value : yyjson_obj_get(view.reason, "response");
	buffer_init(&view.scratch, SIZE_MAX / 4);
	writeout_view_times(&view);
	writeout_format(&pen, writeout->format);
	buffer_deinit(&view.scratch);
	yyjson_doc_free(doc);
}
