/* SPDX-License-Identifier: MIT */
#include "client/cli/failure.h"

#include "client/cli/clean.h"
#include "client/cli/render/reason.h"
#include "proto/fault.h"
#include "proto/json.h"
#include "util/container.h"

/* Of a body. */
#define FAILURE_BODY_LINES 3
#define FAILURE_BODY_MAX   4096

static const struct {
	enum fault_code code;
	const char *hint;
} failure_hints[] = {
	{FAULT_DNS_NOT_FOUND, "check the name, or give its addresses with \"resolve\""},
	{FAULT_CONNECT_REFUSED, "is the server up, and the port the right one?"},
	{FAULT_CONNECT_TIMEOUT,
		"is there a firewall? \"timeouts\": {\"connect\": ...} is its limit"},
	{FAULT_CERT_UNTRUSTED, "trust its authority with \"tls\": {\"ca\": PEM} (get: --cacert)"},
	{FAULT_CERT_NAME, "is the host right? \"tls\": {\"server_name\": ...} verifies another"},
	{FAULT_TLS_NOT_TLS, "is it http:// instead of https://?"},
	{FAULT_FIRST_BYTE_TIMEOUT, "\"timeouts\": {\"first_byte\": ...} is its limit"},
	{FAULT_IDLE_TIMEOUT, "\"timeouts\": {\"idle\": ...} is its limit"},
	{FAULT_ATTEMPT_TIMEOUT, "\"attempt_timeout\" is its limit; \"retry\" tries again"},
	{FAULT_JOB_TIMEOUT, "\"timeout\" is its limit (get: -m)"},
	{FAULT_BODY_TOO_LARGE, "\"max_body\" is its limit (get: --max-filesize)"},
	{FAULT_REF_MISSING, "give a default: {{... ?? text}}"},
	{FAULT_EACH_TOO_LARGE, "\"each\": {\"max\": ...} is its limit"},
};

static const char *failure_hint(enum fault_code code, yyjson_val *reason)
{
	for (size_t i = 0; i < countof(failure_hints); i++) {
		if (failure_hints[i].code == code)
			return failure_hints[i].hint;
	}
	if (yyjson_is_true(yyjson_obj_get(reason, "retryable")) &&
		!yyjson_obj_get(reason, "stopped"))
		return "it may pass: \"retry\" tries again (get: --retry)";
	return NULL;
}

/* A line that begins with `start`, cut to the width. */
static void failure_line(struct buffer *out, struct text start, struct text line, uint32_t columns)
{
	size_t begin = out->size;

	buffer_append_text(out, start);
	clean_line(out, line);
	if (columns > 0 && !out->failed)
		out->size =
			begin + clean_cut(text_from_at(buffer_text(out), begin), columns - 1).size;
	buffer_append_byte(out, '\n');
}

static void failure_body(struct buffer *out, struct text body, uint32_t columns)
{
	if (body.size > FAILURE_BODY_MAX)
		body.size = FAILURE_BODY_MAX;
	for (uint32_t i = 0; i < FAILURE_BODY_LINES && body.size > 0; i++) {
		struct text line = {body.data, text_find(body, '\n')};

		body = text_from_at(body, line.size + 1);
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (line.size > 0)
			failure_line(out, TEXT("    | "), line, columns);
	}
}

static void failure_head(
	struct buffer *out, const struct render_record *record, yyjson_val *root, uint32_t columns)
{
	yyjson_val *reason = yyjson_obj_get(root, "reason");
	struct buffer line;

	buffer_init(&line, SIZE_MAX / 4);
	buffer_append_text(&line, record->job);
	buffer_append_literal(&line, ": ");
	reason_append(&line, reason);
	reason_append_note(&line, root);
	failure_line(out, TEXT(""), buffer_text(&line), columns);
	buffer_deinit(&line);
}

bool failure_append(struct buffer *out, const struct render_record *record, uint32_t columns)
{
	struct json_error error;
	yyjson_doc *doc = json_read(record->json, &error);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *reason = yyjson_obj_get(root, "reason");
	struct text name = json_string(yyjson_obj_get(reason, "code"));
	enum fault_code code = name.data ? fault_from_name(name) : FAULT_NONE;
	bool is_own = name.data && code != FAULT_CANCELLED && code != FAULT_DEPENDENCY_REJECTED;
	const char *hint = failure_hint(code, reason);

	if (is_own) {
		failure_head(out, record, root, columns);
		failure_body(out, record->body, columns);
	}
	if (is_own && hint)
		failure_line(out, TEXT("    "), text_from(hint), columns);
	yyjson_doc_free(doc);
	return is_own;
}
