/* SPDX-License-Identifier: MIT */

/*
 * The first byte chooses (a HEAD or not, where to cut), the rest is what a server sends. The
 * same bytes in one piece, once and again, in random pieces and, where the body is plain, partly
 * received elsewhere must tell the same head, body and end.
 */

#include <stdlib.h>

#include "http/h1.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"
#include "util/container.h"

#define FUZZ_TOLD_MAX ((size_t)16 * 1024 * 1024)

/* One reading of the input. */
struct fuzz_reading {
	struct h1_sink sink;
	struct h1 *h1;
	/* Head and body as told, to be compared. */
	struct buffer head;
	struct buffer body;
	enum h1_result result;
	struct h1_fault fault;
	size_t used;
	/* Body bytes that h1_skip() took. */
	uint64_t skipped;
	uint64_t length;
	enum body_framing framing;
	uint32_t n_heads;
	/* Calls of the sink until it says stop. */
	size_t calls_left;
	bool keeps_alive;
};

static bool fuzz_on_head(struct h1_sink *sink, const struct response_head *head)
{
	struct fuzz_reading *reading = container_of(sink, struct fuzz_reading, sink);

	expect(++reading->n_heads == 1);
	expect(head->status >= 200 && head->status <= 999);
	expect(head->version_minor <= 1);
	expect(head->n_headers <= 1000);
	expect(h1_has_head(reading->h1));
	buffer_printf(&reading->head, "%d %d ", head->version_minor, head->status);
	buffer_append_text(&reading->head, head->reason);
	for (uint32_t i = 0; i < head->n_headers; i++) {
		const struct header *header = &head->headers[i];

		expect(header_name_is_valid(header->name));
		expect(header_value_is_valid(header->value));
		for (size_t j = 0; j < header->name.size; j++)
			expect(header->name.data[j] == text_lower(header->name.data[j]));
		buffer_append_byte(&reading->head, '\n');
		buffer_append_text(&reading->head, header->name);
		buffer_append_byte(&reading->head, ':');
		buffer_append_text(&reading->head, header->value);
	}
	reading->framing = head->framing;
	reading->length = head->length;
	return --reading->calls_left > 0;
}

static bool fuzz_on_body(struct h1_sink *sink, const char *data, size_t size)
{
	struct fuzz_reading *reading = container_of(sink, struct fuzz_reading, sink);

	expect(reading->n_heads == 1);
	expect(size > 0);
	expect(reading->framing != BODY_NONE);
	buffer_append(&reading->body, data, size);
	return --reading->calls_left > 0;
}

static void fuzz_reading_init(struct fuzz_reading *reading, struct h1 *h1, bool is_head)
{
	*reading = (struct fuzz_reading){
		.sink = {fuzz_on_head, fuzz_on_body},
		.h1 = h1,
		.calls_left = SIZE_MAX,
	};
	buffer_init(&reading->head, FUZZ_TOLD_MAX);
	buffer_init(&reading->body, FUZZ_TOLD_MAX);
	h1_begin(h1, &reading->sink, is_head);
	expect(!h1_has_begun(h1) && !h1_has_head(h1));
}

static void fuzz_reading_deinit(struct fuzz_reading *reading)
{
	buffer_deinit(&reading->head);
	buffer_deinit(&reading->body);
}

/* The next piece: fed, or where the body is plain perhaps only told. */
static void fuzz_feed(struct fuzz_reading *reading, struct text piece, bool may_skip)
{
	uint64_t left = h1_body_left(reading->h1);
	size_t used = 0;

	if (may_skip && h1_body_is_plain(reading->h1)) {
		used = piece.size < left ? piece.size : (size_t)left;
		buffer_append(&reading->body, piece.data, used);
		reading->skipped += used;
		reading->result = h1_skip(reading->h1, used);
	} else {
		reading->result = h1_feed(reading->h1, piece.data, piece.size, &used);
	}
	expect(used <= piece.size);
	expect(used == piece.size || reading->result != H1_MORE);
	reading->used += used;
}

static void fuzz_read(struct fuzz_reading *reading, struct text bytes, struct fuzz_choices *choices,
	bool may_skip)
{
	size_t at = 0;

	while (at < bytes.size && reading->result == H1_MORE) {
		size_t n = bytes.size - at;
		size_t limit = 1;

		/* Mostly a few bytes; sometimes all that is left. */
		if (choices) {
			limit += fuzz_choose(choices, 8) ? fuzz_choose(choices, 12) : n - 1;
			n = limit < n ? limit : n;
		}
		fuzz_feed(reading, (struct text){bytes.data + at, n},
			may_skip && fuzz_choose(choices, 2));
		at += n;
	}
	if (reading->result == H1_MORE)
		reading->result = h1_feed_end(reading->h1);
	if (reading->result == H1_FAULT)
		reading->fault = h1_fault(reading->h1);
	if (reading->result == H1_DONE)
		reading->keeps_alive = h1_keeps_alive(reading->h1);
}

static void fuzz_check(const struct fuzz_reading *reading, size_t size)
{
	expect(!reading->head.failed && !reading->body.failed);
	expect(reading->result != H1_MORE);
	if (reading->result == H1_FAULT) {
		expect(reading->fault.why && reading->fault.why[0] != '\0');
		expect(reading->fault.kind != H1_FAULT_MEMORY);
		expect((reading->fault.kind == H1_FAULT_EMPTY) == (size == 0));
	}
	if (reading->result != H1_DONE)
		return;
	expect(reading->n_heads == 1);
	expect(h1_body_left(reading->h1) == 0);
	if (reading->framing == BODY_LENGTH)
		expect(reading->body.size == reading->length);
	if (reading->framing == BODY_NONE)
		expect(reading->body.size == 0);
	if (reading->framing == BODY_CLOSE)
		expect(reading->used == size && !reading->keeps_alive);
}

static void fuzz_compare(const struct fuzz_reading *a, const struct fuzz_reading *b)
{
	expect(a->result == b->result);
	expect(text_equal(buffer_text(&a->head), buffer_text(&b->head)));
	expect(text_equal(buffer_text(&a->body), buffer_text(&b->body)));
	expect(a->framing == b->framing);
	expect(a->keeps_alive == b->keeps_alive);
	if (a->result == H1_DONE)
		expect(a->used == b->used);
	if (a->result == H1_FAULT) {
		expect(a->fault.kind == b->fault.kind);
		expect(a->fault.why == b->fault.why);
	}
}

/* A sink that says stop is asked nothing more. */
static void fuzz_stop(struct h1 *h1, struct text bytes, bool is_head, struct fuzz_choices *choices)
{
	struct fuzz_reading reading;

	fuzz_reading_init(&reading, h1, is_head);
	reading.calls_left = 1 + fuzz_choose(choices, 4);
	fuzz_read(&reading, bytes, choices, false);
	expect((reading.result == H1_STOPPED) == (reading.calls_left == 0));
	fuzz_reading_deinit(&reading);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_choices choices = fuzz_choices_of(size ? data[0] : 0);
	struct text bytes = {(const char *)data + (size > 0), size - (size > 0)};
	bool is_head = size > 0 && data[0] & 1;
	struct fuzz_reading whole, again, pieces, skipping;
	struct h1 *h1 = h1_new();

	expect(h1);
	fuzz_reading_init(&whole, h1, is_head);
	fuzz_read(&whole, bytes, NULL, false);
	fuzz_check(&whole, bytes.size);

	fuzz_reading_init(&again, h1, is_head);
	fuzz_read(&again, bytes, NULL, false);
	fuzz_check(&again, bytes.size);
	fuzz_compare(&whole, &again);

	fuzz_reading_init(&pieces, h1, is_head);
	fuzz_read(&pieces, bytes, &choices, false);
	fuzz_check(&pieces, bytes.size);
	fuzz_compare(&whole, &pieces);

	fuzz_reading_init(&skipping, h1, is_head);
	fuzz_read(&skipping, bytes, &choices, true);
	fuzz_check(&skipping, bytes.size);
	fuzz_compare(&whole, &skipping);

	fuzz_stop(h1, bytes, is_head, &choices);
	fuzz_reading_deinit(&whole);
	fuzz_reading_deinit(&again);
	fuzz_reading_deinit(&pieces);
	fuzz_reading_deinit(&skipping);
	h1_free(h1);
	return 0;
}
