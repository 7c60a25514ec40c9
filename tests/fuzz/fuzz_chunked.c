/* SPDX-License-Identifier: MIT */

/*
 * Chunked bodies beside a second reader of them, written down from RFC 9112 7.1 and from nothing
 * else. The first byte chooses where to cut; the rest is what follows a head with
 * "Transfer-Encoding: chunked".
 *
 * What http/h1 calls complete is complete by the RFC, with the same body and the same end; what
 * is by the RFC, to the letter of its grammar and without white space in it, http/h1 takes. From
 * 0x80 on the rest is a body instead, which is cut into chunks here, and must come out again.
 */

#include "http/h1.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"
#include "util/container.h"

#define FUZZ_TOLD_MAX   ((size_t)16 * 1024 * 1024)
#define FUZZ_LINE_MAX   ((size_t)16 * 1024)
#define FUZZ_FIELDS_MAX 900

static const char fuzz_head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

enum fuzz_verdict {
	/* By the grammar, and by what nearly every reader takes. */
	FUZZ_STRICT,
	/* Its framing is clear, but an extension is none by the grammar. */
	FUZZ_LENIENT,
	FUZZ_BAD,
};

/* -- The second reader ------------------------------------------------------------------------- */

static bool fuzz_is_token(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z') ||
	       (c != '\0' && strchr(others, c));
}

static size_t fuzz_token_size(struct text text)
{
	size_t n = 0;

	while (n < text.size && fuzz_is_token(text.data[n]))
		n++;
	return n;
}

/* quoted-string (RFC 9110 5.6.4), both quotes counted; 0: there is none. */
static size_t fuzz_quoted_size(struct text text)
{
	for (size_t i = 1; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == '"')
			return i + 1;
		if (c == '\\' && i + 1 < text.size)
			c = (unsigned char)text.data[++i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return 0;
	}
	return 0;
}

/* *( ";" chunk-ext-name [ "=" chunk-ext-val ] ), the whole of `text`. */
static bool fuzz_is_extension(struct text text)
{
	while (text.size > 0) {
		size_t n = fuzz_token_size(text_from_at(text, 1));

		if (text.data[0] != ';' || n == 0)
			return false;
		text = text_from_at(text, 1 + n);
		if (!text_starts_with(text, TEXT("=")))
			continue;
		text = text_from_at(text, 1);
		n = text_starts_with(text, TEXT("\"")) ? fuzz_quoted_size(text)
						       : fuzz_token_size(text);
		if (n == 0)
			return false;
		text = text_from_at(text, n);
	}
	return true;
}

/* Takes a line off *rest, and leaves its CR LF out; false where none is whole. */
static bool fuzz_take_line(struct text *rest, struct text *ret_line)
{
	size_t lf = text_find(*rest, '\n');

	if (lf == rest->size || lf == 0 || rest->data[lf - 1] != '\r')
		return false;
	*ret_line = (struct text){rest->data, lf - 1};
	*rest = text_from_at(*rest, lf + 1);
	return !memchr(ret_line->data, '\r', ret_line->size);
}

static enum fuzz_verdict fuzz_take_size(struct text *rest, uint64_t *ret_size)
{
	struct text line;
	size_t at = 0;

	*ret_size = 0;
	if (!fuzz_take_line(rest, &line) || line.size + 2 > FUZZ_LINE_MAX)
		return FUZZ_BAD;
	for (; at < line.size; at++) {
		static const char digits[] = "0123456789abcdef";
		char c = text_lower(line.data[at]);
		const char *digit = c ? strchr(digits, c) : NULL;

		if (!digit)
			break;
		if (*ret_size >> 48)
			return FUZZ_BAD;
		*ret_size = *ret_size << 4 | (uint64_t)(digit - digits);
	}
	line = text_from_at(line, at);
	if (at == 0 || (line.size > 0 && line.data[0] != ';'))
		return FUZZ_BAD;
	return fuzz_is_extension(line) ? FUZZ_STRICT : FUZZ_LENIENT;
}

/* field-line (RFC 9112 5). */
static bool fuzz_is_field(struct text line)
{
	size_t n = fuzz_token_size(line);

	if (n == 0 || n == line.size || line.data[n] != ':')
		return false;
	for (size_t i = n + 1; i < line.size; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool fuzz_take_trailers(struct text *rest)
{
	struct text line;

	for (size_t n = 0; fuzz_take_line(rest, &line); n++) {
		if (line.size == 0)
			return n <= FUZZ_FIELDS_MAX;
		if (!fuzz_is_field(line))
			return false;
	}
	return false;
}

static enum fuzz_verdict fuzz_take_body(struct text *rest, struct buffer *body)
{
	enum fuzz_verdict verdict = FUZZ_STRICT;

	while (rest->size > 0) {
		uint64_t size;
		enum fuzz_verdict of_line = fuzz_take_size(rest, &size);

		if (of_line > verdict)
			verdict = of_line;
		if (verdict == FUZZ_BAD)
			return FUZZ_BAD;
		if (size == 0)
			return fuzz_take_trailers(rest) ? verdict : FUZZ_BAD;
		if (rest->size < 2 || size > rest->size - 2)
			return FUZZ_BAD;
		buffer_append(body, rest->data, (size_t)size);
		*rest = text_from_at(*rest, (size_t)size);
		if (!text_starts_with(*rest, TEXT("\r\n")))
			return FUZZ_BAD;
		*rest = text_from_at(*rest, 2);
	}
	return FUZZ_BAD;
}

/* -- http/h1 ----------------------------------------------------------------------------------- */

struct fuzz_reading {
	struct h1_sink sink;
	struct buffer body;
	enum h1_result result;
	size_t used;
};

static bool fuzz_on_head(struct h1_sink *sink, const struct response_head *head)
{
	expect(head->status == 200 && head->framing == BODY_CHUNKED);
	return true;
}

static bool fuzz_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	buffer_append(&container_of(sink, struct fuzz_reading, sink)->body, data, size);
	return true;
}

static void fuzz_read(struct h1 *h1, struct text bytes, struct fuzz_reading *reading,
	struct fuzz_choices *choices)
{
	size_t used;

	*reading = (struct fuzz_reading){.sink = {fuzz_on_head, fuzz_on_body}};
	buffer_init(&reading->body, FUZZ_TOLD_MAX);
	h1_begin(h1, &reading->sink, false);
	reading->result = h1_feed(h1, fuzz_head, sizeof(fuzz_head) - 1, &used);
	expect(reading->result == H1_MORE && used == sizeof(fuzz_head) - 1);
	while (bytes.size > 0 && reading->result == H1_MORE) {
		size_t n = choices ? 1 + fuzz_choose(choices, 12) : bytes.size;

		n = n < bytes.size ? n : bytes.size;
		reading->result = h1_feed(h1, bytes.data, n, &used);
		reading->used += used;
		bytes = text_from_at(bytes, n);
	}
	if (reading->result == H1_MORE)
		reading->result = h1_feed_end(h1);
	expect(reading->result == H1_DONE || reading->result == H1_FAULT);
}

/* -- Both -------------------------------------------------------------------------------------- */

static void fuzz_compare(struct h1 *h1, struct text bytes, struct fuzz_choices *choices)
{
	struct text rest = bytes;
	struct fuzz_reading reading;
	enum fuzz_verdict verdict;
	struct buffer body;

	buffer_init(&body, FUZZ_TOLD_MAX);
	verdict = fuzz_take_body(&rest, &body);
	fuzz_read(h1, bytes, &reading, choices);
	if (verdict == FUZZ_STRICT)
		expect(reading.result == H1_DONE);
	if (reading.result == H1_DONE) {
		expect(verdict != FUZZ_BAD);
		expect(h1_keeps_alive(h1));
		expect(reading.used == bytes.size - rest.size);
		expect(text_equal(buffer_text(&reading.body), buffer_text(&body)));
	}
	buffer_deinit(&reading.body);
	buffer_deinit(&body);
}

/* In chunks of random sizes, with extensions and trailers as they may be. */
static void fuzz_cut(struct text body, struct buffer *out, struct fuzz_choices *choices)
{
	static const char *const extensions[] = {"", "", ";a", ";a=b", ";a=\"b;\\\"c\"", ";a;b=1"};
	static const char *const trailers[] = {"", "a: b\r\n", "a:\r\nA: b c\r\n"};

	while (body.size > 0) {
		size_t n = 1 + fuzz_choose(choices, fuzz_choose(choices, 4) ? 20 : 5000);

		n = n < body.size ? n : body.size;
		buffer_printf(out, fuzz_choose(choices, 2) ? "%zx%s\r\n" : "%05zX%s\r\n", n,
			extensions[fuzz_choose(choices, countof(extensions))]);
		buffer_append(out, body.data, n);
		buffer_append_literal(out, "\r\n");
		body = text_from_at(body, n);
	}
	buffer_printf(out, "0%s\r\n%s\r\n", extensions[fuzz_choose(choices, countof(extensions))],
		trailers[fuzz_choose(choices, countof(trailers))]);
}

static void fuzz_return(struct h1 *h1, struct text body, struct fuzz_choices *choices)
{
	struct fuzz_reading reading;
	struct buffer cut;

	buffer_init(&cut, FUZZ_TOLD_MAX);
	fuzz_cut(body, &cut, choices);
	fuzz_read(h1, buffer_text(&cut), &reading, choices);
	expect(reading.result == H1_DONE && reading.used == cut.size);
	expect(text_equal(buffer_text(&reading.body), body));
	buffer_deinit(&reading.body);
	fuzz_compare(h1, buffer_text(&cut), choices);
	buffer_deinit(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_choices choices = fuzz_choices_of(size ? data[0] : 0);
	struct text bytes = {(const char *)data + (size > 0), size - (size > 0)};
	struct h1 *h1 = h1_new();

	expect(h1);
	if (size > 0 && data[0] >= 0x80) {
		fuzz_return(h1, bytes, &choices);
	} else {
		fuzz_compare(h1, bytes, NULL);
		fuzz_compare(h1, bytes, &choices);
	}
	h1_free(h1);
	return 0;
}
