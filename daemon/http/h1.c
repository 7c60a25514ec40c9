/* SPDX-License-Identifier: MIT */
#include "http/h1.h"

#include <stdlib.h>

#include "http/crlf.h"
#include "http/h1_private.h"
#include "util/panic.h"

/*
 * The bytes come in any pieces, and how they are cut must not matter. So h1 cuts them once more,
 * into lines, and llhttp sees only whole things: a head is collected until its empty line and
 * parsed in one call; a chunk-size line is parsed when its LF is there; a body goes to the sink
 * from where it was received. How a head is read h1_head.c tells; llhttp's verdict on the syntax is
 * final, on framing http/body decides, and the two must agree.
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

#define H1_INTERIM_MAX    50
#define H1_CHUNK_LINE_MAX (16 * 1024)
#define H1_CHUNK_SIZE_MAX (UINT64_MAX >> 2)
/* What h1_begin() keeps. */
#define H1_HEAD_KEEP    (4 * 1024)
#define H1_LINE_KEEP    1024
#define H1_HEADERS_KEEP 64

enum h1_result h1_fail(struct h1 *h1, enum h1_fault_kind kind, const char *why)
{
	h1->fault = (struct h1_fault){kind, why};
	return H1_FAULT;
}

enum h1_result h1_fail_large(struct h1 *h1)
{
	return h1_fail(h1, H1_FAULT_HEADERS_TOO_LARGE,
		"heads and trailers have more than 256 KiB or 1000 fields");
}

enum h1_result h1_fail_memory(struct h1 *h1)
{
	return h1_fail(h1, H1_FAULT_MEMORY, "there is no memory for the head or a line");
}

int h1_on_body(llhttp_t *parser, const char *at, size_t size)
{
	struct h1 *h1 = parser->data;

	if (size == 0 || h1->sink->on_body(h1->sink, at, size))
		return 0;
	h1->is_stopped = true;
	return HPE_USER;
}

struct h1 *h1_new(void)
{
	struct h1 *h1 = calloc(1, sizeof(*h1));

	if (!h1)
		return NULL;
	/* A head's last step may bring more than the head. */
	buffer_init(&h1->head, H1_HEADS_SIZE_MAX + H1_HEAD_STEP);
	buffer_init(&h1->line, H1_HEADS_SIZE_MAX);
	buffer_init(&h1->known, H1_KNOWN_MAX);
	h1->state = H1_AT_END;
	return h1;
}

struct h1 *h1_free(struct h1 *h1)
{
	if (!h1)
		return NULL;
	buffer_deinit(&h1->head);
	buffer_deinit(&h1->line);
	buffer_deinit(&h1->known);
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
	/* It is known as long as what it was parsed to is there. */
	if (!h1->head.data || !h1->headers.items)
		buffer_clear(&h1->known);
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
		.is_again = h1->known.size > 0 && h1->known_was_shown,
	};

	h1->known_was_shown = true;

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

/* The head is there. */
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

static enum h1_result h1_step_head(struct h1 *h1, struct text *rest)
{
	enum h1_result result = h1_take_head(h1, rest);

	return result == H1_DONE ? h1_judge_head(h1) : result;
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
	case H1_AT_HEAD: return h1_step_head(h1, rest);
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
