/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include "http/header.h"
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

void request_begin(struct buffer *out, struct text method, const struct url *url)
{
	expect(request_method_is_valid(method));
	buffer_append_text(out, method);
	buffer_append_literal(out, " ");
	buffer_append_text(out, url->target);
	buffer_append_literal(out, " HTTP/1.1\r\nHost: ");
	buffer_append_text(out, url->authority);
	buffer_append_literal(out, "\r\n");
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
	if (has_body || request_method_expects_body(method)) {
		buffer_append_literal(out, "Content-Length: ");
		buffer_append_u64(out, body.size);
		buffer_append_literal(out, "\r\n");
	}
	buffer_append_literal(out, "\r\n");
	buffer_append_text(out, body);
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
