/* SPDX-License-Identifier: MIT */

/*
 * The first byte chooses (how many streams, where to cut, what their users do), the rest is what
 * a server sends. The same bytes in one piece and in random pieces must tell each stream the
 * same; and whatever users do meanwhile, each is told its end once, and all memory returns.
 */

#include <stdlib.h>

#include "http/h2_private.h"
#include "tests/fuzz/fuzz.h"
#include "util/container.h"

#define FUZZ_STREAMS  4
#define FUZZ_TOLD_MAX ((size_t)64 * 1024 * 1024)
#define FUZZ_NOW      UINT64_C(1000000000)

struct fuzz_stream {
	struct h2_stream stream;
	/* All it was told, but the body. */
	struct buffer told;
	struct buffer body;
	/* What its user does; NULL: nothing but listen. */
	struct fuzz_choices *choices;
	size_t held;
	uint64_t length;
	enum body_framing framing;
	bool has_head;
	/* Told its end since its last request, or cancelled. */
	bool is_over;
	/* Told that there is no response. */
	bool is_reset;
};

/* One connection. */
struct fuzz_reading {
	struct h2 *h2;
	struct fuzz_stream streams[FUZZ_STREAMS];
	struct buffer out;
	bool is_alive;
};

static struct fuzz_stream *fuzz_stream_of(struct h2_stream *stream)
{
	return container_of(stream, struct fuzz_stream, stream);
}

/* What may happen to any stream in any upcall. */
static void fuzz_meddle(struct fuzz_stream *stream)
{
	if (!stream->choices)
		return;
	switch (fuzz_choose(stream->choices, 8)) {
	case 0:
		h2_cancel(&stream->stream);
		stream->is_over = true;
		break;
	case 1:
		h2_consume(&stream->stream, stream->held);
		stream->held = 0;
		break;
	case 2: h2_resume(&stream->stream); break;
	default: break;
	}
}

static void fuzz_on_head(struct h2_stream *h2_stream, const struct response_head *head)
{
	struct fuzz_stream *stream = fuzz_stream_of(h2_stream);

	expect(!stream->is_over && !stream->has_head);
	expect(head->status >= 200 && head->status <= 999);
	expect(head->version_major == 2 && head->version_minor == 0);
	expect(head->n_headers <= 1000 && head->framing != BODY_CLOSE);
	buffer_printf(&stream->told, "head %d %d\n", head->status, head->framing);
	for (uint32_t i = 0; i < head->n_headers; i++) {
		const struct header *header = &head->headers[i];

		expect(header_name_is_valid(header->name));
		expect(header_value_is_valid(header->value));
		for (size_t j = 0; j < header->name.size; j++)
			expect(header->name.data[j] == text_lower(header->name.data[j]));
		buffer_append_text(&stream->told, header->name);
		buffer_append_literal(&stream->told, ":");
		buffer_append_text(&stream->told, header->value);
		buffer_append_literal(&stream->told, "\n");
	}
	stream->has_head = true;
	stream->framing = head->framing;
	stream->length = head->length;
	fuzz_meddle(stream);
}

static void fuzz_on_body(struct h2_stream *h2_stream, const char *data, size_t size)
{
	struct fuzz_stream *stream = fuzz_stream_of(h2_stream);

	expect(!stream->is_over && stream->has_head && size > 0);
	expect(stream->framing != BODY_NONE);
	if (stream->framing == BODY_LENGTH)
		expect(size <= stream->length);
	stream->length -= size;
	buffer_append(&stream->body, data, size);
	stream->held += size;
	fuzz_meddle(stream);
}

static void fuzz_on_end(struct h2_stream *h2_stream)
{
	struct fuzz_stream *stream = fuzz_stream_of(h2_stream);

	expect(!stream->is_over && stream->has_head);
	if (stream->framing == BODY_LENGTH)
		expect(stream->length == 0);
	stream->is_over = true;
	buffer_append_literal(&stream->told, "\nend");
}

static void fuzz_on_reset(struct h2_stream *h2_stream, const struct h2_fault *fault)
{
	struct fuzz_stream *stream = fuzz_stream_of(h2_stream);

	expect(!stream->is_over);
	expect(fault->kind != H2_FAULT_NONE && fault->kind != H2_FAULT_MEMORY);
	expect(fault->why && h2_code_name(fault->code));
	expect(!fault->is_unprocessed || !stream->has_head);
	stream->is_over = true;
	stream->is_reset = true;
	buffer_printf(&stream->told, "\nreset %d %u %s", fault->kind, fault->code, fault->why);
}

static enum h2_pull fuzz_on_pull(struct h2_stream *h2_stream, size_t size, struct text *ret_piece)
{
	struct fuzz_choices *choices = fuzz_stream_of(h2_stream)->choices;
	enum h2_pull pull = choices ? (enum h2_pull)fuzz_choose(choices, 3) : H2_PULL_LATER;

	*ret_piece = (struct text){"piece", size < 5 ? size : 5};
	return pull;
}

static const struct h2_stream_events fuzz_events = {
	.on_head = fuzz_on_head,
	.on_body = fuzz_on_body,
	.on_end = fuzz_on_end,
	.on_reset = fuzz_on_reset,
	.on_pull = fuzz_on_pull,
};

static void fuzz_request(struct fuzz_reading *reading, size_t i)
{
	static const struct h2_request requests[FUZZ_STREAMS] = {
		{.method = TEXT_INIT("GET")},
		{.method = TEXT_INIT("HEAD")},
		{.method = TEXT_INIT("POST"), .body = TEXT_INIT("a body"), .has_body = true},
		{.method = TEXT_INIT("PUT"), .pulls = true, .pull_size = H2_LENGTH_OPEN},
	};
	struct fuzz_stream *stream = &reading->streams[i];
	struct h2_request request = requests[i];
	struct h2_fault fault;

	request.scheme = TEXT("https");
	request.authority = TEXT("a");
	request.target = TEXT("/");
	if (!h2_can_open(reading->h2))
		return;
	expect(h2_request(reading->h2, &stream->stream, &request, &fault));
	stream->is_over = false;
	stream->has_head = false;
	stream->held = 0;
}

static void fuzz_output(struct fuzz_reading *reading)
{
	/* A pull that always gives something never ends: a few portions are enough. */
	for (unsigned i = 0; i < 3 && reading->is_alive && h2_wants_output(reading->h2); i++) {
		reading->is_alive = h2_output(reading->h2, &reading->out);
		buffer_clear(&reading->out);
	}
}

static void fuzz_reading_init(struct fuzz_reading *reading, size_t n, struct fuzz_choices *choices)
{
	*reading = (struct fuzz_reading){.h2 = h2_new(FUZZ_NOW, 0), .is_alive = true};
	expect(reading->h2);
	buffer_init(&reading->out, FUZZ_TOLD_MAX);
	for (size_t i = 0; i < FUZZ_STREAMS; i++) {
		struct fuzz_stream *stream = &reading->streams[i];

		h2_stream_init(&stream->stream, &fuzz_events);
		buffer_init(&stream->told, FUZZ_TOLD_MAX);
		buffer_init(&stream->body, FUZZ_TOLD_MAX);
		stream->choices = choices;
		stream->is_over = true;
		if (i < n)
			fuzz_request(reading, i);
	}
	fuzz_output(reading);
}

static void fuzz_reading_deinit(struct fuzz_reading *reading)
{
	h2_free(reading->h2);
	buffer_deinit(&reading->out);
	for (size_t i = 0; i < FUZZ_STREAMS; i++) {
		h2_stream_deinit(&reading->streams[i].stream);
		buffer_deinit(&reading->streams[i].told);
		buffer_deinit(&reading->streams[i].body);
	}
}

/* `cuts`: where to cut, NULL: nowhere. `meddles`: between two pieces, too. */
static void fuzz_read(
	struct fuzz_reading *reading, struct text bytes, struct fuzz_choices *cuts, bool meddles)
{
	while (bytes.size > 0 && reading->is_alive) {
		size_t n = bytes.size, limit = 1;

		if (cuts) {
			limit += fuzz_choose(cuts, 8) ? fuzz_choose(cuts, 24) : n - 1;
			n = limit < n ? limit : n;
		}
		reading->is_alive = h2_feed(reading->h2, bytes.data, n, FUZZ_NOW);
		bytes = text_from_at(bytes, n);
		if (meddles) {
			size_t i = fuzz_choose(cuts, FUZZ_STREAMS);

			fuzz_meddle(&reading->streams[i]);
			if (!h2_is_under_way(&reading->streams[i].stream))
				fuzz_request(reading, i);
			if (fuzz_choose(cuts, 4) == 0)
				fuzz_output(reading);
		}
	}
	fuzz_output(reading);
	h2_feed_end(reading->h2);
	for (size_t i = 0; i < FUZZ_STREAMS; i++) {
		expect(!h2_is_under_way(&reading->streams[i].stream));
		expect(reading->streams[i].is_over);
	}
}

/* What is wrong with a body may be seen before its last bytes are shown, or after. */
static void fuzz_compare(const struct fuzz_stream *whole, const struct fuzz_stream *pieces)
{
	struct text begin = {pieces->body.data, whole->body.size};

	expect(text_equal(buffer_text(&whole->told), buffer_text(&pieces->told)));
	expect(whole->body.size == pieces->body.size || whole->is_reset);
	expect(whole->body.size <= pieces->body.size);
	expect(text_equal(buffer_text(&whole->body), begin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_choices choices = fuzz_choices_of(size ? data[0] : 0);
	struct text bytes = {(const char *)data + (size > 0), size - (size > 0)};
	size_t n = 1 + (size > 0 ? data[0] % FUZZ_STREAMS : 0);
	struct fuzz_reading whole, pieces, meddling;

	fuzz_reading_init(&whole, n, NULL);
	fuzz_read(&whole, bytes, NULL, false);
	fuzz_reading_init(&pieces, n, NULL);
	fuzz_read(&pieces, bytes, &choices, false);
	for (size_t i = 0; i < FUZZ_STREAMS; i++)
		fuzz_compare(&whole.streams[i], &pieces.streams[i]);
	fuzz_reading_deinit(&whole);
	fuzz_reading_deinit(&pieces);

	fuzz_reading_init(&meddling, n, &choices);
	fuzz_read(&meddling, bytes, &choices, true);
	fuzz_reading_deinit(&meddling);
	return 0;
}
