/* SPDX-License-Identifier: MIT */
/*
 * Most heads come whole and in order: those are parsed at once, and only what llhttp does not take
 * so is looked at line by line, which says what is wrong.
 *
 * The copy of the head is the one that is kept: names are lowered in it, and all views point into
 * it. What lines must look like is checked here too, since llhttp 9.2 lets pass a second CR for
 * the LF of a status line, and empty lines and control characters: each line ends in CR LF, none
 * has another CR, none begins with white space.
 *
 * An origin that is asked for many small things answers many of them with the very same head, for
 * as long as its Date is. What a head is parsed to depends on its bytes alone, so one that is
 * byte for byte the last one is not parsed: what that was parsed to is still there. A head that
 * comes in parts, or is longer than H1_KNOWN_MAX, is parsed each time.
 */
#include <string.h>

#include "http/crlf.h"
#include "http/h1_private.h"
#include "util/container.h"

/* What llhttp finds, as a fault of ours. What else it has cannot come from a response, or was
 * checked before. */
static const struct {
	llhttp_errno_t error;
	struct h1_fault fault;
} h1_parser_faults[] = {
	{HPE_INVALID_VERSION, {H1_FAULT_PARSE, "the version is neither HTTP/1.0 nor HTTP/1.1"}},
	{HPE_INVALID_STATUS, {H1_FAULT_PARSE, "the status is not a number of three digits"}},
	{HPE_INVALID_HEADER_TOKEN, {H1_FAULT_PARSE, "a header has a character it must not have"}},
	{HPE_UNEXPECTED_CONTENT_LENGTH,
		{H1_FAULT_FRAMING, "there is more than one Content-Length"}},
	{HPE_INVALID_CONTENT_LENGTH,
		{H1_FAULT_FRAMING, "the Content-Length is not a number, too large, or not alone"}},
	{HPE_INVALID_TRANSFER_ENCODING,
		{H1_FAULT_FRAMING, "there are both Content-Length and Transfer-Encoding"}},
};

static enum h1_result h1_fail_parser(struct h1 *h1, llhttp_errno_t error)
{
	for (size_t i = 0; i < countof(h1_parser_faults); i++) {
		struct h1_fault fault = h1_parser_faults[i].fault;

		if (h1_parser_faults[i].error == error)
			return h1_fail(h1, fault.kind, fault.why);
	}
	return h1_fail(h1, H1_FAULT_PARSE, "the head is not HTTP/1");
}

static int h1_on_status(llhttp_t *parser, const char *at, size_t size)
{
	struct h1 *h1 = parser->data;

	h1->reason = header_trim((struct text){at, size});
	return 0;
}

/* The name is a part of our own copy. An error leads to h1_scan_head(), which makes room and
 * knows better what is wrong. */
static int h1_on_header_field(llhttp_t *parser, const char *at, size_t size)
{
	struct h1 *h1 = parser->data;
	char *name = h1->head.data + (at - h1->head.data);

	if (h1->headers.n == h1->headers.capacity || at[-2] != '\r' || at[-1] != '\n')
		return HPE_USER;
	for (size_t i = 0; i < size; i++)
		name[i] = text_lower(name[i]);
	h1->headers.items[h1->headers.n++] = (struct header){{name, size}, {name + size, 0}};
	return 0;
}

/* Comes twice where the field is folded. White space before the value llhttp takes off. */
static int h1_on_header_value(llhttp_t *parser, const char *at, size_t size)
{
	struct h1 *h1 = parser->data;
	struct header *header = &h1->headers.items[h1->headers.n - 1];

	if (header->value.data != header->name.data + header->name.size)
		return HPE_USER;
	while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
		size--;
	header->value = (struct text){at, size};
	return 0;
}

/* Here the head ends for us; what follows is decided outside of llhttp. */
static int h1_on_headers_complete(llhttp_t *parser)
{
	return HPE_PAUSED;
}

static const llhttp_settings_t h1_settings = {
	.on_status = h1_on_status,
	.on_header_field = h1_on_header_field,
	.on_header_value = h1_on_header_value,
	.on_headers_complete = h1_on_headers_complete,
	.on_body = h1_on_body,
};

/* HPE_PAUSED: `head` begins with a whole head, of *ret_size bytes. */
static llhttp_errno_t h1_parse_head(struct h1 *h1, size_t *ret_size)
{
	llhttp_errno_t error;

	h1->headers.n = 0;
	h1->reason = TEXT("");
	llhttp_init(&h1->parser, HTTP_RESPONSE, &h1_settings);
	h1->parser.data = h1;
	error = llhttp_execute(&h1->parser, h1->head.data, h1->head.size);
	if (error == HPE_PAUSED)
		*ret_size = (size_t)(llhttp_get_error_pos(&h1->parser) - h1->head.data);
	return error;
}

/* Most heads come whole and are fine. False: this one is to be looked at line by line. */
static bool h1_try_head(struct h1 *h1, size_t *ret_size)
{
	if (h1_parse_head(h1, ret_size) != HPE_PAUSED)
		return false;
	if (memcmp(h1->head.data + *ret_size - 4, "\r\n\r\n", 4) != 0)
		return false;
	if (h1->heads_size + *ret_size > H1_HEADS_SIZE_MAX)
		return false;
	if (h1->n_fields + h1->headers.n > H1_FIELDS_MAX)
		return false;
	h1->n_fields += h1->headers.n;
	return true;
}

/* True while the bytes received can be the start of HTTP/1: another protocol is known by its
 * first bytes, and not waited for. */
static bool h1_prefix_is_valid(const struct h1 *h1)
{
	struct text prefix = TEXT("HTTP/1.");

	if (prefix.size > h1->head.size)
		prefix.size = h1->head.size;
	return memcmp(h1->head.data, prefix.data, prefix.size) == 0;
}

/* Looks at the lines that end at or after `at`. H1_DONE where the head does, and
 * its size. */
static enum h1_result h1_scan_head(struct h1 *h1, size_t at, size_t *ret_size)
{
	struct text head = buffer_text(&h1->head);

	for (;;) {
		size_t end = at + text_find(text_from_at(head, at), '\n');
		struct text line = {head.data + h1->line_at, end + 1 - h1->line_at};
		const char *why;

		if (h1->heads_size + end + (end < head.size) > H1_HEADS_SIZE_MAX)
			return h1_fail_large(h1);
		if (end == head.size)
			return H1_MORE;
		why = crlf_check(line);
		if (why)
			return h1_fail(h1, H1_FAULT_PARSE, why);
		if (line.size == 2) {
			*ret_size = end + 1;
			return H1_DONE;
		}
		if (h1->line_at > 0 && ++h1->n_fields > H1_FIELDS_MAX)
			return h1_fail_large(h1);
		at = end + 1;
		h1->line_at = at;
	}
}

/* The bytes from `before` on are new. As h1_scan_head(), and a whole head is parsed. */
static enum h1_result h1_read_head(struct h1 *h1, size_t before, size_t *ret_size)
{
	enum h1_result result = h1_scan_head(h1, before, ret_size);
	llhttp_errno_t error;
	size_t size = 0;

	if (result != H1_DONE)
		return result;
	if (!header_list_reserve(&h1->headers, h1->n_fields))
		return h1_fail_memory(h1);
	h1->head.size = *ret_size;
	error = h1_parse_head(h1, &size);
	if (error != HPE_PAUSED || size != *ret_size)
		return h1_fail_parser(h1, error);
	return H1_DONE;
}

/* True where the next head is the last one again: it is taken, and all it was parsed to stands. */
static bool h1_recognize_head(struct h1 *h1, struct text *rest)
{
	size_t size = h1->known.size;

	if (size == 0 || h1->head.size > 0 || rest->size < size)
		return false;
	if (memcmp(rest->data, h1->known.data, size) != 0)
		return false;
	if (h1->heads_size + size > H1_HEADS_SIZE_MAX ||
		h1->n_fields + h1->known_fields > H1_FIELDS_MAX)
		return false;
	h1->head.size = size;
	h1->headers.n = h1->known_fields;
	h1->n_fields += h1->known_fields;
	/* Behind a head the parser reads chunks alone. */
	if (h1->known_parser.flags & F_CHUNKED)
		h1->parser = h1->known_parser;
	*rest = text_from_at(*rest, size);
	return true;
}

/* A head that came whole, as it came. */
static void h1_know_head(struct h1 *h1, struct text head)
{
	if (head.size > H1_KNOWN_MAX)
		return;
	buffer_append_text(&h1->known, head);
	h1->known_fields = h1->headers.n;
	h1->known_was_shown = false;
	h1->known_parser = h1->parser;
}

enum h1_result h1_take_head(struct h1 *h1, struct text *rest)
{
	struct text step = {rest->data, rest->size < H1_HEAD_STEP ? rest->size : H1_HEAD_STEP};
	size_t before = h1->head.size;
	size_t size = before + step.size;
	enum h1_result result = H1_DONE;

	if (h1_recognize_head(h1, rest))
		return H1_DONE;
	buffer_clear(&h1->known);
	buffer_append_text(&h1->head, step);
	if (h1->head.failed)
		return h1_fail_memory(h1);
	if (!h1_prefix_is_valid(h1))
		return h1_fail(h1, H1_FAULT_PARSE, "the response does not begin with HTTP/1");
	if (before > 0 || !h1_try_head(h1, &size))
		result = h1_read_head(h1, before, &size);
	if (result == H1_DONE) {
		h1->head.size = size;
		if (before == 0)
			h1_know_head(h1, (struct text){rest->data, size});
	}
	*rest = text_from_at(*rest, size - before);
	return result;
}
