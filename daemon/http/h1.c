/* SPDX-License-Identifier: MIT */
#include "http/h1.h"

#include <llhttp.h>
#include <stdlib.h>

#include "http/crlf.h"
#include "util/buffer.h"
#include "util/container.h"
#include "util/panic.h"

/*
 * The bytes come in any pieces, and how they are cut must not matter. So h1 cuts them once more,
 * into lines, and llhttp sees only whole things: a head is collected until its empty line and
 * parsed in one call; a chunk-size line is parsed when its LF is there; a body goes to the sink
 * from where it was received. Most heads come whole and in order: those are parsed at once, and
 * only what llhttp does not take so is looked at line by line, which says what is wrong.
 *
 * The copy of the head is the one that is kept: names are lowered in it, and all views point into
 * it. What lines must look like is checked here too, since llhttp 9.2 lets pass a second CR for
 * the LF of a status line, and empty lines and control characters: each line ends in CR LF, none
 * has another CR, none begins with white space. Its verdict on the syntax is final; on framing
 * http/body decides, and the two must agree.
 *
 * Trailers are checked and dropped: they come too late to change what was decided (RFC 9110
 * 6.5.1). llhttp does not see them, as it would take a Content-Length among them for real.
 *
 * Memory: the head's buffer grows as bytes come, to the limit of heads; a line of the chunked
 * coding needs memory only where it is cut.
 *
 *   HEAD -> LENGTH | CLOSE | SIZE                 END: complete, stopped, or at fault
 *   SIZE -> DATA -> SIZE, SIZE -> TRAILER -> END
 */

#define H1_HEADS_SIZE_MAX (256 * 1024)
#define H1_FIELDS_MAX     1000
#define H1_INTERIM_MAX    50
#define H1_CHUNK_LINE_MAX (16 * 1024)
#define H1_CHUNK_SIZE_MAX (UINT64_MAX >> 2)
/* What is copied at once before it is searched for the head's end. */
#define H1_HEAD_STEP (2 * 1024)
/* What h1_begin() keeps. */
#define H1_HEAD_KEEP    (4 * 1024)
#define H1_LINE_KEEP    1024
#define H1_HEADERS_KEEP 64

enum h1_state {
	H1_AT_HEAD,
	H1_AT_LENGTH,
	H1_AT_CLOSE,
	H1_AT_SIZE,
	H1_AT_DATA,
	H1_AT_TRAILER,
	H1_AT_END,
};

struct h1 {
	llhttp_t parser;
	/* Of the caller. */
	struct h1_sink *sink;
	/* The head in the making, or the final one. */
	struct buffer head;
	/* The first part of a chunk-size or trailer line whose end has not come. */
	struct buffer line;
	struct header_list headers;
	struct text reason;
	struct h1_fault fault;
	/* AT_LENGTH: bytes of the body to come; AT_CLOSE: as many as can be, never reached;
	 * AT_DATA: of the chunk, with its CR LF. */
	uint64_t left;
	/* Where the line in the making begins in `head`. */
	size_t line_at;
	/* Of the heads and trailers before the line or head in the making. */
	size_t heads_size;
	/* Of all heads and trailers. */
	uint32_t n_fields;
	uint32_t n_interim;
	enum h1_state state;
	enum body_framing framing;
	/* The request was a HEAD. */
	bool is_head;
	bool has_begun;
	bool has_head;
	bool keeps_alive;
	/* The sink returned false within llhttp. */
	bool is_stopped;
};

static enum h1_result h1_fail(struct h1 *h1, enum h1_fault_kind kind, const char *why)
{
	h1->fault = (struct h1_fault){kind, why};
	return H1_FAULT;
}

static enum h1_result h1_fail_large(struct h1 *h1)
{
	return h1_fail(h1, H1_FAULT_HEADERS_TOO_LARGE,
		"heads and trailers have more than 256 KiB or 1000 fields");
}

static enum h1_result h1_fail_memory(struct h1 *h1)
{
	return h1_fail(h1, H1_FAULT_MEMORY, "there is no memory for the head or a line");
}

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

static int h1_on_body(llhttp_t *parser, const char *at, size_t size)
{
	struct h1 *h1 = parser->data;

	if (size == 0 || h1->sink->on_body(h1->sink, at, size))
		return 0;
	h1->is_stopped = true;
	return HPE_USER;
}

static const llhttp_settings_t h1_settings = {
	.on_status = h1_on_status,
	.on_header_field = h1_on_header_field,
	.on_header_value = h1_on_header_value,
	.on_headers_complete = h1_on_headers_complete,
	.on_body = h1_on_body,
};

struct h1 *h1_new(void)
{
	struct h1 *h1 = calloc(1, sizeof(*h1));

	if (!h1)
		return NULL;
	/* A head's last step may bring more than the head. */
	buffer_init(&h1->head, H1_HEADS_SIZE_MAX + H1_HEAD_STEP);
	buffer_init(&h1->line, H1_HEADS_SIZE_MAX);
	h1->state = H1_AT_END;
	return h1;
}

struct h1 *h1_free(struct h1 *h1)
{
	if (!h1)
		return NULL;
	buffer_deinit(&h1->head);
	buffer_deinit(&h1->line);
	header_list_deinit(&h1->headers);
	free(h1);
	return NULL;
}

void h1_begin(struct h1 *h1, struct h1_sink *sink, bool is_head)
{
	expect(sink);
	buffer_reset(&h1->head, H1_HEAD_KEEP);
	buffer_reset(&h1->line, H1_LINE_KEEP);
	header_list_reset(&h1->headers, H1_HEADERS_KEEP);
	h1->sink = sink;
	h1->is_head = is_head;
	h1->left = 0;
	h1->line_at = 0;
	h1->heads_size = 0;
	h1->n_fields = 0;
	h1->n_interim = 0;
	h1->has_begun = false;
	h1->has_head = false;
	h1->keeps_alive = false;
	h1->is_stopped = false;
	h1->state = H1_AT_HEAD;
}

/* Where a head leads, by its framing. */
static const enum h1_state h1_body_states[] = {
	[BODY_NONE] = H1_AT_END,
	[BODY_LENGTH] = H1_AT_LENGTH,
	[BODY_CHUNKED] = H1_AT_SIZE,
	[BODY_CLOSE] = H1_AT_CLOSE,
};

static enum h1_result h1_show_head(struct h1 *h1)
{
	struct response_head shown = {
		.reason = h1->reason,
		.headers = h1->headers.items,
		.n_headers = h1->headers.n,
		.status = h1->parser.status_code,
		.version_major = 1,
		.version_minor = h1->parser.http_minor,
		.framing = h1->framing,
		.length = h1->left,
	};

	h1->has_head = true;
	h1->state = h1_body_states[h1->framing];
	if (h1->framing == BODY_CLOSE)
		h1->left = UINT64_MAX;
	if (!h1->sink->on_head(h1->sink, &shown))
		return H1_STOPPED;
	return h1->framing == BODY_NONE ? H1_DONE : H1_MORE;
}

/* The final head: framing, and from here on the body. */
static enum h1_result h1_enter_body(struct h1 *h1)
{
	struct body_head head = {
		.headers = h1->headers.items,
		.n_headers = h1->headers.n,
		.status = h1->parser.status_code,
		.version_minor = h1->parser.http_minor,
		.is_head = h1->is_head,
	};
	const char *why = body_decide(&head, &h1->framing, &h1->left);

	if (!why && h1->framing == BODY_CHUNKED && !(h1->parser.flags & F_CHUNKED))
		why = "the Transfer-Encoding is not chunked alone";
	if (why)
		return h1_fail(h1, H1_FAULT_FRAMING, why);
	h1->keeps_alive = body_keeps_alive(&head) && h1->framing != BODY_CLOSE;
	h1->heads_size += h1->head.size;
	llhttp_resume(&h1->parser);
	return h1_show_head(h1);
}

/* A 1xx says nothing that the final head does not (RFC 9110 15.2); a 101 answers an Upgrade
 * that we never send. */
static enum h1_result h1_drop_interim(struct h1 *h1)
{
	if (h1->parser.status_code == 101)
		return h1_fail(h1, H1_FAULT_PARSE, "the protocol was switched unasked");
	if (++h1->n_interim > H1_INTERIM_MAX)
		return h1_fail(h1, H1_FAULT_HEADERS_TOO_LARGE, "there are too many 1xx responses");
	h1->heads_size += h1->head.size;
	buffer_clear(&h1->head);
	h1->line_at = 0;
	return H1_MORE;
}

/* `head` was parsed, and holds nothing else. */
static enum h1_result h1_judge_head(struct h1 *h1)
{
	/* llhttp lets all pass but CR and LF. */
	if (!header_value_is_valid(h1->reason))
		return h1_fail(h1, H1_FAULT_PARSE, "a control character stands in the status line");
	if (h1->parser.status_code < 100)
		return h1_fail(h1, H1_FAULT_PARSE, "the status is below 100");
	if (h1->parser.status_code < 200)
		return h1_drop_interim(h1);
	return h1_enter_body(h1);
}

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

static enum h1_result h1_take_head(struct h1 *h1, struct text *rest)
{
	struct text step = {rest->data, rest->size < H1_HEAD_STEP ? rest->size : H1_HEAD_STEP};
	size_t before = h1->head.size;
	size_t size = before + step.size;
	enum h1_result result = H1_DONE;

	buffer_append_text(&h1->head, step);
	if (h1->head.failed)
		return h1_fail_memory(h1);
	if (!h1_prefix_is_valid(h1))
		return h1_fail(h1, H1_FAULT_PARSE, "the response does not begin with HTTP/1");
	if (before > 0 || !h1_try_head(h1, &size))
		result = h1_read_head(h1, before, &size);
	*rest = text_from_at(*rest, size - before);
	if (result != H1_DONE)
		return result;
	h1->head.size = size;
	return h1_judge_head(h1);
}

/* The next bytes of the body or of the chunk: what is left bounds them. */
static struct text h1_take_span(struct h1 *h1, struct text *rest)
{
	struct text span = *rest;

	if (span.size > h1->left)
		span.size = (size_t)h1->left;
	*rest = text_from_at(*rest, span.size);
	h1->left -= span.size;
	return span;
}

static enum h1_result h1_take_plain(struct h1 *h1, struct text *rest)
{
	struct text span = h1_take_span(h1, rest);

	if (!h1->sink->on_body(h1->sink, span.data, span.size))
		return H1_STOPPED;
	return h1->left == 0 ? H1_DONE : H1_MORE;
}

/* RFC 9112 7.1: digits, perhaps extensions, which nobody reads. */
static enum h1_result h1_take_size(struct h1 *h1, struct text *rest)
{
	struct text line;
	const char *why;

	switch (crlf_take(&h1->line, rest, H1_CHUNK_LINE_MAX, &line)) {
	case CRLF_PART: return H1_MORE;
	case CRLF_WHOLE: break;
	case CRLF_NO_MEMORY: return h1_fail_memory(h1);
	case CRLF_TOO_LONG:
		return h1_fail(h1, H1_FAULT_PARSE, "a chunk's first line has more than 16 KiB");
	}
	why = crlf_check(line);
	if (why)
		return h1_fail(h1, H1_FAULT_FRAMING, why);
	if (llhttp_execute(&h1->parser, line.data, line.size) != HPE_OK)
		return h1_fail(h1, H1_FAULT_FRAMING, "a chunk has no valid size or extension");
	if (h1->parser.content_length > H1_CHUNK_SIZE_MAX)
		return h1_fail(h1, H1_FAULT_FRAMING, "a chunk is too large");
	h1->left = h1->parser.content_length + strlen("\r\n");
	h1->state = h1->parser.content_length > 0 ? H1_AT_DATA : H1_AT_TRAILER;
	return H1_MORE;
}

/* A chunk's data, by way of llhttp to h1_on_body(), and the CR LF behind it. */
static enum h1_result h1_take_data(struct h1 *h1, struct text *rest)
{
	struct text span = h1_take_span(h1, rest);

	if (h1->left == 0)
		h1->state = H1_AT_SIZE;
	if (llhttp_execute(&h1->parser, span.data, span.size) == HPE_OK)
		return H1_MORE;
	if (h1->is_stopped)
		return H1_STOPPED;
	return h1_fail(h1, H1_FAULT_FRAMING, "a chunk is longer than it said");
}

static enum h1_result h1_take_trailer(struct h1 *h1, struct text *rest)
{
	struct header ignored;
	struct text line;
	const char *why;

	switch (crlf_take(&h1->line, rest, H1_HEADS_SIZE_MAX - h1->heads_size, &line)) {
	case CRLF_PART: return H1_MORE;
	case CRLF_WHOLE: break;
	case CRLF_NO_MEMORY: return h1_fail_memory(h1);
	case CRLF_TOO_LONG: return h1_fail_large(h1);
	}
	h1->heads_size += line.size;
	why = crlf_check(line);
	if (why)
		return h1_fail(h1, H1_FAULT_PARSE, why);
	line.size -= strlen("\r\n");
	if (line.size == 0)
		return H1_DONE;
	if (++h1->n_fields > H1_FIELDS_MAX)
		return h1_fail_large(h1);
	if (!header_split(line, &ignored))
		return h1_fail(h1, H1_FAULT_PARSE, "a trailer has a character it must not have");
	return H1_MORE;
}

/* Takes at least one byte. */
static enum h1_result h1_step(struct h1 *h1, struct text *rest)
{
	switch (h1->state) {
	case H1_AT_HEAD: return h1_take_head(h1, rest);
	case H1_AT_LENGTH:
	case H1_AT_CLOSE: return h1_take_plain(h1, rest);
	case H1_AT_SIZE: return h1_take_size(h1, rest);
	case H1_AT_DATA: return h1_take_data(h1, rest);
	case H1_AT_TRAILER: return h1_take_trailer(h1, rest);
	case H1_AT_END: break;
	}
	unreachable("nothing is fed after the end");
}

enum h1_result h1_feed(struct h1 *h1, const char *data, size_t size, size_t *ret_used)
{
	struct text rest = {data, size};
	enum h1_result result = H1_MORE;

	expect(h1->state != H1_AT_END);
	if (size > 0)
		h1->has_begun = true;
	while (result == H1_MORE && rest.size > 0)
		result = h1_step(h1, &rest);
	if (result != H1_MORE)
		h1->state = H1_AT_END;
	*ret_used = size - rest.size;
	return result;
}

enum h1_result h1_feed_end(struct h1 *h1)
{
	enum h1_state state = h1->state;

	expect(state != H1_AT_END);
	h1->state = H1_AT_END;
	if (!h1->has_begun)
		return h1_fail(h1, H1_FAULT_EMPTY, "the connection was closed without a response");
	if (state == H1_AT_HEAD)
		return h1_fail(h1, H1_FAULT_TRUNCATED, "the connection was closed within the head");
	if (state != H1_AT_CLOSE)
		return h1_fail(h1, H1_FAULT_TRUNCATED, "the connection was closed within the body");
	return H1_DONE;
}

enum h1_result h1_skip(struct h1 *h1, uint64_t size)
{
	expect(h1_body_is_plain(h1));
	expect(size <= h1->left);
	h1->left -= size;
	if (h1->left > 0)
		return H1_MORE;
	h1->state = H1_AT_END;
	return H1_DONE;
}

struct h1_fault h1_fault(const struct h1 *h1)
{
	return h1->fault;
}

bool h1_has_begun(const struct h1 *h1)
{
	return h1->has_begun;
}

bool h1_has_head(const struct h1 *h1)
{
	return h1->has_head;
}

bool h1_keeps_alive(const struct h1 *h1)
{
	return h1->keeps_alive;
}

uint64_t h1_body_left(const struct h1 *h1)
{
	if (h1->state == H1_AT_HEAD || h1->state == H1_AT_END)
		return 0;
	return h1->state == H1_AT_LENGTH ? h1->left : UINT64_MAX;
}

bool h1_body_is_plain(const struct h1 *h1)
{
	return h1->state == H1_AT_LENGTH || h1->state == H1_AT_CLOSE;
}
