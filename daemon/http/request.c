/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include "util/container.h"
#include "util/panic.h"

/* RFC 9110 9.2.1 and 9.2.2. Every safe method is idempotent. */
static const struct {
	struct text method;
	bool is_safe;
} request_idempotent[] = {
	{TEXT_INIT("GET"), true},
	{TEXT_INIT("HEAD"), true},
	{TEXT_INIT("OPTIONS"), true},
	{TEXT_INIT("TRACE"), true},
	{TEXT_INIT("PUT"), false},
	{TEXT_INIT("DELETE"), false},
};

static void request_begin_for(
	struct buffer *out, struct text method, struct text target, struct text authority)
{
	expect(request_method_is_valid(method));
	buffer_append_text(out, method);
	buffer_append_literal(out, " ");
	buffer_append_text(out, target);
	buffer_append_literal(out, " HTTP/1.1\r\nHost: ");
	buffer_append_text(out, authority);
	buffer_append_literal(out, "\r\n");
}

void request_begin(struct buffer *out, struct text method, const struct url *url)
{
	request_begin_for(out, method, url->target, url->authority);
}

void request_begin_absolute(struct buffer *out, struct text method, const struct url *url)
{
	request_begin_for(out, method, url->text, url->authority);
}

void request_header(struct buffer *out, struct text name, struct text value)
{
	/* The last door before the wire: a line break here would be another's request. */
	expect(header_name_is_valid(name));
	expect(header_value_is_valid(value));
	buffer_append_text(out, name);
	buffer_append_literal(out, ": ");
	buffer_append_text(out, value);
	buffer_append_literal(out, "\r\n");
}

bool request_method_expects_body(struct text method)
{
	return text_is(method, "POST") || text_is(method, "PUT") || text_is(method, "PATCH");
}

void request_end(struct buffer *out, struct text method, struct text body, bool has_body)
{
	expect(has_body || body.size == 0);
	if (has_body || request_method_expects_body(method))
		request_end_length(out, body.size);
	else
		buffer_append_literal(out, "\r\n");
	buffer_append_text(out, body);
}

void request_end_length(struct buffer *out, uint64_t length)
{
	buffer_append_literal(out, "Content-Length: ");
	buffer_append_u64(out, length);
	buffer_append_literal(out, "\r\n\r\n");
}

void request_end_chunked(struct buffer *out)
{
	buffer_append_literal(out, "Transfer-Encoding: chunked\r\n\r\n");
}

/* What stands before `end`, which is there; *rest begins behind it then. */
static struct text request_cut_until(struct text *rest, struct text end)
{
	const char *at = memmem(rest->data, rest->size, end.data, end.size);
	struct text part = *rest;

	expect(at);
	part.size = (size_t)(at - part.data);
	*rest = text_from_at(*rest, part.size + end.size);
	return part;
}

bool request_cut(struct text request, struct header_list *headers, struct request_parts *ret_parts)
{
	struct text rest = request, line;
	struct request_parts parts = {.has_body = false};

	headers->n = 0;
	parts.method = request_cut_until(&rest, TEXT(" "));
	parts.target = request_cut_until(&rest, TEXT(" HTTP/1.1\r\nHost: "));
	parts.authority = request_cut_until(&rest, TEXT("\r\n"));
	while ((line = request_cut_until(&rest, TEXT("\r\n"))).size > 0) {
		struct header header = {.name = request_cut_until(&line, TEXT(": "))};

		header.value = line;
		if (text_equal_nocase(header.name, TEXT("content-length")) ||
			text_equal_nocase(header.name, TEXT("transfer-encoding")))
			parts.has_body = true;
		if (header_is_ours(header.name))
			continue;
		if (!header_list_reserve(headers, headers->n + 1))
			return false;
		headers->items[headers->n++] = header;
	}
	parts.body = rest;
	*ret_parts = parts;
	return true;
}

bool request_method_is_valid(struct text method)
{
	return header_name_is_valid(method) && !text_equal_nocase(method, TEXT("CONNECT"));
}

bool request_method_is_safe(struct text method)
{
	for (size_t i = 0; i < countof(request_idempotent); i++) {
		if (text_equal(method, request_idempotent[i].method))
			return request_idempotent[i].is_safe;
	}
	return false;
}

bool request_method_is_idempotent(struct text method)
{
	for (size_t i = 0; i < countof(request_idempotent); i++) {
		if (text_equal(method, request_idempotent[i].method))
			return true;
	}
	return false;
}
